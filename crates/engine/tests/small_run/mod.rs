//! A run of one chunk, in a folder.

use arrow_array::RecordBatch;
use bedrock_batch_domain::chunk_plan::ChunkLimits;
use bedrock_batch_domain::input::{Inference, OutputFormat};
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::model::{Family, RecordWriter};
use bedrock_batch_domain::prompt::Template;
use bedrock_batch_domain::row_error::RowError;
use bedrock_batch_engine::objects::FolderSink;
use bedrock_batch_engine::postprocess::{JobAnswers, JobAttempt, JoinJob, Joined, join};
use bedrock_batch_engine::preprocess::{ChunkWriteSpec, numbered, write_chunks};
use bedrock_batch_engine::rows::cell_text::as_text;
use bedrock_batch_engine::rows::csv_read::CsvRows;
use bedrock_batch_engine::rows::parquet_read::ParquetRows;
use bedrock_batch_engine::rows::shared_file::SharedFile;
use std::io::{Cursor, Read};
use std::path::Path;

/// Writes one chunk of these CSV rows, like preprocess.
pub(crate) fn prepare(csv: &str, rows: u64, folder: &Path) {
    let template = Template::parse("{text}").unwrap();
    let records = [RecordWriter::new(Family::Nova, &template, &Inference::default(), None, None, false)];
    let layout = layout();
    let limits =
        ChunkLimits { min_records: 1, max_records: 1000, max_bytes: 1_000_000, max_chunks: None, small_last: false };
    let job = ChunkWriteSpec {
        layout: &layout,
        records: &records,
        limits,
        max_record_bytes: 1000,
        rows,
        deduplicate: false,
        lines: None,
    };
    let batches = CsvRows::open(csv.as_bytes(), "rows.csv", None).unwrap();
    write_chunks(&job, numbered(batches, u64::MAX), &FolderSink { folder: folder.to_owned() }).unwrap();
}

/// Returns a batch job of the pass `pass` that had this number of rows.
pub(crate) fn job_answers(pass: u32, records: usize, answers: Vec<String>) -> JobAnswers<'static> {
    let missing = RowError::uncoded("nothing came", "nothing");
    let job = JobAttempt { pass, missing, ..JobAttempt::first(records, "m") };
    let read = |text: String| Box::new(Cursor::new(text.into_bytes())) as Box<dyn Read>;
    JobAnswers { job, answers: Box::new(answers.into_iter().map(read)) }
}

/// Returns the only file that most joins write.
pub(crate) fn parquet() -> [(OutputFormat, String); 1] {
    [(OutputFormat::Parquet, "out.parquet".to_owned())]
}

/// Joins the chunk that [`prepare`] wrote with the answers of these jobs.
pub(crate) fn join_chunk(
    job: &JoinJob<'_>,
    jobs: impl IntoIterator<Item = JobAnswers<'static>>,
    folder: &Path,
) -> Joined {
    let rows = SharedFile::open(&folder.join(layout().rows_key(0))).unwrap();
    join(job, &rows, "rows", jobs.into_iter(), &FolderSink { folder: folder.to_owned() }).unwrap()
}

fn layout() -> Layout {
    Layout::new(&"p".parse().unwrap(), &"r".parse().unwrap())
}

/// Returns the rows that a join wrote.
pub(crate) fn output(folder: &Path) -> RecordBatch {
    let file = SharedFile::open(&folder.join("out.parquet")).unwrap();
    ParquetRows::open(file, "out", None).unwrap().1.next().unwrap().unwrap()
}

/// Returns a column as texts.
pub(crate) fn texts(batch: &RecordBatch, name: &str) -> Vec<Option<String>> {
    let column = as_text(batch.column_by_name(name).unwrap()).unwrap();
    column.iter().map(|cell| cell.map(str::to_owned)).collect()
}

/// Returns the line of an answer.
pub(crate) fn nova(id: usize, text: &str) -> String {
    format!(
        r#"{{"recordId":"r{id:09}","modelInput":{{}},"modelOutput":{{"output":{{"message":{{"content":[{{"text":"{text}"}}]}}}},"stopReason":"end_turn","usage":{{"inputTokens":3,"outputTokens":2}}}}}}"#
    )
}
