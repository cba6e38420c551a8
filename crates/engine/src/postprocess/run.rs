//! The use case: finds the answers of a chunk, joins them, and stores the counts.

use super::answers::Reading;
use super::duplicates::WaitingRows;
use super::input::PostprocessInput;
use super::job_files::JobFiles;
use super::join::{JobAnswers, Joined, join};
use super::join_job::JoinJob;
use super::late_answers::{PollDelays, late_lines, with_late_lines};
use super::pivot::{PivotTask, Pivoted, pivot};
use super::prompts_read::PromptsRead;
use super::unanswered::{SingleRows, write_unanswered};
use crate::error::EngineError;
use crate::job_table::{JobTable, Ownership, WorkOrder};
use crate::objects::{Bucket, ObjectMeta, ObjectRangeReader, StreamReader, Uploads, blocking, for_each_line_of};
use crate::records::{RunWriters, record_writers};
use crate::rows::csv_write::CsvStyle;
use crate::rows::parquet_read::ParquetRows;
use arrow_array::RecordBatch;
use bedrock_batch_domain::columns::{Column, RECORD_ID};
use bedrock_batch_domain::extract::ColumnType;
use bedrock_batch_domain::input::OutputFormat;
use bedrock_batch_domain::join_order::JoinOrder;
use bedrock_batch_domain::join_task::{ChunkAttempt, JoinTask};
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::model::RecordWriter;
use bedrock_batch_domain::plan::Plan;
use bedrock_batch_domain::summary::ChunkCounts;
use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

/// Performs join tasks.
#[derive(Debug, Clone)]
pub struct Postprocessor {
    /// Bucket of the stack.
    pub bucket: Bucket,
    /// Job table.
    pub jobs: JobTable,
    /// Maximum time to wait for answers that Bedrock counts and whose lines are not there yet.
    pub late_answers: Duration,
}

/// File of rows to be joined, with everything that the join needs.
struct RowsFile {
    plan: Plan,
    layout: Layout,
    rows: ObjectMeta,
    types: Option<Vec<ColumnType>>,
    outputs: Vec<(OutputFormat, String)>,
    /// Right to write the files.
    owned: Ownership,
    prompts: PromptsRead,
}

impl RowsFile {
    /// Returns the writers of records, of which only runs with requests of several rows need some.
    fn writers(&self) -> Result<Vec<RecordWriter>, EngineError> {
        if !self.plan.prompts.has_rows_parts() {
            return Ok(Vec::new());
        }
        let Plan { request, prompts, model, .. } = &self.plan;
        Ok(record_writers(RunWriters { request, family: model.family, prompts, has_embedding_input: false })?)
    }
}

impl Postprocessor {
    /// Performs a task with all existing answers, however the jobs ended. A repetition writes the same files.
    ///
    /// # Errors
    /// Returns an error if S3 or DynamoDB cannot be reached, or if another execution owns the run now.
    pub async fn run(&self, input: &PostprocessInput) -> Result<ChunkCounts, EngineError> {
        let epoch = self.jobs.ensure_owner(&input.run_id, &input.execution_arn).await;
        let join = epoch.map(|epoch| JoinOrder::of(&input.task, epoch));
        let order = join.as_ref().ok().map(|order| WorkOrder::from(*order));
        let done = match join {
            Ok(order) => self.perform(input, order).await,
            Err(error) => Err(error),
        };
        self.jobs.record_outcome(&input.run_id, (input.task.name(), input.task.index()), order, done).await
    }

