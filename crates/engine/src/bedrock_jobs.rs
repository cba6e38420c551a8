//! What more than one use case asks of Bedrock's control plane.

use crate::error::EngineError;
use aws_sdk_bedrock::Client as Bedrock;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// The ARN of the job of this name, if Bedrock has one: it is ours, from an attempt that died before it could store the
/// ARN.
///
/// # Errors
/// As Bedrock fails.
pub(crate) async fn find_job(bedrock: &Bedrock, name: &str) -> Result<Option<String>, EngineError> {
    let jobs = bedrock.list_model_invocation_jobs().name_contains(name).send().await;
    let jobs = jobs.map_err(|error| EngineError::from_aws(format!("cannot look for job {name}"), &error))?;
    let found = jobs.invocation_job_summaries().iter().find(|job| job.job_name() == name);
    Ok(found.map(|job| job.job_arn().to_owned()))
}

/// Tells a job to stop; false if it is over already.
pub(crate) async fn stop_job(bedrock: &Bedrock, name: &str, arn: &str) -> Result<bool, EngineError> {
    match bedrock.stop_model_invocation_job().job_identifier(arn).send().await {
        Ok(_) => Ok(true),
        // Bedrock does not document which of the two it says of a job that is over.
        Err(error) if matches!(error.code(), Some("ConflictException" | "ValidationException")) => Ok(false),
        Err(error) => Err(EngineError::from_aws(format!("cannot stop job {name}"), &error)),
    }
}
