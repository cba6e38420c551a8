//! The secret that signs links, from Secrets Manager.

use crate::error::EngineError;
use aws_sdk_secretsmanager::Client;
use bedrock_batch_domain::links::LinkKey;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Reader of the secret, with a cache.
#[derive(Debug, Clone)]
pub struct LinkKeys {
    secrets: Client,
    secret_arn: String,
    known: Arc<Mutex<Option<(Instant, LinkKey)>>>,
}

impl LinkKeys {
    /// Creates a reader of the key in the secret `secret_arn`.
    pub fn new(secrets: Client, secret_arn: String) -> Self {
        Self { secrets, secret_arn, known: Arc::default() }
    }

    /// Returns the key as it was at most `oldest` ago, which is also the time for which a rotated key is still used.
    ///
    /// # Errors
    /// Returns an error if the Secrets Manager request fails; returns `Internal` if the secret is too short to sign with.
    pub async fn key(&self, oldest: Duration) -> Result<LinkKey, EngineError> {
        let mut known = self.known.lock().await;
        if let Some((read, key)) = known.as_ref()
            && read.elapsed() < oldest
        {
            return Ok(key.clone());
        }
        let secret = self.secrets.get_secret_value().secret_id(&self.secret_arn).send().await;
        let secret = secret.map_err(|error| EngineError::from_aws("cannot read the key of the links", &error))?;
        let key = LinkKey::new(secret.secret_string().unwrap_or_default());
        let too_short = || format!("the secret {} is too short to sign links with: 32 characters", self.secret_arn);
        let key = key.ok_or_else(|| EngineError::internal(too_short()))?;
        *known = Some((Instant::now(), key.clone()));
        Ok(key)
    }
}
