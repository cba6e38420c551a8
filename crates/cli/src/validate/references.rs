//! Local files of reference data.

use super::report::Report;
use crate::input_runs::references_of;
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::reference::{
    MAX_REFERENCE_BYTES, Reference, ReferenceFormat, ReferenceSource, total_size_problem,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Reads the local files that the references of `input` name, relative to `folder`, and replaces their paths by the addresses that
/// they will have in S3. Returns the references that can be used, by the index of the stage (0 for a run).
pub(super) fn read_local(
    folder: &Path,
    uploaded: &str,
    input: &mut Value,
    report: &mut Report,
) -> BTreeMap<usize, Vec<Reference>> {
    let mut all = BTreeMap::new();
    for (index, field, references) in references_of(input) {
        let mut read = Vec::new();
        for (name, value) in references {
            let Some(named) = value.as_str().map(str::to_owned).filter(|named| !named.contains(":/")) else { continue };
            let path = folder.join(&named);
            let file_name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let uri = format!("{uploaded}/{file_name}");
            *value = Value::from(uri.clone());
            // Another extension is reported with the other fields of the input.
            if ReferenceFormat::of(&uri).is_none() {
                continue;
            }
            match content(&path) {
                Ok(content) => {
                    let source = ReferenceSource { name: name.clone(), uri: named.clone(), etag: String::new() };
                    let reference = Reference::read(source, &content);
                    let reference = reference.map_err(|problem| problem.of_field(format!("{field}.{name}")));
                    read.extend(reference.map_err(|problem| report.problem(&problem.to_string())).ok());
                }
                Err(problem) => {
                    let problem = Problem { field: format!("{field}.{name}"), value: named, ..problem };
                    report.problem(&problem.to_string());
                }
            }
        }
        if let Some(problem) = total_size_problem(&read) {
            report.problem(&problem.of_field(&field).to_string());
        }
        all.insert(index, read);
    }
    all
}

fn content(path: &Path) -> Result<Vec<u8>, Problem> {
    let problem = |rule: String| Problem::without_value("", rule);
    let Ok(file) = std::fs::metadata(path) else {
        let rule = "is not an S3 address (`s3://bucket/path`), and no file has this path";
        let remedy = "check the path, which is relative to the file that names it";
        return Err(problem(rule.to_owned()).remedy(remedy));
    };
    if file.len() > MAX_REFERENCE_BYTES {
        let rule = format!("has {} bytes, but at most {MAX_REFERENCE_BYTES} are allowed", file.len());
        return Err(problem(rule).remedy("shorten it"));
    }
    std::fs::read(path).map_err(|error| problem(format!("cannot be read: {error}")))
}
