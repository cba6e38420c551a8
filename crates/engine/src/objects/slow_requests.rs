//! Requests that S3 itself works on for a while: it copies up to 5 GB, and puts up to 10,000 parts together. The limits of
//! other requests would end them.

use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{Builder, Config};
use std::time::Duration;

/// Maximum time of an attempt.
const ATTEMPT: Duration = Duration::from_mins(4);

/// Returns the settings of a slow request. A function of 15 minutes has time for two attempts, and for what follows.
pub(crate) fn slow() -> Builder {
    let limits = TimeoutConfig::builder().read_timeout(ATTEMPT).operation_attempt_timeout(ATTEMPT);
    Config::builder().timeout_config(limits.operation_timeout(ATTEMPT * 5 / 2).build())
}
