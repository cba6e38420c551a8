//! The file to be checked, and what kind of input it holds.

use super::report::Report;
use crate::failure::Failure;
use bedrock_batch_engine::config_object::{CONFIG_S3_URI, MOST_DIRECT_BYTES, MOST_OBJECT_BYTES};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// What a file holds.
pub(super) enum Given {
    /// The input of a run; `local`: the file or folder that its `s3_uri` names, which `start` uploads.
    Run { input: Value, local: Option<PathBuf> },
    /// A pipeline.
    Pipeline(Value),
    /// The input of an execution that goes on with a run, and nothing else.
    EarlierRun,
}

/// Fields that name an earlier run to go on with.
const EARLIER_RUN: [&str; 2] = ["resume_run", "collect_run"];
/// What stands for the bucket that a local file will be uploaded to.
const UPLOADED: &str = "s3://uploaded";

/// Reads `file`; `None` if it holds no JSON object.
pub(super) fn read(file: &Path, report: &mut Report) -> Result<Option<Given>, Failure> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| Failure::Usage(format!("{shown}: {error}")))?;
    let value: Value = match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
        Ok(value) => value,
        Err(error) => {
            report.problem(&format!("{shown}: is no JSON: {error}"));
            return Ok(None);
        }
    };
    let Value::Object(object) = value else {
        report.problem(&format!("{shown}: must hold a JSON object"));
        return Ok(None);
    };
    note_size(&object, report);
    if present(&object, CONFIG_S3_URI) {
        let rule = "names the object that holds the input; check that object's file, or leave the field out";
        report.problem(&format!("{CONFIG_S3_URI}: {rule}"));
        return Ok(None);
    }
    if present(&object, "stages") || present(&object, "pipeline_name") {
        return Ok(Some(Given::Pipeline(Value::Object(object))));
    }
    Ok(Some(of_run(file, object, report)))
}

fn of_run(file: &Path, mut object: Map<String, Value>, report: &mut Report) -> Given {
    if EARLIER_RUN.iter().any(|field| present(&object, field)) {
        report.not_checked("whether the run that it goes on with is there and over, and was started with this input");
        object.retain(|name, value| !EARLIER_RUN.contains(&name.as_str()) && !value.is_null() && name != "$schema");
        if object.is_empty() {
            report.kind = "an input that goes on with a run".to_owned();
            return Given::EarlierRun;
        }
    }
    let mut local = None;
    if let Some(named) = object.get("s3_uri").and_then(Value::as_str).filter(|uri| !uri.starts_with("s3://")) {
        let path = file.parent().unwrap_or(Path::new(".")).join(named);
        if path.exists() {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let uploaded = format!("{UPLOADED}/{name}{}", if path.is_dir() { "/" } else { "" });
            object.insert("s3_uri".to_owned(), uploaded.into());
            local = Some(path);
        }
    }
    Given::Run { input: Value::Object(object), local }
}

fn note_size(object: &Map<String, Value>, report: &mut Report) {
    // As it is handed over: without the space between.
    let bytes = serde_json::to_string(object).map_or(0, |text| text.len());
    if bytes > MOST_OBJECT_BYTES {
        report.problem(&format!("the input has {bytes} bytes, and may have {MOST_OBJECT_BYTES} (5 MB) at the most"));
    } else if bytes > MOST_DIRECT_BYTES {
        report.note(&format!(
            "it has {bytes} bytes, over 200 KiB: put it into S3 and start with {{\"{CONFIG_S3_URI}\": \"s3://…\"}}"
        ));
    }
}

fn present(object: &Map<String, Value>, field: &str) -> bool {
    object.get(field).is_some_and(|value| !value.is_null())
}
