//! Settle: updates the stored state of a job to that at Bedrock, and answers the state machine that waits for it.
//!
//! The same code is used by submit (the job may already be over), for the events of jobs, and by the reconciler after lost
//! events. It may run late, twice and concurrently with itself: an event is only the trigger, the job is read from Bedrock;
//! writes are conditional; and answering a state machine twice counts as success.

use crate::bedrock_jobs::is_of_run;
use crate::error::{AwsOperation, EngineError, ErrorKind, chain};
use crate::job_table::{Fallback, JobTable, Observed, StoredJob};
use crate::metrics;
use aws_sdk_bedrock::Client as Bedrock;
use aws_sdk_sfn::Client as StepFunctions;
use aws_sdk_sfn::error::SdkError;
use aws_smithy_types::DateTime;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bedrock_batch_domain::contract::metrics::JOBS_ENDED;
use bedrock_batch_domain::error_name::ErrorName;
use bedrock_batch_domain::ids::{JobArn, JobName};
use bedrock_batch_domain::job::{
    Action, FailureKind, JobStatus, Stored, UnknownFailure, classify_failure, expiry, next_action, remedy,
};
use bedrock_batch_domain::printable;
use serde_json::json;
use std::fmt::Write;

/// Maximum number of characters of Bedrock's message in a cause, so that there is room for the remedy.
const MAX_MESSAGE_CHARS: usize = 4000;
/// Stored in place of Bedrock's message about a job whose end is no longer waited for.
const GIVEN_UP: &str = "the job had not ended an hour after it was stopped because its timeout was over";

/// Settles jobs.
#[derive(Debug, Clone)]
pub struct Settler {
    /// Job table.
    pub jobs: JobTable,
    /// Client of Bedrock's control plane.
    pub bedrock: Bedrock,
    /// Step Functions client.
    pub step_functions: StepFunctions,
}

/// Result of settling a job.
#[derive(Debug, Clone)]
pub(crate) struct Settled {
    /// Action that was performed.
    pub(crate) action: Action,
    /// The job at Bedrock; `None` if it was not read.
    pub(crate) seen: Option<SeenJob>,
}

/// Job as read from Bedrock.
#[derive(Debug, Clone)]
pub(crate) struct SeenJob {
    pub(crate) observed: Observed,
    /// Time at which it was submitted, in seconds since 1970.
    pub(crate) submitted_at: i64,
    /// Time at which it expires, in seconds since 1970.
    pub(crate) expires_at: i64,
}

impl From<Action> for Settled {
    fn from(action: Action) -> Self {
        Self { action, seen: None }
    }
}

impl Settler {
    /// Settles the job `name`. `arn_hint` is its ARN from an event, in case the job exists but its ARN is not stored yet. Jobs
    /// that are not in the table are ignored.
    ///
    /// # Errors
    /// Returns an error if a request to Bedrock, DynamoDB or Step Functions fails, or the item is corrupt; settling again is
    /// always safe.
    pub async fn settle(&self, name: &JobName, arn_hint: Option<&JobArn>) -> Result<Action, EngineError> {
        Ok(self.settle_and_see(name, arn_hint).await?.action)
    }

    /// Does the same, and returns the job as Bedrock reports it.
    pub(crate) async fn settle_and_see(
        &self,
        name: &JobName,
        arn_hint: Option<&JobArn>,
    ) -> Result<Settled, EngineError> {
        let Some(stored) = self.jobs.get(name).await? else {
            tracing::debug!(%name, "unknown_job_ignored");
            return Ok(Action::Nothing.into());
        };
        if let Some(fallback) = stored.fallback.clone() {
            if stored.unanswered_token().is_none() {
                return Ok(Action::Nothing.into());
            }
            tracing::info!(%name, "fallback_repeated");
            self.fall_back(&stored, fallback).await?;
            return Ok(Action::FallBack.into());
        }
        let Some(arn) = stored.job_arn.clone().or_else(|| arn_hint.cloned()) else {
            return Ok(Action::Nothing.into());
        };
        let Some(seen) = self.observe(&stored, &arn).await? else {
            tracing::warn!(run_id = %stored.run_id, %name, %arn, "job_of_another_owner_ignored");
            return Ok(Action::Nothing.into());
        };
        if stored.job_arn.is_none() {
            let known = self.jobs.set_arn(&stored.run_id, name, &arn).await?;
            if known != arn {
                // Another attempt has just stored the one that counts.
                tracing::warn!(run_id = %stored.run_id, %name, %arn, "second_job_ignored");
                return Ok(Action::Nothing.into());
            }
        }
        let action = self.settle_observed(&stored, &seen.observed).await?;
        Ok(Settled { action, seen: Some(seen) })
    }

