//! Limits on retries and delays of requests to the Hub.

use std::time::Duration;

/// Limits on retries and delays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Maximum time to connect.
    pub connect_timeout: Duration,
    /// Maximum time without any byte of a response.
    pub read_timeout: Duration,
    /// Maximum time of one attempt: a server may send a byte now and then without end.
    pub attempt_timeout: Duration,
    /// Delay before the first retry; it doubles with each.
    pub first_delay: Duration,
    /// Maximum number of consecutive attempts without progress.
    pub max_attempts: u32,
    /// Maximum sum of all delays and failed attempts while one dataset is read; those at the same time count once. The Hub
    /// counts requests in windows of five minutes, and a function ends after fifteen.
    pub max_total_delay: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            attempt_timeout: Duration::from_mins(1),
            first_delay: Duration::from_millis(500),
            max_attempts: 8,
            max_total_delay: Duration::from_mins(6),
        }
    }
}

impl RetryPolicy {
    /// Returns the delay after this number of attempts, if the server names none.
    pub(super) fn delay_after(&self, attempts: u32) -> Duration {
        const MAX_DELAY: Duration = Duration::from_secs(30);
        let doubled = self.first_delay.saturating_mul(1 << attempts.saturating_sub(1).min(10)).min(MAX_DELAY);
        doubled.mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}
