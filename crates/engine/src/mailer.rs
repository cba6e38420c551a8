//! Emails to all subscribers of an SNS topic.

use crate::error::EngineError;
use aws_sdk_sns::Client;
use bedrock_batch_domain::email::Email;

/// Sends emails to the subscribers of a topic.
#[derive(Debug, Clone)]
pub struct Mailer {
    /// SNS client.
    pub sns: Client,
    /// ARN of the topic.
    pub topic_arn: String,
}

impl Mailer {
    /// Sends `email`.
    ///
    /// # Errors
    /// Returns an error if the SNS request fails.
    pub async fn send(&self, email: &Email) -> Result<(), EngineError> {
        let publish = self.sns.publish().topic_arn(&self.topic_arn).subject(&email.subject).message(&email.message);
        let what = || format!("cannot publish to {}", self.topic_arn);
        publish.send().await.map_err(|error| EngineError::from_aws(what(), &error))?;
        // Without the text, since links are secrets.
        tracing::info!(bytes = email.message.len(), "email_published");
        Ok(())
    }
}
