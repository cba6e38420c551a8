//! Making a pass of the rows that are still unanswered: their records, as they were sent, in files of new jobs.

use super::{History, NextStepper, Pass, PassFiles, go_to};
use crate::error::EngineError;
use crate::objects::{ObjectMeta, blocking, for_each_line_of};
use bedrock_batch_domain::chunk_plan::ChunkLimits;
use bedrock_batch_domain::input::ProcessingMode;
use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::plan::{JobItem, Plan, Step};
use bedrock_batch_domain::rounds::StepName;
use std::collections::BTreeMap;
use tokio::runtime::Handle;

impl NextStepper {
    /// The step that asks the unanswered rows of these chunks; `None` if they do not make a single job.
    pub(super) async fn ask(
        &self,
        plan: &Plan,
        history: &History,
        chunks: &BTreeMap<u32, u64>,
        lane: Lane,
        round: u32,
        done: &Step,
    ) -> Result<Option<Step>, EngineError> {
        let pass = done.pass + 1;
        let layout = Layout::new(&plan.request.job_name_prefix, &plan.run_id);
        let files = self.unanswered_files(&layout, chunks).await?;
        let uploads = self.bucket.uploads(&Handle::current());
        let first = history.next_index();
        let rows: u64 = chunks.values().sum();
        let limits = limits(plan, lane);
        let parts = {
            let (s3, uploads, layout, chunks) =
                (self.bucket.client().clone(), uploads.clone(), layout.clone(), chunks.clone());
            blocking(move || {
                let mut jobs = PassFiles::new(&uploads, &layout, first, limits, rows);
                let mut read: BTreeMap<u32, u64> = BTreeMap::new();
                for_each_line_of(&Handle::current(), &s3, &files, |chunk, line| {
                    *read.entry(chunk).or_default() += 1;
                    jobs.take(chunk, line)
                })?;
                if read != chunks {
                    return Err(EngineError::transient("the unanswered records are not those that were counted"));
                }
                jobs.finish()
            })
            .await?
        };
        uploads.finish().await?;
        if parts.is_empty() {
            return Ok(None);
        }
        let jobs = (first..)
            .zip(&parts)
            .map(|(index, parts)| JobItem {
                index,
                name: layout.job_name(&plan.started_at, round, index),
                records: parts.iter().map(|(_, records)| records).sum(),
                input_uri: self.bucket.uri(layout.records_key(index)).to_string(),
                output_uri: self.bucket.uri(layout.answers_prefix(index)).to_string(),
                round,
                lane,
                rest: false,
            })
            .collect();
        let (now, rest) = Pass { jobs, parts }.split_rest(plan.model.limits.min_records_per_job);
        let key = self.write_down(done, pass, &now).await?;
        if let Some(rest) = &rest {
            self.write_down(done, pass + 1, rest).await?;
        }
        let lane = now.jobs.first().map_or(lane, |job| job.lane);
        let step = match lane {
            Lane::Batch => StepName::RetryJobs,
            Lane::OnDemand => StepName::AnswerOnDemand,
        };
        tracing::info!(run_id = plan.run_id, pass, round, rows, jobs = now.jobs.len(), %lane, "asking again");
        Ok(Some(Step { pass, round, rest: rest.is_some(), ..go_to(plan, done, step, key) }))
    }

    /// Writes a pass's manifest, and returns its key.
    async fn write_down(&self, done: &Step, number: u32, pass: &Pass) -> Result<String, EngineError> {
        self.write(done, &Layout::pass_parts_key(&done.run_id, number), &pass.parts).await?;
        let key = Layout::pass_jobs_key(&done.run_id, number);
        self.write(done, &key, &pass.jobs).await?;
        Ok(key)
    }

    /// The files of these chunks' unanswered records, in the order of the chunks.
    async fn unanswered_files(
        &self,
        layout: &Layout,
        chunks: &BTreeMap<u32, u64>,
    ) -> Result<Vec<(u32, ObjectMeta)>, EngineError> {
        let folder = layout.unanswered_key(0);
        let folder = folder.rsplit_once('/').map_or("", |(folder, _)| folder);
        let found = self.bucket.list(&format!("{folder}/")).await?;
        let mut by_key: BTreeMap<String, ObjectMeta> = found.into_iter().map(|f| (f.uri.key.clone(), f)).collect();
        let file = |chunk: &u32| {
            let key = layout.unanswered_key(*chunk);
            let found = by_key.remove(&key);
            found
                .map(|found| (*chunk, found))
                .ok_or_else(|| EngineError::corrupt(format!("{key} does not exist, though its records were counted")))
        };
        chunks.keys().map(file).collect()
    }
}

fn limits(plan: &Plan, lane: Lane) -> ChunkLimits {
    let (request, model) = (&plan.request, &plan.model.limits);
    ChunkLimits {
        min_records: if lane == Lane::Batch { model.min_records_per_job } else { 1 },
        max_records: request.max_records_per_job.min(model.max_records_per_job),
        max_bytes: model.max_chunk_bytes(),
        max_chunks: None,
        small_last: request.invocation.processing_mode == ProcessingMode::Auto,
    }
}
