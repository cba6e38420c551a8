use super::super::fate::Fate;
use super::super::history::{History, Pass};
use super::super::remainder::Remainder;
use super::super::shape::RunShape;
use super::*;
use crate::ids::JobName;
use crate::join_task::JoinStamp;
use crate::plan::{JobItem, Parts};
use crate::summary::ChunkCounts;
use proptest::prelude::*;
use rstest::rstest;
use std::collections::HashMap;

const SHAPE: RunShape = RunShape {
    processing: ProcessingMode::Auto,
    batch_minimum: 100,
    max_on_demand: None,
    chunks: 1,
    has_small_chunk: false,
    duplicate_files: 0,
    is_wide: false,
};
const JOINED: RunState =
    RunState { phase: Phase::Join, mode: Mode::Run, pass: 0, round: 0, last_round: 1, remainder: None };
const BATCH_MODE: RunShape = RunShape { processing: ProcessingMode::Batch, ..SHAPE };
const CAPPED: RunShape = RunShape { max_on_demand: Some(99), ..SHAPE };
const REALTIME: RunShape = RunShape { processing: ProcessingMode::Realtime, ..SHAPE };

fn job_name(index: u32) -> JobName {
    format!("job-{index}").parse().unwrap()
}

fn job(index: u32, records: u32, round: u32, lane: Lane, is_remainder: bool) -> JobItem {
    let (input_uri, output_uri) = (String::new(), String::new());
    JobItem { index, name: job_name(index), records, input_uri, output_uri, round, lane, is_remainder }
}

/// Returns the transition of a run of one chunk of 200 rows whose only job ended with this `fate` and left this number of
/// rows unanswered.
fn after(state: RunState, shape: RunShape, fate: Fate, unanswered: u64) -> Transition {
    let pass = Pass { jobs: vec![job(0, 200, 0, Lane::Batch, false)], parts: Vec::new() };
    let history = History { passes: vec![pass] };
    let (counts, name) = (ChunkCounts { unanswered, ..ChunkCounts::default() }, job_name(0));
    let facts = Facts {
        shape,
        history: &history,
        counts: BTreeMap::from([(0, &counts)]),
        fates: HashMap::from([(&name, fate)]),
    };
    advance(&state, &facts)
}

fn new_pass(selection: RowSelection, lane: Lane, round: u32, rows: u64) -> Transition {
    let failed = (selection == RowSelection::Failed).then(|| job_name(0));
    let (rows, failed_jobs) = (BTreeMap::from([(0, rows)]), failed.into_iter().collect());
    Transition::NewPass(NewPass { selection, rows, lane, round, failed_jobs, otherwise: Ending::Finish })
}

const FINISH: Transition = Transition::End(Ending::Finish);

