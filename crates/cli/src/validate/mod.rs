//! `bedrock-batch validate`: all checks of an input that need no AWS.

mod generated;
mod input_file;
mod local_input;
mod payload;
mod references;
mod report;

use crate::failure::Failure;
use crate::inline_prompts::LocalPrompts;
use crate::prompts;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use bedrock_batch_domain::check::{Catalog, added_columns, check_run, copies_warning, image_columns, row_count};
use bedrock_batch_domain::columns::Column;
use bedrock_batch_domain::input::{CsvOptions, InputType, RunRequest, SHEET, StackLimits, TableOptions};
use bedrock_batch_domain::pipeline::{PipelineLimits, PipelineRequest, check};
use bedrock_batch_domain::reference::Reference;
use bedrock_batch_engine::templates::load_models;
use clap::Args;
use generated::add_generated;
use input_file::{InputFile, InputKind};
use local_input::{FileOptions, LocalInput};
use references::read_local;
use report::Report;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Execution input of a run or a pipeline, or payload of the classifier, as JSON; or a folder of prompt configurations, or one of its files
    file: PathBuf,
    /// Folder of the prompt templates: those of the stack, or those that `start --prompt-templates DIR` sends with the input
    /// [default: prompt-templates]
    #[arg(long, value_name = "DIR")]
    prompt_templates: Option<PathBuf>,
    /// File of your own limits and models, if it exists
    #[arg(long, value_name = "FILE", default_value = DEFAULT_OVERRIDES)]
    model_overrides: PathBuf,
    /// Columns of an input that is in S3 (for a pipeline, of its first stage)
    #[arg(long, value_delimiter = ',')]
    columns: Vec<String>,
    /// Input to use in place of the one in the file, as with `start`: a local file or folder, whose columns are read, or
    /// an S3 address
    #[arg(long)]
    input: Option<String>,
    /// Region in which the models are invoked
    #[arg(long, env = "AWS_REGION", hide_env_values = true, default_value = DEFAULT_REGION)]
    region: String,
}

/// File of the models of a stack.
pub(crate) const DEFAULT_OVERRIDES: &str = "infra/model-overrides.toml";

/// Region in which models are looked up without another one.
const DEFAULT_REGION: &str = "us-east-1";

/// Folder of the prompts that are deployed with a stack.
const DEPLOYED_PROMPTS: &str = "prompt-templates";

/// Limits of a stack that was deployed with the default settings, as no problem depends on them; links may live as long
/// as those of any stack.
const LIMITS: PipelineLimits = PipelineLimits {
    stack: StackLimits { max_total_records: None, max_records_per_job: None, max_concurrent_jobs: 5 },
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
    findings(arguments, Purpose::Report)?.finish()
}

/// Performs the checks before an input is started, so that a mistake costs no execution and no email.
///
/// # Errors
/// Returns an error with all problems if there are some.
pub(crate) fn check_before_start(
    file: &Path,
    input: Option<&str>,
    prompt_templates: Option<&Path>,
    region: &str,
) -> Result<(), Failure> {
    let arguments = Arguments {
        file: file.to_owned(),
        prompt_templates: prompt_templates.map(Path::to_owned),
        model_overrides: DEFAULT_OVERRIDES.into(),
        columns: Vec::new(),
        input: input.map(str::to_owned),
        region: region.to_owned(),
    };
    findings(&arguments, Purpose::Start)?.refuse_problems()
}

/// Purpose of the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// A report of everything that is found.
    Report,
    /// The start of the input, by a stack whose prompts need not be those of this machine.
    Start,
}

fn findings(arguments: &Arguments, purpose: Purpose) -> Result<Report, Failure> {
    let mut report = Report::new(&arguments.file);
    let folder = arguments.prompt_templates.as_deref().unwrap_or(Path::new(DEPLOYED_PROMPTS));
    let (prompts, missing) = match LocalPrompts::read(folder) {
        Ok(prompts) => (prompts, None),
        // Without the prompts of the stack, an input may have its own.
        Err(failure) => (LocalPrompts::default(), Some(failure)),
    };
    // What the input does not name does not matter for its start.
    for (file, text) in prompts.0.broken.iter().chain(&prompts.0.incomplete_rules) {
        if purpose == Purpose::Report {
            report.broken_template(file, text);
        }
    }
    let sent = arguments.prompt_templates.is_some().then_some(&prompts);
    let models = match load_models(&arguments.model_overrides) {
        Ok(models) => models,
        Err(text) => {
            report.problem(&text);
            load_models(&PathBuf::new()).map_err(Failure::Failed)?
        }
    };
    // When a run starts, Bedrock says which models are alive.
    let models = if purpose == Purpose::Report { models.on(&today()) } else { models };
    let catalog = Catalog { prompts: &prompts.0.library, models: &models, region: &arguments.region };
    if let Some(mut file) = input_file::read(&arguments.file, arguments.input.as_deref(), sent, &mut report)? {
        let mut known = inputs_of(&file, &arguments.columns, &mut report);
        // They would all be reported as unknown.
        let are_missing = missing.is_some() || sent.is_some();
        if purpose == Purpose::Start && are_missing && prompts.are_needed_by(&file.input) {
            check_fields(&file, &mut report);
            return Ok(report);
        }
        if let Some(failure) = missing.filter(|_| sent.is_some() || prompts.are_needed_by(&file.input)) {
            let remedy = "pass the folder of the prompt templates with `--prompt-templates`";
            return Err(Failure::Usage(format!("{failure}; {remedy}")));
        }
        let folder = arguments.file.parent().unwrap_or(Path::new(""));
        known.references = read_local(folder, input_file::UPLOADED, &mut file.input, &mut report);
        match file.kind {
            InputKind::Run => check_input(&file, &catalog, &known, &mut report),
            InputKind::Pipeline => check_pipeline(&file, &catalog, &known, &mut report),
            InputKind::Payload if purpose == Purpose::Start => {}
            InputKind::Payload => {
                payload::check(&file.input, LIMITS.stack, &catalog, known.inputs.get(&0), &mut report);
            }
            InputKind::Continuation => "an input that continues a run".clone_into(&mut report.kind),
        }
    }
    Ok(report)
}

