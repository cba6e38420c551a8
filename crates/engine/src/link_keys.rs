//! The keys that sign links, from Secrets Manager.

use crate::error::EngineError;
use aws_sdk_secretsmanager::Client;
use bedrock_batch_domain::links::LinkKeyRing;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Reader of the secret, with a cache.
#[derive(Debug, Clone)]
pub struct LinkKeys {
    secrets: Client,
    secret_arn: String,
    known: Arc<Mutex<Option<(Instant, LinkKeyRing)>>>,
}

impl LinkKeys {
    /// Creates a reader of the keys in the secret `secret_arn`.
    pub fn new(secrets: Client, secret_arn: String) -> Self {
        Self { secrets, secret_arn, known: Arc::default() }
    }

    /// Returns the keys as they were at most `oldest` ago, which is also the time for which a removed key is still used.
    ///
    /// # Errors
    /// Returns an error if the Secrets Manager request fails; returns `Internal` if the secret cannot be used.
    pub async fn keys(&self, oldest: Duration) -> Result<LinkKeyRing, EngineError> {
        let mut known = self.known.lock().await;
        if let Some((read, keys)) = known.as_ref()
            && read.elapsed() < oldest
        {
            return Ok(keys.clone());
        }
        let secret = self.secrets.get_secret_value().secret_id(&self.secret_arn).send().await;
        let secret = secret.map_err(|error| EngineError::from_aws("cannot read the keys of the links", &error))?;
        let keys = LinkKeyRing::parse(secret.secret_string().unwrap_or_default());
        let keys = keys.map_err(|rule| EngineError::internal(format!("the secret {} {rule}", self.secret_arn)))?;
        *known = Some((Instant::now(), keys.clone()));
        Ok(keys)
    }
}
