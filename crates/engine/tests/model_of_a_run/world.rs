//! World around a run: Bedrock, the job table, events, and processes that die.

use crate::bucket::Bucket;
use crate::record::Record;
use bedrock_batch_domain::chunk_plan::ChunkLimits;
use bedrock_batch_domain::ids::{JobName, RunId};
use bedrock_batch_domain::input::{OutputFormat, ProcessingMode, RetryOn};
use bedrock_batch_domain::job::{Action, FailureKind, JobStatus, Stored, UnknownFailure, next_action};
use bedrock_batch_domain::job_name_scheme::JobNameScheme;
use bedrock_batch_domain::join_task::ChunkAttempt;
use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::layout::{Layout, client_request_token};
use bedrock_batch_domain::model::{Family, RecordWriter};
use bedrock_batch_domain::plan::{JobItem, Parts};
use bedrock_batch_domain::row_error::RowError;
use bedrock_batch_domain::run::{Fate, History, NewPass, Pass};
use bedrock_batch_domain::summary::ChunkCounts;
use bedrock_batch_engine::next_step::PassFiles;
use bedrock_batch_engine::postprocess::{
    JobAnswers, JobAttempt, JoinJob, Joined, PromptsRead, Reading, SingleRows, WaitingRows, join, write_unanswered,
};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use std::io::{Cursor, Read};

/// Choices drawn by proptest; after the last one, everything succeeds.
pub(crate) struct Dice<'a>(pub(crate) std::slice::Iter<'a, u8>);

impl Dice<'_> {
    pub(crate) fn roll(&mut self, sides: u8) -> u8 {
        self.0.next().map_or(0, |number| number % sides)
    }

    /// Returns true once in `sides` times.
    pub(crate) fn bad_luck(&mut self, sides: u8) -> bool {
        self.roll(sides) == sides - 1
    }
}

/// Job at Bedrock.
#[derive(Debug)]
pub(crate) struct BedrockJob {
    status: JobStatus,
    failure: FailureKind,
    /// Output of the job, and the rows that it answered.
    output: String,
    pub(crate) answered: BTreeSet<String>,
}

/// Job in the table.
#[derive(Debug, Default)]
pub(crate) struct Item {
    pub(crate) arn: Option<String>,
    pub(crate) status: Option<JobStatus>,
    token: bool,
    answered: bool,
    pub(crate) fell_back: bool,
    /// Kind of its failure, by the stored message.
    failure: Option<FailureKind>,
}

impl Item {
    /// Outcome of the job, as far as it determines how its rows are sent again.
    pub(crate) fn fate(&self) -> Fate {
        match self.status {
            _ if self.fell_back => Fate::Refused,
            Some(JobStatus::Failed) if self.failure == Some(FailureKind::Unknown) => Fate::FailedUnknown,
            Some(JobStatus::Failed) => Fate::Failed,
            _ => Fate::Other,
        }
    }

    /// Returns true if the job is over.
    pub(crate) fn is_over(&self) -> bool {
        self.fell_back || self.status.is_some_and(JobStatus::is_terminal)
    }
}

/// Everything outside the state machine.
pub(crate) struct World<'a> {
    pub(crate) dice: Dice<'a>,
    pub(crate) bucket: Bucket,
    pub(crate) layout: Layout,
    pub(crate) mode: ProcessingMode,
    /// Prompts of the run, and the writers of their records.
    pub(crate) prompts: &'a PromptsRead,
    pub(crate) writers: &'a [RecordWriter],
    /// Jobs at Bedrock by idempotency token.
    pub(crate) bedrock: HashMap<String, BedrockJob>,
    pub(crate) table: HashMap<JobName, Item>,
    /// Number of times that each row was sent in an accepted job or request.
    pub(crate) sent: HashMap<String, u32>,
    /// Rows that were answered.
    pub(crate) answered: BTreeSet<String>,
    /// Rows that the model refuses permanently, with all other rows of their request.
    pub(crate) hopeless: BTreeSet<String>,
    /// Tasks of the state machine that were answered.
    pub(crate) woken: u32,
    /// Failures with messages that are not known, since the run has its current owner.
    pub(crate) unknown_failures: BTreeSet<String>,
    /// If true, a job has failed permanently, which ends the execution.
    pub(crate) has_failed: bool,
}

