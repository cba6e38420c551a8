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

    /// Creates the error of a response that was not complete within the time of an attempt.
    pub(super) fn too_slow(what: &str, policy: RetryPolicy) -> Self {
        let context =
            format!("{what}: the response was not complete within {} s", policy.attempt_timeout.as_secs_f32());
        Self::Transient { delay: None, error: EngineError::transient(context) }
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
            return AttemptError::Transient { delay: delay_of(status, self.response.headers()), error };
        }
        if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
            return AttemptError::Transient {
                delay: delay_of(status, self.response.headers()),
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
    ///
    /// # Errors
    /// Returns an error if the header cannot be read or the next page has no query: its entries would be left out.
    pub(super) fn next_query(&self, what: &str) -> Result<Option<String>, AttemptError> {
        for link in self.response.headers().get_all(LINK) {
            let next = link.to_str().map_err(|_| "is not text").and_then(next_query).map_err(|rule| {
                let context = format!("{what}: the header `Link`, which names the next page of the response, {rule}");
                AttemptError::Permanent(EngineError::internal(context))
            })?;
            if next.is_some() {
                return Ok(next);
            }
        }
        Ok(None)
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

/// Returns the query of the next page, which is `None` for the last page, from a header `Link`: `<url>; rel="next", <url>; …`.
/// Commas separate links only outside of URLs and quotes. The error is the rule that the header breaks.
fn next_query(link: &str) -> Result<Option<String>, &'static str> {
    let mut rest = link;
    while !rest.trim().is_empty() {
        let url = rest.trim_start().strip_prefix('<').and_then(|link| link.split_once('>'));
        let (url, after) = url.ok_or("has no URL in angle brackets")?;
        let mut is_quoted = false;
        let end = after.find(|c: char| {
            is_quoted ^= c == '"';
            c == ',' && !is_quoted
        });
        let parameters = &after[..end.unwrap_or(after.len())];
        if parameters.split(';').any(is_relation_next) {
            let query = url.split_once('?').map(|(_, query)| query).filter(|query| !query.is_empty());
            return query.map(|query| Some(query.to_owned())).ok_or("has no query");
        }
        rest = end.map_or("", |end| &after[end + 1..]);
    }
    Ok(None)
}

fn is_relation_next(parameter: &str) -> bool {
    let relations = parameter.split_once('=').filter(|(name, _)| name.trim().eq_ignore_ascii_case("rel"));
    let is_next = |relation: &str| relation.eq_ignore_ascii_case("next");
    relations.is_some_and(|(_, relations)| relations.trim().trim_matches('"').split_whitespace().any(is_next))
}

/// Returns the delay that a server requires: `Retry-After: 7`, or of a rate limit the Hub's own `RateLimit: "api";r=0;t=7`,
/// which other responses have too.
fn delay_of(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let after = text(RETRY_AFTER.as_str()).and_then(|seconds| seconds.trim().parse().ok());
    let is_limit = status == StatusCode::TOO_MANY_REQUESTS;
    let of_limit = || {
        text("ratelimit").filter(|_| is_limit)?.split(';').find_map(|part| part.trim().strip_prefix("t=")?.parse().ok())
    };
    after.or_else(of_limit).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(429, &[("retry-after", "7")], Some(7))]
    #[case(429, &[("ratelimit", "\"api\";r=0;t=55")], Some(55))]
    #[case(429, &[("retry-after", "2"), ("ratelimit", "\"api\";r=0;t=55")], Some(2))]
    #[case(429, &[("retry-after", "Mon, 30 Nov 2026 08:00:00 GMT")], None)]
    #[case(429, &[], None)]
    #[case(503, &[("retry-after", "7"), ("ratelimit", "\"api\";r=80;t=55")], Some(7))]
    #[case(503, &[("ratelimit", "\"api\";r=80;t=55")], None)]
    fn the_delay_is_that_of_the_server(
        #[case] status: u16,
        #[case] sent: &[(&'static str, &'static str)],
        #[case] seconds: Option<u64>,
    ) {
        let headers = sent.iter().map(|(name, value)| {
            (hyper::header::HeaderName::from_static(name), hyper::header::HeaderValue::from_static(value))
        });
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(delay_of(status, &headers.collect()), seconds.map(Duration::from_secs));
    }

    #[rstest]
    #[case("", Ok(None))]
    #[case(r#"<https://hub.example/x?cursor=a%3D>; rel="next""#, Ok(Some("cursor=a%3D")))]
    #[case(r#"<https://hub.example/x?expand=a,b&cursor=c>; rel="next""#, Ok(Some("expand=a,b&cursor=c")))]
    #[case(
        r#"<https://hub.example/x?cursor=a>; rel="prev", <https://hub.example/x?cursor=b>;rel=next"#,
        Ok(Some("cursor=b"))
    )]
    #[case(r#"<https://hub.example/x?cursor=a>; title="a, b"; rel="last Next""#, Ok(Some("cursor=a")))]
    #[case(r#"<https://hub.example/next?cursor=a>; rel="prev""#, Ok(None))]
    #[case(r#"<https://hub.example/x>; rel="next""#, Err("has no query"))]
    #[case(r#"<https://hub.example/x?>; rel="next""#, Err("has no query"))]
    #[case(r#"<https://hub.example/x?cursor=a; rel="next""#, Err("has no URL in angle brackets"))]
    #[case(r#"https://hub.example/x?cursor=a; rel="next""#, Err("has no URL in angle brackets"))]
    fn the_next_page_is_found_or_the_link_is_an_error(
        #[case] link: &str,
        #[case] expected: Result<Option<&str>, &str>,
    ) {
        assert_eq!(next_query(link), expected.map(|query| query.map(str::to_owned)));
    }
}
