//! Requests to Bedrock's control plane that several use cases make.

use crate::error::EngineError;
use aws_sdk_bedrock::Client as Bedrock;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bedrock_batch_domain::ids::{JobArn, JobName};
use std::collections::{HashMap, HashSet};

/// Maximum number of jobs per page of a listing that Bedrock allows.
const MAX_LISTED: i32 = 1_000;

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

/// Returns the ARNs of those of these jobs that Bedrock has, with one listing for all of them.
///
/// # Errors
/// Returns an error if the Bedrock request fails.
pub(crate) async fn find_jobs(
    bedrock: &Bedrock,
    names: &HashSet<JobName>,
) -> Result<HashMap<JobName, JobArn>, EngineError> {
    let mut found = HashMap::new();
    let Some(common) = common_part(names) else { return Ok(found) };
    let list = bedrock.list_model_invocation_jobs().max_results(MAX_LISTED);
    let list = list.set_name_contains(Some(common.to_owned()).filter(|part| !part.is_empty()));
    let mut jobs = list.into_paginator().items().send();
    while let Some(job) = jobs.next().await {
        let job = job.map_err(|error| {
            EngineError::from_aws(format!("cannot list Bedrock jobs to find {} of them", names.len()), &error)
        })?;
        if let Some(name) = JobName::parse(job.job_name()).ok().filter(|name| names.contains(name)) {
            found.insert(name, job_arn(job.job_arn())?);
        }
    }
    Ok(found)
}

/// Returns what all names begin with, or `None` if there are none.
fn common_part(names: &HashSet<JobName>) -> Option<&str> {
    let mut names = names.iter().map(JobName::as_str);
    let first = names.next()?;
    let bytes = names.fold(first.len(), |bytes, name| {
        first.bytes().zip(name.bytes()).take(bytes).take_while(|(a, b)| a == b).count()
    });
    first.get(..bytes)
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

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(&[], None)]
    #[case(&["a-0001-x"], Some("a-0001-x"))]
    #[case(&["a-0001-x", "a-0002-x", "a-0011-x"], Some("a-00"))]
    #[case(&["a-0001", "b-0001"], Some(""))]
    #[case(&["a-0001", "a-00010"], Some("a-0001"))]
    fn one_listing_finds_all_jobs_by_what_their_names_have_in_common(
        #[case] names: &[&str],
        #[case] expected: Option<&str>,
    ) {
        let names = names.iter().map(|name| name.parse().unwrap()).collect();
        assert_eq!(common_part(&names), expected);
    }
}
