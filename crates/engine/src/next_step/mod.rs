//! The next step of a run: after jobs, join the chunks whose rows they had; after a join, ask what is still unanswered,
//! or finish. Which, says [`bedrock_batch_domain::rounds`]; here is what it needs to know, and what it leads to.
//!
//! Every step may be repeated: it reads what is stored and writes the same files again.

mod ask;
mod history;
mod latest;
mod pass_files;

use crate::error::EngineError;
use crate::job_table::{JobTable, StoredJob};
use crate::objects::Bucket;
use bedrock_batch_domain::extract::{ColumnType, FieldKinds};
use bedrock_batch_domain::job::JobStatus;
use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::plan::{ChunkItem, ChunkJob, JobItem, Plan, Step};
use bedrock_batch_domain::rounds::{Mode, Next, Progress, Rows, StepName, next};
pub use history::{History, Pass};
pub use latest::{Fate, Latest};
pub use pass_files::PassFiles;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Everything that the next step needs.
#[derive(Debug, Clone)]
pub struct NextStepper {
    /// The bucket of everything.
    pub bucket: Bucket,
    /// The job table.
    pub jobs: JobTable,
}

/// The chunks of a run, as they are counted.
struct Chunks<'a> {
    /// By number, what is stored of each that was begun.
    stored: BTreeMap<u32, &'a StoredJob>,
    count: u32,
}

impl<'a> Chunks<'a> {
    fn of(plan: &Plan, jobs: &'a [StoredJob]) -> Self {
        let is_chunk = |job: &&StoredJob| {
            job.index < plan.counts.jobs && job.name != Layout::duplicates_name(&plan.run_id, job.index)
        };
        Self { stored: jobs.iter().filter(is_chunk).map(|job| (job.index, job)).collect(), count: plan.counts.jobs }
    }

    fn is_counted(&self, chunk: u32) -> bool {
        self.stored.get(&chunk).is_some_and(|stored| stored.counts.is_some())
    }

    fn uncounted(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.count).filter(|chunk| !self.is_counted(*chunk))
    }

    /// Chunks whose counts are not those of the join that follows on a job of the first pass.
    fn collected(&self) -> impl Iterator<Item = u32> + '_ {
        let other = |stored: &StoredJob| stored.counts.as_ref().is_some_and(|counts| !counts.stamp.is_empty());
        self.stored.iter().filter(move |(_, stored)| other(stored)).map(|(chunk, _)| *chunk)
    }

    /// The types of the fields' columns over all chunks, and the chunks that were written with others.
    fn types(&self) -> (Vec<ColumnType>, Vec<u32>) {
        let counted = || self.stored.iter().filter_map(|(chunk, stored)| Some((*chunk, stored.counts.as_ref()?)));
        let mut all: Vec<FieldKinds> = Vec::new();
        for (_, counts) in counted() {
            all.resize_with(all.len().max(counts.kinds.len()), FieldKinds::default);
            for (all, own) in all.iter_mut().zip(&counts.kinds) {
                all.merge(own);
            }
        }
        let types: Vec<ColumnType> = all.iter().map(FieldKinds::column_type).collect();
        let other = counted().filter(|(_, counts)| counts.types != types).map(|(chunk, _)| chunk).collect();
        (types, other)
    }

    /// The unanswered rows of each chunk that has some.
    fn unanswered(&self) -> BTreeMap<u32, u64> {
        let of = |(chunk, stored): (&u32, &&StoredJob)| {
            let unanswered = stored.counts.as_ref().map_or(0, |counts| counts.unanswered);
            (unanswered > 0).then_some((*chunk, unanswered))
        };
        self.stored.iter().filter_map(of).collect()
    }
}

