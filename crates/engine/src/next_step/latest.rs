//! What became of the jobs that had a chunk's rows last.

use super::History;
use std::collections::BTreeSet;

/// What became of a job, as far as it decides how its rows are asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Bedrock did not take it in batch.
    FellBack,
    /// It failed for a passing reason.
    Failed,
    /// Anything else.
    Other,
}

/// Chunks whose latest jobs did not even come to answers. Not all are of the latest pass: the rest of a pass has one of
/// its own.
#[derive(Debug, Default)]
pub struct Latest {
    /// Chunks of jobs that Bedrock did not take in batch, and that are asked on demand before anything else.
    pub fell_back: BTreeSet<u32>,
    /// Chunks of jobs that failed for a passing reason.
    pub failed: BTreeSet<u32>,
    /// The names of those jobs.
    pub failed_jobs: BTreeSet<String>,
}

impl Latest {
    /// Looks at the jobs of each chunk's latest pass; `fate` says by name what became of a job.
    ///
    /// Rows are asked by chunk. A chunk that had rows in a job that Bedrock took as well would have those asked twice in
    /// one round: while there are `rounds_left`, it waits for the next one, in which all of its rows are asked.
    pub fn of(history: &History, fate: impl Fn(&str) -> Fate, rounds_left: bool) -> Self {
        let mut latest = Self::default();
        for (chunk, jobs) in history.jobs_by_chunk() {
            let last_pass = jobs.last().map(|job| job.pass);
            let jobs: Vec<_> = jobs.into_iter().filter(|job| Some(job.pass) == last_pass).collect();
            let waits = rounds_left && jobs.iter().any(|job| fate(&job.name) != Fate::FellBack);
            for job in jobs {
                match fate(&job.name) {
                    Fate::FellBack if waits => {}
                    Fate::FellBack => {
                        latest.fell_back.insert(chunk);
                    }
                    Fate::Failed => {
                        latest.failed.insert(chunk);
                        latest.failed_jobs.insert(job.name);
                    }
                    Fate::Other => {}
                }
            }
        }
        latest
    }
}
