//! File to validate: the kind of its input and the local files that it names.

use super::payload::is_payload;
use super::report::Report;
use crate::failure::Failure;
use crate::inline_prompts::LocalPrompts;
use crate::template_files::{FIELDS, LocalTemplates, file_of};
use bedrock_batch_domain::input::{COLLECT_RUN, DATASET_FIELDS, RESUME_RUN, parse_input};
use bedrock_batch_engine::config_object::{CONFIG_S3_URI, MAX_DIRECT_BYTES, MAX_OBJECT_BYTES};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Content of an input file.
#[derive(Debug)]
pub(super) struct InputFile {
    pub(super) kind: InputKind,
    /// Input as it will be once `start` has uploaded the local files that it names.
    pub(super) input: Value,
    /// Those files or folders, by the index of the stage that reads them (0 for a run).
    pub(super) local: BTreeMap<usize, PathBuf>,
    /// Files of generated prompts on this machine, by the same index.
    pub(super) templates: BTreeMap<usize, LocalTemplates>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InputKind {
    Run,
    Pipeline,
    /// Payload of the classifier.
    Payload,
    /// Input that continues an earlier run and has no other fields.
    Continuation,
}

/// Fields that name an earlier run to continue.
const CONTINUATION_FIELDS: [&str; 2] = [RESUME_RUN, COLLECT_RUN];
/// Placeholder for the folder that a local file will be uploaded to.
pub(super) const UPLOADED: &str = "s3://uploaded/inputs";

/// Reads `file`, with `replacement` in place of the input that the run or the first stage names. `sent` are the prompts that
/// `start` would send with it. Returns `None` if there is nothing to check.
pub(super) fn read(
    file: &Path,
    replacement: Option<&str>,
    sent: Option<&LocalPrompts>,
    report: &mut Report,
) -> Result<Option<InputFile>, Failure> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| Failure::Usage(format!("{shown}: {error}")))?;
    let object = match parse_input(text.trim_start_matches('\u{feff}').as_bytes()) {
        Ok(Value::Object(object)) => object,
        Ok(_) => {
            report.problem(&format!("{shown}: must be a JSON object"));
            return Ok(None);
        }
        Err(error) => {
            report.problem(&format!("{shown}: is not valid JSON: {error}"));
            return Ok(None);
        }
    };
    note_size(&object, sent, report);
    if present(&object, CONFIG_S3_URI) {
        let rule = "names the object that holds the input; validate the file of that object instead";
        report.problem(&format!("{CONFIG_S3_URI}: {rule}"));
        return Ok(None);
    }
    let folder = file.parent().unwrap_or(Path::new(""));
    Ok(Some(if present(&object, "stages") || present(&object, "pipeline_name") {
        of_pipeline(folder, object, replacement, report)
    } else if is_payload(&object) {
        InputFile {
            kind: InputKind::Payload,
            input: Value::Object(object),
            local: BTreeMap::new(),
            templates: BTreeMap::new(),
        }
    } else {
        of_run(folder, object, replacement, report)
    }))
}

fn of_pipeline(
    folder: &Path,
    mut object: Map<String, Value>,
    replacement: Option<&str>,
    report: &mut Report,
) -> InputFile {
    let (mut local, mut templates) = (BTreeMap::new(), BTreeMap::new());
    let stages = object.get_mut("stages").and_then(Value::as_array_mut).into_iter().flatten();
    for (index, stage) in stages.enumerate() {
        let Some(stage) = stage.as_object_mut() else { continue };
        let replacement = replacement.filter(|_| index == 0);
        let (taken, missing) = take_local(folder, stage, "input_s3_uri", replacement);
        local.extend(taken.map(|path| (index, path)));
        if let Some(path) = missing {
            report.problem(&no_such_path(&format!("stages[{index}].input_s3_uri"), replacement, &path));
        }
        templates.insert(index, take_templates(folder, stage, &format!("stages[{index}]."), report));
    }
    InputFile { kind: InputKind::Pipeline, input: Value::Object(object), local, templates }
}