#[rstest]
#[case::all_answered(JOINED, SHAPE, Fate::Other, 0, FINISH)]
#[case::many_left(JOINED, SHAPE, Fate::Other, 100, new_pass(RowSelection::All, Lane::Batch, 1, 100))]
#[case::few_left(JOINED, SHAPE, Fate::Other, 99, new_pass(RowSelection::All, Lane::OnDemand, 1, 99))]
#[case::few_left_within_the_cap(JOINED, CAPPED, Fate::Other, 99, new_pass(RowSelection::All, Lane::OnDemand, 1, 99))]
#[case::few_left_over_the_cap(JOINED, RunShape { max_on_demand: Some(98), ..SHAPE }, Fate::Other, 99, FINISH)]
#[case::many_left_with_a_cap(JOINED, CAPPED, Fate::Other, 100, new_pass(RowSelection::All, Lane::Batch, 1, 100))]
#[case::refused_over_the_cap(JOINED, CAPPED, Fate::Refused, 200, new_pass(RowSelection::All, Lane::Batch, 1, 200))]
#[case::all_refused_over_the_cap(RunState { round: 1, ..JOINED }, CAPPED, Fate::Refused, 200, Transition::Fail)]
#[case::failed_over_the_cap(RunState { round: 1, ..JOINED }, CAPPED, Fate::Failed, 200, FINISH)]
#[case::few_left_in_batch_mode(JOINED, BATCH_MODE, Fate::Other, 99, FINISH)]
#[case::realtime(JOINED, REALTIME, Fate::Other, 150, new_pass(RowSelection::All, Lane::OnDemand, 1, 150))]
#[case::no_rounds_left(RunState { round: 1, ..JOINED }, SHAPE, Fate::Other, 100, FINISH)]
#[case::refused(
    RunState { last_round: 0, ..JOINED }, SHAPE, Fate::Refused, 9, new_pass(RowSelection::Refused, Lane::OnDemand, 0, 9)
)]
#[case::refused_with_rounds_left(
    JOINED,
    SHAPE,
    Fate::Refused,
    200,
    new_pass(RowSelection::Refused, Lane::OnDemand, 0, 200)
)]
#[case::refused_in_batch_mode(RunState { last_round: 0, ..JOINED }, BATCH_MODE, Fate::Refused, 9, FINISH)]
#[case::failed_with_rounds_left(JOINED, SHAPE, Fate::Failed, 200, new_pass(RowSelection::All, Lane::Batch, 1, 200))]
#[case::failed_again(
    RunState { round: 1, ..JOINED }, SHAPE, Fate::Failed, 200, new_pass(RowSelection::Failed, Lane::OnDemand, 1, 200)
)]
#[case::failed_for_an_unknown_reason(
    JOINED,
    SHAPE,
    Fate::FailedUnknown,
    200,
    new_pass(RowSelection::All, Lane::Batch, 1, 200)
)]
#[case::nothing_but_unknown_failures(RunState { round: 1, ..JOINED }, SHAPE, Fate::FailedUnknown, 200, Transition::Fail)]
#[case::unknown_failures_before_a_remainder(
    RunState { round: 1, remainder: Some(Remainder { pass: 1 }), ..JOINED }, SHAPE, Fate::FailedUnknown, 200,
    Transition::Fail
)]
#[case::collecting_after_unknown_failures(
    RunState { mode: Mode::Collect, round: 1, ..JOINED }, SHAPE, Fate::FailedUnknown, 200, FINISH
)]
#[case::collecting(RunState { mode: Mode::Collect, ..JOINED }, SHAPE, Fate::Other, 200, FINISH)]
#[case::remainder_first(
    RunState { remainder: Some(Remainder { pass: 1 }), ..JOINED }, SHAPE, Fate::Refused, 200,
    Transition::AnswerRemainder(Remainder { pass: 1 })
)]
#[case::duplicates_last(
    RunState { round: 1, ..JOINED }, RunShape { duplicate_files: 1, is_wide: true, ..SHAPE }, Fate::Other, 1,
    Transition::End(Ending::LastJoin { types: Vec::new(), chunks: Vec::new() })
)]
#[case::pivot_after_the_last_join(
    RunState { phase: Phase::LastJoin, ..JOINED }, RunShape { duplicate_files: 1, is_wide: true, ..SHAPE }, Fate::Other, 1,
    Transition::End(Ending::Pivot)
)]
#[case::nothing_after_the_pivot(
    RunState { phase: Phase::Pivot, ..JOINED }, RunShape { duplicate_files: 1, is_wide: true, ..SHAPE }, Fate::Other, 1, FINISH
)]
#[case::a_later_pass_is_joined(RunState { phase: Phase::Answer, ..JOINED }, SHAPE, Fate::Other, 0, Transition::Join([0].into()))]
#[case::the_first_pass_was_joined_job_by_job(RunState { phase: Phase::AnswerAndJoin, ..JOINED }, SHAPE, Fate::Other, 0, FINISH)]
fn each_state_has_its_transition(
    #[case] state: RunState,
    #[case] shape: RunShape,
    #[case] fate: Fate,
    #[case] unanswered: u64,
    #[case] expected: Transition,
) {
    assert_eq!(after(state, shape, fate, unanswered), expected);
}

/// Returns the transition after the jobs of pass 0 in a run of two chunks, of which these are joined. The second chunk is
/// too small for batch.
fn after_first_pass(joined: &[(u32, JoinStamp)]) -> Transition {
    let pass = Pass { jobs: vec![job(0, 200, 0, Lane::Batch, false)], parts: Vec::new() };
    let history = History { passes: vec![pass] };
    let counts: Vec<(u32, ChunkCounts)> = joined
        .iter()
        .map(|(chunk, stamp)| (*chunk, ChunkCounts { stamp: stamp.clone(), ..ChunkCounts::default() }))
        .collect();
    let facts = Facts {
        shape: RunShape { chunks: 2, has_small_chunk: true, ..SHAPE },
        history: &history,
        counts: counts.iter().map(|(chunk, counts)| (*chunk, counts)).collect(),
        fates: HashMap::new(),
    };
    let remainder = Some(Remainder { pass: 1 });
    advance(&RunState { phase: Phase::AnswerAndJoin, remainder, ..JOINED }, &facts)
}

fn collected() -> JoinStamp {
    JoinStamp::AfterPass { execution: "collecting".to_owned(), pass: 0 }
}

