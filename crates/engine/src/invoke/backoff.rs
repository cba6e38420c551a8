//! How long to wait before a request is sent again.

use std::time::Duration;

/// How often one record is sent.
pub(super) const MOST_ATTEMPTS: u32 = 8;
/// How often a record is sent that nobody answered in time: each such attempt takes minutes, and may have to be paid.
pub(super) const MOST_TIMED_OUT_ATTEMPTS: u32 = 2;

const BASE: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);
/// The longest that a server can make a record wait.
const LONGEST_ASKED_FOR: Duration = Duration::from_mins(2);

/// The wait after `attempts` (1 or more) failed: exponential with full jitter, and no less than the server asked for.
/// `chance` is a random number from 0 to 1.
pub(super) fn wait(attempts: u32, asked_for: Option<Duration>, chance: f64) -> Duration {
    let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1));
    let jittered = BASE.saturating_mul(doubled).min(LONGEST).mul_f64(chance.clamp(0.0, 1.0));
    jittered.max(asked_for.unwrap_or_default().min(LONGEST_ASKED_FOR))
}

/// What the header `Retry-After` asks for. It may also hold a date, which Bedrock does not send: that, like anything
/// else, asks for nothing.
pub(super) fn asked_for(retry_after: &str) -> Option<Duration> {
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
    fn retry_after(#[case] header: &str, #[case] millis: Option<u64>) {
        assert_eq!(asked_for(header), millis.map(Duration::from_millis));
    }

    #[test]
    fn the_longest_jitter_doubles_up_to_its_limit() {
        let longest: Vec<u128> = (1..=9).map(|attempts| wait(attempts, None, 1.0).as_millis()).collect();
        assert_eq!(longest, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    }

    proptest! {
        #[test]
        fn waits_stay_within_their_limits(attempts in any::<u32>(), seconds in prop::option::of(0u64..100_000), chance in 0.0..1.0f64) {
            let asked = seconds.map(Duration::from_secs);
            let found = wait(attempts, asked, chance);
            let least = asked.unwrap_or_default().min(LONGEST_ASKED_FOR);
            prop_assert!(found >= least && found <= LONGEST.max(least));
            prop_assert!(found <= wait(attempts.saturating_add(1), asked, chance), "more failures, no shorter wait");
        }

        #[test]
        fn any_header_is_read(header in any::<String>()) {
            if let Some(asked) = asked_for(&header) {
                prop_assert!(wait(1, Some(asked), 0.5) <= LONGEST_ASKED_FOR);
            }
        }
    }
}
