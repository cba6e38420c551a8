//! The rule that determines what follows each phase of a run.

use super::facts::Facts;
use super::phase::{Mode, Phase};
use super::state::RunState;
use super::transition::{Ending, NewPass, RowSelection, Transition};
use super::unprocessed::Unprocessed;
use crate::input::ProcessingMode;
use crate::lane::Lane;
use std::collections::{BTreeMap, BTreeSet};

/// Returns the transition after the phase of `state`, which is complete.
pub fn advance(state: &RunState, facts: &Facts<'_>) -> Transition {
    let chunks = match state.phase {
        Phase::AnswerAndJoin => facts.chunks_after_first_pass(state),
        Phase::Answer => facts.chunks_after_pass(state),
        Phase::Join => BTreeSet::new(),
        Phase::LastJoin => return Transition::End(after_last_join(facts)),
        Phase::Pivot | Phase::Finished => return Transition::End(Ending::Finish),
    };
    if chunks.is_empty() { after_join(state, facts) } else { Transition::Join(chunks) }
}

/// Returns the transition after the chunks of the latest pass are joined.
fn after_join(state: &RunState, facts: &Facts<'_>) -> Transition {
    let otherwise = ending(facts);
    if state.mode == Mode::Collect {
        return Transition::End(otherwise);
    }
    if state.round >= state.last_round && facts.all_jobs_failed() {
        // Otherwise a run of few jobs, none of which works, would end as if it were complete. Before the remainder, which costs the
        // full price.
        return Transition::Fail;
    }
    if let Some(remainder) = state.remainder {
        return Transition::AnswerRemainder(remainder);
    }
    let unanswered = facts.unanswered();
    let unprocessed = Unprocessed::of(facts, state.round < state.last_round);
    let Some((selection, lane, round)) = selection(state, facts, &unanswered, &unprocessed) else {
        return Transition::End(otherwise);
    };
    let of_chunks = |chunks: &BTreeSet<u32>| of_chunks(&unanswered, chunks);
    let (rows, failed_jobs) = match selection {
        RowSelection::All => (unanswered, BTreeSet::new()),
        RowSelection::Refused => (of_chunks(&unprocessed.refused), BTreeSet::new()),
        RowSelection::Failed => (of_chunks(&unprocessed.failed), unprocessed.failed_jobs),
    };
    Transition::NewPass(NewPass { selection, rows, lane, round, failed_jobs, otherwise })
}

fn of_chunks(unanswered: &BTreeMap<u32, u64>, chunks: &BTreeSet<u32>) -> BTreeMap<u32, u64> {
    unanswered.iter().filter(|(chunk, _)| chunks.contains(chunk)).map(|(chunk, rows)| (*chunk, *rows)).collect()
}

/// Returns the rows of a new pass, its lane and its round.
///
/// A refusal of batch does not use up a round, since the rows were not sent. Batch is preferred to on demand, since it costs
/// half: rows of failed jobs are sent in batch again while rounds are left, and on demand after that. A pass on demand that would
/// exceed the run's maximum is not begun; its rows keep their reasons.
fn selection(
    state: &RunState,
    facts: &Facts<'_>,
    unanswered: &BTreeMap<u32, u64>,
    unprocessed: &Unprocessed,
) -> Option<(RowSelection, Lane, u32)> {
    let has_some = |chunks: &BTreeSet<u32>| unanswered.keys().any(|chunk| chunks.contains(chunk));
    let rows_of = |chunks: &BTreeSet<u32>| of_chunks(unanswered, chunks).values().sum();
    let may_change_lane = facts.shape.processing == ProcessingMode::Auto;
    let may_be_on_demand = |records: u64| facts.shape.allows_on_demand(facts.history, records);
    if may_change_lane && has_some(&unprocessed.refused) && may_be_on_demand(rows_of(&unprocessed.refused)) {
        return Some((RowSelection::Refused, Lane::OnDemand, state.round));
    }
    if state.round < state.last_round && !unanswered.is_empty() {
        let rows = unanswered.values().sum::<u64>();
        let are_enough = rows >= u64::from(facts.shape.batch_minimum);
        let lane = match facts.shape.processing {
            ProcessingMode::Batch | ProcessingMode::Auto if are_enough => Lane::Batch,
            ProcessingMode::Realtime | ProcessingMode::Auto => Lane::OnDemand,
            ProcessingMode::Batch => return None,
        };
        if lane == Lane::Batch || may_be_on_demand(rows) {
            return Some((RowSelection::All, lane, state.round + 1));
        }
        // Those of failed jobs alone may fit.
    }
    let may_send_failed =
        may_change_lane && has_some(&unprocessed.failed) && may_be_on_demand(rows_of(&unprocessed.failed));
    may_send_failed.then_some((RowSelection::Failed, Lane::OnDemand, state.round))
}

/// Returns the remaining work once all answers are there.
fn ending(facts: &Facts<'_>) -> Ending {
    let (types, chunks) = facts.column_types();
    if facts.shape.duplicate_files > 0 || !chunks.is_empty() {
        return Ending::LastJoin { types, chunks };
    }
    after_last_join(facts)
}

fn after_last_join(facts: &Facts<'_>) -> Ending {
    if facts.shape.is_wide { Ending::Pivot } else { Ending::Finish }
}

#[cfg(test)]
mod tests;