#[rstest]
#[case::small_chunk_waits_for_its_own_pass(vec![(0, JoinStamp::FirstJob)], Transition::AnswerRemainder(Remainder { pass: 1 }))]
#[case::chunk_without_counts_is_joined(vec![], Transition::Join([0].into()))]
#[case::collected_chunk_is_joined_again(vec![(0, collected()), (1, collected())], Transition::Join([0].into()))]
fn the_first_pass_is_followed_by_the_missing_joins(
    #[case] joined: Vec<(u32, JoinStamp)>,
    #[case] expected: Transition,
) {
    assert_eq!(after_first_pass(&joined), expected);
}

/// Returns the transition of a joined run with these jobs, each of a chunk of its own, their fates, and unanswered rows.
fn after_jobs(state: RunState, cap: u64, jobs: &[(Lane, u32, Fate, u64)], is_remainder: bool) -> Transition {
    let items = (0..)
        .zip(jobs)
        .map(|(index, (lane, records, ..))| job(index, *records, 0, *lane, is_remainder && *lane == Lane::OnDemand));
    let history = History { passes: vec![Pass { jobs: items.collect(), parts: Vec::new() }] };
    let counts: Vec<ChunkCounts> =
        jobs.iter().map(|(.., unanswered)| ChunkCounts { unanswered: *unanswered, ..ChunkCounts::default() }).collect();
    let facts = Facts {
        shape: RunShape { max_on_demand: Some(cap), chunks: u32::try_from(jobs.len()).unwrap(), ..SHAPE },
        history: &history,
        counts: (0..).zip(&counts).collect(),
        fates: history.passes[0].jobs.iter().zip(jobs).map(|(job, (_, _, fate, _))| (&job.name, *fate)).collect(),
    };
    advance(&state, &facts)
}

#[test]
fn a_run_whose_refused_rows_were_sent_does_not_fail_for_those_without_an_answer() {
    let jobs = [(Lane::Batch, 200, Fate::Refused, 3), (Lane::OnDemand, 200, Fate::Other, 0)];
    assert_eq!(after_jobs(RunState { round: 1, ..JOINED }, 200, &jobs, false), FINISH);
}

#[test]
fn a_run_of_which_only_the_remainder_was_sent_fails_with_its_jobs() {
    let jobs = [(Lane::Batch, 200, Fate::Refused, 200), (Lane::OnDemand, 9, Fate::Other, 0)];
    assert_eq!(after_jobs(RunState { round: 1, ..JOINED }, 50, &jobs, true), Transition::Fail);
}

#[test]
fn rows_of_failed_jobs_are_sent_on_demand_if_they_alone_are_within_the_limit() {
    let jobs = [(Lane::Batch, 150, Fate::Failed, 60), (Lane::Batch, 150, Fate::Other, 30)];
    let expected = NewPass {
        selection: RowSelection::Failed,
        rows: BTreeMap::from([(0, 60)]),
        lane: Lane::OnDemand,
        round: 0,
        failed_jobs: [job_name(0)].into(),
        otherwise: Ending::Finish,
    };
    assert_eq!(after_jobs(JOINED, 60, &jobs, false), Transition::NewPass(expected));
}

/// Run whose jobs and joins end as determined by `dice`.
struct Walk<'a> {
    shape: RunShape,
    state: RunState,
    history: History,
    counts: BTreeMap<u32, ChunkCounts>,
    fates: BTreeMap<JobName, Fate>,
    dice: std::slice::Iter<'a, u8>,
    /// Pass of the remainder, once it is written.
    waiting: Option<Pass>,
    /// Chunks that had rows in a pass and have not been joined since.
    unjoined: BTreeSet<u32>,
    phases: Vec<Phase>,
}

const CHUNK_ROWS: u32 = 120;

impl<'a> Walk<'a> {
    fn new(shape: RunShape, lane: Lane, last_round: u32, dice: &'a [u8]) -> Self {
        let mut jobs: Vec<JobItem> = (0..shape.chunks).map(|index| job(index, CHUNK_ROWS, 0, lane, false)).collect();
        let small = if shape.has_small_chunk { jobs.pop() } else { None };
        let waiting = small.map(|small| Pass {
            parts: vec![vec![(small.index, small.records)]],
            jobs: vec![JobItem { is_remainder: true, lane: Lane::OnDemand, ..small }],
        });
        let mut walk = Self {
            shape,
            state: RunState::first(&shape, lane, last_round).0,
            history: History { passes: vec![Pass { jobs, parts: Vec::new() }] },
            counts: BTreeMap::new(),
            fates: BTreeMap::new(),
            dice: dice.iter(),
            waiting,
            unjoined: BTreeSet::new(),
            phases: Vec::new(),
        };
        if walk.state.pass == 1 {
            walk.history.passes.extend(walk.waiting.take());
        }
        walk
    }

