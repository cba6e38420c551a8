//! The configurations that travel with the function: `pipeline-configs/<name>.json`.

use bedrock_batch_domain::trigger::MOST_INPUT_BYTES;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// The deployed configurations, by name.
pub type Configs = BTreeMap<String, Map<String, Value>>;

/// The longest S3 address of an upload, as JSON: it takes the place of the configuration's own input.
const ROOM_FOR_THE_INPUT: usize = 8 * 1024;
/// JSON Schemas lie beside the configurations that they describe.
const SCHEMA_ENDING: &str = ".schema.json";

/// All configurations of a folder, by their files' names without `.json`.
///
/// # Errors
/// Which file is wrong, and how: no JSON object, or too large to be an execution input.
pub fn load_configs(folder: &Path) -> Result<Configs, String> {
    let cannot_read = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut configs = Configs::new();
    for entry in std::fs::read_dir(folder).map_err(cannot_read)? {
        let path = entry.map_err(cannot_read)?.path();
        let file = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(name) = file.strip_suffix(".json").filter(|_| !file.ends_with(SCHEMA_ENDING)) else { continue };
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let config: Map<String, Value> =
            serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        let bytes = serde_json::to_string(&config).map_or(text.len(), |text| text.len());
        if bytes + ROOM_FOR_THE_INPUT > MOST_INPUT_BYTES {
            let most = (MOST_INPUT_BYTES - ROOM_FOR_THE_INPUT) / 1024;
            return Err(format!(
                "{}: has {bytes} bytes without spaces; at most {most} KiB fit into an execution input; \
                 upload it to trigger/<name>.json instead",
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
    fn configurations_are_known_by_their_files_names() {
        let configs = loaded(&[("a.json", r#"{"stages": []}"#), ("b.schema.json", "7"), ("README.md", "no")]).unwrap();
        assert_eq!(configs.keys().collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn a_file_that_is_wrong_is_named() {
        let error = loaded(&[("a.json", "{\n  oops")]).unwrap_err();
        assert!(error.contains("a.json: ") && error.contains("line 2"), "{error}");
        assert!(loaded(&[("a.json", "[]")]).unwrap_err().contains("a.json"));
        let large = format!(r#"{{"a": "{}"}}"#, "x".repeat(MOST_INPUT_BYTES));
        assert!(loaded(&[("large.json", &large)]).unwrap_err().contains("at most 192 KiB"));
        assert!(load_configs(Path::new("/nowhere")).unwrap_err().contains("/nowhere"));
    }
}
