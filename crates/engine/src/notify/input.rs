//! Inputs of the notify function.

use crate::finalize::StateError;
use bedrock_batch_domain::email::Ending;
use bedrock_batch_domain::ids::RunId;
use serde::Deserialize;
use serde_json::Value;

/// Input of an invocation.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum NotifyInput {
    /// Invocation by the pipeline orchestrator.
    Pipeline(PipelineEnd),
    /// Invocation by the event "Step Functions Execution Status Change".
    Execution(StatusChange),
}

/// Outcome of a pipeline, as reported by its state machine.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum PipelineEnd {
    /// All stages are complete.
    Succeeded {
        /// Id of the pipeline run.
        pipeline_run_id: RunId,
    },
    /// The pipeline failed.
    Failed(FailedPipeline),
}

/// Failed pipeline.
#[derive(Debug, Clone, Deserialize)]
pub struct FailedPipeline {
    /// Name of its execution.
    pub execution_name: String,
    /// ARN of its execution.
    pub execution_arn: String,
    /// Time of the start.
    #[serde(default)]
    pub started_at: String,
    /// Input of the execution.
    #[serde(default)]
    pub input: Value,
    /// Error reported by Step Functions.
    pub error: StateError,
    /// Outcome of the execution.
    #[serde(skip, default = "failed")]
    pub ending: Ending,
}

fn failed() -> Ending {
    Ending::Failed
}

/// Event "Step Functions Execution Status Change".
#[derive(Debug, Clone, Deserialize)]
pub struct StatusChange {
    /// Ended execution.
    pub detail: EndedExecution,
}

/// Fields of the event that are read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EndedExecution {
    /// ARN of the execution.
    pub execution_arn: String,
    /// ARN of its state machine.
    pub state_machine_arn: String,
    /// Name of the execution.
    pub name: String,
    /// `SUCCEEDED`, `FAILED`, `TIMED_OUT`, `ABORTED`.
    pub status: String,
    /// Start, in milliseconds since 1970.
    pub start_date: Value,
    /// End, in milliseconds since 1970.
    pub stop_date: Value,
    /// Input as JSON text; Step Functions omits long ones.
    pub input: Option<String>,
    /// Output as JSON text; Step Functions omits long ones.
    pub output: Option<String>,
    /// Name of the error that it ended with.
    pub error: Option<String>,
    /// Cause of that error.
    pub cause: Option<String>,
}

impl EndedExecution {
    /// Returns the outcome, if it is not success.
    pub(super) fn ending(&self) -> Option<Ending> {
        match self.status.as_str() {
            "FAILED" => Some(Ending::Failed),
            "TIMED_OUT" => Some(Ending::TimedOut),
            "ABORTED" => Some(Ending::Aborted),
            _ => None,
        }
    }

    /// Returns true for an execution of the pipeline orchestrator.
    pub(super) fn is_pipeline(&self) -> bool {
        self.state_machine_arn.contains(":stateMachine:bedrock-pipeline-orchestrator")
    }

    /// Returns the start in seconds since 1970.
    pub(super) fn started(&self) -> Option<u64> {
        seconds(&self.start_date)
    }

    /// Returns the duration in seconds.
    pub(super) fn duration(&self) -> Option<u64> {
        seconds(&self.stop_date)?.checked_sub(self.started()?)
    }

    /// Returns a text field of its input.
    pub(super) fn input_field(&self, name: &str) -> Option<String> {
        field(self.input.as_deref(), name)
    }

    /// Returns the run that it owned: the one named by its output or input, else its own.
    pub(super) fn run_id(&self) -> RunId {
        let named = field(self.output.as_deref(), "run_id")
            .or_else(|| self.input_field("resume_run"))
            .or_else(|| self.input_field("collect_run"));
        RunId::of_execution(named.as_deref().unwrap_or(&self.name))
    }
}

