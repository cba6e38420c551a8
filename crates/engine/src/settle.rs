//! Settle: updates the stored state of a job to that at Bedrock, and answers the state machine that waits for it.
//!
//! The same code is used by submit (the job may already be over), for the events of jobs, and by the reconciler after lost
//! events. It may run late, twice and concurrently with itself: an event is only the trigger, the job is read from Bedrock;
//! writes are conditional; and answering a state machine twice counts as success.

use crate::bedrock_jobs::is_of_run;
use crate::error::{AwsOperation, EngineError, chain};
use crate::job_table::{Fallback, JobTable, Observed, StoredJob};
use aws_sdk_bedrock::Client as Bedrock;
use aws_sdk_sfn::Client as StepFunctions;
use aws_sdk_sfn::error::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bedrock_batch_domain::error_name::ErrorName;
use bedrock_batch_domain::ids::{JobArn, JobName};
use bedrock_batch_domain::job::{Action, JobStatus, Stored, classify_failure, next_action, remedy};
use bedrock_batch_domain::printable;
use serde_json::json;

/// Maximum number of characters of Bedrock's message in a cause, so that there is room for the remedy.
const MAX_MESSAGE_CHARS: usize = 4000;

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

impl Settler {
    /// Settles the job `name`. `arn_hint` is its ARN from an event, in case the job exists but its ARN is not stored yet. Jobs
    /// that are not in the table are ignored.
    ///
    /// # Errors
    /// Returns an error if a request to Bedrock, DynamoDB or Step Functions fails, or the item is corrupt; settling again is
    /// always safe.
    pub async fn settle(&self, name: &JobName, arn_hint: Option<&JobArn>) -> Result<Action, EngineError> {
        let Some(stored) = self.jobs.get(name).await? else {
            tracing::debug!(%name, "unknown_job_ignored");
            return Ok(Action::Nothing);
        };
        if let Some(fallback) = stored.fallback.clone() {
            if stored.unanswered_token().is_none() {
                return Ok(Action::Nothing);
            }
            tracing::info!(%name, "fallback_repeated");
            self.fall_back(&stored, fallback).await?;
            return Ok(Action::FallBack);
        }
        let Some(arn) = stored.job_arn.clone().or_else(|| arn_hint.cloned()) else {
            return Ok(Action::Nothing);
        };
        let Some(seen) = self.observe(&stored, &arn).await? else {
            tracing::warn!(run_id = %stored.run_id, %name, %arn, "job_of_another_owner_ignored");
            return Ok(Action::Nothing);
        };
        if stored.job_arn.is_none() {
            let known = self.jobs.set_arn(&stored.run_id, name, &arn).await?;
            if known != arn {
                // Another attempt has just stored the one that counts.
                tracing::warn!(run_id = %stored.run_id, %name, %arn, "second_job_ignored");
                return Ok(Action::Nothing);
            }
        }
        // Only the final message counts; an earlier one may be about something else.
        let known = stored.message.clone().filter(|_| stored.status.is_some_and(JobStatus::is_terminal));
        let message = known.or_else(|| seen.message.clone()).unwrap_or_default();
        let waiting = stored.unanswered_token().is_some();
        let before = Stored { status: stored.status, waiting, on_demand_allowed: stored.on_demand_allowed };
        let action = next_action(seen.status, classify_failure(&message), before);
        tracing::info!(%name, status = %seen.status, action = ?action, "job_settled");
        match action {
            Action::Nothing => {}
            Action::Record => self.jobs.record(&stored.run_id, name, &seen).await?,
            Action::Heartbeat => {
                self.jobs.record(&stored.run_id, name, &seen).await?;
                self.heartbeat(&stored).await;
            }
            Action::Succeed => {
                self.jobs.record(&stored.run_id, name, &seen).await?;
                self.succeed(&stored, seen.status).await?;
            }
            Action::FallBack => {
                self.jobs.record(&stored.run_id, name, &seen).await?;
                self.fall_back(&stored, Fallback { reason: message, refused: true }).await?;
            }
            Action::Fail => {
                self.jobs.record(&stored.run_id, name, &seen).await?;
                self.fail(&stored, &message).await?;
            }
        }
        Ok(action)
    }

    /// Reads a job's state at Bedrock; returns `None` if the job belongs to another run or program.
    async fn observe(&self, stored: &StoredJob, arn: &JobArn) -> Result<Option<Observed>, EngineError> {
        let name = &stored.name;
        let job = self.bedrock.get_model_invocation_job().job_identifier(arn.as_str()).send().await;
        let job = job.map_err(|error| EngineError::from_aws(format!("cannot read Bedrock job {name}"), &error))?;
        // A stored ARN is ours; that of an event only has the name.
        if stored.job_arn.is_none() && !is_of_run(job.client_request_token(), &stored.run_id, name) {
            return Ok(None);
        }
        Ok(Some(Observed {
            status: job.status().map_or(JobStatus::Unknown, |status| JobStatus::parse(status.as_str())),
            message: job.message().filter(|message| !message.is_empty()).map(str::to_owned),
            processed: job.processed_record_count().and_then(|n| u64::try_from(n).ok()),
        }))
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

    async fn fail(&self, job: &StoredJob, message: &str) -> Result<(), EngineError> {
        let shown = printable::shortened(message, MAX_MESSAGE_CHARS);
        let mut cause = format!("Bedrock job {} failed: {shown}", job.name);
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
