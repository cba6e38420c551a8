//! Requests to Bedrock's control plane that several use cases make.

use crate::error::EngineError;
use aws_sdk_bedrock::Client as Bedrock;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// Returns the ARN of the job with this name, if Bedrock has one: an earlier attempt of ours created it, and died before it
/// could store the ARN.
///
/// # Errors
/// Returns an error if the Bedrock request fails.
pub(crate) async fn find_job(bedrock: &Bedrock, name: &str) -> Result<Option<String>, EngineError> {
    // All pages, since it is not documented whether results are filtered before or after they are divided into pages.
    let mut jobs = bedrock.list_model_invocation_jobs().name_contains(name).into_paginator().items().send();
    while let Some(job) = jobs.next().await {
        let job =
            job.map_err(|error| EngineError::from_aws(format!("cannot list Bedrock jobs to find {name}"), &error))?;
        if job.job_name() == name {
            return Ok(Some(job.job_arn().to_owned()));
        }
    }
    Ok(None)
}

/// Stops a job; returns false if it is over already.
pub(crate) async fn stop_job(bedrock: &Bedrock, name: &str, arn: &str) -> Result<bool, EngineError> {
    match bedrock.stop_model_invocation_job().job_identifier(arn).send().await {
        Ok(_) => Ok(true),
        // Bedrock does not document which of the two it returns for a job that is over.
        Err(error) if matches!(error.code(), Some("ConflictException" | "ValidationException")) => Ok(false),
        Err(error) => Err(EngineError::from_aws(format!("cannot stop job {name}"), &error)),
    }
}
