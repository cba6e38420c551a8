//! The use case: find the answers of a chunk, join them, store the counts.

use super::answers::{JobAttempt, Reading};
use super::duplicates::Waiting;
use super::join::{JobAnswers, JoinJob, join};
use super::prompts_read::PromptsRead;
use super::unanswered::copy_unanswered;
use super::widen::{WidenJob, widen};
use crate::error::EngineError;
use crate::job_table::{JobTable, StoredJob};
use crate::objects::{
    Bucket, ObjectMeta, ObjectRangeReader, ObjectSink, ObjectWriter, StreamReader, Uploads, blocking, for_each_line_of,
};
use crate::rows::parquet_read::ParquetRows;
use arrow_array::RecordBatch;
use bedrock_batch_domain::columns::{Column, RECORD_ID};
use bedrock_batch_domain::input::OutputFormat;
use bedrock_batch_domain::job::{JobStatus, unanswered};
use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::plan::{ChunkItem, ChunkJob, JobItem, Plan};
use bedrock_batch_domain::row_error::{RowError, RowErrorCode};
use bedrock_batch_domain::summary::JobCounts;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::io::{self, Read};
use tokio::runtime::Handle;

/// What the state machine hands to postprocess: a job of the first pass, whose rows are one chunk, or a chunk.
#[derive(Debug, Clone, Deserialize)]
pub struct PostprocessInput {
    /// The run.
    pub run_id: String,
    /// The execution of the state machine.
    pub execution_arn: String,
    /// The job.
    #[serde(default)]
    pub job: Option<JobItem>,
    /// The chunk.
    #[serde(default)]
    pub chunk: Option<ChunkItem>,
}

impl PostprocessInput {
    fn chunk(&self) -> Result<ChunkItem, EngineError> {
        let chunk = self.chunk.clone().or_else(|| self.job.as_ref().map(ChunkItem::of_job));
        chunk.ok_or_else(|| EngineError::internal("the state machine passed neither a job nor a chunk"))
    }
}

/// Everything that postprocess needs.
#[derive(Debug, Clone)]
pub struct Postprocessor {
    /// The bucket of everything.
    pub bucket: Bucket,
    /// The job table.
    pub jobs: JobTable,
}

/// A chunk, and what of it was found.
struct Chunk {
    plan: Plan,
    layout: Layout,
    item: ChunkItem,
    rows: ObjectMeta,
    outputs: Vec<(OutputFormat, String)>,
    /// The execution that has the run in hand.
    owner: String,
    prompts: PromptsRead,
}

impl Postprocessor {
    /// Joins a chunk with all answers that there are, whatever way its jobs ended. A repetition writes the same files.
    ///
    /// # Errors
    /// As AWS fails.
    pub async fn run(&self, input: &PostprocessInput) -> Result<JobCounts, EngineError> {
        let item = input.chunk()?;
        let (name, index, stamp) = (item.name.clone(), item.index, item.stamp.clone());
        let widens = item.widen;
        let done = if widens { self.widen(input, &item).await } else { self.join(input, item).await };
        let done = done.map(|counts| JobCounts { stamp, ..counts });
        match &done {
            // Its rows are counted already.
            Ok(_) if widens => {}
            Ok(counts) => {
                self.jobs.set_counts(&input.run_id, &name, index, counts).await?;
                tracing::info!(name, rows = counts.rows, answered = counts.answered, "joined");
            }
            Err(error) => {
                tracing::warn!(run_id = input.run_id, name, error_type = error.name(), "not joined");
                // The Map ends without a reason; should this be the one, it is found here.
                let noted = self.jobs.record_failure(&input.run_id, &name, error).await;
                if let Err(second) = noted {
                    tracing::warn!(name, error = %second, "the reason could not be stored");
                }
            }
        }
        done
    }

    async fn join(&self, input: &PostprocessInput, item: ChunkItem) -> Result<JobCounts, EngineError> {
        let run_id = &input.run_id;
        self.jobs.check_in_hand(run_id, &input.execution_arn).await?;
        let plan: Plan = self.bucket.get_json(&Layout::plan_key(run_id)).await?;
        let layout = Layout::new(&plan.request.job_name_prefix, run_id);
        let (rows_key, output_key): (_, fn(&Layout, u32, &str) -> String) = if item.duplicates {
            (layout.duplicate_rows_key(item.index), Layout::duplicate_output_key)
        } else {
            (layout.rows_key(item.index), Layout::output_key)
        };
        let formats = plan.request.output_formats.iter();
        let outputs = if plan.prompts.is_wide() {
            // What is widened at the end.
            vec![(OutputFormat::Parquet, layout.long_key(item.index))]
        } else {
            formats.map(|format| (*format, output_key(&layout, item.index, format.extension()))).collect()
        };
        let rows = self.expect(&rows_key).await?;
        // It was checked when the prompt was loaded.
        let prompts = PromptsRead::new(&plan.prompts, &plan.request.inference)?;
        let owner = input.execution_arn.clone();
        let chunk = Chunk { plan, layout, item, rows, outputs, owner, prompts };
        if chunk.item.duplicates { self.join_duplicates(chunk).await } else { self.join_chunk(chunk).await }
    }

