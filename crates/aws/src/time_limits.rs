//! Limits on the time of requests. Without them a server that accepts a connection and never responds holds a function until
//! Lambda ends it, with everything that the function has not stored yet.

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use std::time::Duration;

/// Limits on the time of the requests to a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeLimits {
    /// Maximum time to connect, with TLS.
    pub connect: Duration,
    /// Maximum time from the beginning of a request, whose body is included, to the beginning of its response.
    pub response: Duration,
    /// Maximum time of an attempt. The body of an object in S3 is not included: it has no limit as long as bytes arrive.
    pub attempt: Duration,
    /// Maximum time of all attempts and the delays between them.
    pub call: Duration,
}

impl TimeLimits {
    /// Limits of requests that take milliseconds: DynamoDB, Step Functions, SNS, Secrets Manager, STS. A function of one
    /// minute can report the failure of such a call, for which it needs another one.
    pub const SHORT: Self = Self::seconds(3, 7, 8, 25);
    /// Limits of Bedrock's control plane, which is slower.
    pub const BEDROCK: Self = Self::seconds(3, 10, 11, 30);
    /// Limits of requests to S3, which functions send at most 8 MiB at once.
    pub const S3: Self = Self::seconds(3, 12, 16, 45);
    /// Limits of requests to models, which respond when their answer is complete. Requests are repeated by invoke, not by
    /// the client.
    pub const INFERENCE: Self = Self::seconds(10, 300, 310, 310);

    /// Returns the limits of sending an object of this size over a line of 64 KiB per second. Clients create a connector for
    /// each limit, so there are few different ones.
    #[must_use]
    pub fn of_upload(bytes: u64) -> Self {
        let response = (60 + bytes / (64 * 1024)).next_power_of_two();
        Self::seconds(3, response, response + 5, 3 * (response + 5))
    }

    const fn seconds(connect: u64, response: u64, attempt: u64, call: u64) -> Self {
        Self {
            connect: Duration::from_secs(connect),
            response: Duration::from_secs(response),
            attempt: Duration::from_secs(attempt),
            call: Duration::from_secs(call),
        }
    }

    /// Returns the limits with those of an attempt divided by `divisor`, for tests that wait for their end. The delays between
    /// attempts are not shorter, so the limit of the call is not either.
    #[must_use]
    pub fn divided_by(self, divisor: u32) -> Self {
        let Self { connect, response, attempt, call } = self;
        Self { connect: connect / divisor, response: response / divisor, attempt: attempt / divisor, call }
    }

    /// Returns settings of clients with these limits.
    #[must_use]
    pub fn apply(self, config: &SdkConfig) -> SdkConfig {
        config.clone().into_builder().timeout_config(self.into()).build()
    }
}

impl From<TimeLimits> for TimeoutConfig {
    fn from(limits: TimeLimits) -> Self {
        Self::builder()
            .connect_timeout(limits.connect)
            .read_timeout(limits.response)
            .operation_attempt_timeout(limits.attempt)
            .operation_timeout(limits.call)
            .build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_time_for_a_second_attempt_and_ends_within_a_function_of_one_minute() {
        for limits in [TimeLimits::SHORT, TimeLimits::BEDROCK] {
            assert!(limits.connect < limits.response && limits.response < limits.attempt, "{limits:?}");
            assert!(limits.attempt * 2 < limits.call, "{limits:?}");
            // The failed call, and the one that records its failure.
            assert!(limits.call + TimeLimits::SHORT.call < Duration::from_mins(1), "{limits:?}");
        }
        assert!(TimeLimits::S3.attempt * 2 < TimeLimits::S3.call && TimeLimits::S3.call < Duration::from_mins(1));
        assert!(TimeLimits::of_upload(5 << 30).response > Duration::from_hours(22), "the largest object at 64 KiB/s");
        assert!(TimeLimits::INFERENCE.call * 2 < Duration::from_mins(15), "two attempts fit into an invocation");
    }
}
