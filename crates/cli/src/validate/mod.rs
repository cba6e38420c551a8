//! `bedrock-batch validate`: all that can be checked of an input without AWS.

mod columns;
mod given;
mod report;

use crate::failure::Failure;
use bedrock_batch_domain::check::{Known, check_run, image_columns};
use bedrock_batch_domain::columns::Column;
use bedrock_batch_domain::input::{RunRequest, StackLimits};
use bedrock_batch_domain::pipeline::{PipelineLimits, PipelineRequest, check};
use bedrock_batch_domain::prompt::PromptLibrary;
use bedrock_batch_engine::templates::{load_models, read_prompts};
use clap::Args;
use given::Given;
use report::Report;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The execution input of a run or a pipeline, as JSON
    file: PathBuf,
    /// The folder of prompt templates
    #[arg(long, value_name = "DIR", default_value = "prompt-templates")]
    prompt_templates: PathBuf,
    /// Your own limits and models, if there is such a file
    #[arg(long, value_name = "FILE", default_value = "infra/model-overrides.toml")]
    model_overrides: PathBuf,
    /// The input's columns (of a pipeline: those of its first stage), where the input lies in S3
    #[arg(long, value_delimiter = ',', conflicts_with = "input")]
    columns: Vec<String>,
    /// A local copy of the input, to take the columns from: CSV, Parquet, or a folder of them or of images
    #[arg(long, value_name = "PATH")]
    input: Option<PathBuf>,
    /// The region that models are to be asked in
    #[arg(long, env = "AWS_REGION", default_value = "us-east-1")]
    region: String,
}

/// What no problem depends on is as a stack has it that was deployed without settings; links may live as long as any
/// stack's can.
const LIMITS: PipelineLimits = PipelineLimits {
    stack: StackLimits { max_total_records: None, max_records_per_job: 1000, max_concurrent_jobs: 5 },
    download_links: true,
};

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut report = Report::new(&arguments.file);
    let prompts = match read_prompts(&arguments.prompt_templates) {
        Ok((prompts, broken)) => {
            broken.iter().for_each(|(file, text)| report.broken_template(file, text));
            prompts
        }
        Err(text) => {
            report.problem(&text);
            PromptLibrary::default()
        }
    };
    let models = match load_models(&arguments.model_overrides) {
        Ok(models) => models,
        Err(text) => {
            report.problem(&text);
            load_models(&PathBuf::new()).map_err(Failure::Failed)?
        }
    };
    let known = Known { prompts: &prompts, models: &models, region: &arguments.region };
    match given::read(&arguments.file, &mut report)? {
        Some(Given::Run { input, local }) => {
            let columns = columns_of_first(arguments, local, &mut report);
            check_input(&input, &known, columns, &mut report);
        }
        Some(Given::Pipeline(config)) => {
            let columns = columns_of_first(arguments, None, &mut report);
            check_pipeline(&config, &known, columns, &mut report);
        }
        Some(Given::EarlierRun) | None => {}
    }
    report.finish()
}

/// The columns that were named, or that the local input has.
fn columns_of_first(arguments: &Arguments, local: Option<PathBuf>, report: &mut Report) -> Option<Vec<String>> {
    if !arguments.columns.is_empty() {
        return Some(arguments.columns.clone());
    }
    let path = arguments.input.clone().or(local)?;
    columns::of(&path).map_err(|failure| report.problem(&failure.to_string())).ok()
}

fn check_input(input: &Value, known: &Known<'_>, columns: Option<Vec<String>>, report: &mut Report) {
    report.kind = "an execution input".to_owned();
    let (request, problems) = RunRequest::read(input, LIMITS.stack);
    report.problems(&problems);
    let Some(request) = request else { return };
    let columns: Option<Vec<Column>> = columns
        .or_else(|| image_columns(&request))
        .map(|names| names.into_iter().map(Column::of_input).collect());
    let checked = check_run(&request, known, columns.as_deref());
    report.problems(&checked.problems);
    report.columns("it", checked.columns.as_deref());
}

fn check_pipeline(config: &Value, known: &Known<'_>, columns: Option<Vec<String>>, report: &mut Report) {
    let (request, problems) = PipelineRequest::read(config, LIMITS);
    report.problems(&problems);
    let Some(request) = request else { return };
    report.kind = match request.stages.len() {
        1 => "a pipeline of one stage".to_owned(),
        stages => format!("a pipeline of {stages} stages"),
    };
    let inputs: BTreeMap<usize, Vec<String>> = columns.into_iter().map(|columns| (0, columns)).collect();
    let checked = check(&request, known, &inputs);
    report.problems(&checked.problems);
    for (stage, columns) in request.stages.iter().zip(&checked.columns) {
        report.columns(&format!("stage `{}`", stage.stage_name), columns.as_deref());
    }
    if request.presigned_url_expiry_days > 7 {
        report.not_checked("whether the stack has download links: without, presigned_url_expiry_days is at most 7");
    }
}
