//! Request of an execution input to continue an earlier run.

use bedrock_batch_domain::input::{COLLECT_RUN, RESUME_RUN};
use bedrock_batch_domain::problem::Problem;
use serde_json::Value;

/// Request of an execution input to continue an earlier run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Continuation {
    /// Field of the input that requests it.
    pub(super) field: &'static str,
    /// Name of the run, as the user wrote it.
    pub(super) run: String,
}

impl Continuation {
    /// Reads an execution input; returns `None` if it starts a run of its own. An object that the input names is not searched
    /// for the field, since the functions that handle the end of the execution only read the input itself.
    ///
    /// # Errors
    /// Returns a problem if the input names both ways to continue, or no run.
    pub fn read(input: &Value) -> Result<Option<Self>, Problem> {
        let Some(input) = input.as_object() else { return Ok(None) };
        let named = |field: &'static str| input.get(field).filter(|value| !value.is_null()).map(|value| (field, value));
        let (field, value) = match (named(RESUME_RUN), named(COLLECT_RUN)) {
            (None, None) => return Ok(None),
            (Some(one), None) | (None, Some(one)) => one,
            (Some(_), Some(_)) => {
                let rule = "only one of the two can be done";
                return Err(Problem::without_value(format!("{RESUME_RUN}, {COLLECT_RUN}"), rule));
            }
        };
        match value.as_str().filter(|name| !name.trim().is_empty()) {
            Some(name) => Ok(Some(Self { field, run: name.to_owned() })),
            None => Err(Problem::new(field, value, "must be the name of a run")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case(json!({"s3_uri": "s3://a/b"}), None)]
    #[case(json!({"resume_run": null}), None)]
    #[case(json!("resume_run"), None)]
    #[case(json!({"resume_run": "tickets-1", "s3_uri": "s3://a/b"}), Some((RESUME_RUN, "tickets-1")))]
    #[case(json!({"collect_run": "tickets-1", "resume_run": null}), Some((COLLECT_RUN, "tickets-1")))]
    fn an_input_that_names_an_earlier_run_continues_it(
        #[case] input: Value,
        #[case] expected: Option<(&'static str, &str)>,
    ) {
        let expected = expected.map(|(field, run)| Continuation { field, run: run.to_owned() });
        assert_eq!(Continuation::read(&input).unwrap(), expected);
    }

    #[rstest]
    #[case(json!({"resume_run": "a", "collect_run": "a"}), "resume_run, collect_run: only one of the two can be done")]
    #[case(json!({"resume_run": " "}), "resume_run is `\" \"`: must be the name of a run")]
    #[case(json!({"collect_run": 7}), "collect_run is `7`: must be the name of a run")]
    fn an_ambiguous_request_to_continue_a_run_is_invalid(#[case] input: Value, #[case] expected: &str) {
        let problem = Continuation::read(&input).unwrap_err().to_string();
        assert!(problem.starts_with(expected), "{problem}");
    }
}
