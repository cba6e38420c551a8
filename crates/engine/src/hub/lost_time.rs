//! Time that failed attempts and delays take while one dataset is read.

use std::time::{Duration, Instant};

/// Sum of the lost time. Several files may be read at the same time, and a rate limit delays all of them: what they lose
/// together counts once.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LostTime {
    sum: Duration,
    /// Beginning and end of the latest stretch.
    latest: Option<(Instant, Instant)>,
}

impl LostTime {
    /// Adds the time from `begun` to `end`, or returns false if the sum would exceed `max`.
    pub(super) fn add(&mut self, begun: Instant, end: Instant, max: Duration) -> bool {
        let (from, until) = self.latest.unwrap_or((begun, begun));
        let before = end.min(from).saturating_duration_since(begun);
        let after = end.saturating_duration_since(begun.max(until));
        let sum = self.sum.saturating_add(before).saturating_add(after);
        if sum > max {
            return false;
        }
        self.sum = sum;
        self.latest = Some(if begun > until { (begun, end) } else { (from.min(begun), until.max(end)) });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::one_after_the_other(&[(0, 10), (10, 15), (20, 25)], 20)]
    #[case::together(&[(0, 60), (0, 60), (1, 61), (1, 59)], 61)]
    #[case::a_long_one_after_a_short_one(&[(55, 58), (0, 60)], 60)]
    #[case::an_earlier_one(&[(20, 30), (0, 10)], 20)]
    fn time_that_is_lost_together_counts_once(#[case] stretches: &[(u64, u64)], #[case] seconds: u64) {
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let sum_is_at_most = |max: u64| {
            let mut lost = LostTime::default();
            stretches.iter().all(|(begun, end)| lost.add(at(*begun), at(*end), Duration::from_secs(max)))
        };
        assert!(sum_is_at_most(seconds) && !sum_is_at_most(seconds - 1));
    }
}
