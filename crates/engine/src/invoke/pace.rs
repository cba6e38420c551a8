//! The rate limit: every request of the run, repeated ones included, takes its turn here.

use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

/// Turns at even distances. What nobody took is gone: a pause is not followed by a burst.
#[derive(Debug)]
pub(super) struct Pace(Mutex<Interval>);

impl Pace {
    /// The first turn comes after one whole distance: the invocation before this one may have ended just now.
    pub(super) fn new(requests_per_second: f64) -> Self {
        let distance = Duration::try_from_secs_f64(requests_per_second.recip()).unwrap_or(Duration::from_secs(1));
        // An interval of no length is not allowed.
        let distance = distance.max(Duration::from_micros(1));
        let mut turns = interval_at(Instant::now() + distance, distance);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self(Mutex::new(turns))
    }

    /// Waits for the next turn; first come, first served.
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

    fn distances(times: &[Duration]) -> Vec<Duration> {
        times.windows(2).map(|two| two[1].saturating_sub(two[0])).collect()
    }

    /// When each of `count` turns came, with ten at once waiting for theirs.
    async fn turns(pace: &Arc<Pace>, count: u32) -> Vec<Duration> {
        let begun = Instant::now();
        let mut waiting = JoinSet::new();
        for _ in 0..count {
            let pace = Arc::clone(pace);
            waiting.spawn(async move {
                pace.turn().await;
                begun.elapsed()
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
        let distance = Duration::from_secs_f64(1.0 / rate);
        assert!(times[0] >= distance);
        assert!(distances(&times).iter().all(|found| *found >= distance), "{times:?}");
        assert!(times[29] <= distance * 31, "{times:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_is_not_followed_by_a_burst() {
        let pace = Arc::new(Pace::new(10.0));
        pace.turn().await;
        tokio::time::sleep(Duration::from_mins(1)).await;
        let times = turns(&pace, 5).await;
        assert!(distances(&times).iter().all(|found| *found >= Duration::from_millis(100)), "{times:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_stops_waiting_takes_no_turn() {
        let pace = Arc::new(Pace::new(1.0));
        assert!(tokio::time::timeout(Duration::from_millis(500), pace.turn()).await.is_err());
        let begun = Instant::now();
        pace.turn().await;
        assert!(begun.elapsed() <= Duration::from_millis(502));
    }
}
