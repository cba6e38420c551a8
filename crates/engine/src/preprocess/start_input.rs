//! Payload of the first state of an execution.

use bedrock_batch_domain::ids::ExecutionArn;
use serde::Deserialize;
use serde_json::Value;

/// Start of an execution.
#[derive(Debug, Clone, Deserialize)]
pub struct StartInput {
    /// The execution's name.
    pub execution_name: String,
    /// The execution's ARN.
    pub execution_arn: ExecutionArn,
    /// Time at which the execution started.
    pub started_at: String,
    /// The user's input.
    pub input: Value,
}