    /// Settles a job that Bedrock reports as `seen`.
    async fn settle_observed(&self, stored: &StoredJob, seen: &Observed) -> Result<Action, EngineError> {
        let name = &stored.name;
        // Only the final message counts; an earlier one may be about something else.
        let known = stored.message.clone().filter(|_| stored.status.is_some_and(JobStatus::is_terminal));
        let message = known.or_else(|| seen.message.clone()).unwrap_or_default();
        let before = Stored {
            status: stored.status,
            waiting: stored.unanswered_token().is_some(),
            on_demand_allowed: stored.on_demand_allowed,
        };
        let mut action = next_action(seen.status, classify_failure(&message), before);
        let mut alike = None;
        let has_failed =
            stored.status.filter(|status| status.is_terminal()).unwrap_or(seen.status) == JobStatus::Failed;
        if action == Action::Succeed && has_failed && classify_failure(&message) == FailureKind::Unknown {
            alike = self.failures_that_end_run(stored, &message).await?;
            if alike.is_some() {
                action = next_action(seen.status, FailureKind::Permanent, before);
            }
        }
        tracing::info!(%name, status = %seen.status, action = ?action, "job_settled");
        if action != Action::Nothing && self.jobs.record(&stored.run_id, name, seen).await? && seen.status.is_terminal()
        {
            metrics::record(&JOBS_ENDED, seen.status.name(), 1.0);
        }
        if seen.status.is_terminal() {
            // Before the state machine is answered: until then, the job is looked at again if this function dies.
            let released = self.jobs.change_job_places(&stored.model_id, |places| places.release(name)).await;
            match released {
                // Places that cannot be read keep jobs from beginning, and none from its end.
                Err(error) if *error.kind() == ErrorKind::Corrupt => {
                    tracing::warn!(%name, error_type = error.name(), "place_not_released");
                }
                released => drop(released?),
            }
        }
        match action {
            Action::Nothing | Action::Record => {}
            Action::Heartbeat => self.heartbeat(stored).await,
            Action::Succeed => self.succeed(stored, seen.status).await?,
            Action::FallBack => self.fall_back(stored, Fallback { reason: message, refused: true }).await?,
            Action::Fail => self.fail(stored, &message, alike).await?,
        }
        Ok(action)
    }

    /// Notes that a job failed with a message that is not known. Returns the number of such failures if they end the run.
    async fn failures_that_end_run(&self, stored: &StoredJob, message: &str) -> Result<Option<usize>, EngineError> {
        let failure = UnknownFailure::new(&stored.name, message);
        let ends = failure.ends_run(&self.jobs.note_unknown_failure(&stored.run_id, &failure).await?);
        let shown = printable::shortened(message, MAX_MESSAGE_CHARS);
        tracing::warn!(run_id = %stored.run_id, name = %stored.name, message = shown, ends_run = ends.is_some(), "job_failed_unknown");
        Ok(ends)
    }

    /// Lets the state machine continue without the end of a job that does not stop. Its rows have the answers that exist, and the
    /// ones that come later are joined by any later join.
    pub(crate) async fn give_up(&self, job: &StoredJob) -> Result<(), EngineError> {
        let observed = Observed { status: JobStatus::Stopped, message: Some(GIVEN_UP.to_owned()), processed: None };
        self.jobs.record(&job.run_id, &job.name, &observed).await?;
        self.succeed(job, JobStatus::Stopped).await
    }

