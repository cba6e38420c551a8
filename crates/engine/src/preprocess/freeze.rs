//! Freezing of the plan and of the manifest of the first pass.

use super::chunks::Written;
use super::start_input::StartInput;
use super::validated_request::ValidatedRequest;
use crate::error::EngineError;
use crate::objects::Bucket;
use bedrock_batch_domain::format_version::FormatVersion;
use bedrock_batch_domain::ids::RunId;
use bedrock_batch_domain::job_name_scheme::JobNameScheme;
use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::plan::{JobItem, Parts, Plan, PlanCounts, Source};
use bedrock_batch_domain::run::Step;

/// Run whose chunks are written.
pub(super) struct RunToFreeze<'a> {
    pub(super) input: &'a StartInput,
    pub(super) run_id: &'a RunId,
    pub(super) layout: &'a Layout,
    pub(super) checked: &'a ValidatedRequest,
    pub(super) counts: PlanCounts,
    pub(super) lane: Lane,
    pub(super) max_on_demand_records: Option<u64>,
    pub(super) written: &'a Written,
}

impl RunToFreeze<'_> {
    /// Writes everything that later steps need, and returns the first step.
    pub(super) async fn freeze(self, bucket: &Bucket, job_table: &str) -> Result<Step, EngineError> {
        let mut jobs = self.jobs(bucket);
        let small_chunk = jobs.pop_if(|last| last.is_remainder);
        let plan = self.plan(bucket, job_table, small_chunk.is_some())?;
        let run_id = self.run_id;
        if let Some(small) = &small_chunk {
            // The second pass is written before the first one, when no pass has sent its rows yet.
            let parts: Vec<Parts> = vec![vec![(small.index, small.records)]];
            bucket.put_json(&Layout::pass_parts_key(run_id, 1), &parts).await?;
            bucket.put_json(&Layout::pass_jobs_key(run_id, 1), &[small]).await?;
        }
        if !self.written.duplicates.is_empty() {
            bucket.put_json(&Layout::first_rows_key(run_id), &self.written.first_rows).await?;
        }
        bucket.put_json(&Layout::jobs_key(run_id), &jobs).await?;
        // The plan is written last, so that its existence implies that of all other files.
        bucket.put_json(&Layout::plan_key(run_id), &plan).await?;
        let counts = &plan.counts;
        tracing::info!(%run_id, rows = counts.rows, records = counts.records, jobs = counts.jobs, "run_prepared");
        Ok(Step::first(&plan, &self.input.execution_arn))
    }

    /// Creates one job per chunk. A chunk that is too small for a batch job is sent on demand.
    fn jobs(&self, bucket: &Bucket) -> Vec<JobItem> {
        let minimum = self.checked.resolved.model.limits.min_records_per_job;
        let small = |records: u32| self.lane == Lane::Batch && records < minimum;
        let job = |(index, records): (u32, &u32)| JobItem {
            index,
            name: self.layout.job_name(JobNameScheme::CURRENT, &self.input.started_at, 0, index),
            records: *records,
            input_uri: bucket.uri(self.layout.records_key(index)).to_string(),
            output_uri: bucket.uri(self.layout.answers_prefix(index)).to_string(),
            round: 0,
            lane: if small(*records) { Lane::OnDemand } else { self.lane },
            is_remainder: small(*records),
        };
        (0u32..).zip(&self.written.chunks).map(job).collect()
    }

    fn plan(&self, bucket: &Bucket, job_table: &str, small_chunk: bool) -> Result<Plan, EngineError> {
        let sources = &self.checked.input.sources;
        let objects = sources.objects.iter().map(|found| Source {
            uri: found.uri.to_string(),
            etag: found.etag.clone(),
            bytes: found.bytes,
        });
        let dataset = sources.dataset.as_ref();
        let files = dataset.iter().flat_map(|dataset| &dataset.files).map(|file| Source {
            uri: file.name.clone(),
            etag: file.content_id.clone(),
            bytes: file.bytes,
        });
        let place_etag = sources.place_etag.clone().unwrap_or_default();
        let places =
            sources.place.iter().map(|place| Source { uri: place.to_string(), etag: place_etag.clone(), bytes: 0 });
        let resolved = &self.checked.resolved;
        let request = self.checked.request.clone().for_plan();
        let cannot = |error: serde_json::Error| EngineError::internal("cannot write a prompt as JSON").caused_by(error);
        Ok(Plan {
            version: FormatVersion::CURRENT,
            run_id: self.run_id.clone(),
            execution_arn: self.input.execution_arn.clone(),
            started_at: self.input.started_at.clone(),
            job_names: JobNameScheme::CURRENT,
            bucket: bucket.name().to_owned(),
            job_table: job_table.to_owned(),
            request: request.map_err(cannot)?,
            prompts: resolved.prompts.clone(),
            model: resolved.model.clone(),
            on_demand: resolved.on_demand.clone(),
            sources: objects.chain(files).chain(places).collect(),
            dataset_commit: dataset.map(|dataset| dataset.commit.clone()),
            columns: self.checked.input.view.columns.clone(),
            counts: self.counts.clone(),
            lane: self.lane,
            max_on_demand_records: self.max_on_demand_records,
            small_chunk,
        })
    }
}
