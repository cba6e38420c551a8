//! Chunks whose latest jobs were not processed.

use super::facts::Facts;
use super::fate::Fate;
use crate::ids::JobName;
use std::collections::BTreeSet;

/// Chunks whose latest jobs produced no answers at all. The jobs may belong to different passes, since the remainder of a
/// pass is a pass of its own.
#[derive(Debug, Default)]
pub(super) struct Unprocessed {
    /// Chunks of jobs that Bedrock did not accept in batch. They are sent on demand before anything else.
    pub(super) refused: BTreeSet<u32>,
    /// Chunks of jobs that failed for a transient reason.
    pub(super) failed: BTreeSet<u32>,
    /// Names of those jobs.
    pub(super) failed_jobs: BTreeSet<JobName>,
}

impl Unprocessed {
    /// Inspects the jobs of each chunk's latest pass.
    ///
    /// Rows are selected by chunk. If a chunk also had rows in a job that Bedrock accepted, those would be sent twice in one
    /// round: while there are `rounds_left`, it waits for the next one, in which all of its rows are sent.
    pub(super) fn of(facts: &Facts<'_>, rounds_left: bool) -> Self {
        let fate = |name: &JobName| facts.fates.get(name).copied().unwrap_or(Fate::Other);
        let mut found = Self::default();
        for (chunk, attempts) in facts.history.attempts_by_chunk() {
            let last_pass = attempts.last().map(|attempt| attempt.pass);
            let latest: Vec<_> = attempts.into_iter().filter(|attempt| Some(attempt.pass) == last_pass).collect();
            let waits = rounds_left && latest.iter().any(|attempt| fate(&attempt.name) != Fate::Refused);
            for attempt in latest {
                match fate(&attempt.name) {
                    Fate::Refused if waits => {}
                    Fate::Refused => {
                        found.refused.insert(chunk);
                    }
                    Fate::Failed => {
                        found.failed.insert(chunk);
                        found.failed_jobs.insert(attempt.name);
                    }
                    Fate::FailedUnknown | Fate::Other => {}
                }
            }
        }
        found
    }
}
