//! Start of the execution.

use super::Classifier;
use crate::error::EngineError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bedrock_batch_domain::ids::ExecutionArn;
use serde_json::Value;

impl Classifier {
    /// Starts the execution of this name, unless an earlier attempt of the invocation has.
    pub(super) async fn start_once(&self, name: &str, input: &Value) -> Result<ExecutionArn, EngineError> {
        let machine = &self.batch_orchestrator;
        let execution = machine.execution(name)?;
        let start = self.step_functions.start_execution().state_machine_arn(machine.as_str()).name(name);
        match start.input(input.to_string()).send().await {
            Ok(_) => Ok(execution),
            Err(error) if error.code() == Some("ExecutionAlreadyExists") => {
                tracing::info!(execution = name, "classification_already_started");
                Ok(execution)
            }
            Err(error) => Err(EngineError::from_aws(format!("cannot start {name}"), &error)),
        }
    }
}
