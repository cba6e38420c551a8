//! Work of one invocation: records are processed by concurrent workers, and their answers are stored in parts.

use super::answer_line::{self, Answer, RecordFailure};
use super::parts::Part;
use super::record_invoker::{Outcome, RecordInvoker};
use super::records::Record;
use super::times::Times;
use crate::error::EngineError;
use crate::job_table::{JobTable, RunItem};
use bedrock_batch_domain::ids::RunId;
use bedrock_batch_domain::plan::JobItem;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

/// Duration of the lease of the job's rows, in case this invocation dies without releasing it.
pub(super) const LEASE: Duration = Duration::from_secs(15);
/// Interval at which the lease is renewed, and the owner of the run checked.
pub(super) const CHECK_INTERVAL: Duration = Duration::from_secs(3);

/// State of the work.
#[derive(Debug)]
pub(super) struct Work<'a> {
    pub(super) run_id: &'a RunId,
    pub(super) job: &'a JobItem,
    pub(super) jobs: &'a JobTable,
    /// Item of the run when the invocation started.
    pub(super) owner: Option<RunItem>,
    /// Identity of this invocation, which holds the lease of the rows.
    pub(super) lease_holder: &'a str,
    pub(super) next_check: Instant,
    pub(super) record_invoker: Arc<RecordInvoker>,
    pub(super) workers: usize,
    pub(super) part: Part,
    /// Number of records with a line of an earlier invocation.
    pub(super) before: u64,
    /// Number of records with a line of this invocation.
    pub(super) written: u64,
    /// Number of those without an answer.
    pub(super) failed: u64,
    /// Records that were abandoned for lack of time, with their latest failures.
    pub(super) given_up: Vec<(Record, Option<RecordFailure>)>,
    /// Error that ends the invocation early.
    pub(super) error: Option<EngineError>,
}

impl Work<'_> {
    /// Sends `records` until they or the time are over; returns true if all have a line.
    pub(super) async fn answer(
        &mut self,
        mut records: mpsc::Receiver<Result<Record, EngineError>>,
    ) -> Result<bool, EngineError> {
        let Times { send_until, wait_until } = self.record_invoker.times;
        let mut tasks = JoinSet::new();
        let mut more = true;
        loop {
            let continues = more && self.record_invoker.is_open();
            if !continues && tasks.is_empty() {
                break;
            }
            let due = self.part.due();
            tokio::select! {
                record = records.recv(), if continues && tasks.len() < self.workers => match record {
                    Some(Ok(record)) => {
                        let record_invoker = Arc::clone(&self.record_invoker);
                        tasks.spawn(async move { (record_invoker.invoke(&record).await, record) });
                    }
                    Some(Err(error)) => self.end_with(error),
                    None => more = false,
                },
                Some(done) = tasks.join_next() => {
                    self.take(done).unwrap_or_else(|error| self.end_with(error));
                }
                () = sleep_until(due.unwrap_or(wait_until)), if due.is_some() && self.error.is_none() => {
                    self.store().await.unwrap_or_else(|error| self.end_with(error));
                }
                () = sleep_until(self.next_check) => self.check_ownership().await.unwrap_or_else(|error| self.end_with(error)),
                () = sleep_until(send_until), if continues => {}
            }
        }
        // Requests that were in progress when an error occurred were answered (and charged) nevertheless, and a part that
        // could not be stored gets another attempt.
        self.write_failures_if_nothing_was_answered()?;
        self.store().await?;
        match self.error.take() {
            Some(error) => Err(error),
            None => Ok(!more && self.given_up.is_empty()),
        }
    }

    fn end_with(&mut self, error: EngineError) {
        self.record_invoker.stop();
        self.error.get_or_insert(error);
    }

    fn take(&mut self, done: Result<(Outcome, Record), JoinError>) -> Result<(), EngineError> {
        let (outcome, record) = done.map_err(|error| EngineError::died("a request", error))?;
        match outcome {
            Outcome::Line(model_id, answer) => self.write(&record, &model_id, &answer),
            Outcome::GivenUp(latest) => {
                self.given_up.push((record, latest));
                Ok(())
            }
            Outcome::Refused(error) => {
                self.end_with(error);
                Ok(())
            }
            Outcome::NoModel => {
                let message = self.record_invoker.models.refusal_message();
                if self.job.round == 0 {
                    // No other model can be invoked in the first round: the user must learn of it.
                    self.end_with(EngineError::job_failed(message));
                    return Ok(());
                }
                // A retry never loses the answers that a run has. Once access is granted, the rows may be sent again.
                let failure = RecordFailure { error_code: 403, error_message: message, retryable: true };
                let model_id = self.record_invoker.models.last_id().to_owned();
                self.write(&record, &model_id, &Err(failure))
            }
        }
    }

    fn write(
        &mut self,
        record: &Record,
        model_id: &str,
        answer: &Result<Answer, RecordFailure>,
    ) -> Result<(), EngineError> {
        self.part.add(|out| answer_line::write(out, record, model_id, answer))?;
        self.written += 1;
        self.failed += u64::from(answer.is_err());
        Ok(())
    }

    /// Writes the failures of the sent records as their lines if no record was answered: another invocation would not do any
    /// better, and so on without end. Later rounds may send them again.
    fn write_failures_if_nothing_was_answered(&mut self) -> Result<(), EngineError> {
        if self.written > 0 || self.error.is_some() {
            return Ok(());
        }
        let model_id = self.record_invoker.models.current().map_or("", |(_, model)| &model.id).to_owned();
        for (record, latest) in std::mem::take(&mut self.given_up) {
            match latest {
                Some(failure) => self.write(&record, &model_id, &Err(failure))?,
                None => self.given_up.push((record, None)),
            }
        }
        Ok(())
    }

    /// Stores the part, records the progress of the job, and checks the owner of the run.
    async fn store(&mut self) -> Result<(), EngineError> {
        if self.part.due().is_none() {
            return Ok(());
        }
        self.part.store().await?;
        self.jobs.record_progress(self.run_id, &self.job.name, self.before + self.written).await?;
        self.check_ownership().await
    }

    /// Renews the lease and stops sending if the run was stopped or has another owner: stopping an execution does not end a
    /// running function, and every request is charged.
    async fn check_ownership(&mut self) -> Result<(), EngineError> {
        self.next_check = Instant::now() + CHECK_INTERVAL;
        let leased = self.jobs.lease(self.run_id, &self.job.name, self.lease_holder, LEASE).await?;
        let run = self.jobs.run(self.run_id).await?;
        let is_unchanged = |now: &RunItem| !now.stopped && self.owner.as_ref().is_none_or(|then| then == now);
        if (!leased || !run.as_ref().is_none_or(is_unchanged)) && self.record_invoker.is_open() {
            tracing::warn!(run_id = %self.run_id, name = %self.job.name, "run_stopped_or_taken_over");
            self.record_invoker.stop();
        }
        Ok(())
    }

    /// Logs the numbers of records and requests.
    pub(super) fn log(&self, done: bool) {
        tracing::info!(
            run_id = %self.run_id,
            name = %self.job.name,
            before = self.before,
            written = self.written,
            failed = self.failed,
            given_up = self.given_up.len(),
            requests = self.record_invoker.requests.load(Ordering::Relaxed),
            done,
            "job_invocation_ended"
        );
    }
}
