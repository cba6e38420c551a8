//! Deadlines of one invocation.

use std::time::Duration;
use tokio::time::Instant;

/// Time reserved for storing the last part, updating the job table and returning: two attempts to store that hang, and a third
/// one, since the answers are paid for.
const SHUTDOWN_TIME: Duration = Duration::from_secs(45);
/// Minimum time to wait for requests in progress.
const MIN_ANSWER_TIME: Duration = Duration::from_secs(30);

/// Deadlines of an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// Time after which no request is sent.
    pub send_until: Instant,
    /// Time until which answers to requests in progress are awaited: each of them is charged, and abandoned ones are sent again.
    pub wait_until: Instant,
}

impl Times {
    /// Creates the deadlines of an invocation that starts `now`, sends requests for `sending` and is ended by Lambda at
    /// `deadline`.
    pub fn new(now: Instant, sending: Duration, deadline: Instant) -> Self {
        let before = |instant: Instant, time: Duration| instant.checked_sub(time).unwrap_or(now).max(now);
        let wait_until = before(deadline, SHUTDOWN_TIME);
        Self { send_until: (now + sending).min(before(wait_until, MIN_ANSWER_TIME)), wait_until }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_regular_invocation_uses_its_configured_time() {
        let now = Instant::now();
        let times = Times::new(now, Duration::from_mins(12), now + Duration::from_mins(15));
        assert_eq!(times.send_until, now + Duration::from_mins(12));
        assert_eq!(times.wait_until, now + Duration::from_secs(855));
    }

    proptest! {
        #[test]
        fn time_is_reserved_for_answers_and_shutdown(sending in 5u64..900, lambda in 0u64..900) {
            let now = Instant::now();
            let deadline = now + Duration::from_secs(lambda);
            let times = Times::new(now, Duration::from_secs(sending), deadline);
            prop_assert!(now <= times.send_until && times.send_until <= times.wait_until);
            if lambda >= 75 {
                prop_assert!(times.wait_until + SHUTDOWN_TIME <= deadline);
                prop_assert!(times.send_until + MIN_ANSWER_TIME <= times.wait_until);
            }
        }
    }
}
