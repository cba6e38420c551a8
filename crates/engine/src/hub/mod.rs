//! Datasets of the Hugging Face Hub: found by its API, read by range requests. [`Hub`] is created once per process; for each
//! run it finds a [`Dataset`], pinned to one commit, whose files are read like those in S3. The rules of names, listings and
//! refusals are in `bedrock_batch_domain::hub`.

mod connection;
mod endpoint;
mod file_range;
mod find;
mod lost_time;
mod response;
mod retry_policy;
mod session;
mod storage_addresses;
mod token;

pub use endpoint::Endpoint;
pub use file_range::FileRange;
pub use find::{Dataset, DatasetFile};
pub use retry_policy::RetryPolicy;
pub use token::TokenSecret;

use crate::error::EngineError;
use bedrock_batch_domain::hub::DatasetSource;
use connection::HttpClient;
use session::Session;
use std::sync::{Arc, OnceLock};

/// Hub, or a mirror of it.
#[derive(Debug, Clone, Default)]
pub struct Hub {
    endpoint: Endpoint,
    token: Option<TokenSecret>,
    policy: RetryPolicy,
    /// Created on first use, because reading the certificates of the system takes time.
    http: Arc<OnceLock<HttpClient>>,
}

impl Hub {
    /// Creates the client of the Hub at `endpoint`, with the token of the secret if there is one.
    pub fn new(endpoint: Endpoint, token: Option<TokenSecret>) -> Self {
        Self { endpoint, token, ..Self::default() }
    }

    /// Replaces the limits on retries and delays.
    #[must_use]
    pub fn with_policy(self, policy: RetryPolicy) -> Self {
        Self { policy, ..self }
    }

    /// Finds the files of a dataset, at the commit `pinned` if there is one, else at the latest one.
    ///
    /// # Errors
    /// Returns `InvalidInput` if the dataset, its configuration or its split cannot be read, and an error if a request fails.
    pub async fn find(&self, source: &DatasetSource, pinned: Option<&str>) -> Result<Dataset, EngineError> {
        find::find(Arc::new(self.session().await?), source, pinned).await
    }

    async fn session(&self) -> Result<Session, EngineError> {
        let token = match &self.token {
            Some(secret) if !self.endpoint.is_confidential() => {
                let rule = format!("the Hub's endpoint {} has no TLS, so no token is sent to it", self.endpoint);
                let remedy = format!("use https, or remove the token's secret {}", secret.secret_id());
                return Err(EngineError::internal(format!("{rule}; {remedy}")));
            }
            Some(secret) => Some(secret.token().await?),
            None => None,
        };
        let http = match self.http.get() {
            Some(http) => http.clone(),
            None => {
                let http = connection::client(self.policy)?;
                self.http.get_or_init(|| http).clone()
            }
        };
        Ok(Session::new(http, self.endpoint.clone(), token, self.policy))
    }
}
