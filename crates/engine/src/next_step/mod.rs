//! The next step of a run: collects the facts that determine it, and performs the transition that
//! [`advance`](bedrock_batch_domain::run::advance) derives from them.
//!
//! Every step may be repeated: it reads stored facts and writes the same files again.

mod history;
mod new_pass;
mod pass_files;
mod visibility;

use crate::error::EngineError;
use crate::job_table::{Fallback, JobTable, StoredItem, StoredJob};
use crate::objects::Bucket;
use bedrock_batch_domain::extract::ColumnType;
use bedrock_batch_domain::ids::JobName;
use bedrock_batch_domain::job::JobStatus;
use bedrock_batch_domain::join_task::{JoinStamp, JoinTask};
use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::plan::Plan;
use bedrock_batch_domain::printable;
use bedrock_batch_domain::run::{Ending, Facts, Fate, History, RunShape, RunState, Step, Transition, advance};
use bedrock_batch_domain::summary::ChunkCounts;
pub(crate) use history::{read_history, read_whole_history};
pub use pass_files::PassFiles;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Determines the next steps of runs.
#[derive(Debug, Clone)]
pub struct NextStepper {
    /// Bucket of the stack.
    pub bucket: Bucket,
    /// Job table.
    pub jobs: JobTable,
}

/// Stored state of a run after the step `done`.
struct Stored {
    done: Step,
    plan: Plan,
    layout: Layout,
    history: History,
    items: Vec<StoredItem>,
}

impl NextStepper {
    /// Returns the step that follows `done`.
    ///
    /// # Errors
    /// Returns an error if S3 or DynamoDB cannot be reached, if the index of the job table does not show the work of `done`
    /// yet, or if another execution owns the run now.
    pub async fn run(&self, done: Step) -> Result<Step, EngineError> {
        self.jobs.ensure_owner(&done.run_id, &done.execution_arn).await?;
        let plan: Plan = self.bucket.get_json(&Layout::plan_key(&done.run_id)).await?;
        let history = read_history(&self.bucket, &done.run_id, done.state.pass).await?;
        let items = self.jobs.of_run(&done.run_id).await?;
        self.check_visible(&done, &history, &items).await?;
        let layout = Layout::new(&plan.request.job_name_prefix, &plan.run_id);
        let stored = Stored { done, plan, layout, history, items };
        let transition = advance(&stored.done.state, &stored.facts());
        // Boxed: the futures of all transitions together are large.
        let next = Box::pin(self.perform(&stored, transition)).await?;
        let (phase, pass, round) = (next.state.phase, next.state.pass, next.state.round);
        tracing::info!(run_id = %next.run_id, ?phase, step = ?next.step, pass, round, "run_step_decided");
        Ok(next)
    }

    /// Returns the step that joins all chunks of a run with the existing answers; `first` is any step of the run.
    pub(crate) async fn collect(&self, plan: &Plan, history: History, first: Step) -> Result<Step, EngineError> {
        let layout = Layout::new(&plan.request.job_name_prefix, &plan.run_id);
        let state = RunState::collecting(history.last_pass());
        let chunks = (0..plan.counts.jobs).collect();
        let stored = Stored { done: Step { state, ..first }, plan: plan.clone(), layout, history, items: Vec::new() };
        Box::pin(self.perform(&stored, Transition::Join(chunks))).await
    }

    async fn perform(&self, stored: &Stored, transition: Transition) -> Result<Step, EngineError> {
        match transition {
            Transition::Join(chunks) => {
                let key = Layout::pass_chunks_key(&stored.plan.run_id, stored.done.state.pass);
                self.write(&stored.done, &key, &stored.chunk_tasks(chunks, None)).await?;
                Ok(stored.next(stored.done.state.joining(), Lane::default(), key))
            }
            Transition::AnswerRemainder(remainder) => {
                let key = Layout::pass_jobs_key(&stored.plan.run_id, remainder.pass);
                Ok(stored.next(stored.done.state.answering_remainder(remainder), Lane::OnDemand, key))
            }
            Transition::NewPass(new) => match self.begin_pass(stored, &new).await? {
                Some(step) => {
                    self.note_fallbacks(&stored.items, &new.failed_jobs).await?;
                    Ok(step)
                }
                None => self.end(stored, new.otherwise).await,
            },
            Transition::Fail => Err(stored.all_jobs_failed()),
            Transition::End(ending) => self.end(stored, ending).await,
        }
    }

    async fn end(&self, stored: &Stored, ending: Ending) -> Result<Step, EngineError> {
        let state = stored.done.state.ending(&ending);
        let (key, tasks) = match ending {
            Ending::Finish => return Ok(stored.next(state, Lane::default(), String::new())),
            Ending::LastJoin { types, chunks } => {
                let types = (!types.is_empty()).then_some(types);
                let mut tasks = stored.chunk_tasks(chunks, types.as_deref());
                tasks.extend(stored.duplicates_tasks(types.as_deref()));
                (Layout::last_join_key(&stored.plan.run_id, state.pass), tasks)
            }
            Ending::Pivot => (Layout::wide_key(&stored.plan.run_id, state.pass), stored.pivot_tasks()),
        };
        self.write(&stored.done, &key, &tasks).await?;
        Ok(stored.next(state, Lane::default(), key))
    }

    /// Writes a manifest, unless another execution owns the run now, which writes its own.
    async fn write<T: Serialize>(&self, done: &Step, key: &str, value: &T) -> Result<(), EngineError> {
        self.jobs.ensure_owner(&done.run_id, &done.execution_arn).await?;
        self.bucket.put_json(key, value).await
    }

