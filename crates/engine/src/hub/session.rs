//! Requests to the Hub for one dataset: authorization, redirects and retries.

use super::connection::HttpClient;
use super::endpoint::{Endpoint, Origin};
use super::lost_time::LostTime;
use super::response::{AttemptError, HubResponse};
use super::retry_policy::RetryPolicy;
use super::token::Token;
use crate::error::EngineError;
use bytes::Bytes;
use http_body_util::Empty;
use hyper::header::{ACCEPT_ENCODING, AUTHORIZATION, LOCATION, RANGE, USER_AGENT};
use hyper::{Request, Uri};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Maximum number of consecutive redirects.
const MAX_REDIRECTS: usize = 5;

/// Sender of the requests for one dataset.
#[derive(Debug)]
pub(super) struct Session {
    http: HttpClient,
    endpoint: Endpoint,
    token: Option<Token>,
    pub(super) policy: RetryPolicy,
    lost: Mutex<LostTime>,
}

impl Session {
    pub(super) fn new(http: HttpClient, endpoint: Endpoint, token: Option<Token>, policy: RetryPolicy) -> Self {
        Self { http, endpoint, token, policy, lost: Mutex::default() }
    }

    /// Returns true if requests to the Hub have a token.
    pub(super) fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Returns the address of a path of the Hub.
    pub(super) fn at(&self, path: &str) -> Result<Uri, EngineError> {
        let invalid = || EngineError::internal(format!("`{path}` does not make an address of {}", self.endpoint));
        self.endpoint.at(path).ok_or_else(invalid)
    }

    /// Sends one request, and follows redirects. The response may have any status.
    pub(super) async fn get(
        &self,
        what: &str,
        url: &Uri,
        range: Option<&Range<u64>>,
    ) -> Result<HubResponse, AttemptError> {
        let mut url = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let is_of_hub = Origin::of(&url).as_ref() == Some(self.endpoint.origin());
            let sent = self.http.request(self.request(&url, is_of_hub, range)?);
            let response = tokio::time::timeout(self.policy.read_timeout, sent).await;
            let response = response.map_err(|_| AttemptError::timed_out(what, self.policy))?;
            let response = response.map_err(|error| AttemptError::broke(format!("{what}: no connection"), error))?;
            let response = HubResponse { response, url, is_of_hub };
            if !is_redirect(&response) {
                return Ok(response);
            }
            let next = target(self.endpoint.origin(), &response.url, response.header(LOCATION.as_str()));
            let refuse = |rule: &str| AttemptError::Permanent(EngineError::internal(format!("{what}: {rule}")));
            url = next.map_err(refuse)?;
        }
        Err(AttemptError::Permanent(EngineError::internal(format!(
            "{what}: more than {MAX_REDIRECTS} consecutive redirects"
        ))))
    }

    fn request(
        &self,
        url: &Uri,
        is_of_hub: bool,
        range: Option<&Range<u64>>,
    ) -> Result<Request<Empty<Bytes>>, AttemptError> {
        let mut request = Request::get(url.clone())
            .header(USER_AGENT, concat!("bedrock-batch/", env!("CARGO_PKG_VERSION")))
            .header(ACCEPT_ENCODING, "identity");
        // The token is only for the Hub; the address of a storage has credentials of its own.
        if let Some(token) = self.token.as_ref().filter(|_| is_of_hub) {
            request = request.header(AUTHORIZATION, token.header());
        }
        if let Some(range) = range {
            request = request.header(RANGE, format!("bytes={}-{}", range.start, range.end.saturating_sub(1)));
        }
        let invalid = |error| EngineError::internal("a request to the Hub is not valid HTTP").caused_by(error);
        request.body(Empty::new()).map_err(|error| AttemptError::Permanent(invalid(error)))
    }

    /// Limits the time of an attempt.
    pub(super) async fn attempt<T>(
        &self,
        what: &str,
        attempt: impl Future<Output = Result<T, AttemptError>>,
    ) -> Result<T, AttemptError> {
        let ended = tokio::time::timeout(self.policy.attempt_timeout, attempt).await;
        ended.unwrap_or_else(|_| Err(AttemptError::too_slow(what, self.policy)))
    }

    /// Creates the count of failed attempts of one request, whose first attempt begins now.
    pub(super) fn retries(&self) -> Retries<'_> {
        Retries { session: self, attempts: 0, begun: Instant::now() }
    }

    /// Adds an attempt that began then and has failed now, and the delay after it, to the lost time, or returns false if
    /// that would exceed the limit.
    fn may_delay(&self, begun: Instant, delay: Duration) -> bool {
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        let end = Instant::now().checked_add(delay);
        end.is_some_and(|end| lost.add(begun, end, self.policy.max_total_delay))
    }
}

