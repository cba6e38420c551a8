//! The use case: check everything, write the chunks, freeze the plan.

use super::count_lines::{count_lines, dry_run};
use super::csv_columns::columns_without_text;
use super::find_input::Input;
use super::row_stream::Asking;
use super::rows_planned::Rows;
use super::sources;
use super::write_chunks::{ChunkJob, Written, write_chunks};
use crate::config_object::resolve_config;
use crate::error::EngineError;
use crate::images::{Buckets, CONCURRENCY, ImageFetcher};
use crate::job_table::JobTable;
use crate::next_step::NextStepper;
use crate::objects::{Uploads, get_json, head};
use aws_sdk_s3::Client;
use bedrock_batch_domain::check::{Catalog, EMBEDDING_INPUT, Resolved, column_problems, resolve};
use bedrock_batch_domain::chunk_plan::Chunker;
use bedrock_batch_domain::image::ImageLimits;
use bedrock_batch_domain::input::{InputType, OutputFormat, RunRequest, StackLimits};
use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::layout::{self, Layout};
use bedrock_batch_domain::model::{ModelTable, RecordWriter};
use bedrock_batch_domain::pipeline::pipeline_of_stage;
use bedrock_batch_domain::plan::{Plan, Step};
use bedrock_batch_domain::problem::{Problem, Problems};
use bedrock_batch_domain::prompt::{Choice, PromptLibrary, Template};
use bedrock_batch_domain::s3_uri::S3Uri;
use serde::Deserialize;
use serde_json::Value;
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
    /// Prompt templates and expansion rules.
    pub prompts: PromptLibrary,
    /// The table of models.
    pub models: ModelTable,
}

/// A request whose model, prompts and input were found.
pub(super) struct Checked {
    pub(super) request: RunRequest,
    pub(super) resolved: Resolved,
    pub(super) input: Input,
}

