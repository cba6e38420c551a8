//! All that the routes and the jobs' tasks share.

use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;

use crate::backend::Backend;
use crate::behaviour::Behaviour;
use crate::calls::Calls;
use crate::chance;
use crate::errors::{ApiError, ErrorKind};
use crate::events::{Events, Sender};
use crate::families::caching::PromptCache;
use crate::invocations::Invocations;
use crate::jobs::JobBook;
use crate::models::Catalogue;
use crate::options::Options;
use crate::scopes::{Scope, Scopes};
use crate::storage::Storage;

/// A Bedrock of one account in one region.
#[derive(Debug)]
pub struct Simulator {
    pub(crate) region: String,
    pub(crate) account: String,
    pub(crate) step: Duration,
    pub(crate) jobs: JobBook,
    pub(crate) scopes: Scopes,
    pub(crate) calls: Arc<Calls>,
    pub(crate) invocations: Invocations,
    pub(crate) backend: Backend,
    pub(crate) prompt_cache: PromptCache,
    pub(crate) catalogue: Catalogue,
    pub(crate) storage: Storage,
    pub(crate) events: Events,
}

/// Reason why a simulator cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SetupError(pub(crate) String);

impl Simulator {
    /// Reads recordings and models, and connects S3 and EventBridge by the given settings.
    ///
    /// # Errors
    /// Returns an error if a file or the behaviour of the options is invalid.
    pub fn new(options: &Options, aws: &SdkConfig) -> Result<Self, SetupError> {
        let behaviour = serde_json::from_str(&options.behaviour)
            .map_err(|error| error.to_string())
            .and_then(|changes| Behaviour::default().with(&changes))
            .map_err(|error| SetupError(format!("--behaviour: {error}")))?;
        let catalogue = match &options.models {
            Some(path) => std::fs::read_to_string(path)
                .map_err(|error| error.to_string())
                .and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string()))
                .map(Catalogue::with)
                .map_err(|error| SetupError(format!("--models {}: {error}", path.display())))?,
            None => Catalogue::default(),
        }
        .keeping_alive(options.alive.clone())
        .with_job_quotas(&options.job_quotas);
        let sender = Sender {
            source: options.event_source.clone(),
            region: options.region.clone(),
            account: options.account.clone(),
        };
        Ok(Self {
            region: options.region.clone(),
            account: options.account.clone(),
            step: Duration::from_millis(options.step_ms),
            jobs: JobBook::default(),
            scopes: Scopes::new(behaviour),
            calls: Arc::default(),
            invocations: Invocations::default(),
            backend: Backend::open(options).map_err(SetupError)?,
            prompt_cache: PromptCache::default(),
            catalogue,
            storage: Storage::new(bedrock_batch_aws::s3_client(aws)),
            events: Events::start(aws_sdk_eventbridge::Client::new(aws), sender),
        })
    }

    /// Forgets all jobs, and all requests seen; the behaviour stays.
    pub(crate) fn reset(&self) {
        self.jobs.clear();
        self.scopes.forget();
        self.calls.clear();
        self.invocations.clear();
    }

    /// Returns an error that any control-plane call may meet, before its content is looked at.
    pub(crate) fn admit(&self, scope: &Scope, operation: &str, about: &str) -> Result<(), ApiError> {
        let behaviour = &scope.behaviour;
        let throttle_rate = match operation {
            "CreateModelInvocationJob" => behaviour.create_throttle_rate,
            _ => behaviour.read_throttle_rate,
        };
        self.misbehave(scope, operation, about, throttle_rate, behaviour.control_5xx_rate)
    }

    /// Returns the same for an invocation of a model.
    pub(crate) fn admit_invocation(&self, scope: &Scope, operation: &str, about: &str) -> Result<(), ApiError> {
        let behaviour = &scope.behaviour;
        let (throttle_rate, failure_rate) = (behaviour.invoke_throttle_rate, behaviour.invoke_5xx_rate);
        self.misbehave(scope, operation, about, throttle_rate, failure_rate).map_err(|error| match error.kind {
            ErrorKind::Throttling => ApiError { retry_after: behaviour.retry_after_seconds, ..error },
            _ => error,
        })
    }

    fn misbehave(
        &self,
        Scope { behaviour, history, .. }: &Scope,
        operation: &str,
        about: &str,
        throttle_rate: f64,
        failure_rate: f64,
    ) -> Result<(), ApiError> {
        let seed = behaviour.seed;
        let attempt = history.attempt(chance::number(seed, &[operation, about])).to_string();
        if chance::happens(throttle_rate, seed, &["throttle", operation, about, &attempt]) {
            let message = "Too many requests, please wait before trying again.";
            return Err(ApiError::new(ErrorKind::Throttling, message));
        }
        if chance::happens(failure_rate, seed, &["failure", operation, about, &attempt]) {
            // Only the runtime's operations have ServiceUnavailableException in the service model.
            let may_be_unavailable = matches!(operation, "InvokeModel" | "Converse");
            let odd = chance::number(seed, &["which failure", about, &attempt]) % 2 == 1;
            return Err(if may_be_unavailable && odd {
                ApiError::new(ErrorKind::ServiceUnavailable, "Bedrock is unable to process your request.")
            } else {
                ApiError::new(ErrorKind::InternalServer, "The system encountered an unexpected error.")
            });
        }
        if behaviour.denies(operation) {
            let message = format!(
                "User: arn:aws:iam::{}:user/simulated is not authorized to perform: bedrock:{operation} because no \
                 identity-based policy allows the action",
                self.account
            );
            return Err(ApiError::new(ErrorKind::AccessDenied, message));
        }
        Ok(())
    }
}
