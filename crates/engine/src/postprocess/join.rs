//! The core of postprocess: answers and rows in, answered rows out.

use super::answers::Answers;
use super::output::AnswerColumns;
use crate::error::EngineError;
use crate::objects::{ClosableWrite, ObjectSink};
use crate::rows::csv_write::CsvFile;
use crate::rows::parquet_read::ParquetRows;
use crate::rows::parquet_write::{ParquetFile, Readers};
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use bedrock_batch_domain::columns::{NOT_SENT, RECORD_ID};
use bedrock_batch_domain::input::OutputFormat;
use bedrock_batch_domain::model::Family;
use bedrock_batch_domain::summary::JobCounts;
use parquet::file::reader::ChunkReader;
use std::io::Read;

/// What to join, and how to write it.
#[derive(Debug)]
pub struct JoinJob<'a> {
    /// The format of answers.
    pub family: Family,
    /// What every answer begins with; empty for nothing.
    pub prefill: &'a str,
    /// What `error` says of rows for which no line came.
    pub missing: &'a str,
    /// Its name for counting.
    pub missing_reason: &'a str,
    /// Formats and keys of the files to write.
    pub outputs: &'a [(OutputFormat, String)],
}

enum Output<W: ClosableWrite> {
    Parquet(ParquetFile<W>),
    Csv(CsvFile<W>),
}

impl<W: ClosableWrite> Output<W> {
    fn write(&mut self, rows: &RecordBatch) -> Result<(), EngineError> {
        match self {
            Self::Parquet(file) => file.write(rows),
            Self::Csv(file) => file.write(rows),
        }
    }

    fn close(self) -> Result<(), EngineError> {
        let writer = match self {
            Self::Parquet(file) => file.finish()?,
            Self::Csv(file) => file.finish()?,
        };
        Ok(writer.close()?)
    }
}

/// Joins the answers to the rows of the file `rows` (named `rows_name` in messages) and writes the outputs.
///
/// # Errors
/// As reading and writing fail. Answers that make no sense are no error: their rows say so.
pub fn join<R, S>(
    job: &JoinJob<'_>,
    rows: &R,
    rows_name: &str,
    answers: impl Iterator<Item = Box<dyn Read>>,
    sink: &S,
) -> Result<JobCounts, EngineError>
where
    R: ChunkReader + Clone + 'static,
    S: ObjectSink,
{
    let mut counts = JobCounts::default();
    let (mut row_ids, mut not_sent) = (Vec::new(), Vec::new());
    let (_, ids) = ParquetRows::open(rows.clone(), rows_name, Some(&[RECORD_ID, NOT_SENT]))?;
    for batch in ids {
        let batch = batch?;
        let column = |name| batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>());
        match (column(RECORD_ID), column(NOT_SENT)) {
            (Some(ids), Some(why)) => {
                row_ids.push(ids.clone());
                not_sent.push(why.clone());
            }
            _ => return Err(EngineError::Transient(format!("{rows_name} is not a rows file of ours"))),
        }
    }
    let mut joined = Answers::new(&row_ids, &not_sent);
    drop((row_ids, not_sent));
    for input in answers {
        joined.read(job.family, input, &mut counts)?;
    }
    let mut rows_done = 0;
    let mut outputs: Vec<Output<S::Writer>> = Vec::new();
    let (_, batches) = ParquetRows::open(rows.clone(), rows_name, None)?;
    for batch in batches {
        let batch = without_not_sent(&batch?)?;
        let mut columns =
            AnswerColumns::new(job.family, job.prefill, job.missing, job.missing_reason, batch.num_rows());
        for row in rows_done..rows_done + batch.num_rows() {
            columns.push(&joined, row, &mut counts);
        }
        rows_done += batch.num_rows();
        let answered = columns.join(&batch)?;
        if outputs.is_empty() {
            outputs = create(job.outputs, &answered, sink)?;
        }
        for output in &mut outputs {
            output.write(&answered)?;
        }
    }
    outputs.into_iter().try_for_each(Output::close)?;
    Ok(counts)
}

fn create<S: ObjectSink>(
    outputs: &[(OutputFormat, String)],
    first: &RecordBatch,
    sink: &S,
) -> Result<Vec<Output<S::Writer>>, EngineError> {
    let create = |(format, key): &(OutputFormat, String)| {
        let writer = sink.create(key)?;
        Ok(match format {
            OutputFormat::Parquet => Output::Parquet(ParquetFile::create(writer, first.schema(), Readers::Anybody)?),
            OutputFormat::Csv => Output::Csv(CsvFile::create(writer, &first.schema())?),
        })
    };
    outputs.iter().map(create).collect()
}

fn without_not_sent(batch: &RecordBatch) -> Result<RecordBatch, EngineError> {
    let kept: Vec<usize> =
        batch.schema().fields().iter().enumerate().filter(|(_, f)| f.name() != NOT_SENT).map(|(i, _)| i).collect();
    batch.project(&kept).map_err(|error| EngineError::Transient(error.to_string()))
}