    async fn expect(&self, key: &str) -> Result<ObjectMeta, EngineError> {
        let found = self.bucket.head(key).await?;
        found.ok_or_else(|| EngineError::corrupt(format!("{} does not exist any more", self.bucket.uri(key))))
    }

    async fn join_chunk(&self, chunk: Chunk) -> Result<JobCounts, EngineError> {
        let mut found_of_jobs = Vec::with_capacity(chunk.item.jobs.len());
        for job in &chunk.item.jobs {
            found_of_jobs.push(self.answers_of(&chunk, job).await?);
        }
        let records = self.expect(&chunk.layout.records_key(chunk.item.index)).await?;
        let wanted = self.wanted(&chunk).await?;
        let uploads = self.bucket.uploads(&Handle::current());
        let counts = {
            let (s3, uploads, jobs) = (self.bucket.client().clone(), uploads.clone(), self.jobs.clone());
            blocking(move || {
                let runtime = Handle::current();
                let (index, shared_key) = (chunk.item.index, chunk.layout.shared_key(chunk.item.index));
                let job = job_of(&chunk, wanted.as_deref().map(|wanted| (wanted, shared_key.as_str())));
                let rows = ObjectRangeReader::new(&runtime, &s3, &chunk.rows);
                let answers = found_of_jobs.iter().map(|(attempt, found)| {
                    let read = |found: &ObjectMeta| Box::new(StreamReader::new(&runtime, &s3, found)) as Box<dyn Read>;
                    JobAnswers { job: attempt.clone(), answers: Box::new(found.iter().map(read)) }
                });
                let sink = WhileInHand::new(&runtime, &uploads, &jobs, &chunk);
                let joined = join(&job, &rows, &chunk.rows.uri.to_string(), answers, &sink)?;
                if joined.counts.unanswered > 0 {
                    let lines = StreamReader::new(&runtime, &s3, &records);
                    copy_unanswered(lines, &joined.unanswered, &sink, &chunk.layout.unanswered_key(index))?;
                }
                Ok(joined.counts)
            })
            .await?
        };
        uploads.finish().await?;
        Ok(counts)
    }

    /// The part of a job in the chunk, and the files of its answers.
    async fn answers_of(&self, chunk: &Chunk, job: &ChunkJob) -> Result<(JobAttempt, Vec<ObjectMeta>), EngineError> {
        let stored = self.jobs.get(&job.name).await?.unwrap_or_default();
        let folder = match (job.lane, stored.job_arn.as_deref().and_then(|arn| arn.rsplit('/').next())) {
            (Lane::OnDemand, _) => Some(chunk.layout.on_demand_prefix(job.index)),
            // Bedrock writes under the folder we name, in one of its own that is called after the job's id.
            (Lane::Batch, Some(id)) => Some(format!("{}{id}/", chunk.layout.answers_prefix(job.index))),
            (Lane::Batch, None) => None,
        };
        let mut answers = match folder {
            Some(folder) => self.bucket.list(&folder).await?,
            None => Vec::new(),
        };
        answers.retain(|found| found.uri.key.ends_with(".jsonl.out"));
        let model = match job.lane {
            Lane::Batch => &chunk.plan.model,
            Lane::OnDemand => &chunk.plan.on_demand.model,
        };
        let attempt = JobAttempt {
            pass: job.pass,
            records: job.records as usize,
            was_asked: stored.was_asked(),
            lane: job.lane,
            model_id: model.id.clone(),
            missing: missing(job.lane, &stored),
        };
        Ok((attempt, answers))
    }

    /// The rows of the chunk whose answers rows of other chunks wait for.
    async fn wanted(&self, chunk: &Chunk) -> Result<Option<Vec<String>>, EngineError> {
        if chunk.plan.counts.duplicates == 0 {
            return Ok(None);
        }
        let key = chunk.layout.wanted_key(chunk.item.index);
        self.bucket.find_json(&key).await
    }

