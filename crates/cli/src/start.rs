//! `bedrock-batch start`: uploads local inputs and starts an execution.

use crate::executions::Orchestrator;
use crate::failure::Failure;
use crate::follow::follow;
use crate::follow_pipeline::follow_pipeline;
use crate::inline_prompts::LocalPrompts;
use crate::input_runs::{InputRun, is_local, references_of, runs_of};
use crate::stack::Stack;
use crate::template_files;
use crate::terminal::{errln, outln};
use crate::upload::{upload, upload_text};
use crate::validate::check_before_start;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use bedrock_batch_domain::ids::JobPrefix;
use bedrock_batch_domain::input::{DATASET_FIELDS, parse_input};
use bedrock_batch_domain::problem::listed;
use bedrock_batch_domain::s3_uri::S3Uri;
use bedrock_batch_engine::config_object::{CONFIG_S3_URI, MAX_DIRECT_BYTES, MAX_OBJECT_BYTES};
use bedrock_batch_engine::objects::Bucket;
use clap::Args;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Execution input as JSON: of a run, or (with `stages`) of a pipeline. Its `s3_uri` or `input_s3_uri`,
    /// `prompt_templates` and `validation_schema` may be local files or folders, and its references local files, relative to
    /// the JSON file
    file: PathBuf,
    /// Input to use in place of the one in the file: a local file or folder, or an S3 address
    #[arg(long)]
    input: Option<String>,
    /// Folder of prompt templates: those that the input names are sent with it, so that the stack need not have them
    #[arg(long, value_name = "DIR")]
    prompt_templates: Option<PathBuf>,
    /// Wait until the run ends and show its progress; exit with code 1 if it fails
    #[arg(long)]
    wait: bool,
    /// Leave out the checks of `validate`, for a stack whose prompts and models are not those of this machine
    #[arg(long)]
    unchecked: bool,
    /// Name of the run [default: the job name prefix or the name of the pipeline, and the time]
    #[arg(long)]
    name: Option<String>,
}

pub(crate) async fn run(stack: &Stack, arguments: &Arguments) -> Result<(), Failure> {
    let shown = arguments.file.display();
    let text = std::fs::read_to_string(&arguments.file).map_err(|e| Failure::Usage(format!("{shown}: {e}")))?;
    let text = text.trim_start_matches('\u{feff}').as_bytes();
    let mut input = parse_input(text).map_err(|e| Failure::Usage(format!("{shown} is not valid JSON: {e}")))?;
    // The content of an object in S3 is not known here.
    if !arguments.unchecked && input.get(CONFIG_S3_URI).is_none_or(Value::is_null) {
        let region = stack.state_machine.region();
        check_before_start(&arguments.file, arguments.input.as_deref(), arguments.prompt_templates.as_deref(), region)?;
    }
    if let Some(folder) = &arguments.prompt_templates {
        send_prompts_of(folder, &mut input)?;
    }
    if let Some(named) = &arguments.input {
        let sources = sources(&mut input);
        let Some((_, source)) = sources.into_iter().next() else {
            return Err(Failure::Usage(format!(
                "{shown}: `--input` cannot be applied: the input, or its first stage, is not a JSON object"
            )));
        };
        source.replace(in_s3(stack, Path::new(""), named, "--input").await?);
    }
    let folder = arguments.file.parent().unwrap_or(Path::new("."));
    for (field, source) in sources(&mut input) {
        if let Some(named) = source.named().filter(|named| is_local(named)).map(str::to_owned) {
            source.insert_named(in_s3(stack, folder, &named, &format!("{field} is `{named}`")).await?);
        }
    }
    upload_templates(stack, folder, &mut input).await?;
    for (_, field, references) in references_of(&mut input) {
        for (name, value) in references {
            if let Some(named) = value.as_str().filter(|named| is_local(named)).map(str::to_owned) {
                *value = in_s3(stack, folder, &named, &format!("{field}.{name} is `{named}`")).await?.into();
            }
        }
    }
    let orchestrator = orchestrator_of(stack, &input).await;
    let name = arguments.name.clone().unwrap_or_else(|| default_name(&input));
    let bytes = input.to_string().len();
    if bytes > MAX_OBJECT_BYTES {
        let rule = format!("has {bytes} bytes with its prompts, but the maximum is {MAX_OBJECT_BYTES} (5 MB)");
        return Err(Failure::Usage(format!("{shown}: {rule}")));
    }
    if bytes > MAX_DIRECT_BYTES {
        let uploaded = upload_text(stack, &format!("{name}.json"), input.to_string()).await?;
        errln!("the input is too large to be passed directly to Step Functions: uploaded it to {uploaded}");
        input = json!({ CONFIG_S3_URI: uploaded });
    }
    let arn = stack.start_execution(orchestrator, &name, &input).await?;
    let what = if orchestrator == Orchestrator::Pipeline { "pipeline run" } else { "run" };
    errln!("{what} {name} started");
    outln!("{name}");
    if !arguments.wait {
        errln!("watch it with `bedrock-batch status {name}`");
        return Ok(());
    }
    match orchestrator {
        Orchestrator::Batch => follow(stack, &name, &arn).await,
        Orchestrator::Pipeline => follow_pipeline(stack, &name, &arn).await,
    }
}

