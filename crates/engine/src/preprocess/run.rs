//! The use case: check everything, write the chunks, freeze the plan.

use super::checks::{column_problems, columns_without_text, prompt_for, template_of};
use super::sources::{self, Sources};
use super::write_chunks::{ChunkJob, TOO_FEW, Written, write_chunks};
use crate::error::EngineError;
use crate::objects::{Uploads, put_json};
use aws_sdk_s3::Client;
use bedrock_batch_domain::chunk_plan::{ChunkLimits, Chunker};
use bedrock_batch_domain::input::{Inference, OutputFormat, RunRequest, StackLimits};
use bedrock_batch_domain::layout::{self, Layout};
use bedrock_batch_domain::model::{Limits, Model, ModelTable, RecordWriter, effective_prefill};
use bedrock_batch_domain::plan::{JobItem, Plan, PlanCounts, Prepared, Source};
use bedrock_batch_domain::problem::{Problem, Problems};
use bedrock_batch_domain::prompt::{Prompt, Template};
use bedrock_batch_domain::s3_uri::S3Uri;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::runtime::Handle;

/// What the state machine hands to preprocess.
#[derive(Debug, Clone, Deserialize)]
pub struct PreprocessInput {
    /// The execution's name.
    pub execution_name: String,
    /// The execution's ARN.
    pub execution_arn: String,
    /// When the execution started.
    pub started_at: String,
    /// What the user wrote.
    pub input: Value,
}

/// Everything that preprocess needs, made once a process.
#[derive(Debug)]
pub struct Preprocessor {
    /// S3.
    pub s3: Client,
    /// The bucket of everything.
    pub bucket: String,
    /// The job table; preprocess only writes its name down.
    pub task_table: String,
    /// Further buckets that runs may read.
    pub input_buckets: Vec<String>,
    /// What the stack allows.
    pub stack: StackLimits,
    /// Prompt templates by id.
    pub prompts: BTreeMap<String, Prompt>,
    /// The table of models.
    pub models: ModelTable,
}

/// The Distributed Map's result holds two bytes a job and must stay under 256 KiB.
const MOST_JOBS: u64 = 100_000;

/// A request whose model, prompt and input were found.
struct Checked {
    request: RunRequest,
    model: Model,
    prompt: Option<Prompt>,
    template: Template,
    sources: Sources,
    shape: sources::Shape,
}

impl Preprocessor {
    /// Runs preprocess.
    ///
    /// # Errors
    /// `InvalidInput` with all that is wrong; else as S3 fails.
    pub async fn run(self: &Arc<Self>, input: PreprocessInput) -> Result<Prepared, EngineError> {
        let run_id = layout::run_id(&input.execution_name);
        let checked = self.check(&input.input).await?;
        let layout = Layout::new(&checked.request.job_name_prefix, &run_id);
        let rows = Rows::planned(&checked)?;
        let checked = Arc::new(checked);
        let uploads = Uploads::new(&Handle::current(), &self.s3, &self.bucket);
        let written = {
            let (this, checked, layout, uploads) =
                (Arc::clone(self), Arc::clone(&checked), layout.clone(), uploads.clone());
            blocking(move || this.write(&checked, &layout, &uploads, rows.taken)).await?
        };
        uploads.finish().await?;
        let counts = rows.counts(&checked, &written)?;
        self.freeze(&input, &run_id, &layout, &checked, counts, &written).await
    }

