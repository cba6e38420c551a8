//! What a run does next: a pure, total function over how it stands, so that any step may be repeated.
//!
//! A *pass* is one trip over jobs of one lane, a *round* one more attempt at the rows that came back without an answer.
//! Every pass is followed by a join of the chunks whose rows were asked; what is then still unanswered decides.

use crate::input::ProcessingMode;
use crate::lane::Lane;
use serde::{Deserialize, Serialize};

/// The states of the state machine that a step can lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepName {
    /// Batch jobs of the first pass, each joined as soon as it is over.
    ProcessJobs,
    /// Batch jobs of a later pass.
    RetryJobs,
    /// Jobs asked record by record.
    AnswerOnDemand,
    /// Join chunks with all their answers.
    JoinChunks,
    /// Add up.
    Finish,
}

/// What an execution does with its run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Ask and join until every row has its answer or its reason.
    #[default]
    Run,
    /// Only join what answers there are.
    Collect,
}

/// How a run stands once the chunks of the latest pass are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What the execution does.
    pub mode: Mode,
    /// How the request wants rows asked.
    pub processing: ProcessingMode,
    /// The latest round.
    pub round: u32,
    /// The last round that may be.
    pub last_round: u32,
    /// Records that a batch job of the model needs.
    pub batch_minimum: u32,
    /// Whether there are rows left over of the latest pass, too few for a batch job, that are to be asked on demand.
    pub rest: bool,
    /// Unanswered rows of jobs that Bedrock did not take in batch.
    pub fell_back: u64,
    /// Unanswered rows of jobs that failed for a passing reason.
    pub failed: u64,
    /// All unanswered rows that may be asked again.
    pub unanswered: u64,
    /// Whether something is left to be done when all answers are there: rows that equal other rows wait for theirs, or
    /// columns do not have the same type in all files.
    pub last_join: bool,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Ask the rows that were left over of the latest pass, on demand.
    Rest,
    /// Ask unanswered rows again.
    Ask {
        /// Which of them.
        rows: Rows,
        /// How.
        lane: Lane,
        /// The round that this is.
        round: u32,
    },
    /// Give rows that equal other rows their answers, and columns one type in all files.
    LastJoin,
    /// All is done.
    Finish,
}

/// Which unanswered rows are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// All of them.
    All,
    /// Those of the latest pass's jobs that Bedrock did not take in batch.
    FellBack,
    /// Those of the latest pass's jobs that failed for a passing reason.
    Failed,
}

/// The next step of a run whose latest pass is joined.
///
/// A refusal of batch costs no round: the rows were not asked. Batch comes before on demand, since it costs half; jobs
/// that failed are asked in batch again as long as there are rounds, and on demand after that.
pub fn next(progress: &Progress) -> Next {
    let Progress { processing, round, .. } = *progress;
    let at_the_end = if progress.last_join { Next::LastJoin } else { Next::Finish };
    if progress.mode == Mode::Collect {
        return at_the_end;
    }
    if progress.rest {
        return Next::Rest;
    }
    let auto = processing == ProcessingMode::Auto;
    if auto && progress.fell_back > 0 {
        return Next::Ask { rows: Rows::FellBack, lane: Lane::OnDemand, round };
    }
    if round < progress.last_round && progress.unanswered > 0 {
        let round = round + 1;
        let enough = progress.unanswered >= u64::from(progress.batch_minimum);
        match processing {
            ProcessingMode::Realtime => return Next::Ask { rows: Rows::All, lane: Lane::OnDemand, round },
            _ if enough => return Next::Ask { rows: Rows::All, lane: Lane::Batch, round },
            ProcessingMode::Auto => return Next::Ask { rows: Rows::All, lane: Lane::OnDemand, round },
            ProcessingMode::Batch => {}
        }
    } else if auto && progress.failed > 0 {
        return Next::Ask { rows: Rows::Failed, lane: Lane::OnDemand, round };
    }
    at_the_end
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const DONE: Progress = Progress {
        mode: Mode::Run,
        processing: ProcessingMode::Auto,
        round: 0,
        last_round: 1,
        batch_minimum: 100,
        rest: false,
        fell_back: 0,
        failed: 0,
        unanswered: 0,
        last_join: false,
    };

    fn ask(rows: Rows, lane: Lane, round: u32) -> Next {
        Next::Ask { rows, lane, round }
    }

    #[rstest]
    #[case::all_answered(DONE, Next::Finish)]
    #[case::many_left(Progress { unanswered: 100, ..DONE }, ask(Rows::All, Lane::Batch, 1))]
    #[case::few_left(Progress { unanswered: 99, ..DONE }, ask(Rows::All, Lane::OnDemand, 1))]
    #[case::few_left_in_batch_mode(Progress { unanswered: 99, processing: ProcessingMode::Batch, ..DONE }, Next::Finish)]
    #[case::realtime(Progress { unanswered: 9999, processing: ProcessingMode::Realtime, ..DONE }, ask(Rows::All, Lane::OnDemand, 1))]
    #[case::no_rounds_left(Progress { unanswered: 100, round: 1, ..DONE }, Next::Finish)]
    #[case::refused(Progress { unanswered: 9, fell_back: 9, last_round: 0, ..DONE }, ask(Rows::FellBack, Lane::OnDemand, 0))]
    #[case::refused_in_batch_mode(
        Progress { unanswered: 9, fell_back: 9, last_round: 0, processing: ProcessingMode::Batch, ..DONE },
        Next::Finish
    )]
    #[case::failed_with_rounds_left(Progress { unanswered: 200, failed: 200, ..DONE }, ask(Rows::All, Lane::Batch, 1))]
    #[case::failed_again(Progress { unanswered: 200, failed: 200, round: 1, ..DONE }, ask(Rows::Failed, Lane::OnDemand, 1))]
    #[case::duplicates_wait_for_the_end(Progress { last_join: true, unanswered: 1, round: 1, ..DONE }, Next::LastJoin)]
    #[case::collecting_asks_nothing(Progress { mode: Mode::Collect, unanswered: 500, ..DONE }, Next::Finish)]
    #[case::the_rest_first(Progress { rest: true, unanswered: 500, ..DONE }, Next::Rest)]
    fn the_next_step_of(#[case] progress: Progress, #[case] expected: Next) {
        assert_eq!(next(&progress), expected);
    }

    proptest! {
        #[test]
        fn batch_mode_never_pays_the_price_of_on_demand(round in 0u32..4, last in 0u32..4, left in 0u64..300, failed in 0u64..300) {
            let progress = Progress {
                processing: ProcessingMode::Batch, round, last_round: last, unanswered: left, failed, fell_back: failed, ..DONE
            };
            let on_demand = matches!(next(&progress), Next::Ask { lane: Lane::OnDemand, .. } | Next::Rest);
            prop_assert!(!on_demand);
        }
    }
}