/// Uploads the files of generated prompts that `input` names by paths. Of a folder, only the file that counts is uploaded,
/// so that what `validate` checks is what the run reads.
async fn upload_templates(stack: &Stack, folder: &Path, input: &mut Value) -> Result<(), Failure> {
    for InputRun { path, object, .. } in runs_of(input) {
        for field in template_files::FIELDS {
            let Some(named) = object.get(field).and_then(Value::as_str).filter(|named| is_local(named)) else {
                continue;
            };
            let shown = format!("{path}{field} is `{named}`");
            let file = template_files::file_of(field, &folder.join(named));
            let file = file.map_err(|error| Failure::Usage(format!("{shown}: {error}")))?;
            let uploaded = upload(stack, &file, &shown).await?;
            object.insert(field.to_owned(), Value::String(uploaded));
        }
    }
    Ok(())
}

/// Puts the prompts of a folder that `input` names into it.
fn send_prompts_of(folder: &Path, input: &mut Value) -> Result<(), Failure> {
    if input.get(CONFIG_S3_URI).is_some_and(|uri| !uri.is_null()) {
        return Err(Failure::Usage(format!(
            "--prompt-templates cannot be applied: the input is in {CONFIG_S3_URI}; start with the file of that object"
        )));
    }
    let inlined = LocalPrompts::read(folder)?.inline_into(input)?;
    let list = |ids: &BTreeSet<String>| listed(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    if !inlined.ids.is_empty() {
        errln!("sending the prompts {} of {}", list(&inlined.ids), folder.display());
    }
    if !inlined.elsewhere.is_empty() {
        errln!("{} has no prompts {}: the stack must have them", folder.display(), list(&inlined.elsewhere));
    }
    Ok(())
}

/// Returns the state machine that an input is for: pipelines have stages. An input stored in S3 is read there; if that
/// fails, the execution reports the problem.
async fn orchestrator_of(stack: &Stack, input: &Value) -> Orchestrator {
    let uri = input.get("config_s3_uri").and_then(Value::as_str).and_then(|uri| S3Uri::parse(uri).ok());
    let in_s3: Option<Value> = match uri {
        Some(uri) => Bucket::new(stack.bucket.client().clone(), uri.bucket).get_json(&uri.key).await.ok(),
        None => None,
    };
    if in_s3.as_ref().unwrap_or(input).get("stages").is_some() { Orchestrator::Pipeline } else { Orchestrator::Batch }
}

/// Returns a unique name: `tickets-2026-11-20T13-05-07-3f9a`. The last part distinguishes starts within one second.
fn default_name(input: &Value) -> String {
    let named = |field: &str| input.get(field).and_then(Value::as_str).and_then(JobPrefix::cleaned);
    let prefix = named("job_name_prefix").or_else(|| named("pipeline_name"));
    let now = DateTime::from(SystemTime::now());
    let time = DateTime::from_secs(now.secs()).fmt(Format::DateTime).unwrap_or_default().replace(':', "-");
    let distinct = Sha256::digest(format!("{} {}", now.subsec_nanos(), std::process::id()));
    format!(
        "{}-{}-{}",
        prefix.as_ref().map_or("run", JobPrefix::as_str),
        time.trim_end_matches('Z'),
        &hex::encode(distinct)[..4]
    )
}

/// Field of an input that names its rows.
struct Source<'a> {
    object: &'a mut Map<String, Value>,
    field: &'static str,
}

