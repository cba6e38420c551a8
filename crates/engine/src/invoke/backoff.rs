//! Wait before a request is retried.

use std::time::Duration;

/// Maximum number of attempts for one record.
pub(super) const MAX_ATTEMPTS: u32 = 8;
/// Maximum number of attempts that time out for one record: each of them takes minutes, and may have to be paid for.
pub(super) const MAX_TIMED_OUT_ATTEMPTS: u32 = 2;

const BASE_WAIT: Duration = Duration::from_millis(500);
const MAX_WAIT: Duration = Duration::from_secs(30);
/// Maximum wait that a server can request.
const MAX_REQUESTED_WAIT: Duration = Duration::from_mins(2);

/// Returns the wait after `attempts` (at least 1) have failed: exponential with full jitter, and at least as long as the
/// server requested. `chance` is a random number from 0 to 1.
pub(super) fn wait(attempts: u32, requested: Option<Duration>, chance: f64) -> Duration {
    let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1));
    let jittered = BASE_WAIT.saturating_mul(doubled).min(MAX_WAIT).mul_f64(chance.clamp(0.0, 1.0));
    jittered.max(requested.unwrap_or_default().min(MAX_REQUESTED_WAIT))
}

/// Parses the wait that the header `Retry-After` requests. Dates, which Bedrock does not send, are ignored like other values.
pub(super) fn requested_wait(retry_after: &str) -> Option<Duration> {
    let seconds = retry_after.trim().parse::<f64>().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("3", Some(3_000))]
    #[case(" 0.5 ", Some(500))]
    #[case("0", Some(0))]
    #[case("-1", None)]
    #[case("soon", None)]
    #[case("inf", None)]
    #[case("NaN", None)]
    #[case("Fri, 31 Dec 2027 23:59:59 GMT", None)]
    #[case("", None)]
    fn seconds_of_retry_after_are_parsed(#[case] header: &str, #[case] millis: Option<u64>) {
        assert_eq!(requested_wait(header), millis.map(Duration::from_millis));
    }

    #[test]
    fn the_maximum_jitter_doubles_up_to_its_limit() {
        let maximum: Vec<u128> = (1..=9).map(|attempts| wait(attempts, None, 1.0).as_millis()).collect();
        assert_eq!(maximum, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    }

    proptest! {
        #[test]
        fn waits_stay_within_their_limits(attempts in any::<u32>(), seconds in prop::option::of(0u64..100_000), chance in 0.0..1.0f64) {
            let requested = seconds.map(Duration::from_secs);
            let found = wait(attempts, requested, chance);
            let minimum = requested.unwrap_or_default().min(MAX_REQUESTED_WAIT);
            prop_assert!(found >= minimum && found <= MAX_WAIT.max(minimum));
            prop_assert!(found <= wait(attempts.saturating_add(1), requested, chance), "more failures, no shorter wait");
        }

        #[test]
        fn any_header_is_accepted(header in any::<String>()) {
            if let Some(requested) = requested_wait(&header) {
                prop_assert!(wait(1, Some(requested), 0.5) <= MAX_REQUESTED_WAIT);
            }
        }
    }
}
