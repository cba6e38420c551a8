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
    /// Chunks of jobs that Bedrock did not take in batch.
    pub fell_back: BTreeSet<u32>,
    /// Chunks of jobs that failed for a passing reason.
    pub failed: BTreeSet<u32>,
    /// The names of those jobs.
    pub failed_jobs: BTreeSet<String>,
}

impl Latest {
    /// Looks at the jobs of each chunk's latest pass; `fate` says by name what became of a job.
    pub fn of(history: &History, fate: impl Fn(&str) -> Fate) -> Self {
        let mut latest = Self::default();
        for (chunk, jobs) in history.jobs_by_chunk() {
            let last_pass = jobs.last().map(|job| job.pass);
            for job in jobs.into_iter().filter(|job| Some(job.pass) == last_pass) {
                match fate(&job.name) {
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
