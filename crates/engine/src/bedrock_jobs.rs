//! Requests to Bedrock's control plane that several use cases make.

use crate::error::EngineError;
use aws_sdk_bedrock::Client as Bedrock;
use aws_sdk_bedrock::types::ModelInvocationJobSummary;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bedrock_batch_domain::ids::{JobArn, JobName, RunId};
use bedrock_batch_domain::layout::client_request_token;
use std::collections::HashMap;

/// Maximum number of jobs per page of a listing that Bedrock allows.
const MAX_LISTED: i32 = 1_000;

/// Reads the ARN of a job from a response of Bedrock.
pub(crate) fn job_arn(text: &str) -> Result<JobArn, EngineError> {
    JobArn::parse(text)
        .map_err(|problem| EngineError::internal("Bedrock returned an ARN in an unexpected format").caused_by(problem))
}

/// Returns the ARN of the job of this run with this name, if Bedrock has one: an earlier attempt of ours created it, and died
/// before it could store the ARN. Jobs of others are left out, although Bedrock may allow them the same name.
///
/// # Errors
/// Returns an error if a Bedrock request fails.
pub(crate) async fn find_job(bedrock: &Bedrock, run_id: &RunId, name: &JobName) -> Result<Option<JobArn>, EngineError> {
    let found = find_named(bedrock, name, |job| is_of_run(job.client_request_token(), run_id, name)).await?;
    found.map(|job| job_arn(job.job_arn())).transpose()
}

/// Returns true if Bedrock has a job with this name, of this run or of another owner.
///
/// # Errors
/// Returns an error if a Bedrock request fails.
pub(crate) async fn is_name_taken(bedrock: &Bedrock, name: &JobName) -> Result<bool, EngineError> {
    Ok(find_named(bedrock, name, |_| true).await?.is_some())
}

async fn find_named(
    bedrock: &Bedrock,
    name: &JobName,
    is_wanted: impl Fn(&ModelInvocationJobSummary) -> bool,
) -> Result<Option<ModelInvocationJobSummary>, EngineError> {
    // All pages, since it is not documented whether results are filtered before or after they are divided into pages.
    let mut jobs = bedrock.list_model_invocation_jobs().name_contains(name.as_str()).into_paginator().items().send();
    while let Some(job) = jobs.next().await {
        let job =
            job.map_err(|error| EngineError::from_aws(format!("cannot list Bedrock jobs to find {name}"), &error))?;
        if job.job_name() == name.as_str() && is_wanted(&job) {
            return Ok(Some(job));
        }
    }
    Ok(None)
}

/// Returns true unless a job at Bedrock has the token of another request: then another run or program has created it. Bedrock
/// may omit the token.
pub(crate) fn is_of_run(token: Option<&str>, run_id: &RunId, name: &JobName) -> bool {
    token.is_none_or(|token| token == client_request_token(run_id, name))
}

/// Returns the ARNs of those of these jobs of runs that Bedrock has, with one listing for all of them. Jobs of others are left
/// out, although Bedrock may allow them the same name.
///
/// # Errors
/// Returns an error if the Bedrock request fails.
pub(crate) async fn find_jobs(
    bedrock: &Bedrock,
    jobs: &HashMap<JobName, RunId>,
) -> Result<HashMap<JobName, JobArn>, EngineError> {
    let mut found = HashMap::new();
    let Some(common) = common_part(jobs.keys()) else { return Ok(found) };
    let list = bedrock.list_model_invocation_jobs().max_results(MAX_LISTED);
    let list = list.set_name_contains(Some(common.to_owned()).filter(|part| !part.is_empty()));
    let mut listed = list.into_paginator().items().send();
    while let Some(job) = listed.next().await {
        let job = job.map_err(|error| {
            EngineError::from_aws(format!("cannot list Bedrock jobs to find {} of them", jobs.len()), &error)
        })?;
        let Ok(name) = JobName::parse(job.job_name()) else { continue };
        if jobs.get(&name).is_some_and(|run_id| is_of_run(job.client_request_token(), run_id, &name)) {
            found.insert(name, job_arn(job.job_arn())?);
        }
    }
    Ok(found)
}

/// Returns what all names begin with, or `None` if there are none.
fn common_part<'a>(names: impl Iterator<Item = &'a JobName>) -> Option<&'a str> {
    let mut names = names.map(JobName::as_str);
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
        let names: Vec<JobName> = names.iter().map(|name| name.parse().unwrap()).collect();
        assert_eq!(common_part(names.iter()), expected);
    }
}
