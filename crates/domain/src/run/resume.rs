//! Where an execution takes up a run that another one left unfinished.

use super::history::History;
use super::phase::{Mode, Phase};
use super::remainder::Remainder;
use super::state::RunState;
use crate::ids::JobName;
use crate::lane::Lane;
use crate::plan::JobItem;

/// Progress of a job, as the job table knows it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JobProgress {
    /// If true, some execution has begun it.
    pub has_begun: bool,
    /// If true, nothing more happens to it.
    pub is_over: bool,
}

/// Part of a run that an execution takes up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resumption {
    /// State of the run.
    pub state: RunState,
    /// Lane of the latest pass.
    pub lane: Lane,
    /// Jobs of the latest pass that are not over. If there are none, the pass is done.
    pub open_jobs: Vec<JobItem>,
}

/// Returns where a run is taken up: in its latest pass, with the jobs that are not over. `lane` is that of the run's
/// chunks, `max_rounds` the number of rounds that its request allows.
pub fn resume(
    lane: Lane,
    max_rounds: u32,
    history: &History,
    progress: impl Fn(&JobName) -> JobProgress,
) -> Resumption {
    // A remainder that was written down with the pass before it is begun only when it is its turn.
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
    // Whatever was allowed before: rows that the end of the run has left unanswered get one more round.
    let last_round = round + max_rounds.max(1);
    let state = RunState { phase, mode: Mode::Run, pass, round, last_round, remainder };
    Resumption { state, lane, open_jobs }
}
