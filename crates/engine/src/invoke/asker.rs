//! Asking one record until there is an answer, a reason why there is none, or no time.

use super::answer_line::{Answer, RecordFailure};
use super::backoff::{MOST_ATTEMPTS, MOST_TIMED_OUT_ATTEMPTS, wait};
use super::candidates::Candidates;
use super::pace::Pace;
use super::records::Record;
use super::refusal::{self, Refusal, TIMED_OUT};
use super::request::send;
use super::times::Times;
use crate::error::EngineError;
use aws_sdk_bedrockruntime::Client;
use bedrock_batch_domain::model::InvocationType;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::time::{Instant, sleep_until, timeout_at};

/// What the requests of an invocation share.
#[derive(Debug)]
pub(super) struct Asker {
    pub(super) client: Client,
    pub(super) invocation: InvocationType,
    pub(super) models: Candidates,
    pub(super) pace: Pace,
    pub(super) times: Times,
    /// Requests sent.
    pub(super) requests: AtomicU64,
    /// Whether no more are to be sent, whatever the time.
    pub(super) stopped: AtomicBool,
}

/// What came of asking a record.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The model of this id answered, or refused the record.
    Line(String, Result<Answer, RecordFailure>),
    /// There was no time left; the latest failure, if it was sent.
    GivenUp(Option<RecordFailure>),
    /// All models are refused.
    NoModel,
    /// We are refused ourselves.
    Refused(EngineError),
}

impl Asker {
    /// Asks a record, as often as it takes.
    pub(super) async fn ask(&self, record: &Record) -> Outcome {
        let mut attempts = 0;
        let mut latest = None;
        loop {
            if self.models.current().is_none() {
                return Outcome::NoModel;
            }
            if !self.may_send().await {
                return Outcome::GivenUp(latest);
            }
            // Read after the wait: somebody else's request may have been refused meanwhile.
            let Some((place, model)) = self.models.current() else {
                return Outcome::NoModel;
            };
            self.requests.fetch_add(1, Ordering::Relaxed);
            let sent = send(&self.client, self.invocation, &model.id, record.model_input());
            let refusal = match timeout_at(self.times.waits_until, sent).await {
                Ok(Ok(body)) => {
                    model.note_answer();
                    return Outcome::Line(model.id.clone(), Answer::read(body));
                }
                Ok(Err(error)) => refusal::read(&error, model.answers()),
                Err(_) => return Outcome::GivenUp(Some(cut_off())),
            };
            match refusal {
                Refusal::Model(code, message) => self.models.refuse(place, &code, &message),
                Refusal::Record(failure) => return Outcome::Line(model.id.clone(), Err(failure)),
                Refusal::Caller(error) => return Outcome::Refused(error),
                Refusal::Passing(failure, asked_for) => {
                    attempts += 1;
                    let timed_out = failure.error_code == TIMED_OUT;
                    tracing::debug!(code = failure.error_code, attempts, "to be sent again");
                    if attempts >= if timed_out { MOST_TIMED_OUT_ATTEMPTS } else { MOST_ATTEMPTS } {
                        return Outcome::Line(model.id.clone(), Err(failure));
                    }
                    latest = Some(failure);
                    // Whoever has to wait beyond the end keeps his place until then: somebody else in it would be
                    // asked of a server that asks for patience.
                    let until = Instant::now() + wait(attempts, asked_for, fastrand::f64());
                    sleep_until(until.min(self.times.asks_until)).await;
                }
            }
        }
    }

    /// Sends no more requests.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Whether requests may be sent.
    pub(super) fn is_open(&self) -> bool {
        Instant::now() < self.times.asks_until && !self.stopped.load(Ordering::Relaxed)
    }

    /// Waits for a turn; false if no request may be sent any more.
    async fn may_send(&self) -> bool {
        self.is_open() && timeout_at(self.times.asks_until, self.pace.turn()).await.is_ok() && self.is_open()
    }
}

fn cut_off() -> RecordFailure {
    let error_message = "the model did not answer before the end of the function's time".to_owned();
    RecordFailure { error_code: TIMED_OUT, error_message, retryable: true }
}