impl Source<'_> {
    fn named(&self) -> Option<&str> {
        self.object.get(self.field).and_then(Value::as_str)
    }

    /// Names other rows: of a dataset, nothing is left.
    fn replace(self, uri: String) {
        self.object.retain(|name, _| !DATASET_FIELDS.contains(&name.as_str()));
        self.insert_named(uri);
    }

    fn insert_named(self, uri: String) {
        self.object.insert(self.field.to_owned(), Value::String(uri));
    }
}

/// Returns the fields in which an input may name its rows, each with its path: one for a run, one per stage for a pipeline.
fn sources(input: &mut Value) -> Vec<(String, Source<'_>)> {
    let sources = runs_of(input).into_iter().map(|InputRun { path, object, .. }| {
        let field = if path.is_empty() { "s3_uri" } else { "input_s3_uri" };
        (format!("{path}{field}"), Source { object, field })
    });
    sources.collect()
}

/// Returns the S3 address of an input: an address is returned as it is, a local path is uploaded.
async fn in_s3(stack: &Stack, folder: &Path, named: &str, field: &str) -> Result<String, Failure> {
    if named.starts_with("s3://") {
        return Ok(named.to_owned());
    }
    upload(stack, &folder.join(named), field).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(mut input: Value) -> Vec<(String, Option<String>)> {
        sources(&mut input).into_iter().map(|(field, source)| (field, source.named().map(str::to_owned))).collect()
    }

    #[test]
    fn a_run_has_one_source_and_a_pipeline_one_per_stage() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(fields(json!({"s3_uri": "a.csv"})), [("s3_uri".to_owned(), some("a.csv"))]);
        assert_eq!(fields(json!({"dataset_id": "d"})), [("s3_uri".to_owned(), None)]);
        let pipeline = json!({"stages": [{"input_s3_uri": "photos"}, {"use_previous_output": true}, 7]});
        let expected = [("stages[0].input_s3_uri", some("photos")), ("stages[1].input_s3_uri", None)];
        assert_eq!(fields(pipeline), expected.map(|(field, named)| (field.to_owned(), named)));
        assert_eq!(fields(json!([])), []);
        assert_eq!(fields(json!({"stages": "all"})), []);
    }

    #[test]
    fn other_rows_take_the_place_of_a_dataset() {
        let mut input = json!({"dataset_id": "a/b", "split": "test", "allow_partial": true, "model_id": "m"});
        sources(&mut input).into_iter().next().unwrap().1.replace("s3://b/a.csv".to_owned());
        assert_eq!(input, json!({"s3_uri": "s3://b/a.csv", "model_id": "m"}));
    }

    #[test]
    fn a_run_is_named_after_its_prefix_and_a_pipeline_after_itself() {
        assert!(default_name(&json!({"job_name_prefix": "my_tickets"})).starts_with("my-tickets-2"));
        assert!(default_name(&json!({"pipeline_name": "Clothing!", "stages": []})).starts_with("Clothing-2"));
        assert!(default_name(&json!({})).starts_with("run-2"));
    }
}
