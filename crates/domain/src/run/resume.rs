//! The point at which an execution resumes a run that another one left unfinished.

use super::history::History;
use super::phase::{Mode, Phase};
use super::remainder::Remainder;
use super::state::RunState;
use crate::ids::JobName;
use crate::lane::Lane;
use crate::plan::JobItem;

/// Progress of a job, according to the job table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JobProgress {
    /// If true, an execution has started it.
    pub has_begun: bool,
    /// If true, it is over.
    pub is_over: bool,
}

/// Point at which an execution resumes a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resumption {
    /// State of the run.
    pub state: RunState,
    /// Lane of the latest pass.
    pub lane: Lane,
    /// Jobs of the latest pass that are not over. If there are none, the pass is complete.
    pub open_jobs: Vec<JobItem>,
}

/// Returns the point at which a run is resumed: in its latest pass, with the jobs that are not over. `lane` is that of the
/// run's chunks, `max_rounds` the number of rounds that its request allows.
pub fn resume(
    lane: Lane,
    max_rounds: u32,
    history: &History,
    progress: impl Fn(&JobName) -> JobProgress,
) -> Resumption {
    // A remainder is stored together with the pass before it, but started only after that pass.
    let waits = history.ends_with_waiting_remainder(|job| progress(&job.name).has_begun);
    let (pass, remainder) = match history.last_pass() {
        last if waits => (last.saturating_sub(1), Some(Remainder { pass: last })),
        last => (last, None),
    };
    let latest = history.jobs_of_pass(pass).last();
    // A run whose only chunk is too small for batch has no job in pass 0.
    let (lane, round) = latest.map_or((lane, 0), |(job, _)| (job.lane, job.round));
    let is_open = |job: &&JobItem| !progress(&job.name).is_over;
    let open_jobs: Vec<JobItem> = history.jobs_of_pass(pass).map(|(job, _)| job).filter(is_open).cloned().collect();
    let joins_each_job = pass == 0 && lane == Lane::Batch && !open_jobs.is_empty();
    let phase = if joins_each_job { Phase::AnswerAndJoin } else { Phase::Answer };
    // Rows that the end of the run has left unanswered get at least one more round.
    let last_round = round + max_rounds.max(1);
    let state = RunState { phase, mode: Mode::Run, pass, round, last_round, remainder };
    Resumption { state, lane, open_jobs }
}
