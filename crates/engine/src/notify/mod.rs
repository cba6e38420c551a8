//! Notify: an email when a pipeline or a run of its own has ended, with links to its files.

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
use crate::objects::{get_json, head};
use bedrock_batch_domain::links::execution_link;
use bedrock_batch_domain::s3_uri::S3Uri;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Tells people how executions ended.
#[derive(Debug, Clone)]
pub struct Notifier {
    /// S3.
    pub s3: aws_sdk_s3::Client,
    /// Step Functions.
    pub step_functions: aws_sdk_sfn::Client,
    /// The bucket of everything.
    pub bucket: String,
    /// Where emails go.
    pub mailer: Mailer,
    /// The download function; without one, links are presigned.
    pub download: Option<DownloadFunction>,
}

/// How links lead to the download function.
#[derive(Debug, Clone)]
pub struct DownloadFunction {
    /// Its URL.
    pub url: String,
    /// What links are signed with.
    pub keys: LinkKeys,
}

impl Notifier {
    /// Sends the email that this end asks for, and returns what the state machine wants to know: of a pipeline that
    /// succeeded its totals, of one that failed why.
    ///
    /// # Errors
    /// As AWS fails.
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
        answer.map_err(|error| EngineError::Transient(error.to_string()))
    }

    /// A JSON object of ours, if it is there.
    async fn read<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, EngineError> {
        if self.has(key).await? { get_json(&self.s3, &self.bucket, key).await.map(Some) } else { Ok(None) }
    }

    async fn has(&self, key: &str) -> Result<bool, EngineError> {
        Ok(head(&self.s3, &S3Uri::new(&self.bucket, key)).await?.is_some())
    }
}

/// Where the console shows an execution, else its ARN.
fn shown_execution(arn: &str) -> String {
    execution_link(arn).unwrap_or_else(|| arn.to_owned())
}