    fn roll(&mut self, sides: u8) -> u8 {
        self.dice.next().map_or(0, |number| number % sides)
    }

    fn join(&mut self, chunk: u32, stamp: JoinStamp) {
        let open = self.counts.get(&chunk).map_or(u64::from(CHUNK_ROWS), |counts| counts.unanswered);
        let unanswered = match self.roll(4) {
            0 | 1 => 0,
            2 => open,
            _ => open / 2,
        };
        self.unjoined.remove(&chunk);
        self.counts.insert(chunk, ChunkCounts { unanswered, stamp, ..ChunkCounts::default() });
    }

    fn work(&mut self) {
        self.phases.push(self.state.phase);
        if !matches!(self.state.phase, Phase::AnswerAndJoin | Phase::Answer) {
            return;
        }
        let jobs: Vec<(JobItem, Parts)> =
            self.history.jobs_of_pass(self.state.pass).map(|(job, parts)| (job.clone(), parts)).collect();
        for (job, parts) in jobs {
            let fates = [Fate::Other, Fate::Other, Fate::Refused, Fate::Failed, Fate::FailedUnknown];
            let fate = fates[usize::from(self.roll(5))];
            if job.lane == Lane::Batch {
                self.fates.insert(job.name, fate);
            }
            self.unjoined.extend(parts.iter().map(|(chunk, _)| *chunk));
            if self.state.phase == Phase::AnswerAndJoin {
                self.join(job.index, JoinStamp::FirstJob);
            }
        }
    }

    fn transition(&self) -> Transition {
        let facts = Facts {
            shape: self.shape,
            history: &self.history,
            counts: self.counts.iter().map(|(chunk, counts)| (*chunk, counts)).collect(),
            fates: self.fates.iter().map(|(name, fate)| (name, *fate)).collect(),
        };
        advance(&self.state, &facts)
    }

    /// Performs a transition; returns false at the end of the run.
    fn perform(&mut self, transition: Transition) -> bool {
        match transition {
            Transition::Join(chunks) => {
                let stamp = JoinStamp::AfterPass { execution: "e".to_owned(), pass: self.state.pass };
                for chunk in chunks {
                    self.join(chunk, stamp.clone());
                }
                self.state = self.state.joining();
            }
            Transition::AnswerRemainder(remainder) => {
                self.history.passes.extend(self.waiting.take());
                self.state = self.state.answering_remainder(remainder);
            }
            Transition::NewPass(new) => {
                assert!(self.unjoined.is_empty(), "rows are selected before they are joined");
                assert!(!new.rows.is_empty() && new.rows.values().all(|rows| *rows > 0));
                if self.roll(6) == 5 {
                    self.state = self.state.ending(&new.otherwise);
                    return self.state.phase != Phase::Finished;
                }
                let rows = |rows: u64| u32::try_from(rows).unwrap();
                let first = self.history.next_index();
                let of_all: Parts = new.rows.iter().map(|(chunk, of)| (*chunk, rows(*of))).collect();
                let all = rows(new.rows.values().sum());
                let pass = Pass { jobs: vec![job(first, all, new.round, new.lane, false)], parts: vec![of_all] };
                let (pass, remainder) = if new.lane == Lane::Batch && self.roll(3) == 2 {
                    let chunk = *new.rows.keys().next().unwrap();
                    let small = job(first + 1, 1, new.round, Lane::OnDemand, true);
                    (pass, Some(Pass { jobs: vec![small], parts: vec![vec![(chunk, 1)]] }))
                } else {
                    (pass, None)
                };
                self.state = self.state.answering_new_pass(new.round, remainder.is_some());
                self.history.passes.push(pass);
                self.waiting = remainder;
            }
            Transition::Fail => unreachable!("the run has ended before"),
            Transition::End(ending) => {
                assert!(self.unjoined.is_empty(), "the run ends before all answers are joined");
                self.state = self.state.ending(&ending);
            }
        }
        self.state.phase != Phase::Finished
    }
}

fn count(phases: &[Phase], wanted: Phase) -> usize {
    phases.iter().filter(|phase| **phase == wanted).count()
}

