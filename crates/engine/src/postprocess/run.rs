//! The use case: find the job's answers, join them, store the counts.

use super::join::{JoinJob, join};
use crate::error::EngineError;
use crate::job_table::{JobTable, StoredJob};
use crate::objects::{ObjectChunks, StreamReader, Uploads, get_json, head, list};
use aws_sdk_s3::Client;
use bedrock_batch_domain::job::JobStatus;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::model::effective_prefill;
use bedrock_batch_domain::plan::{JobItem, Plan};
use bedrock_batch_domain::s3_uri::S3Uri;
use bedrock_batch_domain::summary::JobCounts;
use serde::Deserialize;
use std::io::Read;
use tokio::runtime::Handle;

/// What the state machine hands to postprocess.
#[derive(Debug, Clone, Deserialize)]
pub struct PostprocessInput {
    /// The run.
    pub run_id: String,
    /// The job.
    pub job: JobItem,
}

/// Everything that postprocess needs.
#[derive(Debug, Clone)]
pub struct Postprocessor {
    /// S3.
    pub s3: Client,
    /// The bucket of everything.
    pub bucket: String,
    /// The job table.
    pub jobs: JobTable,
}

impl Postprocessor {
    /// Joins the answers of a job that is over, whatever way it ended. A repetition writes the same files.
    ///
    /// # Errors
    /// As AWS fails.
    pub async fn run(&self, input: &PostprocessInput) -> Result<JobCounts, EngineError> {
        let done = self.join(input).await;
        if let Err(error) = &done {
            tracing::warn!(run_id = input.run_id, name = input.job.name, error_type = error.name(), "not joined");
            // The Map ends without a reason; should this be the one, it is found here.
            let noted = self.jobs.record_failure(&input.job.name, error.name(), &error.to_string()).await;
            if let Err(second) = noted {
                tracing::warn!(name = input.job.name, error = %second, "the reason could not be stored");
            }
        }
        done
    }

    async fn join(&self, input: &PostprocessInput) -> Result<JobCounts, EngineError> {
        let plan: Plan = get_json(&self.s3, &self.bucket, &Layout::plan_key(&input.run_id)).await?;
        let layout = Layout::new(&plan.request.job_name_prefix, &input.run_id);
        let stored = self.jobs.get(&input.job.name).await?.unwrap_or_default();
        let rows = S3Uri::new(&self.bucket, layout.rows_key(input.job.index));
        let rows = head(&self.s3, &rows).await?;
        let rows =
            rows.ok_or_else(|| EngineError::Transient(format!("the rows of job {} are gone", input.job.name)))?;
        let folder = S3Uri::new(&self.bucket, answers_folder(&layout, input.job.index, &stored));
        let mut answers = list(&self.s3, &folder).await?;
        answers.retain(|found| found.uri.key.ends_with(".jsonl.out"));
        let uploads = Uploads::new(&Handle::current(), &self.s3, &self.bucket);
        let counts = {
            let (s3, uploads, index) = (self.s3.clone(), uploads.clone(), input.job.index);
            let work = move || {
                let runtime = Handle::current();
                let formats = &plan.request.output_formats;
                let outputs: Vec<_> =
                    formats.iter().map(|format| (*format, layout.output_key(index, format.extension()))).collect();
                let template_prefill = plan.prompt.as_ref().and_then(|prompt| prompt.prefill.as_deref());
                let (missing, missing_reason) = missing(&stored);
                let job = JoinJob {
                    family: plan.model.family,
                    prefill: effective_prefill(&plan.request.inference, template_prefill).unwrap_or_default(),
                    missing: &missing,
                    missing_reason: &missing_reason,
                    outputs: &outputs,
                };
                let chunks = ObjectChunks::new(&runtime, &s3, &rows);
                let inputs =
                    answers.iter().map(|found| Box::new(StreamReader::new(&runtime, &s3, found)) as Box<dyn Read>);
                join(&job, &chunks, &rows.uri.to_string(), inputs, &uploads)
            };
            let done = tokio::task::spawn_blocking(work).await;
            done.unwrap_or_else(|error| Err(EngineError::Transient(format!("a worker died: {error}"))))?
        };
        uploads.finish().await?;
        self.jobs.set_counts(&input.job.name, &counts).await?;
        tracing::info!(name = input.job.name, rows = counts.rows, answered = counts.answered, "joined");
        Ok(counts)
    }
}

/// Bedrock writes under the folder we name, in one of its own that is called after the job's id.
fn answers_folder(layout: &Layout, index: u32, stored: &StoredJob) -> String {
    let folder = layout.answers_prefix(index);
    match stored.job_arn.as_deref().and_then(|arn| arn.rsplit('/').next()) {
        Some(id) => format!("{folder}{id}/"),
        None => folder,
    }
}

/// What to say of rows without a line: a text for `error`, and a name for counting.
fn missing(stored: &StoredJob) -> (String, String) {
    let status = stored.status.unwrap_or(JobStatus::Unknown);
    let reason = match status {
        JobStatus::Completed => "no answer in the job's output".to_owned(),
        other => format!("no answer: the job ended as {other}"),
    };
    let text = match (status, stored.message.as_deref()) {
        (JobStatus::Failed, Some(message)) => format!("{reason}: {message}"),
        _ => reason.clone(),
    };
    (text, reason)
}
