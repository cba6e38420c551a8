//! The detail of the event "Step Functions Execution Status Change", for which `aws_lambda_events` has no type.

use bedrock_batch_domain::ids::{ExecutionArn, StateMachineArn};
use bedrock_batch_engine::{notify, stop};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An execution whose status changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionStatusChange {
    execution_arn: ExecutionArn,
    state_machine_arn: StateMachineArn,
    name: String,
    status: String,
    /// Milliseconds since 1970.
    #[serde(default)]
    start_date: Value,
    /// Milliseconds since 1970.
    #[serde(default)]
    stop_date: Value,
    /// JSON text. Step Functions leaves long inputs out.
    input: Option<String>,
    /// JSON text. Step Functions leaves long outputs out.
    output: Option<String>,
    error: Option<String>,
    cause: Option<String>,
}

impl From<ExecutionStatusChange> for stop::EndedExecution {
    fn from(change: ExecutionStatusChange) -> Self {
        Self { execution_arn: change.execution_arn, name: change.name, input: change.input }
    }
}

impl From<ExecutionStatusChange> for notify::EndedExecution {
    fn from(change: ExecutionStatusChange) -> Self {
        Self {
            execution_arn: change.execution_arn,
            state_machine_arn: change.state_machine_arn,
            name: change.name,
            status: change.status,
            started: seconds(&change.start_date),
            stopped: seconds(&change.stop_date),
            input: change.input,
            output: change.output,
            error: change.error,
            cause: change.cause,
        }
    }
}

/// Reads milliseconds as seconds. Some senders write them as text.
fn seconds(milliseconds: &Value) -> Option<u64> {
    let milliseconds = milliseconds.as_u64().or_else(|| milliseconds.as_str()?.parse().ok())?;
    Some(milliseconds / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn change(fields: &Value) -> ExecutionStatusChange {
        let mut detail = json!({"executionArn": "arn:aws:states:eu-west-1:123456789012:execution:o:t=1",
            "stateMachineArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:o", "name": "t=1",
            "status": "FAILED"});
        detail.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        serde_json::from_value(detail).unwrap()
    }

    #[test]
    fn a_complete_event_is_read() {
        let change = change(&json!({"startDate": 1_763_643_907_123_u64, "stopDate": "1763643967456",
            "input": "{\"s3_uri\":\"s3://b/k\"}", "inputDetails": {"included": true}, "output": null,
            "outputDetails": null, "error": "JobFailed", "cause": "no access"}));
        let stopped = stop::EndedExecution::from(change.clone());
        assert_eq!((stopped.name.as_str(), stopped.input.as_deref()), ("t=1", Some("{\"s3_uri\":\"s3://b/k\"}")));
        let ended = notify::EndedExecution::from(change);
        assert_eq!((ended.started, ended.stopped), (Some(1_763_643_907), Some(1_763_643_967)));
        assert_eq!((ended.error.as_deref(), ended.cause.as_deref()), (Some("JobFailed"), Some("no access")));
    }

    #[test]
    fn fields_that_the_event_leaves_out_are_unknown() {
        let ended = notify::EndedExecution::from(change(&json!({"startDate": "soon"})));
        assert_eq!((ended.started, ended.stopped, ended.input, ended.error), (None, None, None, None));
    }

    #[test]
    fn an_event_without_its_execution_is_an_error_that_names_the_field() {
        let error = serde_json::from_value::<ExecutionStatusChange>(json!({"name": "a"})).unwrap_err();
        assert_eq!(error.to_string(), "missing field `executionArn`");
    }

    #[test]
    fn an_event_with_an_invalid_arn_is_an_error_that_names_value_rule_and_remedy() {
        let detail = json!({"executionArn": "arn", "stateMachineArn": "arn", "name": "a", "status": "FAILED"});
        let error = serde_json::from_value::<ExecutionStatusChange>(detail).unwrap_err().to_string();
        assert!(error.starts_with("the execution is `arn`: is not the ARN of an execution: "), "{error}");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}", date in any::<u64>()) {
            let change = change(&json!({"name": text, "status": text, "input": text, "startDate": date, "stopDate": text}));
            prop_assert_eq!(notify::EndedExecution::from(change).name, text);
        }
    }
}