    async fn perform(&self, input: &PostprocessInput, order: JoinOrder) -> Result<ChunkCounts, EngineError> {
        let (run_id, item) = (&input.run_id, (input.task.name(), input.task.index()));
        self.jobs.begin_join(run_id, item, order).await?;
        let owned = Ownership::new(&self.jobs, run_id, &input.execution_arn).of_join(item.0, order);
        let plan: Plan = self.bucket.get_json(&Layout::plan_key(&input.run_id)).await?;
        let layout = Layout::new(&plan.request.job_name_prefix, &input.run_id);
        let guards_cells = plan.request.answers.csv_safe_cells;
        let (stamp, counts) = match &input.task {
            JoinTask::Pivot { chunk, .. } => {
                let pivoted = self.pivot(plan, layout, *chunk, owned).await?;
                if guards_cells {
                    self.jobs.set_guarded_cells(&input.run_id, input.task.name(), pivoted.guarded_cells).await?;
                }
                // Its rows are already counted.
                return Ok(ChunkCounts::default());
            }
            JoinTask::Chunk { chunk, attempts, types, stamp, .. } => {
                let outputs = outputs(&plan, &layout, *chunk, Layout::output_key);
                let rows_key = layout.rows_key(*chunk);
                let file = self.rows_file(owned, plan, layout, &rows_key, outputs, types.clone()).await?;
                (stamp, self.join_chunk(file, *chunk, attempts).await?)
            }
            JoinTask::Duplicates { file: index, types, stamp, .. } => {
                let outputs = outputs(&plan, &layout, *index, Layout::duplicate_output_key);
                let rows_key = layout.duplicate_rows_key(*index);
                let file = self.rows_file(owned, plan, layout, &rows_key, outputs, types.clone()).await?;
                (stamp, self.join_duplicates(file).await?)
            }
        };
        let counts = ChunkCounts { stamp: stamp.clone(), ..counts };
        self.jobs.set_counts(run_id, item, order, &counts).await?;
        tracing::info!(%run_id, name = %item.0, rows = counts.rows, answered = counts.answered, "file_joined");
        Ok(counts)
    }

    async fn rows_file(
        &self,
        owned: Ownership,
        plan: Plan,
        layout: Layout,
        rows_key: &str,
        outputs: Vec<(OutputFormat, String)>,
        types: Option<Vec<ColumnType>>,
    ) -> Result<RowsFile, EngineError> {
        let rows = self.expect(rows_key).await?;
        // Prompts were validated when they were loaded.
        let prompts = PromptsRead::new(&plan.prompts, &plan.request.inference)?
            .with_embeddings_of(plan.model.family, &plan.request.inference);
        Ok(RowsFile { plan, layout, rows, types, outputs, owned, prompts })
    }

    /// Returns uploads that are completed only while this function may write the files.
    fn uploads(&self, owned: &Ownership) -> Uploads {
        let owned = owned.clone();
        self.bucket.uploads(&Handle::current()).checked(move || owned.clone().ensure())
    }

    async fn expect(&self, key: &str) -> Result<ObjectMeta, EngineError> {
        let found = self.bucket.head(key).await?;
        found.ok_or_else(|| EngineError::corrupt(format!("{} does not exist any more", self.bucket.uri(key))))
    }

    async fn join_chunk(
        &self,
        file: RowsFile,
        chunk: u32,
        attempts: &[ChunkAttempt],
    ) -> Result<ChunkCounts, EngineError> {
        let file = Arc::new(file);
        let mut delays = PollDelays::new(self.late_answers);
        let mut jobs = self.files_of(&file, attempts).await?;
        loop {
            // Without any answer of a job that must have some, a join now would be in vain.
            let counts = if delays.has_time_left() && jobs.iter().any(JobFiles::is_missing_files) {
                None
            } else {
                let joined = self.join_files(&file, chunk, &jobs).await?;
                let late = late_lines(&jobs, &joined.jobs);
                if late == 0 || !delays.has_time_left() {
                    return Ok(with_late_lines(joined.counts, late));
                }
                Some(with_late_lines(joined.counts, late))
            };
            tracing::info!(run_id = %file.plan.run_id, chunk, "answers_awaited");
            jobs = loop {
                delays.wait().await;
                let now = self.files_of(&file, attempts).await?;
                match &counts {
                    _ if now.iter().zip(&jobs).any(|(now, before)| now.files != before.files) => break now,
                    Some(counts) if !delays.has_time_left() => return Ok(counts.clone()),
                    None if !delays.has_time_left() => break now,
                    _ => {}
                }
            };
        }
    }