fn of_run(folder: &Path, mut object: Map<String, Value>, replacement: Option<&str>, report: &mut Report) -> InputFile {
    let mut kind = InputKind::Run;
    if CONTINUATION_FIELDS.iter().any(|field| present(&object, field)) {
        report.not_checked("whether the run to continue exists, has ended and was started with this input");
        let is_kept = |name: &str| !CONTINUATION_FIELDS.contains(&name) && name != "$schema";
        object.retain(|name, value| is_kept(name) && !value.is_null());
        if object.is_empty() {
            kind = InputKind::Continuation;
        }
    }
    let (local, missing) = take_local(folder, &mut object, "s3_uri", replacement);
    if let Some(path) = missing {
        report.problem(&no_such_path("s3_uri", replacement, &path));
    }
    let local = local.map(|path| (0, path)).into_iter().collect();
    let templates = BTreeMap::from([(0, take_templates(folder, &mut object, "", report))]);
    InputFile { kind, input: Value::Object(object), local, templates }
}

/// Replaces the paths of files of a generated prompt by their future addresses, and returns the paths. `path` is that of the
/// object's fields.
fn take_templates(folder: &Path, object: &mut Map<String, Value>, path: &str, report: &mut Report) -> LocalTemplates {
    let [prompts, schema] = FIELDS.map(|field| {
        let named =
            object.get(field).and_then(Value::as_str).filter(|named| !is_address(named) && !named.trim().is_empty());
        let named = named?.to_owned();
        let file = file_of(field, &folder.join(&named));
        object.insert(field.to_owned(), format!("{UPLOADED}/{field}.json").into());
        let file = file.map_err(|error| {
            let rule = "is neither an S3 address (`s3://bucket/path`) nor a local file or folder to upload";
            report.problem(&format!("{path}{field} is `{named}`: {rule}: {error}"));
        });
        file.ok()
    });
    LocalTemplates { prompts, schema }
}

/// Returns true for an address. A mistyped scheme (`s3:/bucket`, `https://…`) makes one, which is reported as such.
fn is_address(named: &str) -> bool {
    named.contains(":/")
}

/// Replaces the path of a local file or folder by its future address. Returns the path, as the first one if something has
/// this path, else as the second one. `replacement` takes precedence over the value of the field.
fn take_local(
    folder: &Path,
    object: &mut Map<String, Value>,
    field: &str,
    replacement: Option<&str>,
) -> (Option<PathBuf>, Option<PathBuf>) {
    if replacement.is_some() {
        object.retain(|name, _| !DATASET_FIELDS.contains(&name.as_str()));
    }
    let written = object.get(field).and_then(Value::as_str).map(|named| (folder.join(named), named.to_owned()));
    let Some((path, named)) = replacement.map(|named| (PathBuf::from(named), named.to_owned())).or(written) else {
        return (None, None);
    };
    if is_address(&named) && !path.exists() {
        object.insert(field.to_owned(), named.into());
        return (None, None);
    }
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("input.csv");
    let address = if path.is_dir() { format!("{UPLOADED}/") } else { format!("{UPLOADED}/{name}") };
    object.insert(field.to_owned(), address.into());
    if path.exists() { (Some(path), None) } else { (None, Some(path)) }
}

/// Returns the problem of an input that is neither an address nor on this machine.
fn no_such_path(field: &str, replacement: Option<&str>, path: &Path) -> String {
    let (field, remedy) = match replacement {
        Some(_) => ("--input", "check the path"),
        None => (field, "check the path, which is relative to the file that names it"),
    };
    let path = path.display();
    format!("{field} is `{path}`: file not found, and it is not an S3 address (`s3://bucket/path`); {remedy}")
}

fn note_size(object: &Map<String, Value>, sent: Option<&LocalPrompts>, report: &mut Report) {
    let mut input = Value::Object(object.clone());
    if let Some(prompts) = sent {
        // Files with mistakes are reported on their own.
        if let Ok(inlined) = prompts.inline_into(&mut input) {
            report.prompts_sent(&inlined.ids);
        }
    }
    // Measured without insignificant whitespace, as it is passed to Step Functions.
    let bytes = input.to_string().len();
    if bytes > MAX_OBJECT_BYTES {
        report.problem(&format!("the input has {bytes} bytes, but the maximum is {MAX_OBJECT_BYTES} (5 MB)"));
    } else if bytes > MAX_DIRECT_BYTES {
        report.note(format!(
            "the input has {bytes} bytes, over 200 KiB: `bedrock-batch start` uploads it to S3; to start it in another \
             way, upload it yourself and start with {{\"{CONFIG_S3_URI}\": \"s3://…\"}}"
        ));
    }
}

fn present(object: &Map<String, Value>, field: &str) -> bool {
    object.get(field).is_some_and(|value| !value.is_null())
}
