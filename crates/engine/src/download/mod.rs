//! Download: a link of an email becomes a fresh presigned URL, if its token is good.
//!
//! A URL that a Lambda presigns dies with the session of the Lambda's role, within hours. The links of emails live
//! longer: they lead here. Neither token nor URL is ever logged.

mod answer;
mod request;

pub use answer::LinkAnswer;
pub use request::LinkRequest;

use crate::error::EngineError;
use crate::link_keys::LinkKeys;
use crate::moments;
use aws_sdk_s3::Client;
use aws_sdk_s3::presigning::PresigningConfig;
use bedrock_batch_domain::links::{LinkKey, Linked, Refusal, file_name, percent_encoded};
use std::time::Duration;

/// How long a rotated key is still taken.
const OLDEST_KEY: Duration = Duration::from_mins(5);
/// A token that is refused may be signed with a key that is newer than the one we know; how new that must be, so that
/// forged tokens do not make us ask for it again and again.
const NEW_KEY: Duration = Duration::from_secs(30);
/// How long the presigned URL lives: the browser follows it at once.
const PRESIGNED: Duration = Duration::from_mins(5);

/// Answers requests for links.
#[derive(Debug, Clone)]
pub struct Downloader {
    /// S3.
    pub s3: Client,
    /// The bucket of everything.
    pub bucket: String,
    /// What links are signed with.
    pub keys: LinkKeys,
}

impl Downloader {
    /// The answer to a request: a redirect, or a sentence that says why not.
    pub async fn answer(&self, request: &LinkRequest) -> LinkAnswer {
        let answered = self.redirect(request).await;
        let answer = answered.unwrap_or_else(|error| {
            tracing::error!(error_type = error.name(), "a link could not be followed");
            LinkAnswer::out_of_order()
        });
        tracing::info!(status = answer.status, "answered");
        answer
    }

    async fn redirect(&self, request: &LinkRequest) -> Result<LinkAnswer, EngineError> {
        if !request.is_get() {
            return Ok(LinkAnswer::only_get());
        }
        let linked = match self.check(request).await? {
            Ok(linked) => linked,
            Err(Refusal::Forged) => return Ok(LinkAnswer::forged()),
            Err(Refusal::Expired { at }) => return Ok(LinkAnswer::expired(&moments::minute(at))),
        };
        if !self.is_there(&linked.key).await? {
            return Ok(LinkAnswer::gone(file_name(&linked.key)));
        }
        Ok(LinkAnswer::redirect(self.presigned(&linked.key).await?))
    }

    async fn check(&self, request: &LinkRequest) -> Result<Result<Linked, Refusal>, EngineError> {
        let now = moments::now();
        let checked = checked(request, &self.keys.key(OLDEST_KEY).await?, now);
        match checked {
            Err(Refusal::Forged) if request.token().is_some() => {
                Ok(self::checked(request, &self.keys.key(NEW_KEY).await?, now))
            }
            checked => Ok(checked),
        }
    }

    /// The function may not list: of an object that is not there S3 only says that it may not be read.
    async fn is_there(&self, key: &str) -> Result<bool, EngineError> {
        match self.s3.head_object().bucket(&self.bucket).key(key).send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.raw_response().map(|response| response.status().as_u16()) {
                Some(status @ (403 | 404)) => {
                    tracing::info!(status, "the object is gone");
                    Ok(false)
                }
                _ => Err(EngineError::from_aws("cannot look at an object", &error)),
            },
        }
    }

    async fn presigned(&self, key: &str) -> Result<String, EngineError> {
        presigned(&self.s3, &self.bucket, key, PRESIGNED).await
    }
}

/// A URL that reads one object for a while, without any credentials; browsers store it under the file's name.
///
/// # Errors
/// When there are no credentials to sign with.
pub(crate) async fn presigned(s3: &Client, bucket: &str, key: &str, lives: Duration) -> Result<String, EngineError> {
    let config = PresigningConfig::expires_in(lives);
    let config = config.map_err(|error| EngineError::Transient(format!("cannot presign: {error}")))?;
    let name = percent_encoded(file_name(key));
    let disposition = format!("attachment; filename=\"{name}\"");
    let get = s3.get_object().bucket(bucket).key(key).response_content_disposition(disposition);
    let presigned = get.presigned(config).await;
    let presigned = presigned.map_err(|error| EngineError::from_aws("cannot presign", &error))?;
    Ok(presigned.uri().to_owned())
}

/// What a request gives access to at the second `now`. The file's name in the path is there for people; a link whose
/// name is of another file than its token was changed.
fn checked(request: &LinkRequest, key: &LinkKey, now: u64) -> Result<Linked, Refusal> {
    let linked = key.check(request.token().ok_or(Refusal::Forged)?, now)?;
    let named = request.file_name();
    let same = named.is_empty() || named == file_name(&linked.key) || named == percent_encoded(file_name(&linked.key));
    if same { Ok(linked) } else { Err(Refusal::Forged) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> LinkKey {
        LinkKey::new(&"k".repeat(64)).unwrap()
    }

    fn token(object: &str) -> String {
        key().sign(&Linked { key: object.to_owned(), expires: 100 }).unwrap()
    }

    fn request(path: &str, token: &str) -> LinkRequest {
        LinkRequest::new("GET", path, Some(token.to_owned()))
    }

    #[test]
    fn a_link_opens_its_object_until_it_ends() {
        let token = token("batch_output_parquet/p/r/0000.parquet");
        let opened = |path: &str, now: u64| checked(&request(path, &token), &key(), now).map(|linked| linked.key);
        assert_eq!(opened("/0000.parquet", 99).as_deref(), Ok("batch_output_parquet/p/r/0000.parquet"));
        assert_eq!(opened("/", 99).as_deref(), Ok("batch_output_parquet/p/r/0000.parquet"));
        assert_eq!(opened("/0000.parquet", 100), Err(Refusal::Expired { at: 100 }));
        assert_eq!(opened("/0001.parquet", 99), Err(Refusal::Forged));
    }

    #[test]
    fn without_a_token_nothing_opens() {
        assert_eq!(checked(&LinkRequest::new("GET", "/0000.parquet", None), &key(), 0), Err(Refusal::Forged));
    }

    proptest! {
        #[test]
        fn no_token_text_panics(path in "\\PC{0,30}", token in "\\PC{0,80}") {
            prop_assert_eq!(checked(&request(&path, &token), &key(), 0), Err(Refusal::Forged));
        }
    }
}
