//! Finalize: add up what a run came to, or say why it failed.

use crate::error::EngineError;
use crate::job_table::{JobTable, StoredJob};
use crate::objects::Bucket;
use bedrock_batch_domain::error_name::ErrorName;
use bedrock_batch_domain::ids::RunId;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::plan::Plan;
use bedrock_batch_domain::summary::{JobCounts, JobFacts, RunOutput, Summary};
use serde::{Deserialize, Serialize};

/// What the state machine hands to finalize.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum FinalizeInput {
    /// All jobs are through: add up.
    Summarize {
        /// The run.
        run_id: RunId,
    },
    /// The Map over the jobs failed: find out why.
    ExplainFailure {
        /// The run.
        run_id: RunId,
        /// What Step Functions says.
        error: StateError,
    },
}

/// An error as Step Functions writes it.
#[derive(Debug, Clone, Deserialize)]
pub struct StateError {
    /// Its name.
    #[serde(rename = "Error", default)]
    pub error: String,
    /// Its cause.
    #[serde(rename = "Cause", default)]
    pub cause: String,
}

/// Why a run failed: what the execution ends with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The error's name.
    pub error: String,
    /// For the person who reads it.
    pub cause: String,
}

/// Everything that finalize needs.
#[derive(Debug, Clone)]
pub struct Finalizer {
    /// The bucket of everything.
    pub bucket: Bucket,
    /// The job table.
    pub jobs: JobTable,
}

impl Finalizer {
    /// Adds up the run's jobs, writes `summary.json`, and returns the execution's output.
    ///
    /// # Errors
    /// As AWS fails; `Transient` if a job's counts are not there.
    pub async fn summarize(&self, run_id: &RunId) -> Result<RunOutput, EngineError> {
        let plan: Plan = self.bucket.get_json(&Layout::plan_key(run_id)).await?;
        let jobs = self.jobs.of_run(run_id.as_str()).await?;
        let layout = Layout::new(&plan.request.job_name_prefix, run_id);
        let counts: Vec<JobCounts> = jobs.iter().filter_map(|job| job.counts.clone()).collect();
        let expected = plan.counts.jobs + plan.counts.duplicate_chunks;
        if counts.len() != expected as usize {
            let rule = format!("{} of the {expected} chunks of run {run_id} are counted", counts.len());
            return Err(EngineError::transient(rule));
        }
        let formats = || plan.request.output_formats.iter().map(|format| format.extension());
        let chunks = (0..plan.counts.jobs).flat_map(|chunk| formats().map(move |format| (chunk, format)));
        let files = (0..plan.counts.duplicate_chunks).flat_map(|file| formats().map(move |format| (file, format)));
        let paths = chunks
            .map(|(chunk, format)| layout.output_key(chunk, format))
            .chain(files.map(|(file, format)| layout.duplicate_output_key(file, format)));
        let paths = paths.map(|key| self.bucket.uri(key).to_string()).collect();
        let prefix = self.bucket.uri(layout.output_prefix()).to_string();
        let facts: Vec<JobFacts> = jobs.iter().filter_map(facts).collect();
        let output = RunOutput::new(run_id.clone(), prefix, paths, Summary::new(&plan, &counts, &facts));
        self.bucket.put_json(&Layout::summary_key(run_id), &output).await?;
        tracing::info!(%run_id, status = output.status, answered = output.summary.answered, "finalized");
        Ok(output)
    }

    /// The reason that a job of the run recorded; without one, what Step Functions says.
    ///
    /// # Errors
    /// As DynamoDB fails.
    pub async fn explain_failure(&self, run_id: &RunId, error: StateError) -> Result<Explanation, EngineError> {
        let jobs = self.jobs.of_run(run_id.as_str()).await?;
        Ok(explanation(&jobs, error))
    }
}

/// What the summary says of a job; nothing of a file of duplicates.
fn facts(job: &StoredJob) -> Option<JobFacts> {
    Some(JobFacts {
        lane: job.lane?,
        round: job.round,
        records: job.records,
        asked: job.was_asked(),
        fell_back: job.fell_back.clone(),
    })
}

/// What a function said, out of the cause that Step Functions makes of it; a cause of another form stays as it is.
pub(crate) fn error_message_of(cause: &str) -> String {
    let said = serde_json::from_str::<serde_json::Value>(cause).ok();
    let said = said.as_ref().and_then(|said| said.get("errorMessage")).and_then(serde_json::Value::as_str);
    said.unwrap_or(cause).to_owned()
}

/// A permanent reason comes before that of a job that merely could not be reached.
fn explanation(jobs: &[StoredJob], error: StateError) -> Explanation {
    let failures = || jobs.iter().filter_map(|job| job.failure.as_ref());
    let reason = failures()
        .find(|(name, _)| ErrorName::parse(name).is_some_and(|name| !name.is_retried()))
        .or_else(|| failures().next());
    // Only a map ends without a reason of its own; a function says itself why it failed.
    match reason.filter(|_| error.error.starts_with("States.")) {
        Some((name, cause)) => {
            let others = failures().filter(|(other, _)| other == name).count() - 1;
            let more = if others == 0 { String::new() } else { format!(" (and {others} more jobs with this error)") };
            Explanation { error: name.clone(), cause: format!("{cause}{more}") }
        }
        None => Explanation { cause: error_message_of(&error.cause), error: error.error },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(failure: Option<(&str, &str)>) -> StoredJob {
        StoredJob { failure: failure.map(|(a, b)| (a.to_owned(), b.to_owned())), ..StoredJob::default() }
    }

    fn map_error() -> StateError {
        StateError { error: "States.ExceedToleratedFailureThreshold".into(), cause: "x".into() }
    }

    #[test]
    fn the_recorded_reason_explains_a_failed_map() {
        let jobs =
            [job(None), job(Some(("Transient", "net"))), job(Some(("JobFailed", "a"))), job(Some(("JobFailed", "b")))];
        let explained = explanation(&jobs, map_error());
        assert_eq!(
            (explained.error.as_str(), explained.cause.as_str()),
            ("JobFailed", "a (and 1 more jobs with this error)")
        );
    }

    #[test]
    fn a_function_that_failed_explains_itself() {
        let error = StateError { error: "Transient".into(), cause: r#"{"errorMessage":"S3 is away"}"#.into() };
        let explained = explanation(&[job(Some(("JobFailed", "of long ago")))], error);
        assert_eq!((explained.error.as_str(), explained.cause.as_str()), ("Transient", "S3 is away"));
    }

    #[test]
    fn without_one_step_functions_own_words_stay() {
        assert_eq!(explanation(&[job(None)], map_error()).error, "States.ExceedToleratedFailureThreshold");
    }
}
