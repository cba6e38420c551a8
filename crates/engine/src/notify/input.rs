//! Inputs of the notify function.

use crate::finalize::StateError;
use bedrock_batch_domain::email::Ending;
use bedrock_batch_domain::ids::{ExecutionArn, RunId, StateMachineArn};
use bedrock_batch_domain::input::continued_run;
use serde::Deserialize;
use serde_json::Value;

/// Input of an invocation.
#[derive(Debug, Clone)]
pub enum NotifyInput {
    /// Invocation by the pipeline orchestrator.
    Pipeline(PipelineEnd),
    /// Invocation by the event "Step Functions Execution Status Change".
    Execution(EndedExecution),
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
    pub execution_arn: ExecutionArn,
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

/// Execution that ended.
#[derive(Debug, Clone)]
pub struct EndedExecution {
    /// ARN of the execution.
    pub execution_arn: ExecutionArn,
    /// ARN of its state machine.
    pub state_machine_arn: StateMachineArn,
    /// Name of the execution.
    pub name: String,
    /// `SUCCEEDED`, `FAILED`, `TIMED_OUT`, `ABORTED`.
    pub status: String,
    /// Start, in seconds since 1970.
    pub started: Option<u64>,
    /// End, in seconds since 1970.
    pub stopped: Option<u64>,
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
        self.state_machine_arn.name().starts_with("bedrock-pipeline-orchestrator")
    }

    /// Returns the duration in seconds.
    pub(super) fn duration(&self) -> Option<u64> {
        self.stopped?.checked_sub(self.started?)
    }

    /// Returns the run that it owned: the one named by its output or input, else its own.
    pub(super) fn run_id(&self) -> RunId {
        let input = self.input.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
        let named = field(self.output.as_deref(), "run_id");
        let named = named.as_deref().or_else(|| continued_run(input.as_ref()?));
        RunId::of_execution(named.unwrap_or(&self.name))
    }
}

fn field(json: Option<&str>, name: &str) -> Option<String> {
    let value: Value = serde_json::from_str(json?).ok()?;
    value.get(name).and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const EXECUTION: &str = "arn:aws:states:eu-west-1:123456789012:execution:bedrock-pipeline-orchestrator-1:p";

    fn read(event: Value) -> PipelineEnd {
        serde_json::from_value(event).unwrap()
    }

    /// An execution of which nothing but its name is known.
    fn ended(name: &str) -> EndedExecution {
        let machine = "arn:aws:states:eu-west-1:123456789012:stateMachine:bedrock-batch-orchestrator-1";
        EndedExecution {
            execution_arn: EXECUTION.parse().unwrap(),
            state_machine_arn: machine.parse().unwrap(),
            name: name.to_owned(),
            status: String::new(),
            started: None,
            stopped: None,
            input: None,
            output: None,
            error: None,
            cause: None,
        }
    }

    #[test]
    fn the_end_of_a_succeeded_pipeline_is_read() {
        let input =
            read(json!({"action": "succeeded", "pipeline_run_id": "p", "bucket": "b", "execution_arn": EXECUTION,
            "started_at": "t", "stages": []}));
        let PipelineEnd::Succeeded { pipeline_run_id } = input else { panic!("{input:?}") };
        assert_eq!(pipeline_run_id.as_str(), "p");
    }

    #[test]
    fn the_end_of_a_failed_pipeline_is_read() {
        let input =
            read(json!({"action": "failed", "execution_name": "p", "execution_arn": EXECUTION, "started_at": "t",
            "input": {"pipeline_name": "n"}, "error": {"Error": "States.TaskFailed", "Cause": "c"}}));
        let PipelineEnd::Failed(failed) = input else { panic!("{input:?}") };
        assert_eq!((failed.error.error.as_str(), failed.ending), ("States.TaskFailed", Ending::Failed));
        // A Fail state may end without a cause.
        read(json!({"action": "failed", "execution_name": "p", "execution_arn": EXECUTION, "error": {"Error": "x"}}));
    }

    #[test]
    fn a_run_that_failed_has_its_ending_and_its_duration() {
        let ended = EndedExecution {
            status: "FAILED".to_owned(),
            started: Some(1_763_643_907),
            stopped: Some(1_763_643_967),
            ..ended("t=1")
        };
        assert_eq!((ended.ending(), ended.duration(), ended.is_pipeline()), (Some(Ending::Failed), Some(60), false));
        assert_eq!(ended.run_id(), RunId::of_execution("t=1"));
    }

    #[test]
    fn a_continued_run_keeps_its_id() {
        let mut ended = ended("second");
        ended.input = Some(r#"{"resume_run": "first"}"#.to_owned());
        assert_eq!(ended.run_id().as_str(), "first");
        ended.output = Some(r#"{"run_id": "of-the-output"}"#.to_owned());
        assert_eq!(ended.run_id().as_str(), "of-the-output");
    }

    #[test]
    fn a_running_execution_has_no_end_and_no_duration() {
        let running = EndedExecution { status: "RUNNING".to_owned(), started: Some(1), ..ended("a") };
        assert_eq!((running.ending(), running.duration()), (None, None));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}", started in any::<u64>()) {
            let ended = EndedExecution {
                status: text.clone(),
                input: Some(text.clone()),
                output: Some(text.clone()),
                started: Some(started),
                stopped: Some(0),
                ..ended(&text)
            };
            let _ = (ended.run_id(), ended.duration(), ended.ending());
            let _ = serde_json::from_str::<PipelineEnd>(&text);
        }
    }
}