/// Number of consecutive attempts without progress.
#[derive(Debug)]
pub(super) struct Retries<'a> {
    session: &'a Session,
    attempts: u32,
    /// Start of the current attempt.
    begun: Instant,
}

impl Retries<'_> {
    /// Resets the count: the latest attempt made progress.
    pub(super) fn progressed(&mut self) {
        self.attempts = 0;
    }

    /// Waits before the next attempt.
    ///
    /// # Errors
    /// Returns the error of the attempt if there is no next one.
    pub(super) async fn after(&mut self, failure: AttemptError) -> Result<(), EngineError> {
        let (delay, error) = match failure {
            AttemptError::Transient { delay, error } => (delay, error),
            AttemptError::Permanent(error) => return Err(error),
        };
        self.attempts += 1;
        let delay = delay.unwrap_or_else(|| self.session.policy.delay_after(self.attempts));
        if self.attempts >= self.session.policy.max_attempts || !self.session.may_delay(self.begun, delay) {
            return Err(error);
        }
        let (kind, seconds) = (error.name(), delay.as_secs_f64());
        tracing::info!(kind, seconds, attempt = self.attempts, "hub_request_delayed");
        tokio::time::sleep(delay).await;
        self.begun = Instant::now();
        Ok(())
    }
}

fn is_redirect(response: &HubResponse) -> bool {
    matches!(response.response.status().as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Returns the target of a redirect from `from` to `location`, or the rule that it breaks. Messages do not contain the target:
/// it may hold credentials of the storage.
fn target(endpoint: &Origin, from: &Uri, location: Option<&str>) -> Result<Uri, &'static str> {
    let location = location.ok_or("a redirect has no target")?;
    let no_address = "the target of a redirect is not an http address";
    let target = absolute(from, location).ok_or(no_address)?;
    let origin = Origin::of(&target).ok_or(no_address)?;
    if endpoint.is_tls && !origin.is_tls {
        return Err("the target of a redirect does not use TLS");
    }
    if origin.is_local() && !endpoint.is_local() {
        return Err("the target of a redirect is this machine or its link");
    }
    Ok(target)
}

/// Resolves `location` against `from`.
fn absolute(from: &Uri, location: &str) -> Option<Uri> {
    if location.starts_with("//") {
        return format!("{}:{location}", from.scheme_str()?).parse().ok();
    }
    if location.starts_with('/') {
        return format!("{}://{}{location}", from.scheme_str()?, from.authority()?).parse().ok();
    }
    location.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("/b?c=%2F", Some("https://hub.example/b?c=%2F"))]
    #[case("//cdn.example/b", Some("https://cdn.example/b"))]
    #[case("http://cdn.example/b", Some("http://cdn.example/b"))]
    #[case("b c", None)]
    fn locations_are_resolved_against_the_address_of_the_response(
        #[case] location: &str,
        #[case] expected: Option<&str>,
    ) {
        let from = "https://hub.example/a".parse().unwrap();
        assert_eq!(absolute(&from, location).map(|uri| uri.to_string()).as_deref(), expected);
    }

    #[rstest]
    #[case("https://hub.example", Some("https://cdn.example/b?signature=x"), Ok("https://cdn.example/b?signature=x"))]
    #[case("https://hub.example", Some("/b"), Ok("https://hub.example/b"))]
    #[case("https://hub.example", Some("http://hub.example/b"), Err("does not use TLS"))]
    #[case("http://hub.example", Some("http://cdn.example/b"), Ok("http://cdn.example/b"))]
    #[case("http://hub.example", Some("https://cdn.example/b"), Ok("https://cdn.example/b"))]
    #[case("https://hub.example", Some("https://127.0.0.1/b"), Err("this machine"))]
    #[case("http://hub.example", Some("http://169.254.169.254/latest"), Err("this machine"))]
    #[case("http://localhost:8080", Some("http://127.0.0.1:8081/b"), Ok("http://127.0.0.1:8081/b"))]
    #[case("https://hub.example", Some("ftp://cdn.example/b"), Err("is not an http address"))]
    #[case("https://hub.example", Some("https://user:word@cdn.example/b"), Err("is not an http address"))]
    #[case("https://hub.example", Some("data:text"), Err("is not an http address"))]
    #[case("https://hub.example", None, Err("has no target"))]
    fn redirects_keep_tls_and_leave_this_machine_alone(
        #[case] endpoint: &str,
        #[case] location: Option<&str>,
        #[case] expected: Result<&str, &str>,
    ) {
        let from: Uri = format!("{endpoint}/a").parse().unwrap();
        match (target(&Origin::of(&from).unwrap(), &from, location), expected) {
            (Ok(url), Ok(expected)) => assert_eq!(url.to_string(), expected),
            (Err(rule), Err(expected)) => assert!(rule.contains(expected), "{rule}"),
            (found, _) => panic!("{found:?}"),
        }
    }
}
