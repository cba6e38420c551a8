//! The ends of executions that notify reports.

use crate::finalize::StateError;
use bedrock_batch_domain::email::Ending;
use serde::Deserialize;
use serde_json::Value;

/// The end of an execution.
#[derive(Debug, Clone)]
pub enum NotifyInput {
    /// Reported by the pipeline orchestrator itself.
    Pipeline(PipelineEnd),
    /// Reported by Step Functions.
    Execution(EndedExecution),
}

/// How a pipeline ended, as its state machine tells it.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum PipelineEnd {
    /// All stages are complete.
    Succeeded {
        /// The pipeline run.
        pipeline_run_id: String,
    },
    /// Something failed.
    Failed(FailedPipeline),
}

/// A pipeline that failed.
#[derive(Debug, Clone, Deserialize)]
pub struct FailedPipeline {
    /// The name of its execution.
    pub execution_name: String,
    /// The execution.
    pub execution_arn: String,
    /// When it started.
    #[serde(default)]
    pub started_at: String,
    /// Its input.
    #[serde(default)]
    pub input: Value,
    /// What Step Functions says.
    pub error: StateError,
    /// How it ended.
    #[serde(skip, default = "with_an_error")]
    pub ending: Ending,
}

fn with_an_error() -> Ending {
    Ending::Failed
}

/// An execution that ended.
#[derive(Debug, Clone, Default)]
pub struct EndedExecution {
    /// Its ARN.
    pub execution_arn: String,
    /// Its state machine.
    pub state_machine_arn: String,
    /// Its name.
    pub name: String,
    /// `SUCCEEDED`, `FAILED`, `TIMED_OUT`, `ABORTED`.
    pub status: String,
    /// The second of its start, since 1970.
    pub started: Option<u64>,
    /// The second of its end, since 1970.
    pub stopped: Option<u64>,
    /// Its input as JSON text, unless it is too long for an event.
    pub input: Option<String>,
    /// Its output as JSON text, unless it is too long for an event.
    pub output: Option<String>,
    /// Its error.
    pub error: Option<String>,
    /// The cause of its error.
    pub cause: Option<String>,
}

impl EndedExecution {
    /// How it ended, if it did not succeed.
    pub(super) fn ending(&self) -> Option<Ending> {
        match self.status.as_str() {
            "FAILED" => Some(Ending::Failed),
            "TIMED_OUT" => Some(Ending::TimedOut),
            "ABORTED" => Some(Ending::Aborted),
            _ => None,
        }
    }

    /// Whether it is of the pipeline orchestrator.
    pub(super) fn is_pipeline(&self) -> bool {
        self.state_machine_arn.contains(":stateMachine:bedrock-pipeline-orchestrator")
    }

    /// Its duration in seconds.
    pub(super) fn took(&self) -> Option<u64> {
        self.stopped?.checked_sub(self.started?)
    }

    /// A field of its input.
    pub(super) fn input_field(&self, name: &str) -> Option<String> {
        field(self.input.as_deref(), name)
    }

    /// The run it had in hand: the one that its output or input names, else its own.
    pub(super) fn run_id(&self) -> String {
        if let Some(run_id) = field(self.output.as_deref(), "run_id") {
            return run_id;
        }
        let named = self.input_field("resume_run").or_else(|| self.input_field("collect_run"));
        bedrock_batch_domain::layout::run_id(&named.unwrap_or_else(|| self.name.clone()))
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

    fn read(event: Value) -> PipelineEnd {
        serde_json::from_value(event).unwrap()
    }

    #[test]
    fn a_pipeline_that_succeeded() {
        let input = read(json!({"action": "succeeded", "pipeline_run_id": "p", "bucket": "b", "execution_arn": "a",
            "started_at": "t", "stages": []}));
        let PipelineEnd::Succeeded { pipeline_run_id } = input else { panic!("{input:?}") };
        assert_eq!(pipeline_run_id, "p");
    }

    #[test]
    fn a_pipeline_that_failed() {
        let input = read(json!({"action": "failed", "execution_name": "p", "execution_arn": "a", "started_at": "t",
            "input": {"pipeline_name": "n"}, "error": {"Error": "States.TaskFailed", "Cause": "c"}}));
        let PipelineEnd::Failed(failed) = input else { panic!("{input:?}") };
        assert_eq!((failed.error.error.as_str(), failed.ending), ("States.TaskFailed", Ending::Failed));
        // A Fail state may end without a cause.
        read(json!({"action": "failed", "execution_name": "p", "execution_arn": "a", "error": {"Error": "x"}}));
    }

    #[test]
    fn a_run_that_failed() {
        let ended = EndedExecution {
            state_machine_arn: "arn:aws:states:eu-west-1:123456789012:stateMachine:bedrock-batch-orchestrator-1"
                .to_owned(),
            name: "t=1".to_owned(),
            status: "FAILED".to_owned(),
            started: Some(1_763_643_907),
            stopped: Some(1_763_643_967),
            ..EndedExecution::default()
        };
        assert_eq!((ended.ending(), ended.took(), ended.is_pipeline()), (Some(Ending::Failed), Some(60), false));
        assert_eq!(ended.run_id(), bedrock_batch_domain::layout::run_id("t=1"));
    }

    #[test]
    fn a_run_that_another_execution_goes_on_with_keeps_its_name() {
        let mut ended = EndedExecution { name: "second".to_owned(), ..EndedExecution::default() };
        ended.input = Some(r#"{"resume_run": "first"}"#.to_owned());
        assert_eq!(ended.run_id(), "first");
        ended.output = Some(r#"{"run_id": "of-the-output"}"#.to_owned());
        assert_eq!(ended.run_id(), "of-the-output");
    }

    #[test]
    fn an_execution_that_runs_has_no_end_and_no_duration() {
        let running = EndedExecution { status: "RUNNING".to_owned(), started: Some(1), ..EndedExecution::default() };
        assert_eq!((running.ending(), running.took()), (None, None));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}", started in any::<u64>()) {
            let ended = EndedExecution {
                name: text.clone(),
                status: text.clone(),
                input: Some(text.clone()),
                output: Some(text.clone()),
                started: Some(started),
                stopped: Some(0),
                ..EndedExecution::default()
            };
            let _ = (ended.run_id(), ended.took(), ended.ending());
            let _ = serde_json::from_str::<PipelineEnd>(&text);
        }
    }
}
