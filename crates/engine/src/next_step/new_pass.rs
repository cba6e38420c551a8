//! Preparation of a pass over unanswered rows, whose records are copied unchanged to the files of new jobs.

use super::{NextStepper, PassFiles, Stored};
use crate::error::EngineError;
use crate::job_table::Ownership;
use crate::objects::{ObjectMeta, blocking, for_each_line_of};
use bedrock_batch_domain::chunk_plan::ChunkLimits;
use bedrock_batch_domain::input::ProcessingMode;
use bedrock_batch_domain::job_size::records_per_job;
use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::plan::{JobItem, Parts, Plan};
use bedrock_batch_domain::run::{History, NewPass, Pass, RunShape, Step};
use std::collections::BTreeMap;
use tokio::runtime::Handle;

impl NextStepper {
    /// Writes the files of a new pass, and returns the step that runs it, or `None` if the rows do not form a single job.
    pub(super) async fn begin_pass(&self, stored: &Stored, new: &NewPass) -> Result<Option<Step>, EngineError> {
        let Stored { done, plan, .. } = stored;
        let first = stored.history.next_index();
        let parts = self.write_records(stored, new, first).await?;
        if parts.is_empty() {
            return Ok(None);
        }
        let jobs = (first..).zip(&parts).map(|(index, parts)| self.job(stored, new, index, parts)).collect();
        let (pass, remainder) = Pass { jobs, parts }.split_remainder(plan.model.limits.min_records_per_job);
        let number = done.state.next_pass();
        let key = self.write_pass(done, number, &pass).await?;
        if let Some(remainder) = &remainder {
            self.write_pass(done, number + 1, remainder).await?;
        }
        let lane = pass.jobs.first().map_or(new.lane, |job| job.lane);
        let (rows, jobs, round) = (new.rows.values().sum::<u64>(), pass.jobs.len(), new.round);
        tracing::info!(run_id = %plan.run_id, pass = number, round, rows, jobs, %lane, "pass_prepared");
        let state = done.state.answering_new_pass(new.round, remainder.is_some());
        Ok(Some(stored.next(state, lane, key)))
    }

    fn job(&self, stored: &Stored, new: &NewPass, index: u32, parts: &Parts) -> JobItem {
        let layout = &stored.layout;
        JobItem {
            index,
            name: layout.job_name(stored.plan.job_names, &stored.plan.started_at, new.round, index),
            records: parts.iter().map(|(_, records)| records).sum(),
            input_uri: self.bucket.uri(layout.records_key(index)).to_string(),
            output_uri: self.bucket.uri(layout.answers_prefix(index)).to_string(),
            round: new.round,
            lane: new.lane,
            is_remainder: false,
        }
    }

    /// Writes the records of a new pass as files of jobs from number `first` on, and returns the rows of each.
    async fn write_records(&self, stored: &Stored, new: &NewPass, first: u32) -> Result<Vec<Parts>, EngineError> {
        let files = self.unanswered_files(&stored.layout, &new.rows).await?;
        // Otherwise, jobs that another execution has submitted meanwhile would read other records than it has written.
        let owned = Ownership::new(&self.jobs, &stored.plan.run_id, &stored.done.execution_arn);
        let uploads = self.bucket.uploads(&Handle::current()).checked(move || owned.clone().ensure());
        let records = new.rows.values().sum::<u64>();
        let limits = limits(&stored.plan, &stored.history, new.lane, records);
        let parts = {
            let (s3, uploads, layout, rows) =
                (self.bucket.client().clone(), uploads.clone(), stored.layout.clone(), new.rows.clone());
            blocking(move || {
                let mut jobs = PassFiles::new(&uploads, &layout, first, limits, records);
                let mut read: BTreeMap<u32, u64> = BTreeMap::new();
                for_each_line_of(&Handle::current(), &s3, &files, |chunk, line| {
                    *read.entry(chunk).or_default() += 1;
                    jobs.take(chunk, line)
                })?;
                if read != rows {
                    return Err(EngineError::transient("the unanswered records are not those that were counted"));
                }
                jobs.finish()
            })
            .await?
        };
        uploads.finish().await?;
        Ok(parts)
    }

    /// Writes the manifests of a pass, and returns the key of that of its jobs.
    async fn write_pass(&self, done: &Step, number: u32, pass: &Pass) -> Result<String, EngineError> {
        self.write(done, &Layout::pass_parts_key(&done.run_id, number), &pass.parts).await?;
        let key = Layout::pass_jobs_key(&done.run_id, number);
        self.write(done, &key, &pass.jobs).await?;
        Ok(key)
    }

    /// Returns the files of these chunks' unanswered records, in the order of the chunks.
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

fn limits(plan: &Plan, history: &History, lane: Lane, records: u64) -> ChunkLimits {
    let (request, model) = (&plan.request, &plan.model.limits);
    // A remainder is sent on demand, and has fewer records than a batch job needs.
    let remainder = u64::from(model.min_records_per_job).saturating_sub(1);
    let may_have_remainder = RunShape::from(plan).allows_on_demand(history, remainder);
    ChunkLimits {
        min_records: if lane == Lane::Batch { model.min_records_per_job } else { 1 },
        max_records: records_per_job(request, model, lane, records),
        max_bytes: model.max_chunk_bytes(),
        max_chunks: None,
        small_last: request.invocation.processing_mode == ProcessingMode::Auto && may_have_remainder,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bedrock_batch_domain::plan::JobItem;
    use rstest::rstest;

    #[rstest]
    #[case::unlimited(None, true)]
    #[case::enough(Some(129), true)]
    #[case::not_enough_after_what_was_sent(Some(128), false)]
    fn a_pass_has_no_remainder_where_it_could_not_be_sent(#[case] max: Option<u64>, #[case] expected: bool) {
        let mut plan: Plan = serde_json::from_str(include_str!("../../tests/fixtures/version_1/plan.json")).unwrap();
        assert_eq!(plan.model.limits.min_records_per_job, 100);
        plan.request.invocation.processing_mode = ProcessingMode::Auto;
        plan.max_on_demand_records = max;
        let sent = JobItem {
            index: 0,
            name: "job".parse().unwrap(),
            records: 30,
            input_uri: String::new(),
            output_uri: String::new(),
            round: 0,
            lane: Lane::OnDemand,
            is_remainder: false,
        };
        let history = History { passes: vec![Pass { jobs: vec![sent], parts: Vec::new() }] };
        assert_eq!(limits(&plan, &history, Lane::Batch, 1000).small_last, expected);
    }
}
