//! The error names that leave a Lambda. The state machines' Retry and Catch match them, so they are part of the
//! [contract](crate::contract).

crate::contract::names! {
    /// The user's input is invalid, and a retry would change nothing. Never retried.
    INVALID_INPUT = "InvalidInput";
    /// Bedrock's quota of submitted and running jobs is used up. Retried in the state machine with a long backoff.
    QUOTA_EXCEEDED = "QuotaExceeded";
    /// An AWS API throttled a request. Retried.
    THROTTLED = "Throttled";
    /// A transient fault: a 5xx, a broken connection, a timeout. Retried.
    TRANSIENT = "Transient";
    /// A Bedrock job failed for a reason that a retry cannot fix. Never retried.
    JOB_FAILED = "JobFailed";
}

/// Errors that a retry may fix. All others are never retried.
pub const RETRIED: &[&str] = &[QUOTA_EXCEEDED, THROTTLED, TRANSIENT];
