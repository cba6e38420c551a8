//! Reconcile: settles jobs whose events were lost. Events of Bedrock and of ended executions are delivered on a best-effort
//! basis, so open jobs without an update for some time are checked on a schedule. Jobs that do not end within their timeout are
//! stopped here too, so that they cost their rows a retry and not the run.

use crate::bedrock_jobs::{find_jobs, stop_job};
use crate::error::EngineError;
use crate::job_table::{CorruptItem, StoredItem, StoredJob};
use crate::settle::{SeenJob, Settler};
use crate::sweep::{SweepTime, sweep};
use aws_smithy_types::DateTime;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bedrock_batch_domain::ids::{ExecutionArn, JobArn, JobName, RunId};
use bedrock_batch_domain::job::{Action, LateAction, late_action};
use bedrock_batch_domain::run::is_running;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Result of a check of the open jobs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Reconciled {
    /// Number of open jobs that had been silent, as far as they were reached.
    pub open: u64,
    /// Number of those whose status had changed.
    pub settled: u64,
    /// Number of those that were stopped because no execution waits for them any more.
    pub stopped: u64,
    /// Number of those that could not be checked.
    pub failed: u64,
    /// Number of open jobs that were not reached in time. The next check begins with them.
    #[serde(skip_serializing_if = "is_zero")]
    pub left: u64,
    /// Age of the oldest of those that Bedrock reports as open, since it was submitted, in seconds.
    #[serde(skip_serializing_if = "is_zero")]
    pub oldest_seconds: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Checks the open jobs.
#[derive(Debug, Clone)]
pub struct Reconciler {
    /// Settler, with its clients.
    pub settler: Settler,
    /// Time without an update after which a job is checked.
    pub silence: Duration,
}

/// Time after which an execution that had ended is looked at again: it may be redriven at any moment, and its jobs must not be
/// stopped then.
const RECHECK_ENDED_AFTER: Duration = Duration::from_secs(5);

/// State that the checks of one sweep share.
#[derive(Debug, Default)]
struct SweepState {
    /// For each execution, what was read last.
    running: Mutex<HashMap<ExecutionArn, Arc<Mutex<Option<ReadStatus>>>>>,
    /// Age of the oldest job that Bedrock reports as open, in seconds; 0 without one.
    oldest_seconds: AtomicU64,
}

impl SweepState {
    /// Notes a job that was checked.
    fn saw(&self, seen: &SeenJob, now: i64) {
        if !seen.observed.status.is_terminal() {
            let age = u64::try_from(now.saturating_sub(seen.submitted_at)).unwrap_or_default();
            self.oldest_seconds.fetch_max(age, Ordering::Relaxed);
        }
    }
}

/// Status of an execution, and the time at which it was read.
#[derive(Debug, Clone, Copy)]
struct ReadStatus {
    is_running: bool,
    read_at: Instant,
}

impl ReadStatus {
    /// Returns true unless it has to be read again. One that has ended since is noticed by the next sweep.
    fn is_current(self) -> bool {
        self.is_running || self.read_at.elapsed() < RECHECK_ENDED_AFTER
    }
}

type Silent = Result<StoredJob, CorruptItem>;

impl Reconciler {
    /// Settles the open jobs that have been silent, several at a time, the longest silent first. One that cannot be checked
    /// does not delay the others.
    ///
    /// # Errors
    /// Returns an error if the open jobs cannot be listed.
    pub async fn run(&self, time: SweepTime) -> Result<Reconciled, EngineError> {
        let mut done = Reconciled::default();
        let state = Arc::new(SweepState::default());
        let mut pages = self.settler.jobs.silent_for(self.silence);
        while time.is_open()
            && let Some(page) = pages.next().await?
        {
            // Only jobs are ever open.
            let page: Vec<Silent> =
                page.into_iter().filter_map(|item| item.map(StoredItem::into_job).transpose()).collect();
            let on_page = page.len() as u64;
            let found = Arc::new(self.arns_of(&page).await);
            let check = |job: Silent| {
                let (reconciler, state, found) = (self.clone(), Arc::clone(&state), Arc::clone(&found));
                async move { reconciler.check_in_turn(job, &state, found.as_ref().as_ref()).await }
            };
            let left = sweep(page, time, check, |check| done.count(check)).await;
            done.open += on_page - left;
            done.left += left;
        }
        done.left += pages.count_left().await?;
        done.oldest_seconds = state.oldest_seconds.load(Ordering::Relaxed);
        let Reconciled { open, settled, stopped, failed, left, oldest_seconds } = done;
        if oldest_seconds > 0 {
            // A metric is made of this line.
            tracing::info!(age_seconds = oldest_seconds, "oldest_open_job");
        }
        if left > 0 {
            tracing::warn!(open, settled, stopped, failed, left, "open_jobs_left");
        } else if open > 0 {
            tracing::info!(open, settled, stopped, failed, "open_jobs_reconciled");
        }
        Ok(done)
    }

    /// Finds the jobs without a stored ARN, with one listing. `None` if that fails.
    async fn arns_of(&self, page: &[Silent]) -> Option<HashMap<JobName, JobArn>> {
        let without = page.iter().flatten().filter(|job| job.job_arn.is_none() && job.fallback.is_none());
        let names: HashMap<JobName, RunId> = without.map(|job| (job.name.clone(), job.run_id.clone())).collect();
        let found = find_jobs(&self.settler.bedrock, &names).await;
        found.inspect_err(|error| tracing::warn!(error_type = error.name(), "jobs_not_found")).ok()
    }

    async fn check_in_turn(&self, job: Silent, state: &SweepState, found: Option<&HashMap<JobName, JobArn>>) -> Check {
        let key = match &job {
            Ok(job) => job.name.to_string(),
            Err(corrupt) => corrupt.key.clone(),
        };
        let checked = match self.settler.jobs.note_check(&key).await {
            Ok(()) => match job {
                Ok(job) => self.check(&job, state, found).await,
                Err(corrupt) => Err(corrupt.error),
            },
            Err(error) => Err(error),
        };
        checked.unwrap_or_else(|error| {
            tracing::warn!(name = key, error_type = error.name(), "job_not_reconciled");
            Check::Failed
        })
    }

    async fn check(
        &self,
        job: &StoredJob,
        state: &SweepState,
        found: Option<&HashMap<JobName, JobArn>>,
    ) -> Result<Check, EngineError> {
        let arn = match (&job.job_arn, found) {
            (Some(arn), _) => Some(arn),
            (None, Some(found)) => found.get(&job.name),
            (None, None) => return Ok(Check::Failed),
        };
        // The run may have been resumed by another execution, which has not reached this job yet.
        let run = self.settler.jobs.run(&job.run_id).await?;
        let owner = run.as_ref().map_or(&job.execution_arn, |run| &run.execution_arn);
        if self.runs(&job.execution_arn, state).await? || self.runs(owner, state).await? {
            let settled = self.settler.settle_and_see(&job.name, arn).await?;
            settled.seen.iter().for_each(|seen| state.saw(seen, DateTime::from(SystemTime::now()).secs()));
            return match settled.seen {
                Some(seen) if job.unanswered_token().is_some() => {
                    self.check_late(job, arn, settled.action, &seen).await
                }
                _ => Ok(Check::of(settled.action)),
            };
        }
        // No execution waits any more, and the event that should have stopped the run was lost. Without an item, no execution
        // has ever owned the run.
        if run.is_some() && !self.settler.jobs.stop_run(&job.run_id, owner).await? {
            // Another execution has acquired the run since, and waits for this job.
            return Ok(Check::Nothing);
        }
        let stopped = match arn {
            Some(arn) => stop_job(&self.settler.bedrock, &job.name, arn).await?,
            None => false,
        };
        if arn.is_some() {
            self.settler.settle(&job.name, arn).await?;
        } else if let Some(token) = &job.task_token {
            // It was never created.
            self.settler.jobs.mark_answered(&job.name, token).await?;
        }
        Ok(if stopped { Check::Orphan } else { Check::News })
    }

    /// Stops a job that Bedrock still reports as running long after its timeout; later, lets its run continue without its end.
    async fn check_late(
        &self,
        job: &StoredJob,
        arn: Option<&JobArn>,
        action: Action,
        seen: &SeenJob,
    ) -> Result<Check, EngineError> {
        let (run_id, name, now) = (&job.run_id, &job.name, DateTime::from(SystemTime::now()).secs());
        // A terminal status that is stored counts more than an outdated response.
        let status = job.status.filter(|status| status.is_terminal()).unwrap_or(seen.observed.status);
        match (late_action(status, seen.expires_at, job.late_stop_at, now), arn) {
            (LateAction::Wait, _) | (LateAction::Stop, None) => Ok(Check::of(action)),
            (LateAction::Stop, Some(arn)) => {
                let was_running = stop_job(&self.settler.bedrock, name, arn).await?;
                // Also if Bedrock refuses to stop it: otherwise the run would wait for it for ever.
                self.settler.jobs.note_late_stop(run_id, name, now).await?;
                tracing::warn!(%run_id, %name, %status, was_running, "late_job_stopped");
                Ok(Check::News)
            }
            (LateAction::GiveUp, _) => {
                tracing::warn!(%run_id, %name, %status, "late_job_given_up");
                self.settler.give_up(job).await?;
                Ok(Check::News)
            }
        }
    }

    /// Returns true if the execution is still running. One that Step Functions has forgotten is not.
    async fn runs(&self, execution_arn: &ExecutionArn, state: &SweepState) -> Result<bool, EngineError> {
        let cell = Arc::clone(state.running.lock().await.entry(execution_arn.clone()).or_default());
        // Held while it is read, so that the checks of one moment read it once.
        let mut known = cell.lock().await;
        if let Some(known) = known.filter(|known| known.is_current()) {
            return Ok(known.is_running);
        }
        let (read_at, status) = (Instant::now(), execution_status(&self.settler.step_functions, execution_arn).await?);
        let is_running = status.as_deref().is_some_and(is_running);
        *known = Some(ReadStatus { is_running, read_at });
        Ok(is_running)
    }
}

impl Reconciled {
    fn count(&mut self, check: Check) {
        match check {
            Check::Nothing => {}
            Check::News => self.settled += 1,
            Check::Orphan => self.stopped += 1,
            Check::Failed => self.failed += 1,
        }
    }
}

/// Result of checking one job.
#[derive(Debug, Clone, Copy)]
enum Check {
    /// Its status is unchanged.
    Nothing,
    /// Its status has changed.
    News,
    /// It was stopped, because no execution waits for it.
    Orphan,
    /// It could not be checked.
    Failed,
}

impl Check {
    fn of(action: Action) -> Self {
        if action == Action::Nothing { Self::Nothing } else { Self::News }
    }
}

/// Returns the status of an execution, or `None` if Step Functions does not know it (any more).
///
/// # Errors
/// Returns an error if the Step Functions request fails.
pub(crate) async fn execution_status(
    client: &aws_sdk_sfn::Client,
    execution_arn: &ExecutionArn,
) -> Result<Option<String>, EngineError> {
    match client.describe_execution().execution_arn(execution_arn.as_str()).send().await {
        Ok(execution) => Ok(Some(execution.status().as_str().to_owned())),
        Err(error) if matches!(error.code(), Some("ExecutionDoesNotExist" | "InvalidArn")) => Ok(None),
        Err(error) => Err(EngineError::from_aws(format!("cannot read execution {execution_arn}"), &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_execution_that_had_ended_may_be_redriven_during_a_sweep() {
        let [ended, running] = [false, true].map(|is_running| ReadStatus { is_running, read_at: Instant::now() });
        assert!(ended.is_current() && running.is_current());
        tokio::time::advance(RECHECK_ENDED_AFTER).await;
        assert!(!ended.is_current() && running.is_current());
    }
}
