//! Sweeps: work on many items, several at a time, that ends within the time of a function. One item after the other, a function
//! would reach some 2,000 of them, and always the same ones.

use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

/// Maximum number of items that are worked on at the same time. AWS does not document how many requests per second Bedrock's
/// control plane accepts; it throttles others, which the client repeats.
const MAX_CONCURRENT: usize = 16;
/// Time before the end of a function after which nothing is begun: calls that hang end within it.
const LAST_START: Duration = Duration::from_secs(90);
/// Time before the end of a function after which nothing is waited for.
const LAST_WAIT: Duration = Duration::from_secs(15);

/// Time of a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SweepTime {
    start_until: Instant,
    wait_until: Instant,
}

impl SweepTime {
    /// Creates the time of a sweep in a function that Lambda ends at `deadline`.
    pub fn until(deadline: Instant) -> Self {
        let before = |time: Duration| deadline.checked_sub(time).unwrap_or(deadline);
        Self { start_until: before(LAST_START), wait_until: before(LAST_WAIT) }
    }

    /// Returns true if work may be begun.
    pub(crate) fn is_open(self) -> bool {
        Instant::now() < self.start_until
    }
}

/// Performs `work` on each of `items`, and calls `each` with the results as they come. Returns the number of items that were not
/// worked on, or not to the end.
pub(crate) async fn sweep<I, T, F>(
    items: impl IntoIterator<Item = I>,
    time: SweepTime,
    work: impl Fn(I) -> F,
    mut each: impl FnMut(T),
) -> u64
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut items = items.into_iter();
    let mut tasks = JoinSet::new();
    let mut left = 0;
    loop {
        while tasks.len() < MAX_CONCURRENT && time.is_open() {
            let Some(item) = items.next() else { break };
            tasks.spawn(work(item));
        }
        match timeout_at(time.wait_until, tasks.join_next()).await {
            Ok(None) => return left + items.count() as u64,
            Ok(Some(Ok(done))) => each(done),
            Ok(Some(Err(died))) => {
                tracing::error!(%died, "sweep_task_died");
                left += 1;
            }
            Err(_) => return left + tasks.len() as u64 + items.count() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn minutes(minutes: u64) -> SweepTime {
        SweepTime::until(Instant::now() + Duration::from_mins(minutes))
    }

    #[tokio::test(start_paused = true)]
    async fn a_sweep_works_on_several_items_at_a_time() {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let work = |item: u32| {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_secs(1)).await;
                now.fetch_sub(1, Ordering::SeqCst);
                item
            }
        };
        let mut done = Vec::new();
        assert_eq!(sweep(0..100, minutes(5), work, |item| done.push(item)).await, 0);
        done.sort_unstable();
        assert_eq!((done, most.load(Ordering::SeqCst)), ((0..100).collect(), MAX_CONCURRENT));
    }

    #[tokio::test(start_paused = true)]
    async fn a_sweep_ends_in_time_and_counts_what_is_left() {
        let begun = Instant::now();
        let slow = |_: u32| tokio::time::sleep(Duration::from_secs(10));
        let mut done = 0;
        let left = sweep(0..10_000, minutes(5), slow, |()| done += 1).await;
        assert_eq!((done, done + left), (21 * MAX_CONCURRENT as u64, 10_000));
        let hangs = |_: u32| std::future::pending::<()>();
        assert_eq!(sweep(0..5, SweepTime::until(begun + Duration::from_mins(9)), hangs, |()| {}).await, 5);
        assert!(Instant::now() <= begun + Duration::from_mins(9) - LAST_WAIT);
        assert_eq!(sweep(0..5, SweepTime::until(Instant::now()), hangs, |()| {}).await, 5, "there is no time at all");
    }
}
