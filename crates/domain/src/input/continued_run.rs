//! Earlier run that an execution input names.

use serde_json::{Map, Value};

/// Field that resumes a run.
pub const RESUME_RUN: &str = "resume_run";
/// Field that only collects the answers of a run.
pub const COLLECT_RUN: &str = "collect_run";

/// Returns the name of the earlier run that an input continues, or `None` if it starts a run of its own.
pub fn continued_run(input: &Value) -> Option<&str> {
    continued_run_of(input.as_object()?)
}

/// Returns the same of an input that is an object.
pub fn continued_run_of(input: &Map<String, Value>) -> Option<&str> {
    let named = |field: &str| input.get(field)?.as_str().filter(|name| !name.trim().is_empty());
    named(RESUME_RUN).or_else(|| named(COLLECT_RUN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case(json!({"resume_run": "a"}), Some("a"))]
    #[case(json!({"collect_run": "b", "resume_run": null}), Some("b"))]
    #[case(json!({"s3_uri": "s3://rows/a.csv"}), None)]
    #[case(json!({"resume_run": " "}), None)]
    #[case(json!({"resume_run": 7}), None)]
    #[case(json!(["resume_run"]), None)]
    fn an_input_names_one_earlier_run_or_none(#[case] input: Value, #[case] expected: Option<&str>) {
        assert_eq!(continued_run(&input), expected);
    }
}
