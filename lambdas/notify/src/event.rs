//! The invocations of notify.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use bedrock_batch_engine::notify::{NotifyInput, PipelineEnd};
use bedrock_batch_lambda_host::ExecutionStatusChange;
use serde::Deserialize;
use serde_json::Value;

/// An invocation by the pipeline orchestrator, or by an event of Step Functions.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Value")]
pub(crate) enum NotifyEvent {
    Pipeline(PipelineEnd),
    Execution(Box<EventBridgeEvent<ExecutionStatusChange>>),
}

impl TryFrom<Value> for NotifyEvent {
    type Error = serde_json::Error;

    /// Reads an event as the one that it is, so that an error names what is wrong with it: only the state machine sends an
    /// `action`.
    fn try_from(event: Value) -> Result<Self, serde_json::Error> {
        match event.get("action") {
            Some(_) => serde_json::from_value(event).map(Self::Pipeline),
            None => serde_json::from_value(event).map(Self::Execution),
        }
    }
}

impl From<NotifyEvent> for NotifyInput {
    fn from(event: NotifyEvent) -> Self {
        match event {
            NotifyEvent::Pipeline(end) => Self::Pipeline(end),
            NotifyEvent::Execution(event) => Self::Execution(event.detail.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(event: Value) -> NotifyInput {
        serde_json::from_value::<NotifyEvent>(event).unwrap().into()
    }

    #[test]
    fn an_event_of_step_functions_is_the_end_of_an_execution() {
        let input = read(json!({"version": "0", "id": "315c1398-40ff-a850-213b-158f73e60175", "source": "aws.states",
            "detail-type": "Step Functions Execution Status Change", "account": "123456789012",
            "time": "2026-11-20T13:05:07Z", "region": "eu-west-1", "resources": ["arn"],
            "detail": {"executionArn": "arn:aws:states:eu-west-1:123456789012:execution:o:t=1",
                "stateMachineArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:o", "name": "t=1",
                "status": "ABORTED"}}));
        let NotifyInput::Execution(ended) = input else { panic!("{input:?}") };
        assert_eq!((ended.name.as_str(), ended.status.as_str()), ("t=1", "ABORTED"));
    }

    #[test]
    fn a_payload_of_the_pipeline_orchestrator_is_the_end_of_a_pipeline() {
        let input = read(json!({"action": "succeeded", "pipeline_run_id": "p"}));
        assert!(matches!(input, NotifyInput::Pipeline(PipelineEnd::Succeeded { .. })), "{input:?}");
    }

    #[test]
    fn an_error_names_the_value_that_is_invalid() {
        let failed = json!({"action": "failed", "execution_name": "p", "execution_arn": "arn", "error": {}});
        let detail = json!({"executionArn": "arn", "stateMachineArn": "arn", "name": "p", "status": "FAILED"});
        let ended = json!({"version": "0", "id": "3", "source": "aws.states", "account": "123456789012",
            "detail-type": "Step Functions Execution Status Change", "time": "2026-11-20T13:05:07Z",
            "region": "eu-west-1", "resources": [], "detail": detail});
        for event in [failed, ended] {
            let error = serde_json::from_value::<NotifyEvent>(event).unwrap_err().to_string();
            assert!(error.starts_with("the execution is `arn`: is not the ARN of an execution: "), "{error}");
        }
    }

    #[test]
    fn anything_else_is_an_error() {
        for event in [json!({}), json!(null), json!({"action": "dance"}), json!({"detail": {"name": "a"}})] {
            assert!(serde_json::from_value::<NotifyEvent>(event.clone()).is_err(), "{event}");
        }
    }
}