    /// Checks all that can be checked before a row is read; gathers the problems of each part.
    async fn check(self: &Arc<Self>, input: &Value) -> Result<Checked, EngineError> {
        let (request, mut problems) = RunRequest::read(input, self.stack);
        let Some(request) = request else {
            // The parts that are there are looked at all the same: all problems at once.
            if let Some(id) = input.get("model_id").and_then(Value::as_str) {
                problems.extend(self.models.find(id).err());
            }
            Problems::check(problems)?;
            return Err(EngineError::Transient("an input without problems could not be read".to_owned()));
        };
        let mut note = |problem: Problem| problems.push(problem);
        let model = self.models.find(&request.model_id).map_err(&mut note).ok();
        let prompt = prompt_for(model.as_ref(), request.prompt_id.as_deref(), &self.prompts).map_err(&mut note);
        if let Some(model) = &model {
            // A prefill may come from the prompt as well: it has to suit the model all the same.
            let of_prompt = prompt.iter().flatten().find_map(|prompt| prompt.prefill.as_deref());
            let prefill = effective_prefill(&request.inference, of_prompt).map(str::to_owned);
            let inference = Inference { prefill, ..request.inference.clone() };
            inference.problems_with(model.family, &model.id).into_iter().for_each(&mut note);
        }
        let template = match (&prompt, &model) {
            (Ok(prompt), Some(_)) => template_of(prompt.as_ref()).map_err(&mut note).ok(),
            _ => None,
        };
        let found = match self.find_rows(&request).await {
            Ok(found) => Some(found),
            Err(EngineError::InvalidInput(inner)) => {
                inner.as_slice().iter().cloned().for_each(&mut note);
                None
            }
            Err(other) => return Err(other),
        };
        if let Some((_, shape)) = &found {
            let names: Vec<String> = shape.schema.fields().iter().map(|field| field.name().clone()).collect();
            let in_columns = column_problems(request.prompt_id.as_deref(), template.as_ref(), &names);
            in_columns.into_iter().for_each(&mut note);
            if request.output_formats.contains(&OutputFormat::Csv) {
                columns_without_text(&shape.schema).into_iter().for_each(&mut note);
            }
        }
        Problems::check(problems)?;
        match (model, prompt, template, found) {
            (Some(model), Ok(prompt), Some(template), Some((sources, shape))) => {
                Ok(Checked { request, model, prompt, template, sources, shape })
            }
            _ => Err(EngineError::Transient("an input without problems could not be checked".to_owned())),
        }
    }

    async fn find_rows(self: &Arc<Self>, request: &RunRequest) -> Result<(Sources, sources::Shape), EngineError> {
        let uri = S3Uri::parse(&request.s3_uri).map_err(|rule| Problem::new("s3_uri", &request.s3_uri, rule))?;
        if uri.bucket != self.bucket && !self.input_buckets.contains(&uri.bucket) {
            let known: Vec<&str> =
                std::iter::once(&self.bucket).chain(&self.input_buckets).map(String::as_str).collect();
            let rule = format!("the stack may read the buckets {} only", known.join(", "));
            let remedy = "copy the data, or add the bucket to the context key `inputBuckets` and deploy";
            return Err(Problem::new("s3_uri", &request.s3_uri, rule).remedy(remedy).into());
        }
        let sources = sources::find(&self.s3, &uri).await?;
        let (this, in_thread, with_types) = (Arc::clone(self), sources.clone(), request.infer_types);
        let shape = blocking(move || sources::look(&Handle::current(), &this.s3, &in_thread, with_types)).await?;
        Ok((sources, shape))
    }

    fn write(&self, checked: &Checked, layout: &Layout, uploads: &Uploads, rows: u64) -> Result<Written, EngineError> {
        let runtime = Handle::current();
        let prompt = checked.prompt.as_ref();
        let records = RecordWriter::new(
            checked.model.family,
            &checked.template,
            &checked.request.inference,
            prompt.and_then(|prompt| prompt.system.as_deref()),
            prompt.and_then(|prompt| prompt.prefill.as_deref()),
        );
        let limits = chunk_limits(&checked.request, &checked.model.limits);
        let max_record_bytes = checked.model.limits.max_record_bytes.min(Chunker::max_line_bytes(limits));
        let job = ChunkJob { layout, records: &records, limits, max_record_bytes, rows };
        let batches = sources::rows(&runtime, &self.s3, &checked.sources, &checked.shape);
        write_chunks(&job, batches, uploads)
    }

    async fn freeze(
        &self,
        input: &PreprocessInput,
        run_id: &str,
        layout: &Layout,
        checked: &Checked,
        counts: PlanCounts,
        written: &Written,
    ) -> Result<Prepared, EngineError> {
        let jobs: Vec<JobItem> = (0u32..)
            .zip(&written.chunks)
            .map(|(index, records)| JobItem {
                index,
                name: layout.job_name(&input.started_at, 0, index),
                records: *records,
                input_uri: S3Uri::new(&self.bucket, layout.records_key(index)).to_string(),
                output_uri: S3Uri::new(&self.bucket, layout.answers_prefix(index)).to_string(),
            })
            .collect();
        let sources = checked.sources.objects.iter().map(|found| Source {
            uri: found.uri.to_string(),
            etag: found.etag.clone(),
            bytes: found.bytes,
        });
        let plan = Plan {
            run_id: run_id.to_owned(),
            execution_arn: input.execution_arn.clone(),
            started_at: input.started_at.clone(),
            bucket: self.bucket.clone(),
            task_table: self.task_table.clone(),
            request: checked.request.clone(),
            prompt: checked.prompt.clone(),
            model: checked.model.clone(),
            sources: sources.collect(),
            columns: checked.shape.schema.fields().iter().map(|field| field.name().clone()).collect(),
            counts,
        };
        let (jobs_key, plan_key) = (Layout::jobs_key(run_id), Layout::plan_key(run_id));
        put_json(&self.s3, &self.bucket, &plan_key, &plan).await?;
        put_json(&self.s3, &self.bucket, &jobs_key, &jobs).await?;
        tracing::info!(run_id, rows = plan.counts.rows, records = plan.counts.records, jobs = jobs.len(), "prepared");
        Ok(Prepared {
            run_id: run_id.to_owned(),
            bucket: self.bucket.clone(),
            jobs_key,
            plan_key,
            model_id: plan.model.id.clone(),
            invocation_type: plan.model.family.invocation_type(),
            max_concurrent_jobs: plan.request.max_concurrent_jobs,
            jobs: plan.counts.jobs,
        })
    }
}