proptest! {
    #[test]
    fn every_run_ends_after_all_its_parts_in_order(
        processing in prop::sample::select(vec![ProcessingMode::Auto, ProcessingMode::Batch, ProcessingMode::Realtime]),
        collects in any::<bool>(), small in any::<bool>(), is_wide in any::<bool>(),
        chunks in 1u32..5, duplicate_files in 0u32..2, last_round in 0u32..4, cap in prop::option::of(0u64..600),
        dice in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let has_small_chunk = small && processing == ProcessingMode::Auto;
        let max_on_demand = cap.filter(|_| processing == ProcessingMode::Auto);
        let shape =
            RunShape { processing, batch_minimum: 100, max_on_demand, chunks, has_small_chunk, duplicate_files, is_wide };
        let lane = if processing == ProcessingMode::Realtime { Lane::OnDemand } else { Lane::Batch };
        let mut walk = Walk::new(shape, lane, last_round, &dice);
        if collects {
            walk.state = RunState::collecting(0);
            (0..chunks).for_each(|chunk| walk.join(chunk, JoinStamp::FirstJob));
        }
        let mut steps = 0;
        loop {
            walk.work();
            let transition = walk.transition();
            if transition == Transition::Fail {
                let all_are = |fate: Fate| walk.fates.values().all(|of_job| *of_job == fate);
                let mut jobs = walk.history.passes.iter().flat_map(|pass| &pass.jobs);
                let were_sent = jobs.any(|job| job.lane == Lane::OnDemand && !job.is_remainder);
                let is_capped = cap.is_some() && !were_sent;
                prop_assert!(all_are(Fate::FailedUnknown) || (is_capped && all_are(Fate::Refused)));
                prop_assert!(walk.unjoined.is_empty());
                prop_assert!(walk.state.round == last_round && !collects, "rows are sent again while rounds are left");
                return Ok(());
            }
            if walk.state.phase == Phase::Join && !collects && walk.waiting.is_some() {
                prop_assert!(matches!(transition, Transition::AnswerRemainder(_)), "a remainder waits for nothing");
            }
            match &transition {
                Transition::NewPass(new) => {
                    prop_assert!(!collects, "collecting sends nothing");
                    prop_assert!(new.round <= last_round);
                    let forbidden = match processing {
                        ProcessingMode::Batch => Some(Lane::OnDemand),
                        ProcessingMode::Realtime => Some(Lane::Batch),
                        ProcessingMode::Auto => None,
                    };
                    prop_assert_ne!(Some(new.lane), forbidden);
                    let rows = new.rows.values().sum();
                    prop_assert!(new.lane == Lane::Batch || shape.allows_on_demand(&walk.history, rows), "more than may be");
                    let open: BTreeMap<u32, u64> = walk.counts.iter().map(|(c, counts)| (*c, counts.unanswered)).collect();
                    prop_assert!(new.rows.iter().all(|(chunk, rows)| open[chunk] == *rows), "all open rows of a chunk");
                    prop_assert_eq!(new.failed_jobs.is_empty(), new.selection != RowSelection::Failed);
                }
                Transition::AnswerRemainder(_) => prop_assert!(!collects && processing != ProcessingMode::Realtime),
                Transition::Join(_) | Transition::Fail | Transition::End(_) => {}
            }
            if !walk.perform(transition) {
                break;
            }
            steps += 1;
            // Per round: the pass, its remainder, refused rows, each with its join. Then failed rows, last join, pivot.
            prop_assert!(steps <= 8 * (last_round + 1) + 8, "the run does not end");
        }
        prop_assert_eq!(walk.counts.len(), chunks as usize, "every chunk is joined");
        prop_assert_eq!(count(&walk.phases, Phase::LastJoin), usize::from(duplicate_files > 0));
        prop_assert_eq!(count(&walk.phases, Phase::Pivot), usize::from(is_wide));
        let after_answers: Vec<&Phase> =
            walk.phases.iter().skip_while(|phase| !matches!(phase, Phase::LastJoin | Phase::Pivot)).collect();
        prop_assert!(after_answers.len() <= 2, "nothing is sent after the last join");
    }

    #[test]
    fn batch_mode_never_pays_the_price_of_on_demand(
        round in 0u32..4, last_round in 0u32..4, left in 0u64..300,
        fate in prop::sample::select(vec![Fate::Refused, Fate::Failed, Fate::FailedUnknown, Fate::Other]),
    ) {
        let is_on_demand = match after(RunState { round, last_round, ..JOINED }, BATCH_MODE, fate, left) {
            Transition::NewPass(new) => new.lane == Lane::OnDemand,
            Transition::AnswerRemainder(_) => true,
            Transition::Join(_) | Transition::Fail | Transition::End(_) => false,
        };
        prop_assert!(!is_on_demand);
    }
}
