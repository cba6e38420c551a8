//! Submit: creates the Bedrock job of a chunk exactly once.
//!
//! The token is stored before the job exists, and the job's name and idempotency token are derived from the run and the
//! chunk. If an attempt dies at any point, the next one finds what exists and continues.

use crate::bedrock_jobs::{find_job, job_arn, stop_job};
use crate::error::EngineError;
use crate::job_table::{Fallback, NewJob, StoredJob};
use crate::settle::Settler;
use aws_sdk_bedrock::operation::create_model_invocation_job::CreateModelInvocationJobError;
use aws_sdk_bedrock::types::{
    ModelInvocationJobInputDataConfig, ModelInvocationJobOutputDataConfig, ModelInvocationJobS3InputDataConfig,
    ModelInvocationJobS3OutputDataConfig, ModelInvocationType, S3InputFormat,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bedrock_batch_domain::ids::{ExecutionArn, JobArn, JobName, RunId};
use bedrock_batch_domain::job::{FailureKind, classify_failure, remedy};
use bedrock_batch_domain::layout::client_request_token;
use bedrock_batch_domain::model::InvocationType;
use bedrock_batch_domain::plan::JobItem;
use serde::Deserialize;

/// Input of submit.
#[derive(Debug, Clone, Deserialize)]
pub struct SubmitInput {
    /// Token of the state machine.
    pub task_token: String,
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
}

impl Submitter {
    /// Creates the job, or finds the existing one, and settles it if it is already over.
    ///
    /// # Errors
    /// Returns `QuotaExceeded` if Bedrock has no room for another job, `JobFailed` if Bedrock refuses this one permanently, and
    /// another error if an AWS request fails.
    pub async fn run(&self, input: &SubmitInput) -> Result<(), EngineError> {
        let done = self.create_and_settle(input).await;
        self.settler.jobs.record_outcome(&input.run_id, (&input.job.name, input.job.index), done).await
    }

    async fn create_and_settle(&self, input: &SubmitInput) -> Result<(), EngineError> {
        let jobs = &self.settler.jobs;
        // A late function of a stopped execution must not interfere with the execution that continues the run.
        jobs.ensure_owner(&input.run_id, &input.execution_arn).await?;
        let new = NewJob {
            run_id: &input.run_id,
            execution_arn: &input.execution_arn,
            model_id: &input.model_id,
            on_demand_allowed: input.on_demand_allowed,
            item: &input.job,
        };
        let stored = jobs.begin(&new, &input.task_token).await?;
        if stored.job_arn.is_none() && stored.fallback.is_none() {
            let arn = match self.create(input).await? {
                CreateOutcome::Job(arn) => arn,
                CreateOutcome::Refused(reason) => {
                    jobs.clear_failure(&input.job.name).await?;
                    return self.settler.fall_back(&stored, Fallback { reason, refused: true }).await;
                }
            };
            jobs.set_arn(&input.job.name, &arn).await?;
            tracing::info!(run_id = %input.run_id, name = %input.job.name, %arn, "job_submitted");
            self.stop_if_run_was_stopped(input, &stored, &arn).await?;
        }
        if stored.failure.is_some() {
            // The error of an earlier attempt is resolved; if kept, it would be reported for the failure of another job.
            jobs.clear_failure(&input.job.name).await?;
        }
        self.settler.settle(&input.job.name, None).await?;
        Ok(())
    }

    /// Stops the job if the run was stopped while the job was being created: it was not visible to the stopper then.
    async fn stop_if_run_was_stopped(
        &self,
        input: &SubmitInput,
        job: &StoredJob,
        arn: &JobArn,
    ) -> Result<(), EngineError> {
        let run = self.settler.jobs.run(&input.run_id).await?;
        if run.is_some_and(|run| run.stopped) {
            tracing::info!(run_id = %input.run_id, name = %job.name, "job_of_stopped_run_found");
            stop_job(&self.settler.bedrock, &job.name, arn).await?;
        }
        Ok(())
    }

    async fn create(&self, input: &SubmitInput) -> Result<CreateOutcome, EngineError> {
        let job = &input.job;
        let refused = |error: aws_sdk_bedrock::error::BuildError| {
            EngineError::internal(format!("cannot describe job {} to Bedrock", job.name)).caused_by(error)
        };
        let source = ModelInvocationJobS3InputDataConfig::builder()
            .s3_input_format(S3InputFormat::Jsonl)
            .s3_uri(&job.input_uri)
            .build()
            .map_err(refused)?;
        let target =
            ModelInvocationJobS3OutputDataConfig::builder().s3_uri(&job.output_uri).build().map_err(refused)?;
        let mut create = self
            .settler
            .bedrock
            .create_model_invocation_job()
            .job_name(job.name.as_str())
            .client_request_token(client_request_token(&input.run_id, &job.name))
            .role_arn(&self.role_arn)
            .model_id(&input.model_id)
            .input_data_config(ModelInvocationJobInputDataConfig::S3InputDataConfig(source))
            .output_data_config(ModelInvocationJobOutputDataConfig::S3OutputDataConfig(target))
            .timeout_duration_in_hours(self.timeout_hours);
        // The default may be omitted, and some regions may not support the field.
        if input.invocation_type == InvocationType::Converse {
            create = create.model_invocation_type(ModelInvocationType::Converse);
        }
        match create.send().await {
            Ok(created) => job_arn(created.job_arn()).map(CreateOutcome::Job),
            Err(error) => {
                use CreateModelInvocationJobError as Refusal;
                let what = format!("Bedrock refused job {}", job.name);
                let message = error.message().unwrap_or_default().to_owned();
                match error.as_service_error() {
                    Some(Refusal::ServiceQuotaExceededException(_)) => {
                        Err(EngineError::quota_exceeded(format!("{what}: {message}")))
                    }
                    Some(Refusal::ConflictException(_)) => self.find_by_name(&job.name, &message).await,
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

    /// Handles a conflict, which may mean that a job with this name exists: then it is ours, from an attempt whose response was
    /// lost.
    async fn find_by_name(&self, name: &JobName, message: &str) -> Result<CreateOutcome, EngineError> {
        let found = find_job(&self.settler.bedrock, name).await?;
        let missing = || EngineError::transient(format!("Bedrock refused job {name} as a conflict: {message}"));
        found.map(CreateOutcome::Job).ok_or_else(missing)
    }
}

/// Result of creating a job.
enum CreateOutcome {
    /// The job exists, with this ARN.
    Job(JobArn),
    /// Bedrock does not accept this model in batch, with this message.
    Refused(String),
}
