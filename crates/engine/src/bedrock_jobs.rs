//! Requests to Bedrock's control plane that several use cases make.

use crate::error::EngineError;
use aws_sdk_bedrock::Client as Bedrock;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bedrock_batch_domain::ids::{JobArn, JobName};

/// Reads the ARN of a job from a response of Bedrock.
pub(crate) fn job_arn(text: &str) -> Result<JobArn, EngineError> {
    JobArn::parse(text)
        .map_err(|problem| EngineError::internal("Bedrock returned an ARN in an unexpected format").caused_by(problem))
}

/// Returns the ARN of the job with this name, if Bedrock has one: an earlier attempt of ours created it, and died before it
/// could store the ARN.
///
/// # Errors
/// Returns an error if the Bedrock request fails.
pub(crate) async fn find_job(bedrock: &Bedrock, name: &JobName) -> Result<Option<JobArn>, EngineError> {
    // All pages, since it is not documented whether results are filtered before or after they are divided into pages.
    let mut jobs = bedrock.list_model_invocation_jobs().name_contains(name.as_str()).into_paginator().items().send();
    while let Some(job) = jobs.next().await {
        let job =
            job.map_err(|error| EngineError::from_aws(format!("cannot list Bedrock jobs to find {name}"), &error))?;
        if job.job_name() == name.as_str() {
            return job_arn(job.job_arn()).map(Some);
        }
    }
    Ok(None)
}

/// Stops a job; returns false if it is over already.
pub(crate) async fn stop_job(bedrock: &Bedrock, name: &JobName, arn: &JobArn) -> Result<bool, EngineError> {
    match bedrock.stop_model_invocation_job().job_identifier(arn.as_str()).send().await {
        Ok(_) => Ok(true),
        // Bedrock does not document which of the two it returns for a job that is over.
        Err(error) if matches!(error.code(), Some("ConflictException" | "ValidationException")) => Ok(false),
        Err(error) => Err(EngineError::from_aws(format!("cannot stop job {name}"), &error)),
    }
}
