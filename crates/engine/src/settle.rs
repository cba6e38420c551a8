//! Settle: bring what we know of a job in line with what Bedrock says, and answer the state machine that waits for it.
//!
//! One function for all who have reason to look: submit (is it over already?), the event Lambda, and whoever sweeps up
//! after lost events. It may run late, twice and at the same time as itself: the job is read from Bedrock, never
//! believed from an event; writes have conditions; an answer that was given before counts as given.

use crate::error::{AwsOperation, EngineError, chain};
use crate::job_table::{JobTable, Observed, StoredJob};
use aws_sdk_bedrock::Client as Bedrock;
use aws_sdk_sfn::Client as StepFunctions;
use aws_sdk_sfn::error::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bedrock_batch_domain::error_name::ErrorName;
use bedrock_batch_domain::job::{Action, JobStatus, Stored, classify_failure, next_action, remedy};
use serde_json::json;

/// The most characters of a cause that Step Functions takes.
const LONGEST_CAUSE: usize = 32_000;

/// Everything that settle needs.
#[derive(Debug, Clone)]
pub struct Settler {
    /// The job table.
    pub jobs: JobTable,
    /// Bedrock's control plane.
    pub bedrock: Bedrock,
    /// Step Functions.
    pub step_functions: StepFunctions,
}

impl Settler {
    /// Settles the job `name`. `arn_hint`: its ARN from an event, for the moment in which the job exists and its ARN is
    /// not stored yet. A job that is not ours is left alone.
    ///
    /// # Errors
    /// As Bedrock, DynamoDB or Step Functions fail; settling again is always right.
    pub async fn settle(&self, name: &str, arn_hint: Option<&str>) -> Result<Action, EngineError> {
        let Some(mut stored) = self.jobs.get(name).await? else {
            tracing::debug!(name, "not a job of ours");
            return Ok(Action::Nothing);
        };
        if let Some(reason) = &stored.fell_back {
            if !stored.waiting() {
                return Ok(Action::Nothing);
            }
            tracing::info!(name, "falls back to on demand, once more");
            self.fall_back(&stored, reason).await?;
            return Ok(Action::FallBack);
        }
        let Some(arn) = stored.job_arn.clone().or_else(|| arn_hint.map(str::to_owned)) else {
            return Ok(Action::Nothing);
        };
        let seen = self.look(name, &arn).await?;
        if stored.job_arn.is_none() {
            self.jobs.set_arn(name, &arn).await?;
            stored.job_arn = Some(arn);
        }
        // What was said at the end counts; a message from before it may be about something else.
        let known = stored.message.clone().filter(|_| stored.status.is_some_and(JobStatus::is_terminal));
        let message = known.or_else(|| seen.message.clone()).unwrap_or_default();
        let before = Stored { status: stored.status, waiting: stored.waiting(), falls_back: stored.may_fall_back };
        let action = next_action(seen.status, classify_failure(&message), before);
        tracing::info!(name, status = %seen.status, action = ?action, "settled");
        match action {
            Action::Nothing => {}
            Action::Record => self.jobs.record(name, &seen).await?,
            Action::Heartbeat => {
                self.jobs.record(name, &seen).await?;
                self.heartbeat(&stored).await;
            }
            Action::Succeed => {
                self.jobs.record(name, &seen).await?;
                self.succeed(&stored, seen.status).await?;
            }
            Action::FallBack => {
                self.jobs.record(name, &seen).await?;
                self.fall_back(&stored, &message).await?;
            }
            Action::Fail => {
                self.jobs.record(name, &seen).await?;
                self.fail(&stored, &message).await?;
            }
        }
        Ok(action)
    }

    async fn look(&self, name: &str, arn: &str) -> Result<Observed, EngineError> {
        let job = self.bedrock.get_model_invocation_job().job_identifier(arn).send().await;
        let job = job.map_err(|error| EngineError::from_aws(format!("cannot look at job {name}"), &error))?;
        Ok(Observed {
            status: job.status().map_or(JobStatus::Unknown, |status| JobStatus::parse(status.as_str())),
            message: job.message().filter(|message| !message.is_empty()).map(str::to_owned),
            processed: job.processed_record_count().and_then(|n| u64::try_from(n).ok()),
        })
    }

    /// Notes that the rows of a job are to be asked on demand, and lets the state machine go on.
    pub(crate) async fn fall_back(&self, job: &StoredJob, reason: &str) -> Result<(), EngineError> {
        self.jobs.fall_back(&job.name, reason, true).await?;
        self.succeed(job, JobStatus::Failed).await
    }

    /// A state machine that is gone shows here first; stopping the job is for those who know that it is.
    async fn heartbeat(&self, job: &StoredJob) {
        let sent = self.step_functions.send_task_heartbeat().task_token(&job.task_token).send().await;
        if let Err(error) = sent {
            tracing::warn!(name = job.name, error = chain(&error), "the state machine does not take a heartbeat");
        }
    }

    async fn succeed(&self, job: &StoredJob, status: JobStatus) -> Result<(), EngineError> {
        let output = json!({"job_name": job.name, "status": status.name()}).to_string();
        let sent = self.step_functions.send_task_success().task_token(&job.task_token).output(output).send().await;
        self.answered(job, sent.map(|_| ())).await
    }

    async fn fail(&self, job: &StoredJob, message: &str) -> Result<(), EngineError> {
        let mut cause = format!("Bedrock job {} failed: {message}", job.name);
        let remedy = remedy(message);
        if !remedy.is_empty() {
            cause.push_str("; ");
            cause.push_str(remedy);
        }
        let cause: String = cause.chars().take(LONGEST_CAUSE).collect();
        // The Map that runs the jobs ends without a reason of its own: it is looked up here.
        let failure = EngineError::job_failed(cause.clone());
        self.jobs.record_failure(&job.run_id, &job.name, &failure).await?;
        let failure = self.step_functions.send_task_failure().task_token(&job.task_token);
        let sent = failure.error(ErrorName::JobFailed.as_str()).cause(cause).send().await;
        self.answered(job, sent.map(|_| ())).await
    }

    /// An answer that Step Functions no longer wants was given before, or nobody waits any more: both are fine.
    async fn answered<E: AwsOperation>(
        &self,
        job: &StoredJob,
        sent: Result<(), SdkError<E>>,
    ) -> Result<(), EngineError> {
        if let Err(error) = sent {
            let closed = ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"];
            if !error.code().is_some_and(|code| closed.contains(&code)) {
                return Err(EngineError::from_aws(format!("cannot answer for job {}", job.name), &error));
            }
            tracing::info!(name = job.name, code = error.code(), "answered before, or nobody waits");
        }
        self.jobs.mark_answered(&job.name, &job.task_token).await
    }
}