impl Checked {
    /// How the input's rows are asked; without their images, for a look at the rows alone.
    pub(super) fn asking(&self) -> Asking<'_> {
        let prompts = &self.resolved.prompts;
        let choosing = prompts.choosing_column(&self.input.view.names());
        Asking { view: &self.input.view, prompts, choosing, images: None }
    }
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
            PreprocessInput::Start(mut start) => {
                // Not in an object: whoever hears of the end of this execution looks for it in the input itself.
                if let Some(step) = self.earlier_run(&start).await? {
                    return Ok(step);
                }
                let pipeline = pipeline_of_stage(&start.input);
                start.input = resolve_config(&self.s3, &self.readable_buckets(), start.input).await?;
                self.start(&start, pipeline).await
            }
        }
    }

    /// `pipeline`: the bucket and the name of the pipeline run whose stage this is.
    async fn start(
        self: &Arc<Self>,
        input: &StartInput,
        pipeline: Option<(String, String)>,
    ) -> Result<Step, EngineError> {
        let run_id = layout::run_id(&input.execution_name);
        self.check_name(input, &run_id).await?;
        let prompts = match pipeline.filter(|(bucket, _)| *bucket == self.bucket) {
            // What validate has checked, even if other prompts were deployed since.
            Some((bucket, run)) => {
                let key = Layout::pipeline_prompts_key(&run);
                match head(&self.s3, &S3Uri::new(&bucket, &key)).await? {
                    Some(_) => &get_json(&self.s3, &bucket, &key).await?,
                    // It was validated before prompts were frozen.
                    None => &self.prompts,
                }
            }
            None => &self.prompts,
        };
        let checked = self.check(&input.input, prompts).await?;
        let layout = Layout::new(&checked.request.job_name_prefix, &run_id);
        let this = Arc::clone(self);
        let (checked, rows) = blocking(move || this.plan_rows(checked)).await?;
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
        let is_there =
            async |key: &str| head(&self.s3, &S3Uri::new(&self.bucket, key)).await.map(|found| found.is_some());
        // A pipeline run would share the folder.
        if is_there(&Layout::pipeline_key(run_id)).await? {
            return Err(name_taken(input).into());
        }
        let key = Layout::plan_key(run_id);
        if !is_there(&key).await? {
            return Ok(());
        }
        let earlier: Plan = get_json(&self.s3, &self.bucket, &key).await?;
        if earlier.started_at == input.started_at { Ok(()) } else { Err(name_taken(input).into()) }
    }

    /// Checks all that can be checked before a row is read; gathers the problems of each part.
    async fn check(self: &Arc<Self>, input: &Value, prompts: &PromptLibrary) -> Result<Checked, EngineError> {
        let (request, mut problems) = RunRequest::read(input, self.stack);
        let Some(request) = request else {
            // The parts that are there are looked at all the same: all problems at once.
            if let Some(id) = input.get("model_id").and_then(Value::as_str) {
                problems.extend(self.models.find(id, None).err());
            }
            Problems::check(problems)?;
            return Err(EngineError::internal("an input without problems could not be read"));
        };
        let catalog = Catalog { prompts, models: &self.models, region: &self.region };
        let (resolved, more) = resolve(&request, &catalog);
        problems.extend(more);
        let input = match self.find_input(&request).await {
            Ok(input) => Some(input),
            Err(error) => {
                problems.extend(error.into_problems()?.as_slice().iter().cloned());
                None
            }
        };
        if let Some(input) = &input {
            if let Some(resolved) = &resolved {
                problems.extend(column_problems(&request, resolved, &input.view.names()));
            }
            if request.output_formats.contains(&OutputFormat::Csv) {
                problems.extend(columns_without_text(&input.view.schema(&input.shape.schema)));
            }
        }
        Problems::check(problems)?;
        match (resolved, input) {
            (Some(resolved), Some(input)) => Ok(Checked { request, resolved, input }),
            _ => Err(EngineError::internal("an input without problems could not be checked")),
        }
    }

    /// Plans how many rows are asked, and how. Where rows are asked different prompts, each is looked at for that.
    fn plan_rows(&self, mut checked: Checked) -> Result<(Checked, Rows), EngineError> {
        if !checked.resolved.prompts.names_prompts() {
            let rows = Rows::planned(&checked, None)?;
            return Ok((checked, rows));
        }
        let runtime = Handle::current();
        let names = checked.input.view.names();
        checked.resolved.prompts = checked.resolved.prompts.without_columns(&names);
        let (most, most_records) = Rows::most(&checked);
        let batches = sources::rows(&runtime, &self.s3, &checked.input.sources, &checked.input.shape);
        let survey = checked.asking().survey(batches, most, most_records)?;
        let rows = Rows::planned(&checked, Some(&survey))?;
        checked.resolved.prompts = checked.resolved.prompts.restricted_to(&survey.used);
        Ok((checked, rows))
    }

    fn write(&self, checked: &Checked, layout: &Layout, uploads: &Uploads, rows: Rows) -> Result<Written, EngineError> {
        let runtime = Handle::current();
        let records = record_writers(checked)?;
        let limits = &checked.resolved.model.limits;
        let max_record_bytes = limits.max_record_bytes.min(Chunker::max_line_bytes(rows.limits));
        let images = match checked.request.rows.input_type {
            InputType::Text => None,
            InputType::Image => Some(self.image_fetcher(&runtime, checked, max_record_bytes)),
        };
        let images = images.as_ref().map(|fetcher| (fetcher, checked.request.rows.image_column.as_str()));
        let mut job = ChunkJob {
            layout,
            records: &records,
            limits: rows.limits,
            max_record_bytes,
            rows: rows.asked,
            // A row's records have to stay together, and duplicates go elsewhere.
            deduplicate: checked.request.invocation.deduplicate && !checked.resolved.prompts.is_wide(),
            lines: None,
        };
        let asked = || {
            let batches = sources::rows(&runtime, &self.s3, &checked.input.sources, &checked.input.shape);
            Asking { images, ..checked.asking() }.rows(batches, rows.taken)
        };
        let least = rows.limits.min_records;
        // So few rows are looked at twice.
        let few = rows.lane == Lane::Batch && job.deduplicate && rows.asked < 2 * u64::from(least);
        if few && dry_run(&job, asked())?.too_few_without_duplicates(least) {
            // In batch, at half the price, all rows cost less than the different ones on demand.
            job.deduplicate = false;
        }
        if rows.lane == Lane::Batch && Chunker::needs_exact_count(rows.limits) {
            let lines = count_lines(&job, asked())?;
            rows.limits.check(lines)?;
            job.lines = Some(lines);
        }
        write_chunks(&job, asked(), uploads)
    }

    /// What fetches images that the model takes and that fit into a record.
    fn image_fetcher(&self, runtime: &Handle, checked: &Checked, max_record_bytes: u64) -> ImageFetcher {
        let buckets = Buckets { own: self.bucket.clone(), others: self.input_buckets.clone() };
        let limits = ImageLimits::of(checked.resolved.model.family).within_record(max_record_bytes);
        ImageFetcher::new(runtime, &self.s3, buckets, limits, CONCURRENCY)
    }
}

/// What writes the records of each prompt; of embeddings, the only one.
fn record_writers(checked: &Checked) -> Result<Vec<RecordWriter>, EngineError> {
    let (family, inference) = (checked.resolved.model.family, &checked.request.inference);
    let with_image = checked.request.rows.input_type == InputType::Image;
    let prompts = &checked.resolved.prompts.prompts;
    if checked.resolved.prompts.choice == Choice::None {
        // An image can do without a text.
        let has_text = !with_image || checked.input.view.names().iter().any(|name| name == EMBEDDING_INPUT);
        let shown = if has_text { format!("{{{EMBEDDING_INPUT}}}") } else { String::new() };
        let template = Template::parse(&shown);
        let template = template.map_err(|rule| Problem::without_value(EMBEDDING_INPUT, rule))?;
        return Ok(vec![RecordWriter::new(family, &template, inference, None, None, with_image)]);
    }
    let writers = prompts.iter().map(|named| {
        let template = named.prompt.parsed_template();
        let template = template.map_err(|rule| Problem::without_value(format!("prompt `{}`", named.id), rule))?;
        let (system, prefill) = (named.prompt.system.as_deref(), named.prompt.prefill.as_deref());
        Ok(RecordWriter::new(family, &template, inference, system, prefill, with_image))
    });
    writers.collect()
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
    done.unwrap_or_else(|error| Err(EngineError::died("a worker thread", error)))
}
