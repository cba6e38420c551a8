//! The file to be checked, what kind of input it holds, and which local files it names.

use super::report::Report;
use crate::failure::Failure;
use bedrock_batch_engine::config_object::{CONFIG_S3_URI, MOST_DIRECT_BYTES, MOST_OBJECT_BYTES};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a file holds.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) kind: Kind,
    /// The input as it will be once `start` has uploaded the local files that it names.
    pub(super) input: Value,
    /// Those files or folders, by the place of the stage that reads them (0 for a run).
    pub(super) local: BTreeMap<usize, PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Run,
    Pipeline,
    /// The input of an execution that goes on with a run, and nothing else.
    EarlierRun,
}

/// Fields that name an earlier run to go on with.
const EARLIER_RUN: [&str; 2] = ["resume_run", "collect_run"];
/// What stands for the folder that a local file will be uploaded to.
const UPLOADED: &str = "s3://uploaded/inputs";

/// Reads `file`; `other`: the input to use in place of the first one. `None` if there is nothing to be checked.
pub(super) fn read(file: &Path, other: Option<&str>, report: &mut Report) -> Result<Option<Given>, Failure> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| Failure::Usage(format!("{shown}: {error}")))?;
    let object = match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
        Ok(Value::Object(object)) => object,
        Ok(_) => {
            report.problem(&format!("{shown}: must hold a JSON object"));
            return Ok(None);
        }
        Err(error) => {
            report.problem(&format!("{shown}: is no JSON: {error}"));
            return Ok(None);
        }
    };
    note_size(&object, report);
    if present(&object, CONFIG_S3_URI) {
        let rule = "names the object that holds the input; check the file of that object";
        report.problem(&format!("{CONFIG_S3_URI}: {rule}"));
        return Ok(None);
    }
    let beside = file.parent().unwrap_or(Path::new(""));
    Ok(Some(if present(&object, "stages") || present(&object, "pipeline_name") {
        of_pipeline(beside, object, other)
    } else {
        of_run(beside, object, other, report)
    }))
}

fn of_pipeline(beside: &Path, mut object: Map<String, Value>, other: Option<&str>) -> Given {
    let mut local = BTreeMap::new();
    let stages = object.get_mut("stages").and_then(Value::as_array_mut).into_iter().flatten();
    for (index, stage) in stages.enumerate() {
        let Some(stage) = stage.as_object_mut() else { continue };
        let other = other.filter(|_| index == 0);
        local.extend(take_local(beside, stage, "input_s3_uri", other).map(|path| (index, path)));
    }
    Given { kind: Kind::Pipeline, input: Value::Object(object), local }
}

fn of_run(beside: &Path, mut object: Map<String, Value>, other: Option<&str>, report: &mut Report) -> Given {
    let mut kind = Kind::Run;
    if EARLIER_RUN.iter().any(|field| present(&object, field)) {
        report.not_checked("whether the run that it goes on with is there and over, and was started with this input");
        object.retain(|name, value| !EARLIER_RUN.contains(&name.as_str()) && !value.is_null() && name != "$schema");
        if object.is_empty() {
            kind = Kind::EarlierRun;
        }
    }
    let local = take_local(beside, &mut object, "s3_uri", other).map(|path| (0, path));
    Given { kind, input: Value::Object(object), local: local.into_iter().collect() }
}

/// Puts an address in the place of a local file or folder, which is returned. `other` is used in place of what stands
/// there.
fn take_local(beside: &Path, object: &mut Map<String, Value>, field: &str, other: Option<&str>) -> Option<PathBuf> {
    let written = object.get(field).and_then(Value::as_str).map(|named| (beside.join(named), named.to_owned()));
    let (path, named) = other.map(|other| (PathBuf::from(other), other.to_owned())).or(written)?;
    let is_local = !named.starts_with("s3://") && path.exists();
    let address = if is_local {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() { format!("{UPLOADED}/") } else { format!("{UPLOADED}/{name}") }
    } else {
        named
    };
    object.insert(field.to_owned(), address.into());
    is_local.then_some(path)
}

fn note_size(object: &Map<String, Value>, report: &mut Report) {
    // As it is handed over: without the space between.
    let bytes = serde_json::to_string(object).map_or(0, |text| text.len());
    if bytes > MOST_OBJECT_BYTES {
        report.problem(&format!("the input has {bytes} bytes, and may have {MOST_OBJECT_BYTES} (5 MB) at the most"));
    } else if bytes > MOST_DIRECT_BYTES {
        report.note(&format!(
            "it has {bytes} bytes, over 200 KiB: `start` puts it into S3; without it, put it there and start with \
             {{\"{CONFIG_S3_URI}\": \"s3://…\"}}"
        ));
    }
}

fn present(object: &Map<String, Value>, field: &str) -> bool {
    object.get(field).is_some_and(|value| !value.is_null())
}
