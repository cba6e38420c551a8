//! Sends one record until there is an answer, a final failure, or no time left.

use super::answer_line::{Answer, RecordFailure};
use super::backoff::{MAX_ATTEMPTS, MAX_TIMED_OUT_ATTEMPTS, wait};
use super::cache_points::CachePoints;
use super::candidates::Candidates;
use super::pace::Pace;
use super::records::Record;
use super::refusal::{self, Refusal, TIMED_OUT};
use super::request::send;
use super::times::Times;
use crate::error::EngineError;
use aws_sdk_bedrockruntime::Client;
use aws_sdk_bedrockruntime::error::SdkError;
use aws_sdk_bedrockruntime::operation::invoke_model::InvokeModelError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bedrock_batch_domain::model::InvocationType;
use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::time::{Instant, sleep_until, timeout_at};

/// State shared by the requests of an invocation.
#[derive(Debug)]
pub(super) struct RecordInvoker {
    pub(super) client: Client,
    pub(super) invocation: InvocationType,
    pub(super) models: Candidates,
    pub(super) cache_points: CachePoints,
    pub(super) pace: Pace,
    pub(super) times: Times,
    /// Number of requests sent.
    pub(super) requests: AtomicU64,
    /// True if no more requests may be sent, independent of the time.
    pub(super) stopped: AtomicBool,
}

/// Result of sending a record.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The model with this id answered or refused the record.
    Line(String, Result<Answer, RecordFailure>),
    /// There was no time left; with the latest failure, if the record was sent.
    GivenUp(Option<RecordFailure>),
    /// All models were refused.
    NoModel,
    /// The caller itself was refused.
    Refused(EngineError),
}

impl RecordInvoker {
    /// Sends a record, with retries.
    pub(super) async fn invoke(&self, record: &Record) -> Outcome {
        let mut attempts = 0;
        let mut latest = None;
        loop {
            if self.models.current().is_none() {
                return Outcome::NoModel;
            }
            if !self.may_send().await {
                return Outcome::GivenUp(latest);
            }
            // Read again after the wait, since a concurrent request may have been refused in the meantime.
            let Some((index, model)) = self.models.current() else {
                return Outcome::NoModel;
            };
            self.requests.fetch_add(1, Ordering::Relaxed);
            let body = self.cache_points.body(&model.id, record.model_input());
            let is_marked = matches!(body, Cow::Owned(_));
            let sent = send(&self.client, self.invocation, &model.id, &body);
            let refusal = match timeout_at(self.times.wait_until, sent).await {
                Ok(Ok(body)) => {
                    model.record_answer();
                    return Outcome::Line(model.id.clone(), Answer::read(body));
                }
                // The same request is sent once more, without its cache point.
                Ok(Err(error)) if self.refuses_cache_point(is_marked, &error) => continue,
                Ok(Err(error)) => refusal::read(&error, model.answers()),
                Err(_) => return Outcome::GivenUp(Some(timed_out_at_deadline())),
            };
            match refusal {
                Refusal::Model(code, message) => self.models.refuse(index, &code, &message),
                Refusal::Record(failure) => return Outcome::Line(model.id.clone(), Err(failure)),
                Refusal::Caller(error) => return Outcome::Refused(error),
                Refusal::Transient(failure, requested_wait) => {
                    attempts += 1;
                    let timed_out = failure.error_code == TIMED_OUT;
                    tracing::debug!(code = failure.error_code, attempts, "request_failed_transiently");
                    if attempts >= if timed_out { MAX_TIMED_OUT_ATTEMPTS } else { MAX_ATTEMPTS } {
                        return Outcome::Line(model.id.clone(), Err(failure));
                    }
                    latest = Some(failure);
                    // A record that has to wait beyond the end keeps its worker until then: another record would be sent to
                    // a server that requests patience.
                    let until = Instant::now() + wait(attempts, requested_wait, fastrand::f64());
                    sleep_until(until.min(self.times.send_until)).await;
                }
            }
        }
    }

    /// Returns true if Bedrock refuses the request because of its cache point, if it has one.
    fn refuses_cache_point(&self, has_cache_point: bool, error: &SdkError<InvokeModelError>) -> bool {
        let status = error.raw_response().map_or(0, |response| response.status().as_u16());
        self.cache_points.are_refused(has_cache_point, status, error.message().unwrap_or_default())
    }

    /// Stops sending requests.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Returns true if requests may be sent.
    pub(super) fn is_open(&self) -> bool {
        Instant::now() < self.times.send_until && !self.stopped.load(Ordering::Relaxed)
    }

    /// Waits for a turn; returns false if no request may be sent any more.
    async fn may_send(&self) -> bool {
        self.is_open() && timeout_at(self.times.send_until, self.pace.turn()).await.is_ok() && self.is_open()
    }
}

fn timed_out_at_deadline() -> RecordFailure {
    let error_message = "the model did not answer before the end of the function's time".to_owned();
    RecordFailure { error_code: TIMED_OUT, error_message, retryable: true }
}
