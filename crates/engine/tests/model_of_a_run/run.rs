//! Run in the world: the work of the state machine and of the next step. Transitions are determined only by [`advance`] and
//! [`resume`].

use crate::world::{MINIMUM, World};
use bedrock_batch_domain::ids::JobName;
use bedrock_batch_domain::input::ProcessingMode;
use bedrock_batch_domain::join_task::{ChunkAttempt, JoinStamp, JoinTask};
use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::plan::JobItem;
use bedrock_batch_domain::run::{
    Ending, Facts, Fate, History, JobProgress, Pass, Phase, RunShape, RunState, Transition, advance, resume,
};
use bedrock_batch_domain::summary::ChunkCounts;
use bedrock_batch_engine::preprocess::Written;
use std::collections::{BTreeMap, BTreeSet};

/// Stored state of a run, and the execution that works on it.
pub(crate) struct Run<'a> {
    pub(crate) world: World<'a>,
    shape: RunShape,
    lane: Lane,
    max_rounds: u32,
    pub(crate) state: RunState,
    history: History,
    /// Pass of the remainder, once it is written.
    waiting: Option<Pass>,
    counts: BTreeMap<u32, ChunkCounts>,
    first_rows: Vec<u64>,
    /// Manifests of the next Map.
    jobs: Vec<JobItem>,
    chunks: BTreeSet<u32>,
    /// Number of executions that came before the current one.
    pub(crate) execution: u32,
    /// Number of times that wide rows were written, and that duplicates were.
    pub(crate) pivots: u32,
    pub(crate) last_joins: u32,
}

impl<'a> Run<'a> {
    /// Creates a run whose chunks are written. If `is_wide` is true, wide rows are written at its end.
    pub(crate) fn new(world: World<'a>, written: &Written, lane: Lane, max_rounds: u32, is_wide: bool) -> Self {
        let chunks = (0u32..).zip(&written.chunks);
        let mut jobs: Vec<JobItem> =
            chunks.map(|(index, records)| world.item(index, &vec![(index, *records)], 0, lane)).collect();
        let small = jobs.pop_if(|last| lane == Lane::Batch && last.records < MINIMUM);
        let waiting = small.map(|mut job| {
            (job.lane, job.is_remainder) = (Lane::OnDemand, true);
            Pass { parts: vec![vec![(job.index, job.records)]], jobs: vec![job] }
        });
        let shape = RunShape {
            processing: world.mode,
            batch_minimum: MINIMUM,
            max_on_demand: None,
            chunks: u32::try_from(written.chunks.len()).unwrap(),
            has_small_chunk: waiting.is_some(),
            duplicate_files: u32::try_from(written.duplicates.len()).unwrap(),
            is_wide,
        };
        let mut run = Self {
            world,
            shape,
            lane,
            max_rounds,
            state: RunState::first(&shape, lane, max_rounds).0,
            history: History { passes: vec![Pass { jobs, parts: Vec::new() }] },
            waiting,
            counts: BTreeMap::new(),
            first_rows: written.first_rows.clone(),
            jobs: Vec::new(),
            chunks: BTreeSet::new(),
            execution: 0,
            pivots: 0,
            last_joins: 0,
        };
        if run.state.pass == 1 {
            run.history.passes.extend(run.waiting.take());
        }
        run.jobs = run.jobs_of_latest_pass();
        run
    }

    pub(crate) fn files(&self) -> (u32, u32) {
        (self.shape.chunks, self.shape.duplicate_files)
    }

    fn jobs_of_latest_pass(&self) -> Vec<JobItem> {
        self.history.jobs_of_pass(self.state.pass).map(|(job, _)| job.clone()).collect()
    }

    /// Processes the Map of the current state, and performs the transition that follows. Returns false at the end of the run.
    pub(crate) fn step(&mut self) -> bool {
        self.work(usize::MAX);
        if self.world.has_failed {
            // The user removes the cause and resumes the run.
            self.stop_and_resume(0, false);
            return true;
        }
        match self.transition() {
            // The same, although no single job has ended the execution.
            Transition::Fail => self.stop_and_resume(0, false),
            transition => self.perform(transition),
        }
        self.state.phase != Phase::Finished
    }