impl NextStepper {
    /// What comes after `done`.
    ///
    /// # Errors
    /// As AWS fails.
    pub async fn run(&self, done: Step) -> Result<Step, EngineError> {
        self.jobs.check_in_hand(&done.run_id, &done.execution_arn).await?;
        let plan: Plan = self.bucket.get_json(&Layout::plan_key(&done.run_id)).await?;
        let history = History::read(&self.bucket, &plan, done.pass).await?;
        let jobs = self.jobs.of_run(&done.run_id).await?;
        let next = if done.manifest_key == Layout::wide_key(&plan.run_id, done.pass) {
            go_to(&plan, &done, StepName::Finish, String::new())
        } else if done.step == StepName::JoinChunks {
            self.check_joined(&done, &jobs).await?;
            self.after_join(&plan, &history, &jobs, done).await?
        } else {
            if done.step == StepName::ProcessJobs {
                self.check_answered(&done, &jobs).await?;
            }
            check_over(&history, &jobs, done.pass)?;
            match self.join(&plan, &history, &jobs, &done).await? {
                Some(join) => join,
                None => self.after_join(&plan, &history, &jobs, done).await?,
            }
        };
        tracing::info!(run_id = next.run_id, step = ?next.step, pass = next.pass, round = next.round, "next");
        Ok(next)
    }

    /// Writes a manifest, unless another execution has the run in hand by now: it has its own.
    pub(super) async fn write<T: Serialize>(&self, done: &Step, key: &str, value: &T) -> Result<(), EngineError> {
        self.jobs.check_in_hand(&done.run_id, &done.execution_arn).await?;
        self.bucket.put_json(key, value).await
    }

    /// Joins the chunks whose rows the latest pass had, and those that were never joined; `None` if there are none.
    async fn join(
        &self,
        plan: &Plan,
        history: &History,
        jobs: &[StoredJob],
        done: &Step,
    ) -> Result<Option<Step>, EngineError> {
        let known = Chunks::of(plan, jobs);
        let mut chunks: BTreeSet<u32> = known.uncounted().collect();
        // Batch jobs of the first pass are joined as soon as each is over.
        if done.step == StepName::ProcessJobs {
            // Those that were collected before may have had jobs that came to answers only after that.
            chunks.extend(known.collected());
        } else {
            chunks.extend(history.chunks_of_pass(done.pass));
        }
        // A last chunk too small for batch is asked in the pass after the first one, and joined then.
        if plan.small_chunk && done.rest && done.pass == 0 {
            chunks.remove(&(plan.counts.jobs - 1));
        }
        if chunks.is_empty() {
            return Ok(None);
        }
        self.join_these(plan, history, chunks, done).await.map(Some)
    }

    /// The step that joins these chunks with all answers of all passes.
    pub(crate) async fn join_these(
        &self,
        plan: &Plan,
        history: &History,
        chunks: impl IntoIterator<Item = u32>,
        done: &Step,
    ) -> Result<Step, EngineError> {
        let layout = Layout::new(&plan.request.job_name_prefix, &plan.run_id);
        let mut by_chunk = history.jobs_by_chunk();
        let items: Vec<ChunkItem> = chunks
            .into_iter()
            .map(|index| ChunkItem {
                index,
                name: layout.job_name(&plan.started_at, 0, index),
                duplicates: false,
                widen: false,
                jobs: by_chunk.remove(&index).unwrap_or_default(),
                types: None,
                stamp: stamp(done),
            })
            .collect();
        let key = Layout::pass_chunks_key(&plan.run_id, done.pass);
        self.write(done, &key, &items).await?;
        Ok(go_to(plan, done, StepName::JoinChunks, key))
    }

    /// Jobs that failed and have no round left are asked on demand: the summary says so, since it costs the full price.
    async fn note_fallen_back(&self, jobs: &[StoredJob], failed: &BTreeSet<String>) -> Result<(), EngineError> {
        for job in jobs.iter().filter(|job| failed.contains(&job.name)) {
            let message = job.message.as_deref().unwrap_or("without a message");
            self.jobs.fall_back(&job.name, &format!("the job failed: {message}"), false).await?;
        }
        Ok(())
    }

    /// The index by run is eventually consistent: what it shows of the chunks must be what their latest join counted.
    async fn check_joined(&self, done: &Step, jobs: &[StoredJob]) -> Result<(), EngineError> {
        let items: Vec<ChunkItem> = self.bucket.get_json(&done.manifest_key).await?;
        let stamps: HashMap<&str, &str> =
            jobs.iter().filter_map(|job| Some((job.name.as_str(), job.counts.as_ref()?.stamp.as_str()))).collect();
        let late = items.iter().filter(|item| stamps.get(item.name.as_str()) != Some(&item.stamp.as_str())).count();
        if late > 0 {
            return Err(EngineError::transient(format!("the counts of {late} joined chunks are not visible yet")));
        }
        Ok(())
    }

