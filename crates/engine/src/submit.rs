//! Submit: creates the Bedrock job of a chunk exactly once.
//!
//! The token is stored before the job exists, and the job's name and idempotency token are derived from the run and the
//! chunk. If an attempt dies at any point, the next one finds what exists and continues.
//!
//! That a chunk has one job does not depend on how long Bedrock remembers an idempotency token, nor on whether it allows two
//! jobs of one name: neither is documented. An invocation that may not be the first to create a job looks for it by name
//! before. The token only has to be remembered for as long as an invocation takes: two of them may look at once, and find
//! nothing. If there are two jobs nevertheless, the one whose ARN was stored first counts, and the other is stopped.
//!
//! Where the account's quota is known, a job takes one of as many places before it is created, which all runs share.

mod job_settings;
mod place;
mod request;

pub use job_settings::JobSettings;

use crate::bedrock_jobs::{find_job, is_name_taken, job_arn, stop_job};
use crate::error::{EngineError, ErrorKind};
use crate::job_table::{BegunJob, Fallback, NewJob, Waiting, WorkOrder};
use crate::settle::Settler;
use aws_sdk_bedrock::operation::create_model_invocation_job::CreateModelInvocationJobError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bedrock_batch_domain::ids::{ExecutionArn, JobArn, RunId};
use bedrock_batch_domain::job::{FailureKind, JobAttempt, classify_failure, is_job_quota, remedy};
use bedrock_batch_domain::model::InvocationType;
use bedrock_batch_domain::plan::JobItem;
use serde::Deserialize;

/// Input of submit.
#[derive(Debug, Clone, Deserialize)]
pub struct SubmitInput {
    /// Token of the state machine.
    pub task_token: String,
    /// Number of times that the execution was redriven. State machines of earlier versions do not send it.
    #[serde(default)]
    pub redrive_count: u32,
    /// Number of the retry of the state. State machines of earlier versions do not send it.
    #[serde(default)]
    pub retry_count: u32,
    /// The run.
    pub run_id: RunId,
    /// The execution of the state machine.
    pub execution_arn: ExecutionArn,
    /// The model.
    pub model_id: String,
    /// Format in which Bedrock reads the records.
    pub invocation_type: InvocationType,
    /// If true, the job's rows may be sent on demand if Bedrock does not accept it in batch.
    #[serde(rename = "falls_back")]
    pub on_demand_allowed: bool,
    /// The job.
    pub job: JobItem,
}

/// Creates Bedrock jobs.
#[derive(Debug, Clone)]
pub struct Submitter {
    /// Settler, with its clients.
    pub settler: Settler,
    /// Role that Bedrock assumes.
    pub role_arn: String,
    /// Timeout of a job at Bedrock in hours.
    pub timeout_hours: i32,
    /// Settings of all jobs.
    pub job_settings: JobSettings,
}

impl Submitter {
    /// Creates the job, or finds the existing one, and settles it if it is already over.
    ///
    /// # Errors
    /// Returns `QuotaExceeded` if Bedrock has no room for another job, `JobFailed` if Bedrock refuses this one permanently, and
    /// another error if an AWS request fails.
    pub async fn run(&self, input: &SubmitInput) -> Result<(), EngineError> {
        let jobs = &self.settler.jobs;
        // A late function of a stopped execution must not interfere with the execution that continues the run.
        let owned = jobs.ensure_owner(&input.run_id, &input.execution_arn).await;
        let (redrive, retry) = (input.redrive_count, input.retry_count);
        let owned = owned.map(|epoch| JobAttempt { epoch, redrive, retry });
        let order = owned.as_ref().ok().map(|attempt| WorkOrder::from(*attempt));
        let done = match owned {
            Ok(attempt) => self.create_and_settle(input, attempt).await,
            Err(error) => Err(error),
        };
        jobs.record_outcome(&input.run_id, (&input.job.name, input.job.index), order, done).await
    }

    async fn create_and_settle(&self, input: &SubmitInput, attempt: JobAttempt) -> Result<(), EngineError> {
        let jobs = &self.settler.jobs;
        let new = NewJob {
            run_id: &input.run_id,
            execution_arn: &input.execution_arn,
            model_id: &input.model_id,
            on_demand_allowed: input.on_demand_allowed,
            item: &input.job,
        };
        let invocation = format!("{:016x}", fastrand::u64(..));
        let waiting = Waiting { token: &input.task_token, attempt, invocation: &invocation };
        let begun = jobs.begin(&new, &waiting).await?;
        let stored = &begun.job;
        if stored.job_arn.is_none() && stored.fallback.is_none() {
            let arn = match self.find_or_create(input, &begun, &invocation).await? {
                CreateOutcome::Job(arn) => arn,
                CreateOutcome::Refused(reason) => {
                    jobs.clear_failure(&input.run_id, &input.job.name).await?;
                    return self.settler.fall_back(stored, Fallback { reason, refused: true }).await;
                }
            };
            self.store_arn(input, &arn).await?;
        }
        if stored.failure.is_some() {
            // The error of an earlier attempt is resolved; if kept, it would be reported for the failure of another job.
            jobs.clear_failure(&input.run_id, &input.job.name).await?;
        }
        self.settler.settle(&input.job.name, None).await?;
        Ok(())
    }

