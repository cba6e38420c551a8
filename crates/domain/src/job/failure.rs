//! Why a job failed: does it concern this job alone, or will every job of the run fail alike?

/// What kind of failure a job's message tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// A passing fault at Bedrock: the job's rows come out with the reason, the others go on.
    Passing,
    /// Bedrock does not take this model in batch here: nothing is wrong with the data, and the model may still be asked
    /// on demand.
    NoBatch,
    /// Access, role, format, quota of the input: repeating it changes nothing, so the run stops.
    Permanent,
}

/// Words in Bedrock's messages that tell of passing faults. Everything else is taken as permanent: a wrong guess then
/// costs a look at a message, not the price of further jobs.
const PASSING: [&str; 8] = [
    "internal error",
    "internal server error",
    "internal failure",
    "service unavailable",
    "try again",
    "timed out",
    "throttl",
    "too many requests",
];

/// Words in Bedrock's messages that tell of a model that cannot be asked in batch, or not in this region. The wordings
/// are not documented; these are the ones of its validation and of public reports.
const NO_BATCH: [&str; 5] = [
    "support batch inference",
    "supported for batch",
    "batch inference is not",
    "batch inference isn't",
    "batch inference for this model",
];

/// Reads Bedrock's failure message, of a job or of the refusal to make one.
pub fn classify_failure(message: &str) -> FailureKind {
    let message = message.to_lowercase().replace('\u{2019}', "'");
    if NO_BATCH.iter().any(|words| message.contains(words)) {
        return FailureKind::NoBatch;
    }
    if PASSING.iter().any(|words| message.contains(words)) { FailureKind::Passing } else { FailureKind::Permanent }
}

/// What a user can do about a permanent failure; empty where the message says it all.
pub fn remedy(message: &str) -> &'static str {
    let lower = message.to_lowercase();
    if lower.contains("less records") {
        "the job's file has fewer records than this model takes: raise max_records_per_job or add rows"
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
    #[case("Internal error occurred. Please try again.", FailureKind::Passing)]
    #[case("Batch job contains less records (1) than the required minimum of: 100", FailureKind::Permanent)]
    #[case("Access denied to s3://b/k", FailureKind::Permanent)]
    #[case("Model x does not support batch inference.", FailureKind::NoBatch)]
    #[case("Batch inference isn\u{2019}t available for this model in this region", FailureKind::NoBatch)]
    #[case("", FailureKind::Permanent)]
    fn kinds(#[case] message: &str, #[case] kind: FailureKind) {
        assert_eq!(classify_failure(message), kind);
    }

    #[test]
    fn known_failures_come_with_a_remedy() {
        assert!(remedy("Access denied to s3://b/k").contains("service role"));
        assert!(remedy("job contains less records (1) than").contains("max_records_per_job"));
    }
}
