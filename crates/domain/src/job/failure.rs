//! Classification of job failures: whether they concern one job, or all jobs of the run alike.

use crate::model::first_use_remedy;

/// Kind of failure that a job's message describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// A transient fault at Bedrock: the job's rows are retried or get the reason, and the other jobs continue.
    Transient,
    /// Bedrock does not accept this model in batch here: the data is valid, and the model may still be invoked on demand.
    NoBatch,
    /// A problem of access, role, format or input limits: a repetition would fail too, so the run stops.
    Permanent,
}

/// Phrases in Bedrock's messages about transient faults. Everything else is treated as permanent: a wrong guess then costs
/// a look at a message, not the price of further jobs.
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
    if TRANSIENT_PHRASES.iter().any(|words| message.contains(words)) {
        FailureKind::Transient
    } else {
        FailureKind::Permanent
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
    #[case("", FailureKind::Permanent)]
    fn kinds(#[case] message: &str, #[case] kind: FailureKind) {
        assert_eq!(classify_failure(message), kind);
    }

    #[test]
    fn known_failures_come_with_a_remedy() {
        assert!(remedy("Access denied to s3://b/k").contains("service role"));
        assert!(remedy("Model use case details have not been submitted, access is denied").contains("administrator"));
        assert!(remedy("job contains less records (1) than").contains("max_records_per_job"));
    }
}
