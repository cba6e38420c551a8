//! `bedrock-batch validate`: all checks of an input that need no AWS.

mod generated;
mod input_file;
mod payload;
mod references;
mod report;

use crate::failure::Failure;
use crate::inline_prompts::LocalPrompts;
use crate::local_tables::LocalTable;
use crate::prompts;
use crate::run_progress::quantity;
use bedrock_batch_domain::check::{Catalog, added_columns, check_run, image_columns};
use bedrock_batch_domain::columns::Column;
use bedrock_batch_domain::input::{CsvOptions, RunRequest, StackLimits};
use bedrock_batch_domain::pipeline::{PipelineLimits, PipelineRequest, check};
use bedrock_batch_domain::reference::Reference;
use bedrock_batch_engine::templates::load_models;
use clap::Args;
use generated::add_generated;
use input_file::{InputFile, InputKind};
use references::read_local;
use report::Report;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Execution input of a run or a pipeline, or payload of the classifier, as JSON; or a folder of prompt configurations, or one of its files
    file: PathBuf,
    /// Folder of the prompt templates: those of the stack, or those that `start --prompt-templates DIR` sends with the input
    /// [default: prompt-templates]
    #[arg(long, value_name = "DIR")]
    prompt_templates: Option<PathBuf>,
    /// File of your own limits and models, if it exists
    #[arg(long, value_name = "FILE", default_value = "infra/model-overrides.toml")]
    model_overrides: PathBuf,
    /// Columns of an input that is in S3 (for a pipeline, of its first stage)
    #[arg(long, value_delimiter = ',')]
    columns: Vec<String>,
    /// Input to use in place of the one in the file, as with `start`: a local file or folder, whose columns are read, or
    /// an S3 address
    #[arg(long)]
    input: Option<String>,
    /// Region in which the models are invoked
    #[arg(long, env = "AWS_REGION", hide_env_values = true, default_value = "us-east-1")]
    region: String,
}

/// Folder of the prompts that are deployed with a stack.
const DEPLOYED_PROMPTS: &str = "prompt-templates";

/// Limits of a stack that was deployed with the default settings, as no problem depends on them; links may live as long
/// as those of any stack.
const LIMITS: PipelineLimits = PipelineLimits {
    stack: StackLimits { max_total_records: None, max_records_per_job: 1000, max_concurrent_jobs: 5 },
    download_links: true,
};

/// What is not known of a Hugging Face dataset without a network.
const DATASET_NOT_CHECKED: &str =
    "whether the dataset exists, may be read by the stack, and has this configuration and split";

/// What is not known of the folder of copies without AWS.
const OUTPUT_NOT_CHECKED: &str = "whether the stack may write to output_uri";

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    if let Some(folder) = prompts::folder_of(&arguments.file) {
        return prompts::validate(&folder);
    }
    let mut report = Report::new(&arguments.file);
    let folder = arguments.prompt_templates.as_deref().unwrap_or(Path::new(DEPLOYED_PROMPTS));
    let (prompts, missing) = match LocalPrompts::read(folder) {
        Ok(prompts) => (prompts, None),
        // Without the prompts of the stack, an input may have its own.
        Err(failure) => (LocalPrompts::default(), Some(failure)),
    };
    for (file, text) in prompts.0.broken.iter().chain(&prompts.0.incomplete_rules) {
        report.broken_template(file, text);
    }
    let sent = arguments.prompt_templates.is_some().then_some(&prompts);
    let models = match load_models(&arguments.model_overrides) {
        Ok(models) => models,
        Err(text) => {
            report.problem(&text);
            load_models(&PathBuf::new()).map_err(Failure::Failed)?
        }
    };
    let catalog = Catalog { prompts: &prompts.0.library, models: &models, region: &arguments.region };
    if let Some(mut file) = input_file::read(&arguments.file, arguments.input.as_deref(), sent, &mut report)? {
        // They would all be reported as unknown.
        if let Some(failure) = missing.filter(|_| sent.is_some() || prompts.are_needed_by(&file.input)) {
            let remedy = "pass the folder of the prompt templates with `--prompt-templates`";
            return Err(Failure::Usage(format!("{failure}; {remedy}")));
        }
        let inputs = columns_of(&file, &arguments.columns, &mut report);
        let folder = arguments.file.parent().unwrap_or(Path::new(""));
        let references = read_local(folder, input_file::UPLOADED, &mut file.input, &mut report);
        let known = KnownFiles { inputs, references };
        match file.kind {
            InputKind::Run => check_input(&file, &catalog, &known, &mut report),
            InputKind::Pipeline => check_pipeline(&file, &catalog, &known, &mut report),
            InputKind::Payload => {
                payload::check(&file.input, LIMITS.stack, &catalog, known.inputs.get(&0), &mut report);
            }
            InputKind::Continuation => "an input that continues a run".clone_into(&mut report.kind),
        }
    }
    report.finish()
}

