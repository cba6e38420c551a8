//! The error names that leave a Lambda. The state machine's Retry and Catch match them, so they are contract: the tests
//! of the CDK app read this file and refuse any other name.

/// The user's input is wrong; asking again changes nothing. Never retried.
pub const INVALID_INPUT: &str = "InvalidInput";
/// Bedrock's quota of submitted and running jobs is used up. Waited for in the state machine, with a long backoff.
pub const QUOTA_EXCEEDED: &str = "QuotaExceeded";
/// An AWS API asked us to slow down.
pub const THROTTLED: &str = "Throttled";
/// A fault that should pass by itself: 5xx, a broken connection, a time-out.
pub const TRANSIENT: &str = "Transient";
/// A Bedrock job failed for a reason that no repetition mends.
pub const JOB_FAILED: &str = "JobFailed";

/// All of them.
pub const ALL: [&str; 5] = [INVALID_INPUT, QUOTA_EXCEEDED, THROTTLED, TRANSIENT, JOB_FAILED];
