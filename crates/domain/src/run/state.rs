//! State of a run, which is passed from step to step.

use super::phase::{Mode, Phase};
use super::remainder::Remainder;
use super::shape::RunShape;
use super::transition::Ending;
use crate::lane::Lane;

/// State of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunState {
    /// Current phase.
    pub phase: Phase,
    /// Purpose of the execution.
    pub mode: Mode,
    /// Number of the latest pass.
    pub pass: u32,
    /// Number of the latest round.
    pub round: u32,
    /// Number of the last permitted round.
    pub last_round: u32,
    /// Remainder of the latest pass, if it is still to be sent.
    pub remainder: Option<Remainder>,
}

impl RunState {
    /// Returns the first state of a run, and the lane of its first jobs. `lane` is that of the run's chunks.
    pub fn first(shape: &RunShape, lane: Lane, last_round: u32) -> (Self, Lane) {
        // A chunk too small for batch is the remainder of pass 0. If it is the only one, pass 0 has no jobs.
        let starts_with_remainder = shape.has_small_chunk && shape.chunks == 1;
        let (phase, pass, lane) = match lane {
            Lane::Batch if starts_with_remainder => (Phase::Answer, 1, Lane::OnDemand),
            Lane::Batch => (Phase::AnswerAndJoin, 0, Lane::Batch),
            Lane::OnDemand => (Phase::Answer, 0, Lane::OnDemand),
        };
        let remainder = (shape.has_small_chunk && pass == 0).then_some(Remainder { pass: 1 });
        (Self { phase, mode: Mode::Run, pass, round: 0, last_round, remainder }, lane)
    }

    /// Returns the state of an execution that joins all chunks with the existing answers, after the latest `pass`.
    pub fn collecting(pass: u32) -> Self {
        Self { phase: Phase::Join, mode: Mode::Collect, pass, round: 0, last_round: 0, remainder: None }
    }

    /// Returns the state in which the chunks of the latest pass are joined.
    #[must_use]
    pub fn joining(self) -> Self {
        Self { phase: Phase::Join, ..self }
    }

    /// Returns the state in which a remainder is sent.
    #[must_use]
    pub fn answering_remainder(self, remainder: Remainder) -> Self {
        Self { phase: Phase::Answer, pass: remainder.pass, remainder: None, ..self }
    }

    /// Returns the state in which the jobs of a new pass run. If the pass has a remainder, that is the pass after it.
    #[must_use]
    pub fn answering_new_pass(self, round: u32, has_remainder: bool) -> Self {
        let pass = self.next_pass();
        let remainder = has_remainder.then_some(Remainder { pass: pass + 1 });
        Self { phase: Phase::Answer, pass, round, remainder, ..self }
    }

    /// Returns the state for the end of a run.
    #[must_use]
    pub fn ending(self, ending: &Ending) -> Self {
        let phase = match ending {
            Ending::LastJoin { .. } => Phase::LastJoin,
            Ending::Pivot => Phase::Pivot,
            Ending::Finish => Phase::Finished,
        };
        Self { phase, ..self }
    }

    /// Returns the number of the next pass.
    pub fn next_pass(&self) -> u32 {
        self.pass + 1
    }
}
