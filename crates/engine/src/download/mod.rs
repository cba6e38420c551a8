//! Download: exchanges a link in an email for a new presigned URL, if its token is valid.
//!
//! A URL that a Lambda function presigns expires with the session of the function's role, within hours. Links in emails
//! are valid for longer, so they lead here. Neither token nor URL is ever logged.

mod answer;
mod request;

pub use answer::LinkAnswer;
pub use request::{LinkMethod, LinkRequest};

use crate::error::EngineError;
use crate::link_keys::LinkKeys;
use crate::objects::Bucket;
use crate::time;
use bedrock_batch_domain::links::{LinkKeyRing, LinkTarget, Refusal, file_name, percent_encoded};
use std::time::Duration;

/// Maximum age of the cached keys, and so the time for which a removed key is still accepted.
const MAX_KEY_AGE: Duration = Duration::from_mins(5);
/// Maximum age of the cached keys when a token is refused, since the token may be signed with a newer key. Not zero, so that
/// forged tokens do not cause a request for the keys each.
const MAX_KEY_AGE_ON_REFUSAL: Duration = Duration::from_secs(30);
/// Maximum validity of the presigned URL in seconds, which the browser follows immediately.
const MAX_PRESIGNED_SECONDS: u64 = 300;
/// Minimum of the same, for a link that is about to expire. Not less, because the clocks of Lambda and S3 may differ.
const MIN_PRESIGNED_SECONDS: u64 = 60;

/// Answers requests for links.
#[derive(Debug, Clone)]
pub struct Downloader {
    /// Bucket of the stack.
    pub bucket: Bucket,
    /// Keys that sign links.
    pub keys: LinkKeys,
}

impl Downloader {
    /// Answers a request with a redirect, or with a sentence that explains why there is none.
    pub async fn answer(&self, request: &LinkRequest) -> LinkAnswer {
        let answered = self.redirect(request).await;
        let answer = answered.unwrap_or_else(|error| {
            tracing::error!(error_type = error.name(), "link_not_followed");
            LinkAnswer::unavailable()
        });
        tracing::info!(status = answer.status, "link_request_answered");
        answer
    }

    async fn redirect(&self, request: &LinkRequest) -> Result<LinkAnswer, EngineError> {
        let Some(method) = request.method() else { return Ok(LinkAnswer::only_get()) };
        let target = match self.check(request).await? {
            Ok(target) => target,
            Err(Refusal::Forged) => return Ok(LinkAnswer::forged()),
            Err(Refusal::Expired { at }) => return Ok(LinkAnswer::expired(&time::minute(at))),
        };
        if !self.exists(&target.key).await? {
            return Ok(LinkAnswer::gone(file_name(&target.key)));
        }
        let valid_for = presigned_validity(target.expires, time::now());
        let url = match method {
            LinkMethod::Get => self.bucket.presign(&target.key, valid_for).await?,
            LinkMethod::Head => self.bucket.presign_head(&target.key, valid_for).await?,
        };
        Ok(LinkAnswer::redirect(url))
    }

    async fn check(&self, request: &LinkRequest) -> Result<Result<LinkTarget, Refusal>, EngineError> {
        let now = time::now();
        let checked = checked(request, &self.keys.keys(MAX_KEY_AGE).await?, now);
        match checked {
            Err(Refusal::Forged) if request.token().is_some() => {
                Ok(self::checked(request, &self.keys.keys(MAX_KEY_AGE_ON_REFUSAL).await?, now))
            }
            checked => Ok(checked),
        }
    }

    /// Returns true if the object exists. The function has no permission to list, so S3 denies access to missing objects.
    async fn exists(&self, key: &str) -> Result<bool, EngineError> {
        match self.bucket.client().head_object().bucket(self.bucket.name()).key(key).send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.raw_response().map(|response| response.status().as_u16()) {
                Some(status @ (403 | 404)) => {
                    tracing::info!(status, "linked_object_missing");
                    Ok(false)
                }
                _ => Err(EngineError::from_aws("cannot check whether an object exists", &error)),
            },
        }
    }
}

/// Returns the object that a request gives access to at the time `now`. The file name in the path is for humans only, but
/// a link whose file name differs from its token was modified.
fn checked(request: &LinkRequest, keys: &LinkKeyRing, now: u64) -> Result<LinkTarget, Refusal> {
    let target = keys.check(request.token().ok_or(Refusal::Forged)?, now)?;
    let named = request.file_name();
    let same = named.is_empty() || named == file_name(&target.key) || named == percent_encoded(file_name(&target.key));
    if same { Ok(target) } else { Err(Refusal::Forged) }
}

/// Returns how long the presigned URL of a link that ends at `expires` is valid: not much longer than the link.
fn presigned_validity(expires: u64, now: u64) -> Duration {
    Duration::from_secs(expires.saturating_sub(now).clamp(MIN_PRESIGNED_SECONDS, MAX_PRESIGNED_SECONDS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> LinkKeyRing {
        LinkKeyRing::parse(&"k".repeat(64)).unwrap()
    }

    fn token(object: &str) -> String {
        key().sign(&LinkTarget { key: object.to_owned(), expires: 100 }).unwrap()
    }

    fn request(path: &str, token: &str) -> LinkRequest {
        LinkRequest::new("GET", path, Some(token.to_owned()))
    }

    #[test]
    fn a_link_opens_its_object_until_it_expires() {
        let token = token("batch_output_parquet/p/r/0000.parquet");
        let opened = |path: &str, now: u64| checked(&request(path, &token), &key(), now).map(|target| target.key);
        assert_eq!(opened("/0000.parquet", 99).as_deref(), Ok("batch_output_parquet/p/r/0000.parquet"));
        assert_eq!(opened("/", 99).as_deref(), Ok("batch_output_parquet/p/r/0000.parquet"));
        assert_eq!(opened("/0000.parquet", 100), Err(Refusal::Expired { at: 100 }));
        assert_eq!(opened("/0001.parquet", 99), Err(Refusal::Forged));
    }

    #[test]
    fn requests_without_a_token_are_refused() {
        assert_eq!(checked(&LinkRequest::new("GET", "/0000.parquet", None), &key(), 0), Err(Refusal::Forged));
    }

    #[test]
    fn an_address_outlives_its_link_by_a_minute_at_most() {
        let seconds = |left: u64| presigned_validity(10_000_000, 10_000_000 - left).as_secs();
        assert_eq!([seconds(90 * 86_400), seconds(301), seconds(299), seconds(1)], [300, 300, 299, 60]);
        assert_eq!(presigned_validity(1, 2).as_secs(), 60);
    }

    proptest! {
        #[test]
        fn no_token_text_panics(path in "\\PC{0,30}", token in "\\PC{0,80}") {
            prop_assert_eq!(checked(&request(&path, &token), &key(), 0), Err(Refusal::Forged));
        }
    }
}