fn field(json: Option<&str>, name: &str) -> Option<String> {
    let value: Value = serde_json::from_str(json?).ok()?;
    value.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn seconds(milliseconds: &Value) -> Option<u64> {
    let milliseconds = milliseconds.as_u64().or_else(|| milliseconds.as_str()?.parse().ok())?;
    Some(milliseconds / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(event: Value) -> NotifyInput {
        serde_json::from_value(event).unwrap()
    }

    #[test]
    fn the_end_of_a_succeeded_pipeline_is_read() {
        let input = read(json!({"action": "succeeded", "pipeline_run_id": "p", "bucket": "b", "execution_arn": "a",
            "started_at": "t", "stages": []}));
        let NotifyInput::Pipeline(PipelineEnd::Succeeded { pipeline_run_id }) = input else { panic!("{input:?}") };
        assert_eq!(pipeline_run_id.as_str(), "p");
    }

    #[test]
    fn the_end_of_a_failed_pipeline_is_read() {
        let input = read(json!({"action": "failed", "execution_name": "p", "execution_arn": "a", "started_at": "t",
            "input": {"pipeline_name": "n"}, "error": {"Error": "States.TaskFailed", "Cause": "c"}}));
        let NotifyInput::Pipeline(PipelineEnd::Failed(failed)) = input else { panic!("{input:?}") };
        assert_eq!((failed.error.error.as_str(), failed.ending), ("States.TaskFailed", Ending::Failed));
        // A Fail state may end without a cause.
        read(json!({"action": "failed", "execution_name": "p", "execution_arn": "a", "error": {"Error": "x"}}));
    }

    fn event(status: &str) -> Value {
        json!({"version": "0", "id": "315c1398-40ff-a850-213b-158f73e60175", "source": "aws.states",
            "detail-type": "Step Functions Execution Status Change", "account": "123456789012",
            "time": "2026-11-20T13:05:07Z", "region": "eu-west-1", "resources": ["arn"],
            "detail": {"executionArn": "arn:aws:states:eu-west-1:123456789012:execution:bedrock-batch-orchestrator-1:t=1",
                "stateMachineArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:bedrock-batch-orchestrator-1",
                "name": "t=1", "status": status, "startDate": 1_763_643_907_123_u64, "stopDate": 1_763_643_967_456_u64,
                "input": "{\"s3_uri\":\"s3://b/k\"}", "inputDetails": {"included": true},
                "output": null, "outputDetails": null, "error": "JobFailed", "cause": "no access"}})
    }

    #[test]
    fn the_event_of_a_run_is_read() {
        let NotifyInput::Execution(change) = read(event("FAILED")) else { panic!() };
        let ended = change.detail;
        assert_eq!((ended.ending(), ended.duration(), ended.is_pipeline()), (Some(Ending::Failed), Some(60), false));
        assert_eq!(ended.run_id(), RunId::of_execution("t=1"));
        assert_eq!((ended.error.as_deref(), ended.cause.as_deref()), (Some("JobFailed"), Some("no access")));
    }

    #[test]
    fn a_continued_run_keeps_its_id() {
        let mut ended = EndedExecution { name: "second".to_owned(), ..EndedExecution::default() };
        ended.input = Some(r#"{"resume_run": "first"}"#.to_owned());
        assert_eq!(ended.run_id().as_str(), "first");
        ended.output = Some(r#"{"run_id": "of-the-output"}"#.to_owned());
        assert_eq!(ended.run_id().as_str(), "of-the-output");
    }

    #[test]
    fn fields_missing_from_an_event_are_unknown() {
        let NotifyInput::Execution(change) = read(json!({"detail": {"name": "a", "status": "RUNNING"}})) else {
            panic!()
        };
        assert_eq!((change.detail.ending(), change.detail.duration()), (None, None));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}", date in any::<u64>()) {
            let detail = json!({"name": text, "input": text, "output": text, "status": text, "startDate": date, "stopDate": 0});
            let ended: EndedExecution = serde_json::from_value(detail).unwrap();
            let _ = (ended.run_id(), ended.duration(), ended.ending());
            let _ = serde_json::from_str::<NotifyInput>(&text);
        }
    }
}