const RETRY_ON: [RetryOn; 2] = [RetryOn::Missing, RetryOn::Error];
pub(crate) const MINIMUM: u32 = 4;

pub(crate) fn limits(lane: Lane, small_last: bool) -> ChunkLimits {
    let min_records = if lane == Lane::Batch { MINIMUM } else { 1 };
    ChunkLimits { min_records, max_records: 10, max_bytes: 1_000_000, max_chunks: None, small_last }
}

impl World<'_> {
    fn records_of(&self, index: u32) -> Vec<Record> {
        let lines = String::from_utf8(self.bucket.get(&self.layout.records_key(index)).to_vec()).unwrap();
        lines.lines().map(|line| Record::read(line, self.has_requests_of_rows())).collect()
    }

    fn has_requests_of_rows(&self) -> bool {
        self.writers[0].has_rows_part()
    }

    /// Processes the records of an accepted job.
    fn process(&mut self, records: &[Record], may_be_missing: bool) -> (String, BTreeSet<String>) {
        let (mut lines, mut answered) = (Vec::new(), BTreeSet::new());
        for Record { id, rows } in records {
            for row in rows {
                *self.sent.entry(row.clone()).or_default() += 1;
            }
            let hopeless = rows.iter().any(|row| self.hopeless.contains(row));
            let line = match self.dice.roll(8) {
                _ if hopeless => format!(r#"{{"recordId":"{id}","error":{{"errorCode":400,"errorMessage":"no"}}}}"#),
                6 => format!(r#"{{"recordId":"{id}","error":{{"errorCode":429,"errorMessage":"slow"}}}}"#),
                7 if may_be_missing => continue,
                _ => {
                    let text = if self.has_requests_of_rows() {
                        self.list(rows, &mut answered)
                    } else {
                        answered.insert(id.clone());
                        format!("answer to {id}")
                    };
                    let content = json!([{"text": text}]);
                    format!(r#"{{"recordId":"{id}","modelOutput":{{"output":{{"message":{{"content":{content}}}}}}}}}"#)
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

    /// Answers the rows of a request: with a list in any order, in which rows may be missing, doubled or have a strange id, or
    /// with no list at all.
    fn list(&mut self, rows: &[String], answered: &mut BTreeSet<String>) -> String {
        if self.dice.bad_luck(9) {
            return "I cannot do that.".to_owned();
        }
        let mut elements = Vec::new();
        for (number, row) in (1..).zip(rows) {
            let element = |id: usize| json!({"id": id, "answer": format!("answer to {row}")});
            match self.dice.roll(9) {
                5 => {}
                6 => elements.push(element(rows.len() + number)),
                7 => elements.extend([element(number), element(number)]),
                _ => {
                    answered.insert(row.clone());
                    elements.push(element(number));
                }
            }
        }
        if self.dice.bad_luck(2) {
            elements.reverse();
        }
        Value::Array(elements).to_string()
    }

    /// `CreateModelInvocationJob`: a repeated token returns the same job.
    fn create(&mut self, job: &JobItem) -> Result<String, ()> {
        let token = client_request_token(&RunId::of_execution("r"), &job.name);
        if !self.bedrock.contains_key(&token) {
            let records = self.records_of(job.index);
            assert_eq!(records.len(), job.records as usize);
            assert!(job.records >= MINIMUM, "Bedrock takes no smaller job");
            let end = self.dice.roll(8);
            let (status, failure) = match end {
                3 => (JobStatus::PartiallyCompleted, FailureKind::Transient),
                4 => (JobStatus::Expired, FailureKind::Transient),
                5 => (JobStatus::Stopped, FailureKind::Transient),
                6 => match self.dice.roll(3) {
                    2 => (JobStatus::Failed, FailureKind::Permanent),
                    1 => (JobStatus::Failed, FailureKind::Unknown),
                    _ => (JobStatus::Failed, FailureKind::Transient),
                },
                // A refusal ends a run in batch mode before anything is sent; this is not modelled.
                7 if self.mode == ProcessingMode::Auto => return Err(()),
                _ => (JobStatus::Completed, FailureKind::Transient),
            };
            let nothing = matches!(status, JobStatus::Expired | JobStatus::Failed);
            let (output, answered) = if nothing {
                (String::new(), BTreeSet::new())
            } else {
                self.process(&records, status != JobStatus::Completed)
            };
            if nothing {
                for row in records.into_iter().flat_map(|record| record.rows) {
                    *self.sent.entry(row).or_default() += 1;
                }
            }
            self.answered.extend(answered.clone());
            self.bedrock.insert(token.clone(), BedrockJob { status, failure, output, answered });
        }
        Ok(token)
    }

    /// Performs one attempt of submit; returns false if the process died.
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

    fn wake(&mut self, name: &JobName) {
        let item = self.table.get_mut(name).unwrap();
        if !item.answered {
            self.woken += 1;
        }
        item.answered = true;
    }

    /// Settles the job after an event, by the reconciler or by submit; the process may die at any point.
    fn settle(&mut self, name: &JobName) {
        let item = &self.table[name];
        let Some(job) = item.arn.as_ref().and_then(|arn| self.bedrock.get(arn)) else { return };
        let life = [JobStatus::Submitted, JobStatus::InProgress, job.status];
        let (failure, end) = (job.failure, job.status);
        // Bedrock may show an earlier status for any time.
        let seen = if self.dice.bad_luck(3) { life[self.dice.roll(2) as usize] } else { end };
        let stored = Stored { status: item.status, waiting: item.token && !item.answered, on_demand_allowed: true };
        let mut action = next_action(seen, failure, stored);
        if action == Action::Succeed && failure == FailureKind::Unknown {
            let unknown = UnknownFailure::new(name, "It blew.");
            if unknown.ends_run(&self.unknown_failures).is_some() {
                action = next_action(seen, FailureKind::Permanent, stored);
            }
            self.unknown_failures.insert(unknown.as_str().to_owned());
        }
        if action == Action::Nothing || self.dice.bad_luck(5) {
            return;
        }
        let item = self.table.get_mut(name).unwrap();
        if item.status.is_none_or(|old| seen.rank() > old.rank()) {
            item.status = Some(seen);
            item.failure = Some(failure);
        }
        if matches!(action, Action::Succeed | Action::Fail) && !self.dice.bad_luck(5) {
            self.wake(name);
            self.has_failed |= action == Action::Fail;
        }
    }

    /// Submits a job, with or without events, until the state machine continues, which the reconciler ensures.
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
        assert_ne!(self.mode, ProcessingMode::Batch, "batch mode never pays the price of on demand");
        let records = self.records_of(job.index);
        assert_eq!(records.len(), job.records as usize);
        let (output, answered) = self.process(&records, false);
        self.answered.extend(answered.clone());
        let token = job.name.to_string();
        self.bedrock.insert(
            token.clone(),
            BedrockJob { status: JobStatus::Completed, failure: FailureKind::Transient, output, answered },
        );
        let item = Item { arn: Some(token), status: Some(JobStatus::Completed), ..Item::default() };
        self.table.insert(job.name.clone(), item);
    }

    fn answers_of(&self, job: &ChunkAttempt) -> JobAnswers<'static> {
        let arn = self.table.get(&job.name).and_then(|item| item.arn.as_ref());
        let output = arn.map(|arn| self.bedrock[arn].output.clone()).unwrap_or_default();
        let job = JobAttempt {
            pass: job.pass,
            records: job.records as usize,
            was_sent: arn.is_some(),
            lane: job.lane,
            model_id: "m".to_owned(),
            missing: RowError::uncoded(format!("missing in {}", job.name), "missing"),
        };
        let answers = Box::new(Cursor::new(output.into_bytes())) as Box<dyn Read>;
        JobAnswers { job, answers: Box::new(std::iter::once(answers)) }
    }

    /// Joins a chunk with these jobs, twice if the process dies in between.
    pub(crate) fn join(&mut self, chunk: u32, attempts: &[ChunkAttempt]) -> Joined {
        let outputs = [(OutputFormat::Parquet, self.layout.output_key(chunk, "parquet"))];
        let wanted = self.bucket.find(&self.layout.wanted_key(chunk));
        let wanted: Option<Vec<String>> = wanted.map(|json| serde_json::from_slice(&json).unwrap());
        let shared_key = self.layout.shared_key(chunk);
        let shared = wanted.as_deref().map(|wanted| (wanted, shared_key.as_str()));
        let job = JoinJob { shared, ..join_job(self.prompts, &outputs) };
        let rows = self.bucket.get(&self.layout.rows_key(chunk));
        let unanswered_key = self.layout.unanswered_key(chunk);
        let is_repeated = self.dice.bad_luck(4);
        let single = SingleRows { rows: &rows, rows_name: "rows", writers: self.writers };
        let once = || {
            let jobs = attempts.iter().map(|job| self.answers_of(job));
            let joined = join(&job, &rows, "rows", jobs, &self.bucket).unwrap();
            let lines = self.bucket.get(&self.layout.records_key(chunk));
            write_unanswered(&lines[..], &joined, &single, &self.bucket, &unanswered_key).unwrap();
            joined
        };
        let first = once();
        if is_repeated {
            let files = || [&outputs[0].1, &unanswered_key].map(|key| self.bucket.get(key));
            let before = files();
            once();
            assert_eq!(files(), before, "a repetition writes the same files");
        }
        first
    }

    /// Joins a file of duplicates with the answers of the rows that they equal.
    pub(crate) fn join_duplicates(&self, file: u32, first_rows: &[u64]) {
        let outputs = [(OutputFormat::Parquet, self.layout.duplicate_output_key(file, "parquet"))];
        let job = join_job(self.prompts, &outputs);
        let rows = self.bucket.get(&self.layout.duplicate_rows_key(file));
        let mut waiting = WaitingRows::read(&rows, "duplicates", first_rows, job.reading).unwrap();
        let mut counts = ChunkCounts::default();
        for chunk in waiting.chunks.clone() {
            let shared = self.bucket.find(&self.layout.shared_key(chunk)).unwrap_or_default();
            shared.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).for_each(|line| {
                waiting.take(line, &mut counts);
            });
        }
        assert!(counts.warnings.is_empty());
        waiting.write(&job, &rows, "duplicates", &mut counts, &self.bucket).unwrap();
    }

    /// Writes the files of a pass, and returns it with its remainder, or `None` if the rows do not form a single job.
    pub(crate) fn new_pass(&self, history: &History, new: &NewPass) -> Option<(Pass, Option<Pass>)> {
        let first = history.next_index();
        let limits = limits(new.lane, self.mode == ProcessingMode::Auto);
        let mut files = PassFiles::new(&self.bucket, &self.layout, first, limits, new.rows.values().sum());
        for (chunk, expected) in &new.rows {
            let lines = self.bucket.get(&self.layout.unanswered_key(*chunk));
            let lines = lines.split_inclusive(|byte| *byte == b'\n').collect::<Vec<_>>();
            assert_eq!(lines.len() as u64, *expected);
            for line in &lines {
                files.take(*chunk, line).unwrap();
            }
        }
        let parts = files.finish().unwrap();
        let jobs = (first..).zip(&parts).map(|(index, parts)| self.item(index, parts, new.round, new.lane));
        let jobs: Vec<JobItem> = jobs.collect();
        (!jobs.is_empty()).then(|| Pass { jobs, parts }.split_remainder(MINIMUM))
    }

    pub(crate) fn item(&self, index: u32, parts: &Parts, round: u32, lane: Lane) -> JobItem {
        JobItem {
            index,
            name: self.layout.job_name(JobNameScheme::CURRENT, "t", round, index),
            records: parts.iter().map(|(_, records)| records).sum(),
            input_uri: String::new(),
            output_uri: String::new(),
            round,
            lane,
            is_remainder: false,
        }
    }

    pub(crate) fn run_job(&mut self, job: &JobItem) {
        match job.lane {
            Lane::Batch => self.run_batch_job(job),
            Lane::OnDemand => self.run_on_demand_job(job),
        }
    }
}

fn join_job<'a>(prompts: &'a PromptsRead, outputs: &'a [(OutputFormat, String)]) -> JoinJob<'a> {
    JoinJob::new(Family::Nova, Reading { retry_on: &RETRY_ON, prompts }, outputs)
}
