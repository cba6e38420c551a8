//! Description of a failed nested execution by Step Functions: JSON of that execution, in the cause.

use crate::ids::ExecutionArn;
use serde_json::{Deserializer, Value};

/// Nested execution that did not succeed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FailedChild {
    /// ARN of the execution.
    pub execution_arn: Option<ExecutionArn>,
    /// Name of the execution.
    pub name: Option<String>,
    /// Status of the execution: `FAILED`, `TIMED_OUT` or `ABORTED`.
    pub status: Option<String>,
    /// Error that it ended with.
    pub error: Option<String>,
    /// Cause of that error.
    pub cause: Option<String>,
}

impl FailedChild {
    /// Parses the cause of a failed nested execution; returns `None` for other causes. Step Functions truncates long causes,
    /// so a cause is read as far as possible.
    pub fn read(cause: &str) -> Option<Self> {
        let whole: Option<Value> = serde_json::from_str(cause).ok();
        let field = |name: &str| match &whole {
            Some(whole) => whole.get(name).and_then(Value::as_str).map(str::to_owned),
            None => text_after(cause, name),
        };
        let child = Self {
            execution_arn: field("ExecutionArn").and_then(|arn| ExecutionArn::parse(&arn).ok()),
            name: field("Name"),
            status: field("Status"),
            error: field("Error"),
            cause: field("Cause"),
        };
        (child.execution_arn.is_some() || child.name.is_some()).then_some(child)
    }

    /// Returns the name of the execution, or that in its ARN.
    pub fn execution_name(&self) -> Option<&str> {
        self.name.as_deref().or_else(|| self.execution_arn.as_ref().map(ExecutionArn::name))
    }
}

/// Returns the text of the field `name` in truncated JSON. Quotes within texts are escaped, so fields of texts that are JSON
/// themselves do not match.
fn text_after(json: &str, name: &str) -> Option<String> {
    let field = format!("\"{name}\":");
    let after = json.get(json.find(&field)? + field.len()..)?.trim_start();
    match Deserializer::from_str(after).into_iter::<Value>().next() {
        Some(Ok(value)) => value.as_str().map(str::to_owned),
        // Truncated within the text: returned as it is.
        _ => Some(after.strip_prefix('"')?.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CAUSE: &str = r#"{"ExecutionArn":"arn:aws:states:eu-west-1:1:execution:bedrock-batch-orchestrator-1:p-1-ab","Input":"{\"config_s3_uri\":\"s3://b/k\"}","Name":"p-1-ab","StartDate":1761829507000,"Status":"FAILED","Error":"JobFailed","Cause":"job \"x\" {\"Name\":\"no\"} failed"}"#;

    #[test]
    fn a_failed_execution_is_parsed() {
        let child = FailedChild::read(CAUSE).unwrap();
        assert_eq!(child.execution_name(), Some("p-1-ab"));
        assert_eq!(child.error.as_deref(), Some("JobFailed"));
        assert_eq!(child.cause.as_deref(), Some(r#"job "x" {"Name":"no"} failed"#));
    }

    #[test]
    fn a_truncated_cause_is_parsed_as_far_as_possible() {
        let child = FailedChild::read(&CAUSE[..CAUSE.len() - 12]).unwrap();
        assert_eq!(child.execution_name(), Some("p-1-ab"));
        assert_eq!(child.error.as_deref(), Some("JobFailed"));
        assert!(child.cause.unwrap().starts_with("job "));
    }

    #[test]
    fn a_stopped_execution_has_no_error() {
        let child = FailedChild::read(
            r#"{"ExecutionArn":"arn:aws:states:eu-west-1:1:execution:runs:p-1-ab","Status":"ABORTED"}"#,
        )
        .unwrap();
        assert_eq!((child.execution_name(), &child.error), (Some("p-1-ab"), &None));
    }

    #[test]
    fn other_causes_are_not_parsed() {
        assert_eq!(FailedChild::read(r#"{"errorMessage":"no","errorType":"InvalidInput"}"#), None);
        assert_eq!(FailedChild::read("the cause"), None);
        assert_eq!(FailedChild::read(""), None);
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "\\PC{0,80}", end in 0usize..400) {
            let _ = FailedChild::read(&text);
            let _ = FailedChild::read(CAUSE.get(..end).unwrap_or_default());
            let _ = FailedChild::read(&format!("{{\"Name\":{text}"));
        }
    }
}
