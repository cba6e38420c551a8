//! Waits of jobs for which there is no room at Bedrock.

use crate::contract::quota_wait::{BACKOFF_PERCENT, FIRST_SECONDS, MAX_SECONDS};

/// Seconds within which an attempt begins once its wait is over: Step Functions and Lambda may be late, or throttle.
const START_SECONDS: u64 = 60;

/// Returns the maximum number of seconds after which the next attempt has begun, when the attempt that is the retry of this number
/// has found no room. Retries for other reasons are counted too, and only make it longer.
pub fn max_wait_seconds(retry: u32) -> u64 {
    let (mut seconds, max) = (u64::from(FIRST_SECONDS), u64::from(MAX_SECONDS));
    for _ in 0..retry {
        if seconds >= max {
            break;
        }
        seconds = seconds * u64::from(BACKOFF_PERCENT) / 100;
    }
    seconds.min(max) + START_SECONDS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_a_maximum() {
        assert_eq!([0, 1, 2, 6, 7, u32::MAX].map(max_wait_seconds), [120, 150, 195, 741, 960, 960]);
    }
}
