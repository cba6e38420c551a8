//! The world around a run: Bedrock, the table, events and processes that die.

use crate::bucket::Bucket;
use bedrock_batch_domain::chunk_plan::ChunkLimits;
use bedrock_batch_domain::input::{OutputFormat, ProcessingMode, RetryOn};
use bedrock_batch_domain::job::{Action, FailureKind, JobStatus, Stored, next_action};
use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::layout::{Layout, client_request_token};
use bedrock_batch_domain::model::Family;
use bedrock_batch_domain::plan::{ChunkJob, JobItem, Parts};
use bedrock_batch_domain::row_error::RowError;
use bedrock_batch_engine::next_step::{History, Pass, PassFiles};
use bedrock_batch_engine::postprocess::{
    JobAnswers, JobAttempt, JoinJob, Joined, PromptsRead, Reading, copy_unanswered, join,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{Cursor, Read};

/// Choices, taken from what proptest has drawn; past the end everything goes well.
pub(crate) struct Dice<'a>(pub(crate) std::slice::Iter<'a, u8>);

impl Dice<'_> {
    pub(crate) fn roll(&mut self, sides: u8) -> u8 {
        self.0.next().map_or(0, |number| number % sides)
    }

    /// Whether something that happens once in `sides` times happens.
    pub(crate) fn bad_luck(&mut self, sides: u8) -> bool {
        self.roll(sides) == sides - 1
    }
}

/// A job as Bedrock has it.
#[derive(Debug)]
pub(crate) struct BedrockJob {
    status: JobStatus,
    failure: FailureKind,
    /// What it writes, and whose records it answered.
    output: String,
    pub(crate) answered: BTreeSet<String>,
}

/// A job as the table has it.
#[derive(Debug, Default)]
pub(crate) struct Item {
    pub(crate) arn: Option<String>,
    pub(crate) status: Option<JobStatus>,
    token: bool,
    answered: bool,
    pub(crate) fell_back: bool,
}

/// Everything outside the state machine.
pub(crate) struct World<'a> {
    pub(crate) dice: Dice<'a>,
    pub(crate) bucket: Bucket,
    pub(crate) layout: Layout,
    pub(crate) mode: ProcessingMode,
    /// Jobs at Bedrock by idempotency token.
    pub(crate) bedrock: HashMap<String, BedrockJob>,
    pub(crate) table: HashMap<String, Item>,
    /// How often each record was sent in a job or request that the model's side took.
    pub(crate) sent: HashMap<String, u32>,
    /// Records that were answered.
    pub(crate) answered: BTreeSet<String>,
    /// Records that the model refuses for good.
    pub(crate) hopeless: BTreeSet<String>,
    /// Tasks of the state machine that were answered.
    pub(crate) woken: u32,
}

const RETRY_ON: [RetryOn; 2] = [RetryOn::Missing, RetryOn::Error];
pub(crate) const MINIMUM: u32 = 4;

pub(crate) fn limits(lane: Lane, small_last: bool) -> ChunkLimits {
    let min_records = if lane == Lane::Batch { MINIMUM } else { 1 };
    ChunkLimits { min_records, max_records: 10, max_bytes: 1_000_000, max_chunks: None, small_last }
}

