//! Classification of job failures: whether they concern one job, or all jobs of the run alike.

use crate::model::first_use_remedy;

/// Kind of failure that a job's message describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// A transient fault at Bedrock: the job's rows are retried or get the reason, and the other jobs continue.
    Transient,
    /// Bedrock does not accept this model in batch here: the data is valid, and the model may still be invoked on demand.
    NoBatch,
    /// A problem of access, role or input limits: a repetition would fail too, so the run stops.
    Permanent,
    /// A message that is in none of the lists: the job's rows are sent again, and several such failures end the run
    /// ([`super::UnknownFailure`]). They are never sent on demand for it.
    Unknown,
}

/// Phrases in Bedrock's messages about transient faults.
const TRANSIENT_PHRASES: [&str; 8] = [
    "internal error",
    "internal server error",
    "internal failure",
    "service unavailable",
    "try again",
    "timed out",
    "throttl",
    "too many requests",
];

/// Phrases in Bedrock's messages about a model that is not available in batch, or not in this region. The wordings are not
/// documented; these are the ones of its validation and of public reports.
const NO_BATCH_PHRASES: [&str; 5] = [
    "support batch inference",
    "supported for batch",
    "batch inference is not",
    "batch inference isn't",
    "batch inference for this model",
];

/// Phrases in Bedrock's messages about problems that all jobs of a run share. A message that is wrongly among them ends a run for
/// one job; one that is missing costs a few jobs that fail in the same way.
const PERMANENT_PHRASES: [&str; 8] = [
    "less records",
    "required minimum",
    "access",
    "permission",
    "not authorized",
    "unauthorized",
    "assume",
    "service role",
];

/// Words by which a message is about a limit, and words by which it is about the number of jobs at the same time rather than about
/// the size of one.
const LIMIT_WORDS: [&str; 6] = ["quota", "limit", "too many", "maximum", "exceed", "at most"];
const CONCURRENT_JOB_WORDS: [&str; 9] = [
    "concurrent",
    "in progress",
    "in-progress",
    "inprogress",
    "submitted",
    "running",
    "active",
    "simultaneous",
    "number of jobs",
];
/// Words of limits on the content of a job, which waiting does not change.
const CONTENT_WORDS: [&str; 6] = ["record", "size", "file", "byte", "token", "tag"];

/// Returns true if a message says that there are too many jobs at the same time. AWS does not document under which code it comes:
/// `ServiceQuotaExceededException`, `ThrottlingException` and `ValidationException` are all possible.
pub fn is_job_quota(message: &str) -> bool {
    let message = message.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if message.contains("too many jobs") || message.contains("too many batch inference jobs") {
        return true;
    }
    message.contains("job") && has(&LIMIT_WORDS) && has(&CONCURRENT_JOB_WORDS) && !has(&CONTENT_WORDS)
}

/// Classifies Bedrock's message about a failed job, or about a job that it did not create.
pub fn classify_failure(message: &str) -> FailureKind {
    let message = message.to_lowercase().replace('\u{2019}', "'");
    if NO_BATCH_PHRASES.iter().any(|words| message.contains(words)) {
        return FailureKind::NoBatch;
    }
    // It advises to try again, which helps only once an administrator has done something.
    if first_use_remedy(&message).is_some() {
        return FailureKind::Permanent;
    }
    if is_job_quota(&message) || TRANSIENT_PHRASES.iter().any(|words| message.contains(words)) {
        FailureKind::Transient
    } else if PERMANENT_PHRASES.iter().any(|words| message.contains(words)) {
        FailureKind::Permanent
    } else {
        FailureKind::Unknown
    }
}

/// Returns the remedy for a permanent failure; empty if the message needs none.
pub fn remedy(message: &str) -> &'static str {
    if let Some(remedy) = first_use_remedy(message) {
        return remedy;
    }
    let lower = message.to_lowercase();
    if lower.contains("less records") {
        "the job's file has fewer records than this model accepts: raise max_records_per_job or add rows"
    } else if lower.contains("access") || lower.contains("permission") || lower.contains("not authorized") {
        "check that model access is granted in this region, and that the stack's Bedrock service role may read \
         batch_inputs_json/ and write batch_outputs_json/ and invoke the model (with an inference profile: in every \
         region of it)"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("Internal error occurred. Please try again.", FailureKind::Transient)]
    #[case("Batch job contains less records (1) than the required minimum of: 100", FailureKind::Permanent)]
    #[case("Access denied to s3://b/k", FailureKind::Permanent)]
    #[case("Model x does not support batch inference.", FailureKind::NoBatch)]
    #[case("Batch inference isn\u{2019}t available for this model in this region", FailureKind::NoBatch)]
    #[case(
        "required AWS Marketplace actions (aws-marketplace:Subscribe). Try again after 5 minutes.",
        FailureKind::Permanent
    )]
    #[case("The number of concurrent batch inference jobs exceeds the quota.", FailureKind::Transient)]
    #[case("The model has encountered an unforeseen condition.", FailureKind::Unknown)]
    #[case("", FailureKind::Unknown)]
    fn kinds(#[case] message: &str, #[case] kind: FailureKind) {
        assert_eq!(classify_failure(message), kind);
    }

    #[rstest]
    #[case("Number of in-progress and submitted jobs exceeds the quota of 20 for this model.", true)]
    #[case("You have too many jobs.", true)]
    #[case("The maximum number of concurrent model invocation jobs was reached", true)]
    #[case("Account limit: at most 10 running jobs per model", true)]
    #[case("Too many requests, please wait before trying again.", false)]
    #[case("The job exceeds the limit of 100000 records that may be submitted.", false)]
    #[case("Input file size exceeds the maximum for a submitted job.", false)]
    #[case("jobName exceeds the maximum length.", false)]
    #[case("", false)]
    fn too_many_jobs_are_recognized_by_words(#[case] message: &str, #[case] expected: bool) {
        assert_eq!(is_job_quota(message), expected);
    }

    #[test]
    fn known_failures_come_with_a_remedy() {
        assert!(remedy("Access denied to s3://b/k").contains("service role"));
        assert!(remedy("Model use case details have not been submitted, access is denied").contains("administrator"));
        assert!(remedy("job contains less records (1) than").contains("max_records_per_job"));
    }
}
