//! Configurations that are packaged with the function: `pipeline-configs/<name>.json`.

use bedrock_batch_domain::input::parse_input;
use bedrock_batch_domain::trigger::MAX_INPUT_BYTES;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// Deployed configurations, by name.
pub type Configs = BTreeMap<String, Map<String, Value>>;

/// Maximum size of the S3 address of an upload as JSON, which replaces the input of the configuration.
const MAX_ADDRESS_BYTES: usize = 8 * 1024;
/// Suffix of the JSON Schemas, which are in the same folder as the configurations that they describe.
const SCHEMA_SUFFIX: &str = ".schema.json";

/// Loads all configurations of a folder, by their file names without `.json`.
///
/// # Errors
/// Returns an error that names the file if one is not a JSON object or is too large for an execution input.
pub fn load_configs(folder: &Path) -> Result<Configs, String> {
    let cannot_read = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut configs = Configs::new();
    for entry in std::fs::read_dir(folder).map_err(cannot_read)? {
        let path = entry.map_err(cannot_read)?.path();
        let file = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(name) = file.strip_suffix(".json").filter(|_| !file.ends_with(SCHEMA_SUFFIX)) else { continue };
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let config = parse_input(text.as_bytes()).map_err(|error| format!("{}: {error}", path.display()))?;
        let Value::Object(config) = config else {
            return Err(format!("{}: must be a JSON object", path.display()));
        };
        let bytes = serde_json::to_string(&config).map_or(text.len(), |text| text.len());
        if bytes + MAX_ADDRESS_BYTES > MAX_INPUT_BYTES {
            let max_kib = (MAX_INPUT_BYTES - MAX_ADDRESS_BYTES) / 1024;
            return Err(format!(
                "{}: has {bytes} bytes without insignificant whitespace; at most {max_kib} KiB fit into an execution \
                 input; upload it to trigger/<name>.json instead",
                path.display()
            ));
        }
        configs.insert(name.to_owned(), config);
    }
    Ok(configs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(files: &[(&str, &str)]) -> Result<Configs, String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        load_configs(folder.path())
    }

    #[test]
    fn configurations_are_loaded_by_file_name() {
        let configs = loaded(&[("a.json", r#"{"stages": []}"#), ("b.schema.json", "7"), ("README.md", "no")]).unwrap();
        assert_eq!(configs.keys().collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn an_invalid_file_is_named_in_the_error() {
        let error = loaded(&[("a.json", "{\n  oops")]).unwrap_err();
        assert!(error.contains("a.json: ") && error.contains("line 2"), "{error}");
        assert!(loaded(&[("a.json", "[]")]).unwrap_err().contains("a.json"));
        let large = format!(r#"{{"a": "{}"}}"#, "x".repeat(MAX_INPUT_BYTES));
        assert!(loaded(&[("large.json", &large)]).unwrap_err().contains("at most 192 KiB"));
        assert!(load_configs(Path::new("/nowhere")).unwrap_err().contains("/nowhere"));
    }
}
