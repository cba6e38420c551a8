//! Answers that are not there yet. Bedrock may report the end of a job before all lines of its output can be read: a row
//! without a line is then sent, and paid for, once more. So the lines are compared with Bedrock's own counts, and if there
//! are fewer, the join waits and looks again.

use super::job_files::JobFiles;
use super::join::JobLines;
use bedrock_batch_domain::summary::ChunkCounts;
use std::time::Duration;

/// Warning about rows whose records Bedrock counts as processed.
const LATE: &str = "rows that Bedrock counts as processed, without a line in the job's output";

/// Delay before the second look; it doubles with each.
const FIRST_DELAY: Duration = Duration::from_secs(1);

/// Delays between looks at the output of jobs, within a certain time.
#[derive(Debug)]
pub(super) struct PollDelays {
    delay: Duration,
    left: Duration,
}

impl PollDelays {
    /// Creates the delays of looks within `time`.
    pub(super) fn new(time: Duration) -> Self {
        Self { delay: FIRST_DELAY, left: time }
    }

    /// Returns true if there is time for another look.
    pub(super) fn has_time_left(&self) -> bool {
        !self.left.is_zero()
    }

    /// Waits until the next look.
    pub(super) async fn wait(&mut self) {
        let delay = self.delay.min(self.left);
        self.left -= delay;
        self.delay *= 2;
        tokio::time::sleep(delay).await;
    }
}

/// Returns the number of rows of a chunk whose lines are missing from the output of jobs with fewer lines than Bedrock counts.
pub(super) fn late_lines(jobs: &[JobFiles], found: &[JobLines]) -> u64 {
    let late = jobs.iter().zip(found).map(|(job, found)| {
        let fewer = job.expected_lines.unwrap_or(0).saturating_sub(found.lines);
        // Jobs of later passes also have rows of other chunks, which count their own.
        fewer.min(found.missing_rows)
    });
    late.fold(0, u64::saturating_add)
}

/// Adds the warning about `late` rows.
pub(super) fn with_late_lines(mut counts: ChunkCounts, late: u64) -> ChunkCounts {
    if late > 0 {
        counts.warnings.insert(LATE.to_owned(), late);
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn looks_are_bounded_by_their_time() {
        let begun = tokio::time::Instant::now();
        let mut delays = PollDelays::new(Duration::from_secs(10));
        let mut seconds = Vec::new();
        while delays.has_time_left() {
            delays.wait().await;
            seconds.push(begun.elapsed().as_secs());
        }
        assert_eq!(seconds, [1, 3, 7, 10]);
        assert!(!PollDelays::new(Duration::ZERO).has_time_left());
    }
}
