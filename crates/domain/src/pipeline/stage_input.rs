//! Execution inputs of stages, `runs/<pipeline run>/stages/<n>.json`, by which a run is recognized as a stage.

use crate::contract::prefixes::RUNS;
use crate::ids::RunId;
use crate::s3_uri::S3Uri;
use serde_json::Value;

/// Returns the key of the execution input of stage `index` (from 0) of a pipeline run.
pub fn stage_input_key(pipeline_run: &RunId, index: usize) -> String {
    format!("{RUNS}/{pipeline_run}/stages/{index}.json")
}

/// Returns true if an execution input, as JSON text, is that of a stage, whose end the pipeline reports.
pub fn is_stage_input(input: &str) -> bool {
    serde_json::from_str(input).ok().and_then(|input| pipeline_of_stage(&input)).is_some()
}

/// Returns bucket and pipeline run of the stage with this execution input, or `None` for all other inputs.
pub fn pipeline_of_stage(input: &Value) -> Option<(String, RunId)> {
    let uri = S3Uri::parse(input.get("config_s3_uri")?.as_str()?).ok()?;
    let parts: Vec<&str> = uri.key.split('/').collect();
    let [RUNS, run, "stages", file] = parts.as_slice() else { return None };
    let number = file.strip_suffix(".json")?;
    let is_stage = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let run = RunId::parse(run).ok().filter(|_| is_stage)?;
    Some((uri.bucket.clone(), run))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(r#"{"config_s3_uri": "s3://bucket/runs/photos/stages/0.json"}"#, true)]
    #[case(r#"{"config_s3_uri": "s3://bucket/runs/photos/stages/12.json"}"#, true)]
    #[case(r#"{"config_s3_uri": "s3://bucket/inputs/photos/stages/0.json"}"#, false)]
    #[case(r#"{"config_s3_uri": "s3://bucket/runs/photos/stages/.json"}"#, false)]
    #[case(r#"{"config_s3_uri": "s3://bucket/runs/photos/stages/x.json"}"#, false)]
    #[case(r#"{"config_s3_uri": "s3://bucket/runs//stages/0.json"}"#, false)]
    #[case(r#"{"config_s3_uri": 7}"#, false)]
    #[case(r#"{"s3_uri": "s3://bucket/runs/photos/stages/0.json"}"#, false)]
    #[case("[]", false)]
    #[case("", false)]
    fn a_stage_is_recognized_by_its_input(#[case] input: &str, #[case] expected: bool) {
        assert_eq!(is_stage_input(input), expected);
    }

    #[test]
    fn the_key_of_a_stage_input_is_recognized() {
        let uri = S3Uri::new("bucket", stage_input_key(&RunId::of_execution("photos"), 3));
        assert!(is_stage_input(&format!(r#"{{"config_s3_uri":"{uri}"}}"#)));
    }
}
