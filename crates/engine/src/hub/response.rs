//! Responses of the Hub: refusals, delays before the next request, and the next page of a listing.

use super::retry_policy::RetryPolicy;
use crate::error::EngineError;
use bedrock_batch_domain::hub::{DatasetSource, Refused, Subject, refusal};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{HeaderMap, LINK, RETRY_AFTER};
use hyper::{Response, StatusCode, Uri};
use std::time::Duration;

/// Response after all redirects.
#[derive(Debug)]
pub(super) struct HubResponse {
    pub(super) response: Response<Incoming>,
    /// Address of the server that sent it.
    pub(super) url: Uri,
    /// If true, the Hub itself sent it, and not a storage to which the Hub has redirected.
    pub(super) is_of_hub: bool,
}

/// Failure of one attempt.
#[derive(Debug)]
pub(super) enum AttemptError {
    /// A retry may succeed, after the delay that the server names.
    Transient { delay: Option<Duration>, error: EngineError },
    /// A retry would fail as well.
    Permanent(EngineError),
}

impl AttemptError {
    /// Creates the error of a connection that broke.
    pub(super) fn broke(context: String, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Transient { delay: None, error: EngineError::transient(context).caused_by(error) }
    }

    /// Creates the error of a server that sent nothing within the read timeout.
    pub(super) fn timed_out(what: &str, policy: RetryPolicy) -> Self {
        let context = format!("{what}: no response within {} s", policy.read_timeout.as_secs_f32());
        Self::Transient { delay: None, error: EngineError::transient(context) }
    }
}

impl HubResponse {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// Converts a response without the requested content to an error.
    pub(super) fn refused(
        &self,
        what: &str,
        source: &DatasetSource,
        subject: Subject,
        had_token: bool,
    ) -> AttemptError {
        let status = self.response.status();
        let context = format!("{what}: the server responded with status {}", status.as_u16());
        if status == StatusCode::TOO_MANY_REQUESTS {
            let error = EngineError::throttled(format!(
                "{what}: the Hugging Face Hub limits the rate of requests; a token has higher limits (context key \
                 `huggingFaceTokenSecret`)"
            ));
            return AttemptError::Transient { delay: delay_of(self.response.headers()), error };
        }
        if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
            return AttemptError::Transient {
                delay: delay_of(self.response.headers()),
                error: EngineError::transient(context),
            };
        }
        if !self.is_of_hub {
            // The storage's reasons do not concern the dataset: an expired address, a wrong clock.
            return AttemptError::Transient { delay: None, error: EngineError::transient(context) };
        }
        let refused = Refused {
            status: status.as_u16(),
            code: self.header("x-error-code"),
            message: self.header("x-error-message"),
            had_token,
        };
        AttemptError::Permanent(match refusal(source, subject, refused) {
            Some(problem) => problem.into(),
            None => EngineError::internal(context),
        })
    }

    /// Returns the query of the next page of a listing. Only the query is used, because a mirror may forward links to the Hub.
    pub(super) fn next_query(&self) -> Option<String> {
        let links = self.response.headers().get_all(LINK).iter().filter_map(|link| link.to_str().ok());
        links.flat_map(|links| links.split(',')).find_map(|link| {
            let (url, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
            let is_next = parameters.split(';').any(|p| matches!(p.trim(), "rel=\"next\"" | "rel=next"));
            is_next.then(|| url.split_once('?').map(|(_, query)| query.to_owned())).flatten()
        })
    }

    /// Reads the whole body.
    pub(super) async fn body(self, what: &str, policy: RetryPolicy) -> Result<Bytes, AttemptError> {
        /// Listings are paginated, but the description of a revision names all its files.
        const MAX_BODY_BYTES: usize = 64 << 20;
        let mut body = self.response.into_body();
        let mut bytes = Vec::new();
        while let Some(piece) = next_piece(&mut body, what, policy).await? {
            if bytes.len() + piece.len() > MAX_BODY_BYTES {
                let error = format!("{what}: the response has more than {MAX_BODY_BYTES} bytes");
                return Err(AttemptError::Permanent(EngineError::internal(error)));
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes.into())
    }
}

/// Returns the next bytes of a body.
pub(super) async fn next_piece(
    body: &mut Incoming,
    what: &str,
    policy: RetryPolicy,
) -> Result<Option<Bytes>, AttemptError> {
    loop {
        let frame = tokio::time::timeout(policy.read_timeout, body.frame()).await;
        match frame.map_err(|_| AttemptError::timed_out(what, policy))? {
            None => return Ok(None),
            Some(Err(error)) => return Err(AttemptError::broke(format!("{what}: the connection broke"), error)),
            // Trailers are not content.
            Some(Ok(frame)) => {
                if let Ok(bytes) = frame.into_data() {
                    return Ok(Some(bytes));
                }
            }
        }
    }
}

/// Returns the delay that a server requires: `Retry-After: 7`, or the Hub's own `RateLimit: "api";r=0;t=7`.
fn delay_of(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let after = text(RETRY_AFTER.as_str()).and_then(|seconds| seconds.trim().parse().ok());
    let of_limit = || text("ratelimit")?.split(';').find_map(|part| part.trim().strip_prefix("t=")?.parse().ok());
    after.or_else(of_limit).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(&[("retry-after", "7")], Some(7))]
    #[case(&[("ratelimit", "\"api\";r=0;t=55")], Some(55))]
    #[case(&[("retry-after", "2"), ("ratelimit", "\"api\";r=0;t=55")], Some(2))]
    #[case(&[("retry-after", "Mon, 30 Nov 2026 08:00:00 GMT")], None)]
    #[case(&[], None)]
    fn the_delay_is_that_of_the_server(#[case] sent: &[(&'static str, &'static str)], #[case] seconds: Option<u64>) {
        let headers = sent.iter().map(|(name, value)| {
            (hyper::header::HeaderName::from_static(name), hyper::header::HeaderValue::from_static(value))
        });
        assert_eq!(delay_of(&headers.collect()), seconds.map(Duration::from_secs));
    }
}