    /// Returns the job that an earlier invocation may have created, or creates it.
    async fn find_or_create(
        &self,
        input: &SubmitInput,
        begun: &BegunJob,
        invocation: &str,
    ) -> Result<CreateOutcome, EngineError> {
        let (run_id, name) = (&input.run_id, &input.job.name);
        if begun.may_exist
            && let Some(arn) = find_job(&self.settler.bedrock, run_id, name).await?
        {
            tracing::info!(%run_id, %name, %arn, "job_of_earlier_attempt_found");
            return Ok(CreateOutcome::Job(arn));
        }
        let created = match self.take_place(input).await {
            Ok(()) => {
                let created = self.create(input).await;
                self.settle_place(input, &created).await;
                created
            }
            Err(error) => Err(error),
        };
        if !begun.may_exist && created.as_ref().is_err_and(|error| *error.kind() == ErrorKind::QuotaExceeded) {
            // The next attempts, of which there may be a thousand, do not have to look for the job. If an earlier invocation
            // may still create it, they do.
            self.settler.jobs.note_not_created(run_id, name, invocation).await?;
        }
        created
    }

    /// Stores the ARN of the job, and stops the job if it is not needed.
    async fn store_arn(&self, input: &SubmitInput, arn: &JobArn) -> Result<(), EngineError> {
        let (run_id, name) = (&input.run_id, &input.job.name);
        let known = self.settler.jobs.set_arn(run_id, name, arn).await?;
        if known != *arn {
            tracing::warn!(%run_id, %name, %arn, %known, "second_job_stopped");
            stop_job(&self.settler.bedrock, name, arn).await?;
            return Ok(());
        }
        tracing::info!(%run_id, %name, %arn, "job_submitted");
        self.stop_if_obsolete(input, arn).await
    }

    /// Stops the job if the run was stopped while the job was being created: it was not visible to the stopper then. The same
    /// applies if another execution has taken over the run, unless it already waits for this job: one that only collects
    /// answers never will.
    async fn stop_if_obsolete(&self, input: &SubmitInput, arn: &JobArn) -> Result<(), EngineError> {
        let (jobs, run_id, name) = (&self.settler.jobs, &input.run_id, &input.job.name);
        let Some(run) = jobs.run(run_id).await? else { return Ok(()) };
        let is_obsolete = run.stopped
            || (run.execution_arn != input.execution_arn
                && jobs.job_of_run(run_id, name).await?.is_some_and(|job| job.execution_arn == input.execution_arn));
        if is_obsolete {
            tracing::info!(%run_id, %name, "job_of_stopped_run_found");
            stop_job(&self.settler.bedrock, name, arn).await?;
        }
        Ok(())
    }

    async fn create(&self, input: &SubmitInput) -> Result<CreateOutcome, EngineError> {
        let job = &input.job;
        match self.request(input)?.send().await {
            Ok(created) => job_arn(created.job_arn()).map(CreateOutcome::Job),
            Err(error) => {
                use CreateModelInvocationJobError as Refusal;
                let what = format!("Bedrock refused job {}", job.name);
                let message = error.message().unwrap_or_default().to_owned();
                match error.as_service_error() {
                    Some(Refusal::ServiceQuotaExceededException(_)) => {
                        Err(EngineError::quota_exceeded(format!("{what}: {message}")))
                    }
                    Some(
                        Refusal::ThrottlingException(_)
                        | Refusal::ValidationException(_)
                        | Refusal::ConflictException(_),
                    ) if is_job_quota(&message) => Err(EngineError::quota_exceeded(format!("{what}: {message}"))),
                    Some(Refusal::ConflictException(_)) => self.find_by_name(input, &message).await,
                    Some(Refusal::ValidationException(_))
                        if input.on_demand_allowed && classify_failure(&message) == FailureKind::NoBatch =>
                    {
                        Ok(CreateOutcome::Refused(message))
                    }
                    // The function itself has no permission to create jobs; neither the model nor the job is the cause.
                    Some(Refusal::AccessDeniedException(_)) if message.contains("not authorized to perform") => {
                        Err(EngineError::from_aws(what, &error))
                    }
                    Some(
                        Refusal::ValidationException(_)
                        | Refusal::AccessDeniedException(_)
                        | Refusal::ResourceNotFoundException(_),
                    ) => {
                        let remedy = remedy(&format!("{} {message}", error.code().unwrap_or_default()));
                        let remedy = if remedy.is_empty() { String::new() } else { format!("; {remedy}") };
                        Err(EngineError::job_failed(format!("{what}: {message}{remedy}")))
                    }
                    _ => Err(EngineError::from_aws(what, &error)),
                }
            }
        }
    }

    /// Handles a conflict, which may mean that a job with this name exists. If it is ours, it is from an attempt whose response
    /// was lost.
    async fn find_by_name(&self, input: &SubmitInput, message: &str) -> Result<CreateOutcome, EngineError> {
        let (run_id, name) = (&input.run_id, &input.job.name);
        if let Some(arn) = find_job(&self.settler.bedrock, run_id, name).await? {
            return Ok(CreateOutcome::Job(arn));
        }
        if is_name_taken(&self.settler.bedrock, name).await? {
            return Err(EngineError::name_clash(format!(
                "Bedrock has a job {name} that run {run_id} has not created; start a new run over the same input, whose jobs \
                 have other names"
            )));
        }
        Err(EngineError::transient(format!("Bedrock refused job {name} as a conflict: {message}")))
    }
}

/// Result of creating a job.
enum CreateOutcome {
    /// The job exists, with this ARN.
    Job(JobArn),
    /// Bedrock does not accept this model in batch, with this message.
    Refused(String),
}
