//! Notify: sends an email when a pipeline or a standalone run has ended, with links to its files.

mod input;
mod linker;
mod pipeline_failed;
mod pipeline_succeeded;
mod run_ended;
mod stages;

pub use input::{EndedExecution, NotifyInput, PipelineEnd};

use crate::error::EngineError;
use crate::link_keys::LinkKeys;
use crate::mailer::Mailer;
use crate::objects::Bucket;
use bedrock_batch_domain::ids::ExecutionArn;
use bedrock_batch_domain::links::execution_link;
use serde_json::Value;

/// Sends emails about ended executions.
#[derive(Debug, Clone)]
pub struct Notifier {
    /// Step Functions client.
    pub step_functions: aws_sdk_sfn::Client,
    /// Bucket of the stack.
    pub bucket: Bucket,
    /// Sender of the emails.
    pub mailer: Mailer,
    /// Download function; without one, links are presigned.
    pub download: Option<DownloadFunction>,
}

/// Download function that links lead to.
#[derive(Debug, Clone)]
pub struct DownloadFunction {
    /// URL of the function.
    pub url: String,
    /// Keys that sign links.
    pub keys: LinkKeys,
}

impl Notifier {
    /// Sends the email for this outcome and returns the output for the state machine: the totals of a succeeded pipeline, or
    /// the error of a failed one.
    ///
    /// # Errors
    /// Returns an error if an AWS request fails.
    pub async fn notify(&self, input: NotifyInput) -> Result<Value, EngineError> {
        let answer = match input {
            NotifyInput::Pipeline(PipelineEnd::Succeeded { pipeline_run_id }) => {
                serde_json::to_value(self.pipeline_succeeded(&pipeline_run_id).await?)
            }
            NotifyInput::Pipeline(PipelineEnd::Failed(failed)) => {
                serde_json::to_value(self.pipeline_failed(&failed).await?)
            }
            NotifyInput::Execution(ended) => serde_json::to_value(self.execution_ended(&ended).await?),
        };
        answer.map_err(|error| EngineError::internal("cannot write the outcome as JSON").caused_by(error))
    }
}

/// Returns the link to an execution in the console, or its ARN if there is no link.
fn shown_execution(arn: &ExecutionArn) -> String {
    execution_link(arn).unwrap_or_else(|| arn.to_string())
}