impl World<'_> {
    fn records_of(&self, index: u32) -> Vec<String> {
        let lines = String::from_utf8(self.bucket.get(&self.layout.records_key(index)).to_vec()).unwrap();
        let id = |line: &str| line.split('"').nth(3).unwrap().to_owned();
        lines.lines().map(id).collect()
    }

    /// What becomes of the records of a job that the model's side took.
    fn process(&mut self, ids: &[String], may_be_missing: bool) -> (String, BTreeSet<String>) {
        let (mut lines, mut answered) = (Vec::new(), BTreeSet::new());
        for id in ids {
            *self.sent.entry(id.clone()).or_default() += 1;
            let hopeless = self.hopeless.contains(id);
            let line = match self.dice.roll(8) {
                _ if hopeless => format!(r#"{{"recordId":"{id}","error":{{"errorCode":400,"errorMessage":"no"}}}}"#),
                6 => format!(r#"{{"recordId":"{id}","error":{{"errorCode":429,"errorMessage":"slow"}}}}"#),
                7 if may_be_missing => continue,
                _ => {
                    answered.insert(id.clone());
                    format!(
                        r#"{{"recordId":"{id}","modelOutput":{{"output":{{"message":{{"content":[{{"text":"answer to {id}"}}]}}}}}}}}"#
                    )
                }
            };
            lines.push(line);
        }
        // In any order.
        if self.dice.bad_luck(2) {
            lines.reverse();
        }
        (lines.join("\n"), answered)
    }

    /// `CreateModelInvocationJob`: with a token that was used, it is the same job.
    fn create(&mut self, job: &JobItem) -> Result<String, ()> {
        let token = client_request_token("r", &job.name);
        if !self.bedrock.contains_key(&token) {
            let ids = self.records_of(job.index);
            assert_eq!(ids.len(), job.records as usize);
            assert!(job.records >= MINIMUM, "Bedrock takes no smaller job");
            let end = self.dice.roll(8);
            let (status, failure) = match end {
                3 => (JobStatus::PartiallyCompleted, FailureKind::Passing),
                4 => (JobStatus::Expired, FailureKind::Passing),
                5 => (JobStatus::Stopped, FailureKind::Passing),
                6 => (JobStatus::Failed, FailureKind::Passing),
                7 => return Err(()),
                _ => (JobStatus::Completed, FailureKind::Passing),
            };
            let nothing = matches!(status, JobStatus::Expired | JobStatus::Failed);
            let (output, answered) = if nothing {
                (String::new(), BTreeSet::new())
            } else {
                self.process(&ids, status != JobStatus::Completed)
            };
            if nothing {
                for id in ids {
                    *self.sent.entry(id).or_default() += 1;
                }
            }
            self.answered.extend(answered.clone());
            self.bedrock.insert(token.clone(), BedrockJob { status, failure, output, answered });
        }
        Ok(token)
    }

    /// One attempt of submit; false if the process died on the way.
    fn submit(&mut self, job: &JobItem) -> bool {
        let item = self.table.entry(job.name.clone()).or_default();
        item.token = true;
        if self.dice.bad_luck(6) {
            return false;
        }
        let item = &self.table[&job.name];
        if item.fell_back || item.arn.is_none() {
            let made = if item.fell_back { Err(()) } else { self.create(job) };
            if self.dice.bad_luck(6) {
                return false;
            }
            let item = self.table.get_mut(&job.name).unwrap();
            match made {
                Ok(arn) => item.arn = Some(arn),
                Err(()) => {
                    assert_eq!(self.mode, ProcessingMode::Auto, "else the run ends, which is not modelled");
                    item.fell_back = true;
                    if self.dice.bad_luck(6) {
                        return false;
                    }
                    self.wake(&job.name);
                    return true;
                }
            }
        }
        self.settle(&job.name);
        true
    }

    fn wake(&mut self, name: &str) {
        let item = self.table.get_mut(name).unwrap();
        if !item.answered {
            self.woken += 1;
        }
        item.answered = true;
    }

    /// A look at the job, by an event, the reconciler or submit; it may die before it has told anybody.
    fn settle(&mut self, name: &str) {
        let item = &self.table[name];
        let Some(job) = item.arn.as_ref().and_then(|arn| self.bedrock.get(arn)) else { return };
        let life = [JobStatus::Submitted, JobStatus::InProgress, job.status];
        let (failure, end) = (job.failure, job.status);
        // Bedrock shows an earlier status for as long as it likes.
        let seen = if self.dice.bad_luck(3) { life[self.dice.roll(2) as usize] } else { end };
        let stored = Stored { status: item.status, waiting: item.token && !item.answered, falls_back: true };
        let action = next_action(seen, failure, stored);
        if action == Action::Nothing || self.dice.bad_luck(5) {
            return;
        }
        let item = self.table.get_mut(name).unwrap();
        if item.status.is_none_or(|old| seen.rank() > old.rank()) {
            item.status = Some(seen);
        }
        if action == Action::Succeed && !self.dice.bad_luck(5) {
            self.wake(name);
        }
    }

    /// Submits a job and lets events come or not, until the state machine goes on; the reconciler sees to that.
    fn run_batch_job(&mut self, job: &JobItem) {
        let mut tries = 0;
        while !self.submit(job) {
            tries += 1;
            assert!(tries < 200);
        }
        for _ in 0..200 {
            if self.table[&job.name].answered {
                // Late and repeated events change nothing.
                let woken = self.woken;
                self.settle(&job.name);
                assert_eq!(self.woken, woken);
                return;
            }
            self.settle(&job.name);
        }
        panic!("the run hangs");
    }

    fn run_on_demand_job(&mut self, job: &JobItem) {
        let ids = self.records_of(job.index);
        let (output, answered) = self.process(&ids, false);
        self.answered.extend(answered.clone());
        let token = job.name.clone();
        self.bedrock.insert(
            token.clone(),
            BedrockJob { status: JobStatus::Completed, failure: FailureKind::Passing, output, answered },
        );
        let item = Item { arn: Some(token), status: Some(JobStatus::Completed), ..Item::default() };
        self.table.insert(job.name.clone(), item);
    }

    fn turn(&self, job: &ChunkJob) -> JobAnswers<'static> {
        let item = &self.table[&job.name];
        let was_asked = item.arn.is_some();
        let output = item.arn.as_ref().map(|arn| self.bedrock[arn].output.clone()).unwrap_or_default();
        let job = JobAttempt {
            pass: job.pass,
            records: job.records as usize,
            was_asked,
            lane: job.lane,
            model_id: "m".to_owned(),
            missing: RowError::uncoded(format!("missing in {}", job.name), "missing"),
        };
        JobAnswers {
            job,
            answers: Box::new(std::iter::once(Box::new(Cursor::new(output.into_bytes())) as Box<dyn Read>)),
        }
    }

    /// Joins a chunk with all its jobs, twice if the process dies in between.
    pub(crate) fn join(&mut self, chunk: u32, history: &History) -> Joined {
        let jobs = history.jobs_by_chunk().remove(&chunk).unwrap();
        let outputs = [(OutputFormat::Parquet, self.layout.output_key(chunk, "parquet"))];
        let job = JoinJob {
            family: Family::Nova,
            reading: Reading { retry_on: &RETRY_ON, prompts: &PromptsRead::default() },
            columns: &[],
            strip_suffix: false,
            types: None,
            outputs: &outputs,
            shared: None,
        };
        let rows = self.bucket.get(&self.layout.rows_key(chunk));
        let once = || {
            let turns: Vec<JobAnswers<'_>> = jobs.iter().map(|job| self.turn(job)).collect();
            let joined = join(&job, &rows, "rows", turns.into_iter(), &self.bucket).unwrap();
            let lines = self.bucket.get(&self.layout.records_key(chunk));
            copy_unanswered(&lines[..], &joined.unanswered, &self.bucket, &self.layout.unanswered_key(chunk)).unwrap();
            joined
        };
        let first = once();
        if self.dice.bad_luck(4) {
            let before = self.bucket.get(&outputs[0].1);
            let jobs = history.jobs_by_chunk().remove(&chunk).unwrap();
            let turns: Vec<JobAnswers<'_>> = jobs.iter().map(|job| self.turn(job)).collect();
            join(&job, &rows, "rows", turns.into_iter(), &self.bucket).unwrap();
            assert_eq!(self.bucket.get(&outputs[0].1), before, "a repetition writes the same file");
        }
        first
    }

    /// The files of a pass over these chunks' unanswered records.
    pub(crate) fn ask(
        &self,
        history: &History,
        chunks: &BTreeMap<u32, u64>,
        lane: Lane,
        round: u32,
    ) -> Option<(Pass, Option<Pass>)> {
        let first = history.next_index();
        let mut files = PassFiles::new(
            &self.bucket,
            &self.layout,
            first,
            limits(lane, self.mode == ProcessingMode::Auto),
            chunks.values().sum(),
        );
        for (chunk, expected) in chunks {
            let lines = self.bucket.get(&self.layout.unanswered_key(*chunk));
            let lines = lines.split_inclusive(|byte| *byte == b'\n').collect::<Vec<_>>();
            assert_eq!(lines.len() as u64, *expected);
            for line in &lines {
                files.take(*chunk, line).unwrap();
            }
        }
        let parts = files.finish().unwrap();
        let jobs = (first..).zip(&parts).map(|(index, parts)| self.item(index, parts, round, lane));
        let jobs: Vec<JobItem> = jobs.collect();
        (!jobs.is_empty()).then(|| Pass { jobs, parts }.split_rest(MINIMUM))
    }

    pub(crate) fn item(&self, index: u32, parts: &Parts, round: u32, lane: Lane) -> JobItem {
        JobItem {
            index,
            name: self.layout.job_name("t", round, index),
            records: parts.iter().map(|(_, records)| records).sum(),
            input_uri: String::new(),
            output_uri: String::new(),
            round,
            lane,
            rest: false,
        }
    }

    pub(crate) fn run_pass(&mut self, pass: &[JobItem]) {
        for job in pass {
            match job.lane {
                Lane::Batch => self.run_batch_job(job),
                Lane::OnDemand => self.run_on_demand_job(job),
            }
        }
    }
}
