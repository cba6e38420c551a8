//! Download: exchanges a link in an email for a new presigned URL, if its token is valid.
//!
//! A URL that a Lambda function presigns expires with the session of the function's role, within hours. Links in emails
//! are valid for longer, so they lead here. Neither token nor URL is ever logged.

mod answer;
mod request;

pub use answer::LinkAnswer;
pub use request::LinkRequest;

use crate::error::EngineError;
use crate::link_keys::LinkKeys;
use crate::objects::Bucket;
use crate::time;
use bedrock_batch_domain::links::{LinkKey, LinkTarget, Refusal, file_name, percent_encoded};
use std::time::Duration;

/// Maximum age of the cached key, and so the time for which a rotated key is still accepted.
const MAX_KEY_AGE: Duration = Duration::from_mins(5);
/// Maximum age of the cached key when a token is refused, since the token may be signed with a newer key. Not zero, so that
/// forged tokens do not cause a request for the key each.
const MAX_KEY_AGE_ON_REFUSAL: Duration = Duration::from_secs(30);
/// Validity of the presigned URL, which the browser follows immediately.
const PRESIGNED_VALIDITY: Duration = Duration::from_mins(5);

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
        if !request.is_get() {
            return Ok(LinkAnswer::only_get());
        }
        let target = match self.check(request).await? {
            Ok(target) => target,
            Err(Refusal::Forged) => return Ok(LinkAnswer::forged()),
            Err(Refusal::Expired { at }) => return Ok(LinkAnswer::expired(&time::minute(at))),
        };
        if !self.exists(&target.key).await? {
            return Ok(LinkAnswer::gone(file_name(&target.key)));
        }
        Ok(LinkAnswer::redirect(self.bucket.presign(&target.key, PRESIGNED_VALIDITY).await?))
    }

    async fn check(&self, request: &LinkRequest) -> Result<Result<LinkTarget, Refusal>, EngineError> {
        let now = time::now();
        let checked = checked(request, &self.keys.key(MAX_KEY_AGE).await?, now);
        match checked {
            Err(Refusal::Forged) if request.token().is_some() => {
                Ok(self::checked(request, &self.keys.key(MAX_KEY_AGE_ON_REFUSAL).await?, now))
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
fn checked(request: &LinkRequest, key: &LinkKey, now: u64) -> Result<LinkTarget, Refusal> {
    let target = key.check(request.token().ok_or(Refusal::Forged)?, now)?;
    let named = request.file_name();
    let same = named.is_empty() || named == file_name(&target.key) || named == percent_encoded(file_name(&target.key));
    if same { Ok(target) } else { Err(Refusal::Forged) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> LinkKey {
        LinkKey::new(&"k".repeat(64)).unwrap()
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

    proptest! {
        #[test]
        fn no_token_text_panics(path in "\\PC{0,30}", token in "\\PC{0,80}") {
            prop_assert_eq!(checked(&request(&path, &token), &key(), 0), Err(Refusal::Forged));
        }
    }
}
