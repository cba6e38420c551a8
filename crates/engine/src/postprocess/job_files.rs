//! Output files of a job that had rows of a chunk.

use super::answers::JobAttempt;
use crate::error::EngineError;
use crate::job_table::{JobTable, StoredJob};
use crate::objects::{Bucket, ObjectMeta};
use bedrock_batch_domain::ids::JobArn;
use bedrock_batch_domain::job::{JobStatus, expected_lines, unanswered};
use bedrock_batch_domain::join_task::ChunkAttempt;
use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::plan::Plan;
use bedrock_batch_domain::row_error::{RowError, RowErrorCode};
use serde::Deserialize;

/// Name of the file in which Bedrock counts the records of a job.
const MANIFEST: &str = "manifest.json.out";

/// Job with the files of its answers.
#[derive(Debug, Clone)]
pub(super) struct JobFiles {
    /// The job.
    pub(super) attempt: JobAttempt,
    /// Files of its answers.
    pub(super) files: Vec<ObjectMeta>,
    /// Number of lines that they must have, if it is known.
    pub(super) expected_lines: Option<u64>,
}

/// Counts of Bedrock, as far as they are read.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Manifest {
    processed_record_count: Option<u64>,
}

impl JobFiles {
    /// Finds the answers of a job of the run with this plan.
    ///
    /// # Errors
    /// Returns an error if a request to S3 or DynamoDB fails, or the job's item is corrupt.
    pub(super) async fn find(
        bucket: &Bucket,
        jobs: &JobTable,
        (plan, layout): (&Plan, &Layout),
        attempt: &ChunkAttempt,
    ) -> Result<Self, EngineError> {
        let stored = jobs.job_of_run(&plan.run_id, &attempt.name).await?;
        let job_arn = stored.as_ref().and_then(|stored| stored.job_arn.as_ref());
        let folder = match (attempt.lane, job_arn.map(JobArn::id)) {
            (Lane::OnDemand, _) => Some(layout.on_demand_prefix(attempt.index)),
            // Bedrock writes to a subfolder of the given folder, which is named after the job's id.
            (Lane::Batch, Some(id)) => Some(format!("{}{id}/", layout.answers_prefix(attempt.index))),
            (Lane::Batch, None) => None,
        };
        let mut files = match folder {
            Some(folder) => bucket.list(&folder).await?,
            None => Vec::new(),
        };
        let expected_lines = match &stored {
            Some(stored) if attempt.lane == Lane::Batch && stored.was_sent() => {
                let manifest = files.iter().find(|found| found.uri.key.ends_with(MANIFEST));
                let processed = match (stored.processed, manifest) {
                    (None, Some(manifest)) => processed_by(bucket, manifest).await?,
                    (processed, _) => processed,
                };
                expected_lines(stored.status, stored.records, processed)
            }
            _ => None,
        };
        files.retain(|found| found.uri.key.ends_with(".jsonl.out"));
        let model = match attempt.lane {
            Lane::Batch => &plan.model,
            Lane::OnDemand => &plan.on_demand.model,
        };
        let attempt = JobAttempt {
            pass: attempt.pass,
            records: attempt.records as usize,
            was_sent: stored.as_ref().is_some_and(StoredJob::was_sent),
            lane: attempt.lane,
            model_id: model.id.clone(),
            missing: missing(attempt.lane, stored.as_ref()),
        };
        Ok(Self { attempt, files, expected_lines })
    }

    /// Returns true if the job must have answers, and none are there.
    pub(super) fn is_missing_files(&self) -> bool {
        self.files.is_empty() && self.expected_lines.is_some_and(|lines| lines > 0)
    }
}

/// Returns the number of records that Bedrock's manifest counts as processed. One that cannot be read says nothing.
async fn processed_by(bucket: &Bucket, manifest: &ObjectMeta) -> Result<Option<u64>, EngineError> {
    match bucket.find_json::<Manifest>(&manifest.uri.key).await {
        Ok(manifest) => Ok(manifest.and_then(|manifest| manifest.processed_record_count)),
        Err(error) if error.is_transient() => Err(error),
        Err(_) => Ok(None),
    }
}

/// Returns the reason of the rows of a job that got no line.
fn missing(lane: Lane, stored: Option<&StoredJob>) -> RowError {
    let Some(stored) = stored else { return RowErrorCode::NotAskedRunEnded.into() };
    if stored.was_sent() {
        return unanswered(lane, stored.status.unwrap_or(JobStatus::Unknown), stored.message.as_deref());
    }
    match &stored.fallback {
        Some(fallback) => RowError::new(RowErrorCode::BatchRefused, &fallback.reason),
        None => RowErrorCode::NotAskedRunEnded.into(),
    }
}
