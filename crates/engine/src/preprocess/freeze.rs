//! Freezing: the plan, and the manifest of the first pass.

use super::run::{Checked, Preprocessor, StartInput};
use super::write_chunks::Written;
use crate::error::EngineError;
use crate::objects::put_json;
use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::plan::{FormatVersion, JobItem, Parts, Plan, PlanCounts, Source};
use bedrock_batch_domain::run::Step;
use bedrock_batch_domain::s3_uri::S3Uri;

impl Preprocessor {
    /// Writes down all that later steps need, and says what comes first.
    pub(super) async fn freeze(
        &self,
        input: &StartInput,
        run_id: &str,
        layout: &Layout,
        checked: &Checked,
        (counts, lane): (PlanCounts, Lane),
        written: &Written,
    ) -> Result<Step, EngineError> {
        let minimum = checked.resolved.model.limits.min_records_per_job;
        let small = |records: u32| lane == Lane::Batch && records < minimum;
        let mut jobs: Vec<JobItem> = (0u32..)
            .zip(&written.chunks)
            .map(|(index, records)| JobItem {
                index,
                name: layout.job_name(&input.started_at, 0, index),
                records: *records,
                input_uri: S3Uri::new(&self.bucket, layout.records_key(index)).to_string(),
                output_uri: S3Uri::new(&self.bucket, layout.answers_prefix(index)).to_string(),
                round: 0,
                lane: if small(*records) { Lane::OnDemand } else { lane },
                is_remainder: small(*records),
            })
            .collect();
        let small_chunk = jobs.pop_if(|last| last.is_remainder);
        let sources = &checked.input.sources;
        let objects = sources.objects.iter().map(|found| Source {
            uri: found.uri.to_string(),
            etag: found.etag.clone(),
            bytes: found.bytes,
        });
        let places = sources.place.iter().map(|place| Source { uri: place.to_string(), etag: String::new(), bytes: 0 });
        let plan = Plan {
            version: FormatVersion::CURRENT,
            run_id: run_id.to_owned(),
            execution_arn: input.execution_arn.clone(),
            started_at: input.started_at.clone(),
            bucket: self.bucket.clone(),
            job_table: self.task_table.clone(),
            request: checked.request.clone(),
            prompts: checked.resolved.prompts.clone(),
            model: checked.resolved.model.clone(),
            on_demand: checked.resolved.on_demand.clone(),
            sources: objects.chain(places).collect(),
            columns: checked.input.view.columns.clone(),
            counts,
            lane,
            small_chunk: small_chunk.is_some(),
        };
        if let Some(small) = &small_chunk {
            // The second pass, written down before the first: it asks rows that nobody has asked yet.
            let parts: Vec<Parts> = vec![vec![(small.index, small.records)]];
            self.put(&Layout::pass_parts_key(run_id, 1), &parts).await?;
            self.put(&Layout::pass_jobs_key(run_id, 1), &[small]).await?;
        }
        if !written.duplicates.is_empty() {
            self.put(&Layout::first_rows_key(run_id), &written.first_rows).await?;
        }
        self.put(&Layout::jobs_key(run_id), &jobs).await?;
        // The plan comes last: where there is one, there is all of it.
        self.put(&Layout::plan_key(run_id), &plan).await?;
        let counts = &plan.counts;
        tracing::info!(run_id, rows = counts.rows, records = counts.records, jobs = counts.jobs, "prepared");
        Ok(plan.first_step(&input.execution_arn))
    }

    async fn put<T: serde::Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<(), EngineError> {
        put_json(&self.s3, &self.bucket, key, &value).await
    }
}