/// How many rows there are, and how many of them the request lets in.
#[derive(Debug, Clone, Copy)]
struct Rows {
    there: u64,
    within_total: u64,
    taken: u64,
}

impl Rows {
    fn planned(checked: &Checked) -> Result<Self, EngineError> {
        let request = &checked.request;
        let limits = chunk_limits(request, &checked.model.limits);
        let there = checked.shape.rows;
        let within_total = there.min(request.max_records_total.unwrap_or(u64::MAX));
        let in_jobs = request.max_num_jobs.map_or(u64::MAX, |jobs| u64::from(jobs) * u64::from(limits.max_records));
        let taken = within_total.min(in_jobs);
        limits.check(taken)?;
        if taken.div_ceil(u64::from(limits.max_records)) > MOST_JOBS {
            let rule = format!("{taken} rows would make over {MOST_JOBS} jobs, more than a run can hold");
            let remedy = "raise it (Bedrock takes up to 100,000 records a job), or split the input";
            return Err(Problem::new("max_records_per_job", limits.max_records, rule).remedy(remedy).into());
        }
        Ok(Self { there, within_total, taken })
    }

    fn counts(self, checked: &Checked, written: &Written) -> Result<PlanCounts, EngineError> {
        if written.rows != self.taken {
            let rule = format!("{} rows were counted and {} read: it changed meanwhile", self.taken, written.rows);
            return Err(Problem::new("s3_uri", &checked.request.s3_uri, rule).remedy("start again").into());
        }
        let mut skipped = BTreeMap::new();
        let mut skip = |reason: &str, rows: u64| {
            if rows > 0 {
                skipped.insert(reason.to_owned(), rows);
            }
        };
        skip("over max_records_total", self.there - self.within_total);
        skip("over max_num_jobs", self.within_total - self.taken + written.over_max_chunks);
        if written.chunks.is_empty() {
            let limits = chunk_limits(&checked.request, &checked.model.limits);
            let reasons = written.rejected.iter().filter(|(reason, _)| reason.as_str() != TOO_FEW);
            let rejected: u64 = reasons.clone().map(|(_, rows)| rows).sum();
            let reasons: Vec<&str> = reasons.map(|(reason, _)| reason.as_str()).collect();
            let rule = format!(
                "of {} rows, {rejected} cannot be sent ({}), and the rest is under the {} records that a batch job needs",
                written.rows,
                reasons.join(", "),
                limits.min_records
            );
            return Err(Problem::without_value("the input", rule).remedy("shorten those rows, or add rows").into());
        }
        let mut warnings = checked.sources.warnings.clone();
        if written.empty_cells > 0 {
            warnings.insert("empty cells in columns that the prompt shows".to_owned(), written.empty_cells);
        }
        Ok(PlanCounts {
            rows: self.there,
            records: written.chunks.iter().map(|records| u64::from(*records)).sum(),
            skipped,
            rejected: written.rejected.clone(),
            warnings,
            jobs: u32::try_from(written.chunks.len()).unwrap_or(u32::MAX),
        })
    }
}

/// The request's wishes within the model's limits.
fn chunk_limits(request: &RunRequest, model: &Limits) -> ChunkLimits {
    ChunkLimits {
        min_records: model.min_records_per_job,
        max_records: request.max_records_per_job.min(model.max_records_per_job),
        max_bytes: model.max_chunk_bytes(),
        max_chunks: request.max_num_jobs,
    }
}

/// Runs work that reads and writes through `std::io` on a thread of its own.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
) -> Result<T, EngineError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(EngineError::Transient(format!("a worker died: {error}"))))
}
