//! Queue in which uploads wait. An upload for which there is no slot goes back to it as a new message, so that it neither gets too
//! old for the queue nor counts as one on which the function fails.

use crate::error::EngineError;

/// Queue of the events of uploads.
#[derive(Debug, Clone)]
pub struct UploadQueue {
    /// SQS client.
    pub sqs: aws_sdk_sqs::Client,
    /// URL of the queue.
    pub url: String,
    /// Seconds after which an upload that went back to the queue arrives again.
    pub retry_seconds: i32,
    /// Maximum number of executions that uploads have started and that run at the same time.
    pub max_executions: usize,
}

impl UploadQueue {
    /// Puts an event back.
    pub(super) async fn put_back(&self, event: &str) -> Result<(), EngineError> {
        let send = self.sqs.send_message().queue_url(&self.url).message_body(event).delay_seconds(self.retry_seconds);
        send.send().await.map_err(|error| EngineError::from_aws("cannot put an upload back to its queue", &error))?;
        Ok(())
    }
}
