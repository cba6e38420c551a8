//! Rate limit: every request of the run, including retries, waits for its turn.

use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

/// Turns at regular intervals. Unused turns expire: a pause is not followed by a burst.
#[derive(Debug)]
pub(super) struct Pace(Mutex<Interval>);

impl Pace {
    /// Creates a pace whose first turn comes after a full interval, since the previous invocation may just have ended.
    pub(super) fn new(requests_per_second: f64) -> Self {
        let interval = Duration::try_from_secs_f64(requests_per_second.recip()).unwrap_or(Duration::from_secs(1));
        // An interval of zero length is not allowed.
        let interval = interval.max(Duration::from_micros(1));
        let mut turns = interval_at(Instant::now() + interval, interval);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self(Mutex::new(turns))
    }

    /// Waits for the next turn, in the order of the calls.
    pub(super) async fn turn(&self) {
        self.0.lock().await.tick().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::sync::Arc;
    use tokio::task::JoinSet;

    fn intervals(times: &[Duration]) -> Vec<Duration> {
        times.windows(2).map(|two| two[1].saturating_sub(two[0])).collect()
    }

    /// Returns the times of `count` concurrent turns.
    async fn turns(pace: &Arc<Pace>, count: u32) -> Vec<Duration> {
        let started = Instant::now();
        let mut waiting = JoinSet::new();
        for _ in 0..count {
            let pace = Arc::clone(pace);
            waiting.spawn(async move {
                pace.turn().await;
                started.elapsed()
            });
        }
        let mut times = waiting.join_all().await;
        times.sort();
        times
    }

    #[rstest]
    #[case(5.0)]
    #[case(0.5)]
    #[case(40.0)]
    #[tokio::test(start_paused = true)]
    async fn no_two_turns_are_closer_than_the_rate_allows(#[case] rate: f64) {
        let times = turns(&Arc::new(Pace::new(rate)), 30).await;
        let interval = Duration::from_secs_f64(1.0 / rate);
        assert!(times[0] >= interval);
        assert!(intervals(&times).iter().all(|found| *found >= interval), "{times:?}");
        assert!(times[29] <= interval * 31, "{times:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_is_not_followed_by_a_burst() {
        let pace = Arc::new(Pace::new(10.0));
        pace.turn().await;
        tokio::time::sleep(Duration::from_mins(1)).await;
        let times = turns(&pace, 5).await;
        assert!(intervals(&times).iter().all(|found| *found >= Duration::from_millis(100)), "{times:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_wait_takes_no_turn() {
        let pace = Arc::new(Pace::new(1.0));
        assert!(tokio::time::timeout(Duration::from_millis(500), pace.turn()).await.is_err());
        let started = Instant::now();
        pace.turn().await;
        assert!(started.elapsed() <= Duration::from_millis(502));
    }
}