    /// The same for the jobs of the first pass, each of which is joined as soon as it is over: counts that are there from
    /// an earlier join (of a run that was collected, and resumed after that) are not those.
    async fn check_answered(&self, done: &Step, jobs: &[StoredJob]) -> Result<(), EngineError> {
        let items: Vec<JobItem> = self.bucket.get_json(&done.manifest_key).await?;
        let joined: HashSet<&str> = jobs
            .iter()
            .filter(|job| job.counts.as_ref().is_some_and(|counts| counts.stamp.is_empty()))
            .map(|job| job.name.as_str())
            .collect();
        let late = items.iter().filter(|item| !joined.contains(item.name.as_str())).count();
        if late > 0 {
            return Err(EngineError::transient(format!("the counts of {late} jobs are not visible yet")));
        }
        Ok(())
    }

    /// The step after which all is done: chunks whose columns have other types than the rest are written again, and rows
    /// that equal other rows get their answers.
    async fn last_join(
        &self,
        plan: &Plan,
        history: &History,
        (types, other): (Vec<ColumnType>, Vec<u32>),
        done: &Step,
    ) -> Result<Step, EngineError> {
        let layout = Layout::new(&plan.request.job_name_prefix, &plan.run_id);
        let mut by_chunk = history.jobs_by_chunk();
        let item = |index: u32, name: String, duplicates: bool, jobs: Vec<ChunkJob>| {
            let types = (!types.is_empty()).then(|| types.clone());
            ChunkItem { index, name, duplicates, widen: false, jobs, types, stamp: stamp(done) }
        };
        let chunks = other.into_iter().map(|chunk| {
            let jobs = by_chunk.remove(&chunk).unwrap_or_default();
            item(chunk, layout.job_name(&plan.started_at, 0, chunk), false, jobs)
        });
        let mut items: Vec<ChunkItem> = chunks.collect();
        let files = 0..plan.counts.duplicate_chunks;
        items.extend(files.map(|file| item(file, Layout::duplicates_name(&plan.run_id, file), true, Vec::new())));
        let key = Layout::last_join_key(&plan.run_id, done.pass);
        self.write(done, &key, &items).await?;
        Ok(go_to(plan, done, StepName::JoinChunks, key))
    }

    /// All is answered and joined. Where several answers are to come out as one row, that is done now.
    async fn finish(&self, plan: &Plan, done: &Step) -> Result<Step, EngineError> {
        if !plan.prompts.is_wide() {
            return Ok(go_to(plan, done, StepName::Finish, String::new()));
        }
        let layout = Layout::new(&plan.request.job_name_prefix, &plan.run_id);
        let items = (0..plan.counts.jobs).map(|index| ChunkItem {
            index,
            name: layout.job_name(&plan.started_at, 0, index),
            duplicates: false,
            widen: true,
            jobs: Vec::new(),
            types: None,
            stamp: stamp(done),
        });
        let items: Vec<ChunkItem> = items.collect();
        let key = Layout::wide_key(&plan.run_id, done.pass);
        self.write(done, &key, &items).await?;
        Ok(go_to(plan, done, StepName::JoinChunks, key))
    }

