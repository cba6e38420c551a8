//! The times of one invocation.

use std::time::Duration;
use tokio::time::Instant;

/// What the last part, the job table and the way out need at the end.
const FOR_THE_END: Duration = Duration::from_secs(15);
/// The least that requests under way are waited for.
const FOR_ANSWERS: Duration = Duration::from_secs(30);

/// Until when an invocation does what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// No request is sent after this.
    pub asks_until: Instant,
    /// Requests under way are waited for until then: each of them is paid, and one that is given up is asked again.
    pub waits_until: Instant,
}

impl Times {
    /// The times of an invocation that begins `now`, asks for `asking` and is ended by Lambda at `deadline`.
    pub fn new(now: Instant, asking: Duration, deadline: Instant) -> Self {
        let before = |moment: Instant, time: Duration| moment.checked_sub(time).unwrap_or(now).max(now);
        let waits_until = before(deadline, FOR_THE_END);
        Self { asks_until: (now + asking).min(before(waits_until, FOR_ANSWERS)), waits_until }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_usual_invocation() {
        let now = Instant::now();
        let times = Times::new(now, Duration::from_mins(12), now + Duration::from_mins(15));
        assert_eq!(times.asks_until, now + Duration::from_mins(12));
        assert_eq!(times.waits_until, now + Duration::from_secs(885));
    }

    proptest! {
        #[test]
        fn there_is_time_for_answers_and_for_the_end(asking in 5u64..900, lambda in 0u64..900) {
            let now = Instant::now();
            let deadline = now + Duration::from_secs(lambda);
            let times = Times::new(now, Duration::from_secs(asking), deadline);
            prop_assert!(now <= times.asks_until && times.asks_until <= times.waits_until);
            if lambda >= 45 {
                prop_assert!(times.waits_until + FOR_THE_END <= deadline);
                prop_assert!(times.asks_until + FOR_ANSWERS <= times.waits_until);
            }
        }
    }
}