    /// Finds the answers of the jobs that had rows of the chunk.
    async fn files_of(&self, file: &RowsFile, attempts: &[ChunkAttempt]) -> Result<Vec<JobFiles>, EngineError> {
        let mut jobs = Vec::with_capacity(attempts.len());
        for attempt in attempts {
            jobs.push(JobFiles::find(&self.bucket, &self.jobs, (&file.plan, &file.layout), attempt).await?);
        }
        Ok(jobs)
    }

    async fn join_files(&self, file: &Arc<RowsFile>, chunk: u32, jobs: &[JobFiles]) -> Result<Joined, EngineError> {
        let records = self.expect(&file.layout.records_key(chunk)).await?;
        let wanted = self.wanted(file, chunk).await?;
        let uploads = self.uploads(&file.owned);
        let joined = {
            let (s3, sink) = (self.bucket.client().clone(), uploads.clone());
            let (file, jobs) = (Arc::clone(file), jobs.to_vec());
            blocking(move || {
                let runtime = Handle::current();
                let shared_key = file.layout.shared_key(chunk);
                let job = join_job(&file, wanted.as_deref().map(|wanted| (wanted, shared_key.as_str())));
                let rows = ObjectRangeReader::new(&runtime, &s3, &file.rows);
                let jobs = jobs.iter().map(|of_job| {
                    let read = |found: &ObjectMeta| Box::new(StreamReader::new(&runtime, &s3, found)) as Box<dyn Read>;
                    JobAnswers { job: of_job.attempt.clone(), answers: Box::new(of_job.files.iter().map(read)) }
                });
                let joined = join(&job, &rows, &file.rows.uri.to_string(), jobs, &sink)?;
                if joined.counts.unanswered > 0 {
                    let lines = StreamReader::new(&runtime, &s3, &records);
                    let writers = file.writers()?;
                    let single = SingleRows { rows: &rows, rows_name: &file.rows.uri.to_string(), writers: &writers };
                    write_unanswered(lines, &joined, &single, &sink, &file.layout.unanswered_key(chunk))?;
                }
                Ok(joined)
            })
            .await?
        };
        uploads.finish().await?;
        Ok(joined)
    }

    /// Returns the rows of the chunk whose answers rows of other chunks wait for.
    async fn wanted(&self, file: &RowsFile, chunk: u32) -> Result<Option<Vec<String>>, EngineError> {
        if file.plan.counts.duplicates == 0 {
            return Ok(None);
        }
        let key = file.layout.wanted_key(chunk);
        self.bucket.find_json(&key).await
    }

    /// Writes the rows of a chunk as wide rows, after everything is answered.
    async fn pivot(&self, plan: Plan, layout: Layout, chunk: u32, owned: Ownership) -> Result<Pivoted, EngineError> {
        let own = self.expect(&layout.long_key(chunk)).await?;
        let prompts = PromptsRead::new(&plan.prompts, &plan.request.inference)?;
        let formats = plan.request.output_formats.iter();
        let outputs: Vec<_> = formats.map(|format| (*format, layout.output_key(chunk, format.extension()))).collect();
        let others = plan.columns.iter().filter(|column| column.name != RECORD_ID).cloned();
        let existing = std::iter::once(Column::of_input(RECORD_ID)).chain(others).collect();
        let uploads = self.uploads(&owned);
        let run_id = plan.run_id.clone();
        let pivoted = {
            let (this, sink) = (self.clone(), uploads.clone());
            blocking(move || {
                let runtime = Handle::current();
                let prefix = plan.request.answers.output_column_prefix.as_deref();
                let csv = CsvStyle::from(&plan.request.answers);
                let plan_of_prompts = &plan.prompts;
                let task =
                    PivotTask { prompts: &prompts, plan: plan_of_prompts, existing, prefix, csv, outputs: &outputs };
                let open = |found: &ObjectMeta| {
                    let rows = ObjectRangeReader::new(&runtime, this.bucket.client(), found);
                    ParquetRows::open_of_run(rows, &found.uri.to_string(), None)
                };
                let after = (chunk + 1..plan.counts.jobs).map(|chunk| {
                    let found = runtime.block_on(this.expect(&layout.long_key(chunk)))?;
                    open(&found)
                });
                let after = after.flat_map(|file| match file {
                    Ok(rows) => Box::new(rows) as Box<dyn Iterator<Item = Result<RecordBatch, EngineError>>>,
                    Err(error) => Box::new(std::iter::once(Err(error))),
                });
                pivot(&task, open(&own)?, after, &sink)
            })
            .await?
        };
        uploads.finish().await?;
        tracing::info!(%run_id, chunk, rows = pivoted.rows, "chunk_pivoted");
        Ok(pivoted)
    }