/// What is known of the files of an input, by the index of the stage (0 for a run).
struct KnownFiles {
    /// Columns of the rows.
    inputs: BTreeMap<usize, Vec<String>>,
    /// Reference data in local files.
    references: BTreeMap<usize, Vec<Reference>>,
}

/// Returns the columns of the stages whose input is local or was described with `--columns`.
fn columns_of(file: &InputFile, of_first: &[String], report: &mut Report) -> BTreeMap<usize, Vec<String>> {
    let mut inputs = BTreeMap::new();
    for (index, path) in &file.local {
        let run = file.input.get("stages").map_or(Some(&file.input), |stages| stages.get(index));
        let csv = run.and_then(Value::as_object).map(CsvOptions::of_run).unwrap_or_default();
        match LocalTable::read(path, &csv) {
            Ok(table) => {
                if let Some(rows) = table.rows {
                    report.note(&format!("{} has {}", path.display(), quantity(rows, "row")));
                }
                report.notes(table.warning_lines());
                inputs.insert(*index, table.columns);
            }
            Err(failure) => report.problem(&failure.to_string()),
        }
    }
    if !of_first.is_empty() {
        inputs.insert(0, of_first.to_vec());
    }
    inputs
}

fn check_input(file: &InputFile, catalog: &Catalog<'_>, known: &KnownFiles, report: &mut Report) {
    "an execution input".clone_into(&mut report.kind);
    let (request, problems) = RunRequest::read(&file.input, LIMITS.stack);
    report.problems(&problems);
    let Some(mut request) = request else { return };
    let of_prompt = add_generated(&mut request, file.templates.get(&0), "the run", report);
    report.problems(&of_prompt);
    if request.rows.dataset.is_some() {
        report.not_checked(DATASET_NOT_CHECKED);
    }
    if request.output_uri.is_some() {
        report.not_checked(OUTPUT_NOT_CHECKED);
    }
    let columns: Option<Vec<Column>> = known
        .inputs
        .get(&0)
        .cloned()
        .or_else(|| image_columns(&request))
        .map(|names| names.into_iter().map(Column::of_input).collect());
    let references = known.references.get(&0).map_or(&[][..], Vec::as_slice);
    let checked = check_run(&request, catalog, columns.as_deref(), references);
    report.problems(&checked.problems);
    report.replaced(checked.resolved.iter().flat_map(|resolved| &resolved.replaced));
    report.columns("the run", checked.columns.as_deref());
    report.notes(checked.reference_note);
    if let Some(resolved) = &checked.resolved {
        report.added_columns(&added_columns(resolved));
    }
}

fn check_pipeline(file: &InputFile, catalog: &Catalog<'_>, known: &KnownFiles, report: &mut Report) {
    let (request, problems) = PipelineRequest::read(&file.input, LIMITS);
    report.problems(&problems);
    let Some(mut request) = request else { return };
    report.kind = match request.stages.len() {
        1 => "a pipeline of one stage".to_owned(),
        stages => format!("a pipeline of {stages} stages"),
    };
    for index in 0..request.stages.len() {
        let Some(stage) = request.stages.get_mut(index) else { continue };
        let reader = format!("stage `{}`", stage.stage_name);
        let Some(run) = &mut stage.run else { continue };
        let of_prompt = add_generated(run, file.templates.get(&index), &reader, report);
        let placed: Vec<_> = of_prompt.into_iter().map(|problem| request.placed(index, problem)).collect();
        report.problems(&placed);
    }
    let checked = check(&request, catalog, &known.inputs, &known.references);
    report.problems(&checked.problems);
    report.replaced(&checked.replaced);
    for (stage, columns) in request.stages.iter().zip(&checked.columns) {
        report.columns(&format!("stage `{}`", stage.stage_name), columns.as_deref());
    }
    report.notes(checked.reference_notes);
    if request.stages.iter().filter_map(|stage| stage.run.as_ref()).any(|run| run.rows.dataset.is_some()) {
        report.not_checked(DATASET_NOT_CHECKED);
    }
    if request.stages.iter().filter_map(|stage| stage.run.as_ref()).any(|run| run.output_uri.is_some()) {
        report.not_checked(OUTPUT_NOT_CHECKED);
    }
    if request.presigned_url_expiry_days > 7 {
        report
            .not_checked("whether the stack has download links: without them, presigned_url_expiry_days is at most 7");
    }
}
