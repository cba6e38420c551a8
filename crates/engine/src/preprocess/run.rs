//! The use case: check everything, write the chunks, freeze the plan.

use super::checks::{column_problems, columns_without_text, on_demand_of, prompt_for, template_of};
use super::count_lines::count_lines;
use super::rows_planned::Rows;
use super::sources::{self, Sources};
use super::write_chunks::{ChunkJob, Written, write_chunks};
use crate::error::EngineError;
use crate::job_table::JobTable;
use crate::next_step::NextStepper;
use crate::objects::{Uploads, get_json, head};
use aws_sdk_s3::Client;
use bedrock_batch_domain::chunk_plan::Chunker;
use bedrock_batch_domain::input::{Inference, OutputFormat, RunRequest, StackLimits};
use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::layout::{self, Layout};
use bedrock_batch_domain::model::{Model, ModelTable, RecordWriter, effective_prefill};
use bedrock_batch_domain::plan::{OnDemand, Plan, Step};
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
#[serde(tag = "action", rename_all = "snake_case")]
pub enum PreprocessInput {
    /// An execution begins.
    Start(StartInput),
    /// A step is done: what comes next?
    NextStep {
        /// The step that is done.
        state: Step,
    },
}

/// The beginning of an execution.
#[derive(Debug, Clone, Deserialize)]
pub struct StartInput {
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
    /// Step Functions.
    pub step_functions: aws_sdk_sfn::Client,
    /// The bucket of everything.
    pub bucket: String,
    /// The region that models are asked in.
    pub region: String,
    /// The job table.
    pub jobs: JobTable,
    /// The job table's name, to be written down.
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

/// A request whose model, prompt and input were found.
pub(super) struct Checked {
    pub(super) request: RunRequest,
    pub(super) model: Model,
    pub(super) on_demand: OnDemand,
    pub(super) prompt: Option<Prompt>,
    pub(super) template: Template,
    pub(super) sources: Sources,
    pub(super) shape: sources::Shape,
}

impl Preprocessor {
    /// Runs preprocess.
    ///
    /// # Errors
    /// `InvalidInput` with all that is wrong; else as AWS fails.
    pub async fn run(self: &Arc<Self>, input: PreprocessInput) -> Result<Step, EngineError> {
        match input {
            PreprocessInput::NextStep { state } => {
                let stepper = NextStepper { s3: self.s3.clone(), bucket: self.bucket.clone(), jobs: self.jobs.clone() };
                stepper.run(state).await
            }
            PreprocessInput::Start(start) => match self.earlier_run(&start).await? {
                Some(step) => Ok(step),
                None => self.start(&start).await,
            },
        }
    }

    async fn start(self: &Arc<Self>, input: &StartInput) -> Result<Step, EngineError> {
        let run_id = layout::run_id(&input.execution_name);
        self.check_name(input, &run_id).await?;
        let checked = self.check(&input.input).await?;
        let layout = Layout::new(&checked.request.job_name_prefix, &run_id);
        let rows = Rows::planned(&checked)?;
        // From here on there is something that could have to be stopped.
        if !self.jobs.take_run(&run_id, &input.execution_arn, None).await? {
            return Err(name_taken(input).into());
        }
        let checked = Arc::new(checked);
        let uploads = Uploads::new(&Handle::current(), &self.s3, &self.bucket);
        let written = {
            let (this, checked, layout, uploads) =
                (Arc::clone(self), Arc::clone(&checked), layout.clone(), uploads.clone());
            blocking(move || this.write(&checked, &layout, &uploads, rows)).await?
        };
        uploads.finish().await?;
        let counts = rows.counts(&checked, &written)?;
        self.freeze(input, &run_id, &layout, &checked, (counts, rows.lane), &written).await
    }

    /// A name may be used again when Step Functions has forgotten its execution, but not for the same files: what an
    /// earlier run of this name left there would be taken for this one's.
    async fn check_name(&self, input: &StartInput, run_id: &str) -> Result<(), EngineError> {
        let key = Layout::plan_key(run_id);
        if head(&self.s3, &S3Uri::new(&self.bucket, &key)).await?.is_none() {
            return Ok(());
        }
        let earlier: Plan = get_json(&self.s3, &self.bucket, &key).await?;
        if earlier.started_at == input.started_at { Ok(()) } else { Err(name_taken(input).into()) }
    }

    /// Checks all that can be checked before a row is read; gathers the problems of each part.
    async fn check(self: &Arc<Self>, input: &Value) -> Result<Checked, EngineError> {
        let (request, mut problems) = RunRequest::read(input, self.stack);
        let Some(request) = request else {
            // The parts that are there are looked at all the same: all problems at once.
            if let Some(id) = input.get("model_id").and_then(Value::as_str) {
                problems.extend(self.models.find(id, None).err());
            }
            Problems::check(problems)?;
            return Err(EngineError::Transient("an input without problems could not be read".to_owned()));
        };
        let mut note = |problem: Problem| problems.push(problem);
        let profile = request.asking.inference_profile_arn.as_deref();
        let model = self.models.find(&request.model_id, profile).map_err(&mut note).ok();
        let on_demand = match &model {
            Some(model) => {
                let (on_demand, problems) = on_demand_of(&request, model, &self.models, &self.region);
                problems.into_iter().for_each(&mut note);
                on_demand
            }
            None => None,
        };
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
        match (model.zip(on_demand), prompt, template, found) {
            (Some((model, on_demand)), Ok(prompt), Some(template), Some((sources, shape))) => {
                Ok(Checked { request, model, on_demand, prompt, template, sources, shape })
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

    fn write(&self, checked: &Checked, layout: &Layout, uploads: &Uploads, rows: Rows) -> Result<Written, EngineError> {
        let runtime = Handle::current();
        let prompt = checked.prompt.as_ref();
        let records = RecordWriter::new(
            checked.model.family,
            &checked.template,
            &checked.request.inference,
            prompt.and_then(|prompt| prompt.system.as_deref()),
            prompt.and_then(|prompt| prompt.prefill.as_deref()),
            false,
        );
        let mut job = ChunkJob {
            layout,
            records: &records,
            limits: rows.limits,
            max_record_bytes: checked.model.limits.max_record_bytes.min(Chunker::max_line_bytes(rows.limits)),
            rows: rows.taken,
            deduplicate: checked.request.asking.deduplicate,
            lines: None,
        };
        let batches = || sources::rows(&runtime, &self.s3, &checked.sources, &checked.shape);
        if rows.lane == Lane::Batch && Chunker::needs_exact_count(rows.limits) {
            let lines = count_lines(&job, batches())?;
            rows.limits.check(lines)?;
            job.lines = Some(lines);
        }
        write_chunks(&job, batches(), uploads)
    }
}

fn name_taken(input: &StartInput) -> Problem {
    let rule = "an earlier run had this name, and its files are still there";
    Problem::new("the execution's name", &input.execution_name, rule).remedy("choose another name")
}

/// Runs work that reads and writes through `std::io` on a thread of its own.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
) -> Result<T, EngineError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(EngineError::Transient(format!("a worker died: {error}"))))
}