    async fn join_duplicates(&self, file: RowsFile) -> Result<ChunkCounts, EngineError> {
        let run_id = &file.plan.run_id;
        let first_rows: Vec<u64> = self.bucket.get_json(&Layout::first_rows_key(run_id)).await?;
        let folder = file.layout.shared_key(0);
        let folder = folder.rsplit_once('/').map_or("", |(folder, _)| folder);
        let shared = self.bucket.list(&format!("{folder}/")).await?;
        let uploads = self.uploads(&file.owned);
        let counts = {
            let (s3, sink) = (self.bucket.client().clone(), uploads.clone());
            blocking(move || {
                let runtime = Handle::current();
                let mut counts = ChunkCounts::default();
                let rows = ObjectRangeReader::new(&runtime, &s3, &file.rows);
                let name = file.rows.uri.to_string();
                let job = join_job(&file, None);
                let mut waiting = WaitingRows::read(&rows, &name, &first_rows, job.reading)?;
                let keys: BTreeSet<String> =
                    waiting.chunks.iter().map(|index| file.layout.shared_key(*index)).collect();
                // Chunks that were never joined have no shared answers.
                let files = shared.into_iter().filter(|found| keys.contains(&found.uri.key));
                let files: Vec<((), ObjectMeta)> = files.map(|found| ((), found)).collect();
                for_each_line_of(&runtime, &s3, &files, |(), line| {
                    waiting.take(line, &mut counts);
                    Ok(())
                })?;
                waiting.write(&job, &rows, &name, &mut counts, &sink)?;
                Ok(counts)
            })
            .await?
        };
        uploads.finish().await?;
        Ok(counts)
    }
}

/// Returns the formats and keys of the answered rows; `key` returns that of file `index`.
fn outputs(
    plan: &Plan,
    layout: &Layout,
    index: u32,
    key: fn(&Layout, u32, &str) -> String,
) -> Vec<(OutputFormat, String)> {
    if plan.prompts.is_wide() {
        // The pivot creates the answered rows from it at the end.
        return vec![(OutputFormat::Parquet, layout.long_key(index))];
    }
    let formats = plan.request.output_formats.iter();
    formats.map(|format| (*format, key(layout, index, format.extension()))).collect()
}

fn join_job<'a>(file: &'a RowsFile, shared: Option<(&'a [String], &'a str)>) -> JoinJob<'a> {
    let request = &file.plan.request;
    let prefix = request.answers.output_column_prefix.as_deref();
    JoinJob {
        family: file.plan.model.family,
        reading: Reading { retry_on: &request.invocation.retry_on, prompts: &file.prompts },
        columns: &file.plan.columns,
        strip_suffix: file.plan.prompts.expands() && !file.plan.prompts.is_wide(),
        types: file.types.as_deref(),
        // The pivot adds the prefix, in front of the names of the prompts.
        prefix: if file.plan.prompts.is_wide() { prefix.map(|_| "") } else { prefix },
        csv: CsvStyle::from(&request.answers),
        outputs: &file.outputs,
        shared,
    }
}