/// Returns the date by which the life of models is judged.
pub(crate) fn today() -> String {
    DateTime::from(SystemTime::now()).fmt(Format::DateTime).unwrap_or_default()
}

/// Checks the fields of an input whose prompts only the stack has.
fn check_fields(file: &InputFile, report: &mut Report) {
    let problems = match file.kind {
        InputKind::Run => RunRequest::read(&file.input, LIMITS.stack).1,
        InputKind::Pipeline => PipelineRequest::read(&file.input, LIMITS).1,
        InputKind::Payload | InputKind::Continuation => Vec::new(),
    };
    report.problems(&problems);
}

/// What is known of the files of an input, by the index of the stage (0 for a run).
struct KnownFiles {
    /// Columns of the rows.
    inputs: BTreeMap<usize, Vec<String>>,
    /// Paths of local inputs, and their numbers of rows.
    rows: BTreeMap<usize, (String, u64)>,
    /// Reference data in local files.
    references: BTreeMap<usize, Vec<Reference>>,
}

/// Returns the columns and rows of the stages whose input is local, and the columns that were described with `--columns`.
fn inputs_of(file: &InputFile, of_first: &[String], report: &mut Report) -> KnownFiles {
    let (mut inputs, mut rows) = (BTreeMap::new(), BTreeMap::new());
    for (index, path) in &file.local {
        let (run, field) = match file.kind {
            InputKind::Pipeline => {
                (file.input.get("stages").and_then(|stages| stages.get(index)), format!("stages[{index}].input_s3_uri"))
            }
            _ => (Some(&file.input), "s3_uri".to_owned()),
        };
        let fields = run.and_then(Value::as_object);
        let options = FileOptions {
            csv: fields.map(CsvOptions::of_run).unwrap_or_default(),
            sheet: fields.and_then(|fields| fields.get(SHEET)).and_then(Value::as_str).map(str::to_owned),
            table: fields.map(TableOptions::of_run).unwrap_or_default(),
        };
        let is_image = run.and_then(|run| run.get("input_type")).is_some_and(|input_type| input_type == "image");
        let input_type = if is_image { InputType::Image } else { InputType::Text };
        match LocalInput::read(path, input_type, &options, &field) {
            Ok(local) => {
                let path = path.display().to_string();
                report.warnings(local.warnings.iter().map(|(warning, count)| format!("{path}: {warning}: {count}")));
                rows.insert(*index, (path, local.rows));
                inputs.insert(*index, local.columns);
            }
            Err(failure) => report.unreadable(&failure),
        }
    }
    if !of_first.is_empty() {
        inputs.insert(0, of_first.to_vec());
    }
    KnownFiles { inputs, rows, references: BTreeMap::new() }
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
    checked.reference_note.into_iter().for_each(|note| report.note(note));
    report.warnings(copies_warning(&request, true));
    if let Some(resolved) = &checked.resolved {
        report.warnings(resolved.model_warnings.iter().cloned());
        report.added_columns(&added_columns(resolved));
        if let Some((path, rows)) = known.rows.get(&0) {
            report.row_count(row_count(&request, resolved.model.limits.min_records_per_job, path, *rows));
        }
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
    checked.reference_notes.into_iter().for_each(|note| report.note(note));
    report.warnings(checked.model_warnings);
    for (index, stage) in request.stages.iter().enumerate() {
        let Some(run) = &stage.run else { continue };
        let warning = copies_warning(run, true);
        report.warnings(warning.map(|warning| format!("stage `{}`: {warning}", stage.stage_name)));
        let minimum = checked.min_records_per_job.get(index).copied().flatten();
        if let Some(((path, rows), minimum)) = known.rows.get(&index).zip(minimum) {
            let found = row_count(run, minimum, path, *rows);
            let found = found.map(|note| format!("stage `{}`: {note}", stage.stage_name));
            report.row_count(found.map_err(|problem| request.placed(index, problem)));
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tables_and_fields_are_checked_before_a_start_although_only_the_stack_has_the_prompts() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("input.json");
        let input = json!({"s3_uri": "rows.csv", "job_name_prefix": "p", "prompt_id": "theirs", "max_num_jobs": 0,
            "model_id": "us.anthropic.claude-haiku-4-5-20251001-v1:0"});
        std::fs::write(&file, input.to_string()).unwrap();
        std::fs::write(folder.path().join("rows.csv"), "a,b\n1,\"x\" y\n").unwrap();
        let refused = check_before_start(&file, None, None, "us-east-1").unwrap_err().to_string();
        assert!(refused.contains("rows.csv line 2: there is text after a closing quote"), "{refused}");
        assert!(refused.contains("max_num_jobs is `0`") && !refused.contains("theirs"), "{refused}");
        let input = json!({"s3_uri": "rows.csv", "job_name_prefix": "p", "prompt_id": "theirs",
            "model_id": "us.anthropic.claude-haiku-4-5-20251001-v1:0"});
        std::fs::write(&file, input.to_string()).unwrap();
        std::fs::write(folder.path().join("rows.csv"), "a,b\n1,x\n").unwrap();
        assert!(check_before_start(&file, None, None, "us-east-1").is_ok());
    }
}
