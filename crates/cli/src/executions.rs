//! The executions of the state machines, as Step Functions describes them.

use crate::failure::Failure;
use crate::stack::Stack;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bedrock_batch_domain::ids::{ExecutionArn, StateMachineArn};
use bedrock_batch_domain::input::continued_run;
use bedrock_batch_domain::printable;
use bedrock_batch_engine::EngineError;
use serde_json::Value;

/// Status shown for executions that Step Functions no longer knows.
pub(crate) const ENDED_LONG_AGO: &str = "ended long ago";

/// One of the stack's two state machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Orchestrator {
    /// Executes one run.
    Batch,
    /// Executes several runs in sequence.
    Pipeline,
}

/// Execution of a state machine.
#[derive(Debug, Clone)]
pub(crate) struct Execution {
    pub(crate) arn: ExecutionArn,
    pub(crate) status: String,
    pub(crate) error: Option<String>,
    pub(crate) cause: Option<String>,
    /// Earlier run that this execution continues; `None` if it is a run of its own.
    pub(crate) earlier_run: Option<String>,
}

impl Execution {
    /// Name of the execution.
    pub(crate) fn name(&self) -> &str {
        self.arn.name()
    }

    pub(crate) fn is_running(&self) -> bool {
        self.status == "RUNNING"
    }

    pub(crate) fn has_succeeded(&self) -> bool {
        self.status == "SUCCEEDED"
    }

    /// Error and cause, as far as Step Functions reports them: `InvalidInput: s3_uri …`.
    pub(crate) fn reason(&self) -> Option<String> {
        let parts: Vec<&str> = [&self.error, &self.cause].into_iter().flatten().map(String::as_str).collect();
        (!parts.is_empty()).then(|| printable::cause(&parts.join(": ")))
    }

    /// Status, followed by the reason if there is one.
    pub(crate) fn outcome(&self) -> String {
        let reason = self.reason().map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("{}{reason}", self.status)
    }
}

impl Stack {
    fn state_machine_arn(&self, orchestrator: Orchestrator) -> &StateMachineArn {
        match orchestrator {
            Orchestrator::Batch => &self.state_machine,
            Orchestrator::Pipeline => &self.pipeline_state_machine,
        }
    }

    /// Returns the execution with this name, or `None` if Step Functions does not know it (or no longer does).
    pub(crate) async fn execution_named(
        &self,
        orchestrator: Orchestrator,
        name: &str,
    ) -> Result<Option<Execution>, Failure> {
        match self.state_machine_arn(orchestrator).execution(name) {
            Ok(arn) => self.execution(&arn).await,
            // No execution can have this name.
            Err(_) => Ok(None),
        }
    }

    /// Returns an execution, or `None` if Step Functions does not know it (or no longer does).
    pub(crate) async fn execution(&self, arn: &ExecutionArn) -> Result<Option<Execution>, Failure> {
        let described = match self.step_functions.describe_execution().execution_arn(arn.as_str()).send().await {
            Ok(described) => described,
            Err(error) if matches!(error.code(), Some("ExecutionDoesNotExist" | "InvalidArn")) => return Ok(None),
            Err(error) => return Err(EngineError::from_aws(format!("cannot describe {arn}"), &error).into()),
        };
        Ok(Some(Execution {
            arn: arn.clone(),
            status: described.status().as_str().to_owned(),
            error: described.error().map(str::to_owned),
            cause: described.cause().map(str::to_owned),
            earlier_run: described.input().and_then(earlier_run),
        }))
    }

    /// Starts an execution and returns its ARN.
    pub(crate) async fn start_execution(
        &self,
        orchestrator: Orchestrator,
        name: &str,
        input: &Value,
    ) -> Result<ExecutionArn, Failure> {
        let machine = self.state_machine_arn(orchestrator);
        let start = self.step_functions.start_execution().state_machine_arn(machine.as_str());
        let started = start.name(name).input(input.to_string()).send().await;
        let started = started.map_err(|error| EngineError::from_aws(format!("cannot start {name}"), &error))?;
        let arn = ExecutionArn::parse(started.execution_arn());
        let context = "Step Functions returned an ARN in an unexpected format";
        Ok(arn.map_err(|problem| EngineError::internal(context).caused_by(problem))?)
    }

    /// Aborts an execution. The inner `Err` holds its outcome if it had already ended by itself.
    pub(crate) async fn abort(&self, execution: &Execution) -> Result<Result<(), String>, Failure> {
        let stop = self.step_functions.stop_execution().execution_arn(execution.arn.as_str());
        let stopped = stop.error("Stopped").cause("by `bedrock-batch stop`").send().await;
        stopped.map_err(|error| EngineError::from_aws(format!("cannot stop {}", execution.name()), &error))?;
        let ended = self.execution(&execution.arn).await?.filter(|now| !now.is_running() && now.status != "ABORTED");
        Ok(ended.map_or(Ok(()), |ended| Err(ended.outcome())))
    }
}

/// Returns the earlier run that an input continues.
fn earlier_run(input: &str) -> Option<String> {
    let input: Value = serde_json::from_str(input).ok()?;
    continued_run(&input).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn execution(status: &str, error: Option<&str>, cause: Option<&str>) -> Execution {
        let (error, cause) = (error.map(str::to_owned), cause.map(str::to_owned));
        let arn = "arn:aws:states:us-east-1:1:execution:machine:a".parse().unwrap();
        Execution { arn, status: status.to_owned(), error, cause, earlier_run: None }
    }

    #[test]
    fn the_outcome_includes_the_reason_if_there_is_one() {
        assert_eq!(execution("ABORTED", None, None).outcome(), "ABORTED");
        assert_eq!(execution("FAILED", Some("JobFailed"), Some("no access")).outcome(), "FAILED: JobFailed: no access");
        assert_eq!(execution("FAILED", None, Some("no access")).outcome(), "FAILED: no access");
    }

    #[test]
    fn the_earlier_run_is_read_from_resume_and_collect_inputs() {
        assert_eq!(earlier_run(r#"{"resume_run": "a"}"#).as_deref(), Some("a"));
        assert_eq!(earlier_run(r#"{"collect_run": "b"}"#).as_deref(), Some("b"));
        assert_eq!(earlier_run(r#"{"s3_uri": "s3://a/b"}"#), None);
        assert_eq!(earlier_run("not JSON"), None);
    }
}
