//! The work of one invocation: records are handed to so many workers, their answers are stored in parts.

use super::answer_line::{self, Answer, RecordFailure};
use super::asker::{Asker, Outcome};
use super::parts::Part;
use super::records::Record;
use super::times::Times;
use crate::error::EngineError;
use crate::job_table::{JobTable, RunItem};
use bedrock_batch_domain::plan::JobItem;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

/// How long nobody else may ask the job's rows, should this invocation die without a word.
pub(super) const LEASE: Duration = Duration::from_secs(15);
/// How often that is renewed, and looked whether anybody still wants the answers.
pub(super) const LOOKS_EVERY: Duration = Duration::from_secs(3);

/// What all of it needs.
#[derive(Debug)]
pub(super) struct Work<'a> {
    pub(super) run_id: &'a str,
    pub(super) job: &'a JobItem,
    pub(super) jobs: &'a JobTable,
    /// Who had the run in hand when the invocation began.
    pub(super) owner: Option<RunItem>,
    /// The invocation in whose name the rows are asked.
    pub(super) asking_as: &'a str,
    pub(super) next_look: Instant,
    pub(super) asker: Arc<Asker>,
    pub(super) workers: usize,
    pub(super) part: Part,
    /// Records that have a line: those of earlier invocations, and those of this one.
    pub(super) before: u64,
    pub(super) written: u64,
    /// Of those, the ones without an answer.
    pub(super) failed: u64,
    /// Records that were given up for want of time, with their latest failures.
    pub(super) given_up: Vec<(Record, Option<RecordFailure>)>,
    /// Why the invocation ends before its time.
    pub(super) trouble: Option<EngineError>,
}

impl Work<'_> {
    /// Asks `records` until they or the time are over; true if all have a line.
    pub(super) async fn answer(
        &mut self,
        mut records: mpsc::Receiver<Result<Record, EngineError>>,
    ) -> Result<bool, EngineError> {
        let Times { asks_until, waits_until } = self.asker.times;
        let mut tasks = JoinSet::new();
        let mut more = true;
        loop {
            let wanted = more && self.asker.is_open();
            if !wanted && tasks.is_empty() {
                break;
            }
            let due = self.part.due();
            tokio::select! {
                record = records.recv(), if wanted && tasks.len() < self.workers => match record {
                    Some(Ok(record)) => {
                        let asker = Arc::clone(&self.asker);
                        tasks.spawn(async move { (asker.ask(&record).await, record) });
                    }
                    Some(Err(error)) => self.end_with(error),
                    None => more = false,
                },
                Some(done) = tasks.join_next() => {
                    self.take(done).unwrap_or_else(|error| self.end_with(error));
                }
                () = sleep_until(due.unwrap_or(waits_until)), if due.is_some() && self.trouble.is_none() => {
                    self.store().await.unwrap_or_else(|error| self.end_with(error));
                }
                () = sleep_until(self.next_look) => self.look().await.unwrap_or_else(|error| self.end_with(error)),
                () = sleep_until(asks_until), if wanted => {}
            }
        }
        // Those under way when there was trouble were answered (and paid) all the same, and a part that could not be
        // stored has another try.
        self.note_failures_for_want_of_answers()?;
        self.store().await?;
        match self.trouble.take() {
            Some(trouble) => Err(trouble),
            None => Ok(!more && self.given_up.is_empty()),
        }
    }

    fn end_with(&mut self, trouble: EngineError) {
        self.asker.stop();
        self.trouble.get_or_insert(trouble);
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
                let why = self.asker.models.why_none();
                if self.job.round == 0 {
                    // Nothing but this model could be asked in the first place: the user has to know.
                    self.end_with(EngineError::job_failed(why));
                    return Ok(());
                }
                // A repetition never costs a run what it has. Once access is granted, the rows may be asked again.
                let failure = RecordFailure { error_code: 403, error_message: why, retryable: true };
                let model_id = self.asker.models.last_id().to_owned();
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

    /// An invocation in which nobody was answered leaves the failures of those whom it asked as their lines: another one
    /// would fare no better, and so on without end. Later rounds may ask them again.
    fn note_failures_for_want_of_answers(&mut self) -> Result<(), EngineError> {
        if self.written > 0 || self.trouble.is_some() {
            return Ok(());
        }
        let model_id = self.asker.models.current().map_or("", |(_, model)| &model.id).to_owned();
        for (record, latest) in std::mem::take(&mut self.given_up) {
            match latest {
                Some(failure) => self.write(&record, &model_id, &Err(failure))?,
                None => self.given_up.push((record, None)),
            }
        }
        Ok(())
    }

    /// Stores the part, says how far the job is, and looks whether to go on.
    async fn store(&mut self) -> Result<(), EngineError> {
        if self.part.due().is_none() {
            return Ok(());
        }
        self.part.store().await?;
        self.jobs.record_progress(&self.job.name, self.before + self.written).await?;
        self.look().await
    }

    /// Looks whether anybody still wants the answers: an execution that is stopped does not end a function that is
    /// running, and every request is paid.
    async fn look(&mut self) -> Result<(), EngineError> {
        self.next_look = Instant::now() + LOOKS_EVERY;
        let leased = self.jobs.lease(&self.job.name, self.asking_as, LEASE).await?;
        let run = self.jobs.run(self.run_id).await?;
        let same = |now: &RunItem| !now.stopped && self.owner.as_ref().is_none_or(|then| then == now);
        if (!leased || !run.as_ref().is_none_or(same)) && self.asker.is_open() {
            tracing::warn!(run_id = self.run_id, name = self.job.name, "the run was stopped, or somebody took it over");
            self.asker.stop();
        }
        Ok(())
    }

    /// Counts, for the log.
    pub(super) fn log(&self, done: bool) {
        tracing::info!(
            run_id = self.run_id,
            name = self.job.name,
            before = self.before,
            written = self.written,
            failed = self.failed,
            given_up = self.given_up.len(),
            requests = self.asker.requests.load(Ordering::Relaxed),
            done,
            "asked on demand"
        );
    }
}