    /// Reads a job's state at Bedrock; returns `None` if the job belongs to another run or program.
    async fn observe(&self, stored: &StoredJob, arn: &JobArn) -> Result<Option<SeenJob>, EngineError> {
        let name = &stored.name;
        let job = self.bedrock.get_model_invocation_job().job_identifier(arn.as_str()).send().await;
        let job = job.map_err(|error| EngineError::from_aws(format!("cannot read Bedrock job {name}"), &error))?;
        // A stored ARN is ours; that of an event only has the name.
        if stored.job_arn.is_none() && !is_of_run(job.client_request_token(), &stored.run_id, name) {
            return Ok(None);
        }
        let expires_at = job.job_expiration_time().map(DateTime::secs);
        let submitted_at = job.submit_time().secs();
        let expires_at = expiry(submitted_at, job.timeout_duration_in_hours(), expires_at);
        let observed = Observed {
            status: job.status().map_or(JobStatus::Unknown, |status| JobStatus::parse(status.as_str())),
            message: job.message().filter(|message| !message.is_empty()).map(str::to_owned),
            processed: job.processed_record_count().and_then(|n| u64::try_from(n).ok()),
        };
        Ok(Some(SeenJob { observed, submitted_at, expires_at }))
    }

    /// Notes that the rows of a job are sent on demand, and lets the state machine continue.
    pub(crate) async fn fall_back(&self, job: &StoredJob, fallback: Fallback) -> Result<(), EngineError> {
        self.jobs.fall_back(&job.run_id, &job.name, &fallback).await?;
        self.succeed(job, JobStatus::Failed).await
    }

    /// Sends a heartbeat to the state machine. A refusal may mean that its execution has ended; only the reconciler checks
    /// that, and stops the job.
    async fn heartbeat(&self, job: &StoredJob) {
        let Some(token) = &job.task_token else { return };
        let sent = self.step_functions.send_task_heartbeat().task_token(token).send().await;
        if let Err(error) = sent {
            tracing::warn!(name = %job.name, error = printable::line(&chain(&error)), "heartbeat_refused");
        }
    }

    async fn succeed(&self, job: &StoredJob, status: JobStatus) -> Result<(), EngineError> {
        let Some(token) = &job.task_token else { return Ok(()) };
        let output = json!({"job_name": job.name, "status": status.name()}).to_string();
        let sent = self.step_functions.send_task_success().task_token(token).output(output).send().await;
        self.answered(job, token, sent.map(|_| ())).await
    }

    /// Ends the run with Bedrock's message; `alike` is the number of failures with messages that are not known, if they end it.
    async fn fail(&self, job: &StoredJob, message: &str, alike: Option<usize>) -> Result<(), EngineError> {
        let shown = printable::shortened(message, MAX_MESSAGE_CHARS);
        let mut cause = format!("Bedrock job {} failed: {shown}", job.name);
        if let Some(alike) = alike {
            let _ = write!(
                cause,
                "; {alike} jobs of the run failed like this, with a message that is not known: look for their common cause, \
                 then resume the run"
            );
        }
        let remedy = remedy(message);
        if !remedy.is_empty() {
            cause.push_str("; ");
            cause.push_str(remedy);
        }
        let failure = EngineError::job_failed(cause);
        let cause = failure.message();
        self.jobs.record_failure(&job.run_id, (&job.name, job.index), None, &failure).await?;
        let Some(token) = &job.task_token else { return Ok(()) };
        let failure = self.step_functions.send_task_failure().task_token(token);
        let sent = failure.error(ErrorName::JobFailed.as_str()).cause(cause).send().await;
        self.answered(job, token, sent.map(|_| ())).await
    }

    /// Ignores refused answers: the token was already answered, or its execution has ended.
    async fn answered<E: AwsOperation>(
        &self,
        job: &StoredJob,
        token: &str,
        sent: Result<(), SdkError<E>>,
    ) -> Result<(), EngineError> {
        if let Err(error) = sent {
            let closed = ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"];
            if !error.code().is_some_and(|code| closed.contains(&code)) {
                return Err(EngineError::from_aws(format!("cannot answer for job {}", job.name), &error));
            }
            tracing::info!(name = %job.name, code = error.code(), "task_already_answered");
        }
        self.jobs.mark_answered(&job.name, token).await
    }
}