    async fn after_join(
        &self,
        plan: &Plan,
        history: &History,
        jobs: &[StoredJob],
        done: Step,
    ) -> Result<Step, EngineError> {
        if done.manifest_key == Layout::last_join_key(&plan.run_id, done.pass) {
            return self.finish(plan, &done).await;
        }
        let chunks = Chunks::of(plan, jobs);
        let unanswered = chunks.unanswered();
        let by_name: HashMap<&str, &StoredJob> = jobs.iter().map(|job| (job.name.as_str(), job)).collect();
        let fate_of = |name: &str| by_name.get(name).map_or(Fate::Other, |job| fate(job));
        let mut latest = Latest::of(history, fate_of, done.round < done.last_round);
        let rows_of = |chunks: &BTreeSet<u32>| {
            unanswered.iter().filter(|(chunk, _)| chunks.contains(chunk)).map(|(_, rows)| rows).sum::<u64>()
        };
        let mut round = done.round;
        loop {
            let progress = Progress {
                mode: done.mode,
                processing: plan.request.invocation.processing_mode,
                round,
                last_round: done.last_round,
                batch_minimum: plan.model.limits.min_records_per_job,
                rest: done.rest,
                fell_back: rows_of(&latest.fell_back),
                failed: rows_of(&latest.failed),
                unanswered: unanswered.values().sum(),
                last_join: plan.counts.duplicate_chunks > 0 || !chunks.types().1.is_empty(),
            };
            match next(&progress) {
                Next::Finish => return self.finish(plan, &done).await,
                Next::LastJoin => return self.last_join(plan, history, chunks.types(), &done).await,
                Next::Rest => {
                    let pass = done.pass + 1;
                    let key = Layout::pass_jobs_key(&plan.run_id, pass);
                    return Ok(Step { pass, rest: false, ..go_to(plan, &done, StepName::AnswerOnDemand, key) });
                }
                Next::Ask { rows, lane, round: asked } => {
                    let of_these = match rows {
                        Rows::All => None,
                        Rows::FellBack => Some(&latest.fell_back),
                        Rows::Failed => Some(&latest.failed),
                    };
                    let mut wanted = unanswered.clone();
                    wanted.retain(|chunk, _| of_these.is_none_or(|chunks| chunks.contains(chunk)));
                    if let Some(step) = self.ask(plan, history, &wanted, lane, asked, &done).await? {
                        if rows == Rows::Failed {
                            self.note_fallen_back(jobs, &latest.failed_jobs).await?;
                        }
                        return Ok(step);
                    }
                    // They do not make a single job (too few, too large): nobody asks them any more.
                    latest = Latest::default();
                    round = done.last_round;
                }
            }
        }
    }
}

/// The index by run is eventually consistent: it must show that all jobs of the latest pass are over.
fn check_over(history: &History, jobs: &[StoredJob], pass: u32) -> Result<(), EngineError> {
    let over: HashMap<&str, bool> = jobs.iter().map(|job| (job.name.as_str(), job.is_over())).collect();
    let open = history.jobs_of_pass(pass).filter(|(job, _)| over.get(job.name.as_str()) != Some(&true)).count();
    if open > 0 {
        return Err(EngineError::transient(format!("the end of {open} jobs is not visible yet")));
    }
    Ok(())
}

/// Which join a step leads to.
fn stamp(done: &Step) -> String {
    format!("{} {}", done.execution_arn.rsplit(':').next().unwrap_or_default(), done.pass)
}

/// What became of a job, as far as it decides how its rows are asked again.
fn fate(job: &StoredJob) -> Fate {
    match (&job.fell_back, job.lane, job.status) {
        (Some(_), ..) => Fate::FellBack,
        (None, Some(Lane::Batch), Some(JobStatus::Failed)) => Fate::Failed,
        _ => Fate::Other,
    }
}

/// The step that follows on `done`, with another state and manifest.
pub(crate) fn go_to(plan: &Plan, done: &Step, step: StepName, manifest_key: String) -> Step {
    Step { step, manifest_key, max_concurrency: plan.concurrency(step), ..done.clone() }
}

/// A step that only collects the answers that there are.
pub(crate) fn collecting(step: Step) -> Step {
    Step { mode: Mode::Collect, ..step }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bedrock_batch_domain::extract::FieldValue;
    use bedrock_batch_domain::summary::JobCounts;

    /// A joined chunk whose one field held these values, written as `types`.
    fn chunk(index: u32, values: &[FieldValue], types: &[ColumnType]) -> StoredJob {
        let mut kinds = FieldKinds::default();
        for value in values {
            kinds.record(value);
        }
        let counts = JobCounts { kinds: vec![kinds], types: types.to_vec(), ..JobCounts::default() };
        StoredJob { name: format!("c{index}"), index, counts: Some(counts), ..StoredJob::default() }
    }

    #[test]
    fn files_whose_columns_have_other_types_than_the_rest_are_written_again() {
        let number = FieldValue::Number(1.into());
        let jobs = [
            chunk(0, std::slice::from_ref(&number), &[ColumnType::Integer]),
            chunk(1, &[number, FieldValue::Text("many".into())], &[ColumnType::Text]),
            chunk(2, &[], &[ColumnType::Text]),
        ];
        let stored: BTreeMap<u32, &StoredJob> = jobs.iter().map(|job| (job.index, job)).collect();
        let (types, other) = Chunks { stored, count: 3 }.types();
        assert_eq!((types, other), (vec![ColumnType::Text], vec![0]));
    }
}