    /// Notes failed jobs whose rows are now sent on demand, which the summary reports because they cost the full price.
    async fn note_fallbacks(&self, items: &[StoredItem], failed: &BTreeSet<JobName>) -> Result<(), EngineError> {
        for job in items.iter().filter_map(StoredItem::job).filter(|job| failed.contains(&job.name)) {
            let message = job.message.as_deref().unwrap_or("without a message");
            let fallback = Fallback { reason: format!("the job failed: {message}"), refused: false };
            self.jobs.fall_back(&job.run_id, &job.name, &fallback).await?;
        }
        Ok(())
    }
}

impl Stored {
    fn facts(&self) -> Facts<'_> {
        Facts {
            shape: RunShape::from(&self.plan),
            history: &self.history,
            counts: self.chunk_counts(),
            fates: self.items.iter().filter_map(StoredItem::job).map(|job| (&job.name, fate(job))).collect(),
        }
    }

    /// Returns the error of a run none of whose jobs has returned anything.
    fn all_jobs_failed(&self) -> EngineError {
        let failed: Vec<&StoredJob> =
            self.items.iter().filter_map(StoredItem::job).filter(|job| job.unknown_failure().is_some()).collect();
        if failed.is_empty() {
            return self.all_jobs_refused();
        }
        let last = failed.iter().max_by_key(|job| job.index);
        let message = last.and_then(|job| job.unknown_failure()).unwrap_or_default();
        EngineError::job_failed(format!(
            "all {} Bedrock jobs of the run failed with messages that are not known, the last one with: {}; nothing was sent on \
             demand in their place, look for the cause, then resume the run",
            failed.len(),
            printable::shortened(message, MAX_MESSAGE_CHARS)
        ))
    }

    /// Returns the error of a run none of whose jobs Bedrock has accepted in batch, with more rows than may be sent on demand.
    fn all_jobs_refused(&self) -> EngineError {
        let refusals = self.items.iter().filter_map(StoredItem::job).filter_map(|job| job.fallback.as_ref());
        let reason = refusals.map(|fallback| fallback.reason.as_str()).next_back().unwrap_or("without a message");
        EngineError::job_failed(format!(
            "Bedrock accepted no job of the run in batch ({}), and at most {} of its requests may be sent on demand \
             (max_on_demand_rows, max_on_demand_usd): choose a model that takes batch, or start the run again with higher limits",
            printable::shortened(reason, MAX_MESSAGE_CHARS),
            self.plan.max_on_demand_records.unwrap_or_default()
        ))
    }

    /// Returns the counts of each chunk that was joined.
    fn chunk_counts(&self) -> BTreeMap<u32, &ChunkCounts> {
        let is_chunk =
            |item: &&StoredItem| item.index() < self.plan.counts.jobs && !matches!(item, StoredItem::Duplicates(..));
        self.items.iter().filter(is_chunk).filter_map(|item| Some((item.index(), item.counts()?))).collect()
    }

    /// Returns the next step, with another state and manifest.
    fn next(&self, state: RunState, lane: Lane, manifest_key: String) -> Step {
        self.done.followed_by(&self.plan, state, lane, manifest_key)
    }

    fn chunk_name(&self, chunk: u32) -> JobName {
        self.layout.job_name(self.plan.job_names, &self.plan.started_at, 0, chunk)
    }

    fn stamp(&self) -> JoinStamp {
        let execution = self.done.execution_arn.name().to_owned();
        JoinStamp::AfterPass { execution, pass: self.done.state.pass }
    }

    /// Returns the tasks that join these chunks with all answers of all passes.
    fn chunk_tasks(&self, chunks: impl IntoIterator<Item = u32>, types: Option<&[ColumnType]>) -> Vec<JoinTask> {
        let mut attempts = self.history.attempts_by_chunk();
        let task = |chunk| JoinTask::Chunk {
            chunk,
            name: self.chunk_name(chunk),
            attempts: attempts.remove(&chunk).unwrap_or_default(),
            types: types.map(<[ColumnType]>::to_vec),
            stamp: self.stamp(),
        };
        chunks.into_iter().map(task).collect()
    }

    fn duplicates_tasks(&self, types: Option<&[ColumnType]>) -> impl Iterator<Item = JoinTask> {
        (0..self.plan.counts.duplicate_chunks).map(move |file| JoinTask::Duplicates {
            file,
            name: Layout::duplicates_name(&self.plan.run_id, file),
            types: types.map(<[ColumnType]>::to_vec),
            stamp: self.stamp(),
        })
    }

    fn pivot_tasks(&self) -> Vec<JoinTask> {
        let task = |chunk| JoinTask::Pivot { chunk, name: self.chunk_name(chunk) };
        (0..self.plan.counts.jobs).map(task).collect()
    }
}

/// Returns the outcome of a job, as far as it determines how its rows are sent again.
fn fate(job: &StoredJob) -> Fate {
    match (&job.fallback, job.lane, job.status) {
        (Some(_), ..) => Fate::Refused,
        (None, Lane::Batch, Some(JobStatus::Failed)) if job.unknown_failure().is_some() => Fate::FailedUnknown,
        (None, Lane::Batch, Some(JobStatus::Failed)) => Fate::Failed,
        _ => Fate::Other,
    }
}

/// Maximum number of characters of Bedrock's message in the error of a run.
const MAX_MESSAGE_CHARS: usize = 4000;