    /// Processes the first items of the current Map.
    fn work(&mut self, max_items: usize) {
        match self.state.phase {
            Phase::AnswerAndJoin => {
                for job in self.jobs.clone().iter().take(max_items) {
                    self.world.run_job(job);
                    if self.world.has_failed {
                        return;
                    }
                    let JoinTask::Chunk { attempts, stamp, .. } = JoinTask::of_first_job(job) else { unreachable!() };
                    self.join(job.index, &attempts, stamp);
                }
            }
            Phase::Answer => {
                for job in self.jobs.iter().take(max_items) {
                    self.world.run_job(job);
                    if self.world.has_failed {
                        return;
                    }
                }
            }
            Phase::Join => {
                let mut attempts = self.history.attempts_by_chunk();
                for chunk in self.chunks.clone().into_iter().take(max_items) {
                    self.join(chunk, &attempts.remove(&chunk).unwrap_or_default(), self.stamp());
                }
            }
            Phase::LastJoin => {
                for file in (0..self.shape.duplicate_files).take(max_items) {
                    self.world.join_duplicates(file, &self.first_rows);
                }
                self.last_joins += 1;
            }
            Phase::Pivot => self.pivots += 1,
            Phase::Finished => {}
        }
    }

    fn stamp(&self) -> JoinStamp {
        JoinStamp::AfterPass { execution: format!("execution-{}", self.execution), pass: self.state.pass }
    }

    fn join(&mut self, chunk: u32, attempts: &[ChunkAttempt], stamp: JoinStamp) {
        let joined = self.world.join(chunk, attempts);
        let copied = joined.unanswered.iter().filter(|open| **open).count();
        assert_eq!(joined.counts.unanswered, (copied + joined.single_rows.len()) as u64);
        self.counts.insert(chunk, ChunkCounts { stamp, ..joined.counts });
    }

    fn transition(&self) -> Transition {
        let fates = self.world.table.iter().map(|(name, item)| (name, item.fate()));
        let facts = Facts {
            shape: self.shape,
            history: &self.history,
            counts: self.counts.iter().map(|(chunk, counts)| (*chunk, counts)).collect(),
            fates: fates.filter(|(_, fate)| *fate != Fate::Other).collect(),
        };
        advance(&self.state, &facts)
    }

    fn perform(&mut self, transition: Transition) {
        match transition {
            Transition::Join(chunks) => {
                self.chunks = chunks;
                self.state = self.state.joining();
            }
            Transition::AnswerRemainder(remainder) => {
                self.history.passes.push(self.waiting.take().expect("a remainder is written down"));
                self.state = self.state.answering_remainder(remainder);
                self.jobs = self.jobs_of_latest_pass();
            }
            Transition::Fail => panic!("a run that is resumed has a round left"),
            Transition::NewPass(_) | Transition::End(_) if self.waiting.is_some() => panic!("a remainder is left out"),
            Transition::NewPass(new) => match self.world.new_pass(&self.history, &new) {
                Some((pass, remainder)) => {
                    self.state = self.state.answering_new_pass(new.round, remainder.is_some());
                    self.history.passes.push(pass);
                    self.waiting = remainder;
                    self.jobs = self.jobs_of_latest_pass();
                }
                None => self.end(&new.otherwise),
            },
            Transition::End(ending) => self.end(&ending),
        }
    }

    fn end(&mut self, ending: &Ending) {
        self.state = self.state.ending(ending);
    }

    /// Ends the execution in the middle of the current Map, and resumes the run with a new one.
    pub(crate) fn stop_and_resume(&mut self, items_done: usize, collects_first: bool) {
        self.work(items_done);
        self.world.has_failed = false;
        self.world.unknown_failures.clear();
        self.history.passes.extend(self.waiting.take());
        self.execution += 1;
        if collects_first {
            self.collect();
        }
        (self.pivots, self.last_joins) = (0, 0);
        let table = &self.world.table;
        let progress = |name: &JobName| {
            let item = table.get(name);
            JobProgress { has_begun: item.is_some(), is_over: item.is_some_and(|item| item.is_over()) }
        };
        let resumption = resume(self.lane, self.max_rounds, &self.history, progress);
        self.state = resumption.state;
        if let Some(remainder) = self.state.remainder {
            assert_eq!(remainder.pass, self.history.last_pass());
            self.waiting = self.history.passes.pop();
        }
        self.jobs = resumption.open_jobs;
        if self.jobs.is_empty() {
            let transition = self.transition();
            self.perform(transition);
        }
    }

    /// Runs an execution that joins all chunks with the existing answers.
    fn collect(&mut self) {
        let pass = self.history.last_pass();
        self.state = RunState::collecting(pass);
        self.chunks = (0..self.shape.chunks).collect();
        while self.state.phase != Phase::Finished {
            self.work(usize::MAX);
            let transition = self.transition();
            assert!(matches!(transition, Transition::End(_)), "collecting sends nothing");
            self.perform(transition);
        }
        self.execution += 1;
    }
}

/// Returns the lane of a run's first jobs.
pub(crate) fn lane_of(mode: ProcessingMode) -> Lane {
    match mode {
        ProcessingMode::Realtime => Lane::OnDemand,
        ProcessingMode::Batch | ProcessingMode::Auto => Lane::Batch,
    }
}
