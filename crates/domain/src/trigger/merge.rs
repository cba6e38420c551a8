//! Deployed configurations with an upload as their input.

use crate::input::{DATASET_FIELDS, InputKind};
use serde_json::{Map, Value};

/// Maximum size of an execution input; larger ones are started by their S3 address.
pub const MAX_INPUT_BYTES: usize = 200 * 1024;

/// Returns true if an execution input is that of a pipeline rather than of a run.
pub fn is_pipeline(input: &Map<String, Value>) -> bool {
    input.contains_key("stages")
}

/// Returns `config` with the object at `uri` as the input of its first stage (or of the run), in place of the input named
/// there. `etag` is that of the object; without it, whatever is there when the execution reads it is its input.
pub fn with_input(config: &Map<String, Value>, uri: &str, etag: &str) -> Map<String, Value> {
    let mut input = config.clone();
    let without_dataset = |object: &mut Map<String, Value>| {
        object.retain(|name, _| !DATASET_FIELDS.contains(&name.as_str()));
    };
    if !is_pipeline(config) {
        without_dataset(&mut input);
        input.remove("previous_run");
        set_object(&mut input, InputKind::Run, uri, etag);
    } else if let Some(first) =
        input.get_mut("stages").and_then(|stages| stages.get_mut(0)).and_then(Value::as_object_mut)
    {
        without_dataset(first);
        set_object(first, InputKind::Stage, uri, etag);
    }
    input
}

fn set_object(input: &mut Map<String, Value>, kind: InputKind, uri: &str, etag: &str) {
    input.insert(kind.uri_field().to_owned(), uri.into());
    input.remove(kind.etag_field());
    if !etag.is_empty() {
        input.insert(kind.etag_field().to_owned(), etag.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn merged(config: &Value) -> Value {
        Value::Object(with_input(config.as_object().unwrap(), "s3://b/trigger/c/a.csv", "e"))
    }

    #[test]
    fn the_first_stage_reads_the_upload() {
        let config = json!({"pipeline_name": "p", "stages": [
            {"stage_name": "a", "input_s3_uri": "s3://YOUR_ACCOUNT_ID/x"},
            {"stage_name": "b", "use_previous_output": true}]});
        let mut expected = config.clone();
        expected["stages"][0]["input_s3_uri"] = json!("s3://b/trigger/c/a.csv");
        expected["stages"][0]["input_s3_etag"] = json!("e");
        assert_eq!(merged(&config), expected);
        let of_dataset = json!({"pipeline_name": "p", "stages": [
            {"stage_name": "a", "dataset_id": "owner/set", "allow_partial": true},
            {"stage_name": "b", "use_previous_output": true}]});
        assert_eq!(merged(&of_dataset), expected);
    }

    #[test]
    fn a_run_reads_the_upload_in_place_of_any_other_source() {
        let config = json!({"job_name_prefix": "p", "dataset_id": "owner/set", "split": "train"});
        let expected = json!({"job_name_prefix": "p", "s3_uri": "s3://b/trigger/c/a.csv", "s3_etag": "e"});
        assert_eq!(merged(&config), expected);
    }

    #[test]
    fn an_upload_without_an_etag_takes_none_from_the_configuration() {
        let config = json!({"job_name_prefix": "p", "s3_uri": "s3://b/a.csv", "s3_etag": "another"});
        let expected = json!({"job_name_prefix": "p", "s3_uri": "s3://b/trigger/c/a.csv"});
        assert_eq!(Value::Object(with_input(config.as_object().unwrap(), "s3://b/trigger/c/a.csv", "")), expected);
    }

    #[test]
    fn malformed_stages_are_left_to_validation() {
        for config in [json!({"stages": []}), json!({"stages": 7}), json!({"stages": ["a"]}), json!({"stages": {}})] {
            assert_eq!(merged(&config), config);
        }
    }
}