    /// Writes a chunk's rows as wide ones, once all is answered.
    async fn widen(&self, input: &PostprocessInput, item: &ChunkItem) -> Result<JobCounts, EngineError> {
        self.jobs.check_in_hand(&input.run_id, &input.execution_arn).await?;
        let plan: Plan = self.bucket.get_json(&Layout::plan_key(&input.run_id)).await?;
        let layout = Layout::new(&plan.request.job_name_prefix, &input.run_id);
        let own = self.expect(&layout.long_key(item.index)).await?;
        let prompts = PromptsRead::new(&plan.prompts, &plan.request.inference)?;
        let formats = plan.request.output_formats.iter();
        let outputs: Vec<_> =
            formats.map(|format| (*format, layout.output_key(item.index, format.extension()))).collect();
        let others = plan.columns.iter().filter(|column| column.name != RECORD_ID).cloned();
        let existing = std::iter::once(Column::of_input(RECORD_ID)).chain(others).collect();
        let uploads = self.bucket.uploads(&Handle::current());
        let (this, index) = (self.clone(), item.index);
        let rows = {
            let uploads = uploads.clone();
            blocking(move || {
                let runtime = Handle::current();
                let job = WidenJob { prompts: &prompts, plan: &plan.prompts, existing, outputs: &outputs };
                let open = |found: &ObjectMeta| {
                    let rows = ObjectRangeReader::new(&runtime, this.bucket.client(), found);
                    ParquetRows::open(rows, &found.uri.to_string(), None).map(|(_, rows)| rows)
                };
                let after = (index + 1..plan.counts.jobs).map(|chunk| {
                    let found = runtime.block_on(this.expect(&layout.long_key(chunk)))?;
                    open(&found)
                });
                let after = after.flat_map(|file| match file {
                    Ok(rows) => Box::new(rows) as Box<dyn Iterator<Item = Result<RecordBatch, EngineError>>>,
                    Err(error) => Box::new(std::iter::once(Err(error))),
                });
                widen(&job, open(&own)?, after, &uploads)
            })
            .await?
        };
        uploads.finish().await?;
        tracing::info!(run_id = input.run_id, chunk = item.index, rows, "widened");
        Ok(JobCounts::default())
    }

    async fn join_duplicates(&self, chunk: Chunk) -> Result<JobCounts, EngineError> {
        let run_id = &chunk.plan.run_id;
        let first_rows: Vec<u64> = self.bucket.get_json(&Layout::first_rows_key(run_id)).await?;
        let folder = chunk.layout.shared_key(0);
        let folder = folder.rsplit_once('/').map_or("", |(folder, _)| folder);
        let shared = self.bucket.list(&format!("{folder}/")).await?;
        let uploads = self.bucket.uploads(&Handle::current());
        let counts = {
            let (s3, uploads, jobs) = (self.bucket.client().clone(), uploads.clone(), self.jobs.clone());
            blocking(move || {
                let runtime = Handle::current();
                let mut counts = JobCounts::default();
                let rows = ObjectRangeReader::new(&runtime, &s3, &chunk.rows);
                let name = chunk.rows.uri.to_string();
                let job = job_of(&chunk, None);
                let mut waiting = Waiting::read(&rows, &name, &first_rows, job.reading)?;
                let keys: BTreeSet<String> =
                    waiting.chunks.iter().map(|index| chunk.layout.shared_key(*index)).collect();
                // Chunks that were never joined have shared nothing.
                let files = shared.into_iter().filter(|found| keys.contains(&found.uri.key));
                let files: Vec<((), ObjectMeta)> = files.map(|found| ((), found)).collect();
                for_each_line_of(&runtime, &s3, &files, |(), line| {
                    waiting.take(line, &mut counts);
                    Ok(())
                })?;
                let sink = WhileInHand::new(&runtime, &uploads, &jobs, &chunk);
                waiting.write(&job, &rows, &name, &mut counts, &sink)?;
                Ok(counts)
            })
            .await?
        };
        uploads.finish().await?;
        Ok(counts)
    }
}

/// Uploads that are begun only while the run is in the hands of the execution that asked for them: a function goes on
/// for a while after its execution was stopped, and must not write over what another one has written since.
struct WhileInHand<'a> {
    runtime: &'a Handle,
    uploads: &'a Uploads,
    jobs: &'a JobTable,
    chunk: &'a Chunk,
}

impl<'a> WhileInHand<'a> {
    fn new(runtime: &'a Handle, uploads: &'a Uploads, jobs: &'a JobTable, chunk: &'a Chunk) -> Self {
        Self { runtime, uploads, jobs, chunk }
    }
}

impl ObjectSink for WhileInHand<'_> {
    type Writer = ObjectWriter;

    fn create(&self, key: &str) -> io::Result<ObjectWriter> {
        self.runtime.block_on(self.jobs.check_in_hand(&self.chunk.plan.run_id, &self.chunk.owner))?;
        self.uploads.create(key)
    }
}

fn job_of<'a>(chunk: &'a Chunk, shared: Option<(&'a [String], &'a str)>) -> JoinJob<'a> {
    let request = &chunk.plan.request;
    JoinJob {
        family: chunk.plan.model.family,
        reading: Reading { retry_on: &request.invocation.retry_on, prompts: &chunk.prompts },
        columns: &chunk.plan.columns,
        strip_suffix: chunk.plan.prompts.expands() && !chunk.plan.prompts.is_wide(),
        types: chunk.item.types.as_deref(),
        outputs: &chunk.outputs,
        shared,
    }
}

/// Reason of the rows of a job for which no line came.
fn missing(lane: Lane, stored: &StoredJob) -> RowError {
    if stored.was_asked() {
        return unanswered(lane, stored.status.unwrap_or(JobStatus::Unknown), stored.message.as_deref());
    }
    match &stored.fell_back {
        Some(reason) => RowError::new(RowErrorCode::BatchRefused, reason),
        None => RowErrorCode::NotAskedRunEnded.into(),
    }
}
