//! Preprocess and postprocess on local files, without S3.

use crate::measure::{Failure, measured};
use crate::shared_options::SharedOptions;
use arrow_array::RecordBatch;
use bedrock_batch_domain::chunk_plan::ChunkLimits;
use bedrock_batch_domain::ids::{JobPrefix, RunId};
use bedrock_batch_domain::input::{Inference, OutputFormat, RetryOn};
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::model::{Family, RecordWriter};
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::prompt::{Prompt, PromptPlan, Template};
use bedrock_batch_engine::EngineError;
use bedrock_batch_engine::objects::FolderSink;
use bedrock_batch_engine::postprocess::{JobAnswers, JobAttempt, JoinJob, PromptsRead, Reading, join};
use bedrock_batch_engine::preprocess::{ChunkWriteSpec, numbered, write_chunks};
use bedrock_batch_engine::rows::csv_dialect::CsvReading;
use bedrock_batch_engine::rows::csv_inspect::inspect_csv;
use bedrock_batch_engine::rows::csv_read::CsvRows;
use bedrock_batch_engine::rows::jsonl::{JsonRows, JsonTable};
use bedrock_batch_engine::rows::shared_file::SharedFile;
use clap::Args;
use serde_json::Value;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

/// Batches of rows.
type Batches = Box<dyn Iterator<Item = Result<RecordBatch, EngineError>>>;

/// Name of the run, which is part of the names of files.
pub(crate) const RUN: &str = "bench";

/// Names of the run's files.
pub(crate) fn layout() -> Result<Layout, Problem> {
    Ok(Layout::new(&JobPrefix::parse(RUN)?, &RunId::parse(RUN)?))
}

#[derive(Debug, Args)]
pub(crate) struct Preprocess {
    #[command(flatten)]
    common: SharedOptions,
    /// CSV file, or one of JSON lines (.jsonl)
    #[arg(long)]
    input: PathBuf,
    /// Folder for the chunks
    #[arg(long)]
    out: PathBuf,
    /// Maximum number of rows per request, for a template with `rows`
    #[arg(long, default_value_t = 1)]
    rows_per_request: usize,
}

impl Preprocess {
    pub(crate) fn run(&self) -> Result<Value, Failure> {
        let prompt = Prompt::parse(&std::fs::read_to_string(&self.common.template)?)?;
        let template = prompt.parsed_template()?;
        let layout = layout()?;
        let sink = FolderSink { folder: self.out.clone() };
        let figures = measured(|| {
            let (rows, batches) = self.rows()?;
            let records = [self.writer(&prompt, &template)?];
            let limits = ChunkLimits {
                min_records: 100,
                max_records: self.common.max_records_per_job,
                max_bytes: 1_000_000_000,
                max_chunks: None,
                small_last: false,
            };
            let job = ChunkWriteSpec {
                layout: &layout,
                records: &records,
                limits,
                max_record_bytes: 10_000_000,
                rows,
                deduplicate: true,
                lines: None,
            };
            Ok::<_, Failure>(write_chunks(&job, numbered(batches, rows), &sink)?.rows)
        })?;
        Ok(figures)
    }

    /// Returns the number of rows and the rows. As in a run, the file is read twice: once to count, once to write.
    fn rows(&self) -> Result<(u64, Batches), Failure> {
        let open = || Ok(File::open(&self.input)?);
        if self.input.extension().is_some_and(|extension| extension == "jsonl") {
            let mut table = JsonTable::default();
            table.add_file(open()?, "rows.jsonl")?;
            let shape = table.finish()?;
            return Ok((shape.rows, Box::new(JsonRows::open(open()?, "rows.jsonl", shape.columns)?)));
        }
        let rows = inspect_csv(open, "rows.csv", &CsvReading::default(), false)?.rows;
        Ok((rows, Box::new(CsvRows::open(open()?, "rows.csv", None)?)))
    }

    fn writer(&self, prompt: &Prompt, template: &Template) -> Result<RecordWriter, Failure> {
        let (inference, system) = (Inference::default(), prompt.system.as_deref());
        let writer = |template: &Template| {
            RecordWriter::new(Family::AnthropicMessages, template, &inference, system, None, false)
        };
        Ok(match &prompt.rows {
            Some(rows) => writer(&rows.parsed_template()?).of_rows(template, self.rows_per_request),
            None => writer(template),
        })
    }
}

#[derive(Debug, Args)]
pub(crate) struct Postprocess {
    /// Folder that preprocess wrote
    #[arg(long)]
    chunks: PathBuf,
    /// Folder of the answers, `NNNN.jsonl.out`
    #[arg(long)]
    answers: PathBuf,
    /// Folder for the answered rows
    #[arg(long)]
    out: PathBuf,
    /// Prompt template whose fields are extracted; without it, answers are texts
    #[arg(long)]
    template: Option<PathBuf>,
}

impl Postprocess {
    pub(crate) fn run(&self) -> Result<Value, Failure> {
        let layout = layout()?;
        let sink = FolderSink { folder: self.out.clone() };
        let prompts = match &self.template {
            Some(template) => {
                let prompt = Prompt::parse(&std::fs::read_to_string(template)?)?;
                PromptsRead::new(&PromptPlan::single(RUN, prompt), &Inference::default())?
            }
            None => PromptsRead::default(),
        };
        let figures = measured(|| {
            let mut rows = 0;
            for index in 0.. {
                let rows_file = self.chunks.join(layout.rows_key(index));
                let Ok(file) = SharedFile::open(&rows_file) else { break };
                let answers = self.answers.join(format!("{}.jsonl.out", Layout::chunk(index)));
                let reading = Reading { retry_on: &[RetryOn::Missing, RetryOn::Error], prompts: &prompts };
                let outputs = [(OutputFormat::Parquet, layout.output_key(index, "parquet"))];
                let job = JoinJob::new(Family::AnthropicMessages, reading, &outputs);
                let input: Box<dyn Read> = Box::new(File::open(answers)?);
                let turn = JobAnswers { job: attempt(), answers: Box::new(std::iter::once(input)) };
                let joined = join(&job, &file, &rows_file.display().to_string(), std::iter::once(turn), &sink)?;
                rows += joined.counts.rows;
            }
            Ok::<_, EngineError>(rows)
        })?;
        Ok(figures)
    }
}

/// Returns the only job of a chunk.
pub(crate) fn attempt() -> JobAttempt {
    JobAttempt::first(usize::MAX, "us.anthropic.claude-haiku-4-5-20251001-v1:0")
}
