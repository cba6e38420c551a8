//! Finalize: summarizes a run, or explains its failure.

use crate::copies::copy_answers;
use crate::error::EngineError;
use crate::job_table::{CorruptItem, JobTable, StoredFailure, StoredItem};
use crate::objects::Bucket;
use bedrock_batch_domain::error_name::ErrorName;
use bedrock_batch_domain::ids::RunId;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::plan::Plan;
use bedrock_batch_domain::printable;
use bedrock_batch_domain::s3_uri::S3Uri;
use bedrock_batch_domain::summary::{ChunkCounts, JobFacts, RunOutput, Summary};
use serde::{Deserialize, Serialize};

/// Name of the summary in the folder of copies.
const SUMMARY_FILE: &str = "summary.json";

/// Input of finalize.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum FinalizeInput {
    /// The run is complete: write its summary.
    Summarize {
        /// Id of the run.
        run_id: RunId,
    },
    /// A Map failed: find the error that caused it.
    ExplainFailure {
        /// Id of the run.
        run_id: RunId,
        /// Error as reported by Step Functions.
        error: StateError,
    },
}

/// Error in the format of Step Functions.
#[derive(Debug, Clone, Deserialize)]
pub struct StateError {
    /// Name of the error.
    #[serde(rename = "Error", default)]
    pub error: String,
    /// Cause of the error.
    #[serde(rename = "Cause", default)]
    pub cause: String,
}

/// Error that the execution ends with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Name of the error.
    pub error: String,
    /// Explanation for the user.
    pub cause: String,
}

impl Explanation {
    /// Creates an explanation within the limits of Step Functions.
    pub(crate) fn new(error: &str, cause: &str) -> Self {
        Self { error: printable::error_name(error), cause: printable::cause(cause) }
    }
}

/// Summarizes runs.
#[derive(Debug, Clone)]
pub struct Finalizer {
    /// Bucket of the stack.
    pub bucket: Bucket,
    /// Job table.
    pub jobs: JobTable,
}

impl Finalizer {
    /// Computes the run's totals, writes `summary.json`, and returns the execution's output.
    ///
    /// # Errors
    /// Returns `Transient` if the index of the job table does not show all counts yet, else an error if the run cannot be
    /// read or the summary cannot be written.
    pub async fn summarize(&self, run_id: &RunId) -> Result<RunOutput, EngineError> {
        let plan: Plan = self.bucket.get_json(&Layout::plan_key(run_id)).await?;
        let items = self.jobs.of_run(run_id).await?;
        let layout = Layout::new(&plan.request.job_name_prefix, run_id);
        let counts: Vec<ChunkCounts> = items.iter().filter_map(|item| item.counts().cloned()).collect();
        let expected = plan.counts.jobs + plan.counts.duplicate_chunks;
        if counts.len() != expected as usize {
            let rule = format!("{} of the {expected} chunks of run {run_id} are counted", counts.len());
            return Err(EngineError::transient(rule));
        }
        let paths = output_keys(&plan, &layout).map(|key| self.bucket.uri(key).to_string()).collect();
        let prefix = self.bucket.uri(layout.output_prefix()).to_string();
        let facts: Vec<JobFacts> = items.iter().filter_map(facts).collect();
        let mut output = RunOutput::new(run_id.clone(), prefix, paths, Summary::new(&plan, &counts, &facts));
        if let Some(destination) = &plan.request.output_uri {
            let folder = destination.of_run(run_id);
            output.copied_to = Some(folder.to_string());
            self.copy(&plan, &layout, &folder, &output).await?;
        }
        // Written last, so that a run with a summary has its copies too.
        self.bucket.put_json(&Layout::summary_key(run_id), &output).await?;
        tracing::info!(%run_id, status = output.status, answered = output.summary.answered, "run_finalized");
        Ok(output)
    }

    /// Copies the answered rows to the folder that the request names. The summary comes last there as well.
    async fn copy(&self, plan: &Plan, layout: &Layout, folder: &S3Uri, output: &RunOutput) -> Result<(), EngineError> {
        let copies = copy_answers(&self.bucket, output_keys(plan, layout), folder).await?;
        let target = Bucket::new(self.bucket.client().clone(), &folder.bucket);
        target.put_json(&format!("{}{SUMMARY_FILE}", folder.key), output).await?;
        tracing::info!(run_id = %plan.run_id, copies, "answers_copied");
        Ok(())
    }

    /// Returns the error that a job of the run recorded, or the one that Step Functions reports if there is none.
    ///
    /// # Errors
    /// Returns an error if the DynamoDB request fails.
    pub async fn explain_failure(&self, run_id: &RunId, error: StateError) -> Result<Explanation, EngineError> {
        let items = self.jobs.readable_of_run(run_id).await?;
        Ok(explanation(&items, &error))
    }
}

/// Returns the keys of the answered rows in all formats: chunks first, then duplicates.
fn output_keys<'a>(plan: &'a Plan, layout: &'a Layout) -> impl Iterator<Item = String> + 'a {
    let formats = || plan.request.output_formats.iter().map(|format| format.extension());
    let chunks = (0..plan.counts.jobs).flat_map(move |chunk| formats().map(move |format| (chunk, format)));
    let files = (0..plan.counts.duplicate_chunks).flat_map(move |file| formats().map(move |format| (file, format)));
    chunks
        .map(|(chunk, format)| layout.output_key(chunk, format))
        .chain(files.map(|(file, format)| layout.duplicate_output_key(file, format)))
}

/// Returns the facts about a job for the summary; `None` for an item that is only a chunk or a file of duplicates.
fn facts(item: &StoredItem) -> Option<JobFacts> {
    let job = item.job()?;
    Some(JobFacts {
        lane: job.lane,
        round: job.round,
        records: job.records,
        sent: job.was_sent(),
        fallback: job.fallback.as_ref().map(|fallback| fallback.reason.clone()),
    })
}

/// Extracts the message of a function from a cause in the format of Step Functions; other causes are returned unchanged.
pub(crate) fn error_message_of(cause: &str) -> String {
    let said = serde_json::from_str::<serde_json::Value>(cause).ok();
    let said = said.as_ref().and_then(|said| said.get("errorMessage")).and_then(serde_json::Value::as_str);
    said.unwrap_or(cause).to_owned()
}

/// Selects the error to report: permanent reasons take precedence over transient ones, and recorded ones over an item that
/// cannot be read, which is a reason too.
fn explanation(items: &[Result<StoredItem, CorruptItem>], error: &StateError) -> Explanation {
    let corrupt = items.iter().filter_map(|item| item.as_ref().err());
    let corrupt: Vec<StoredFailure> = corrupt
        .map(|CorruptItem { error, .. }| StoredFailure { error: error.name().to_owned(), cause: error.message() })
        .collect();
    let failures = || items.iter().flatten().filter_map(StoredItem::failure).chain(&corrupt);
    let is_permanent =
        |failure: &&StoredFailure| ErrorName::parse(&failure.error).is_some_and(|name| !name.is_retried());
    let reason = failures().find(is_permanent).or_else(|| failures().next());
    // Only a Map ends without a reason of its own; a failed function reports its reason itself.
    match reason.filter(|_| error.error.starts_with("States.")) {
        Some(StoredFailure { error, cause }) => {
            let others = failures().filter(|other| other.error == *error).count() - 1;
            let more = if others == 0 { String::new() } else { format!(" (and {others} more jobs with this error)") };
            Explanation::new(error, &format!("{cause}{more}"))
        }
        None => Explanation::new(&error.error, &error_message_of(&error.cause)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job_table::StoredFile;

    fn chunk(failure: Option<(&str, &str)>) -> StoredItem {
        let failure = failure.map(|(error, cause)| StoredFailure { error: error.to_owned(), cause: cause.to_owned() });
        StoredItem::Chunk("c".parse().unwrap(), StoredFile { index: 0, failure, counts: None })
    }

    fn corrupt() -> Result<StoredItem, CorruptItem> {
        Err(CorruptItem { key: "d".to_owned(), error: EngineError::corrupt("item `d`: attribute `round` is missing") })
    }

    fn map_error() -> StateError {
        StateError { error: "States.ExceedToleratedFailureThreshold".into(), cause: "x".into() }
    }

    #[test]
    fn the_recorded_reason_explains_a_failed_map() {
        let failures = [None, Some(("Transient", "net")), Some(("JobFailed", "a")), Some(("JobFailed", "b"))];
        let explained = explanation(&failures.map(|failure| Ok(chunk(failure))), &map_error());
        assert_eq!(
            (explained.error.as_str(), explained.cause.as_str()),
            ("JobFailed", "a (and 1 more jobs with this error)")
        );
    }

    #[test]
    fn a_corrupt_item_hides_no_recorded_reason_and_is_one_itself() {
        let explained = explanation(&[corrupt(), Ok(chunk(Some(("JobFailed", "no access"))))], &map_error());
        assert_eq!((explained.error.as_str(), explained.cause.as_str()), ("JobFailed", "no access"));
        let explained = explanation(&[corrupt(), Ok(chunk(Some(("Transient", "net"))))], &map_error());
        assert_eq!(explained.error, "Corrupt");
        assert!(explained.cause.contains("`round` is missing"), "{}", explained.cause);
    }

    #[test]
    fn a_function_that_failed_explains_itself() {
        let error = StateError { error: "Transient".into(), cause: r#"{"errorMessage":"S3 is away"}"#.into() };
        let explained = explanation(&[Ok(chunk(Some(("JobFailed", "of long ago"))))], &error);
        assert_eq!((explained.error.as_str(), explained.cause.as_str()), ("Transient", "S3 is away"));
    }

    #[test]
    fn an_explanation_is_within_the_limits_of_step_functions() {
        let error = StateError { error: "E\u{1b}".repeat(1000), cause: "x\u{202e}\n".repeat(100_000) };
        let explained = explanation(&[], &error);
        assert!(explained.error.chars().count() <= 256 && explained.cause.chars().count() <= 32_768);
        assert!(!format!("{}{}", explained.error, explained.cause.replace('\n', "")).contains(printable::is_hidden));
        let long = "y".repeat(100_000);
        let explained =
            explanation(&[Ok(chunk(Some(("JobFailed", &long)))), Ok(chunk(Some(("JobFailed", "b"))))], &map_error());
        assert!(explained.cause.contains("more characters)") && explained.cause.len() <= 32_768);
    }

    #[test]
    fn without_a_recorded_reason_the_error_of_step_functions_is_returned() {
        assert_eq!(explanation(&[Ok(chunk(None))], &map_error()).error, "States.ExceedToleratedFailureThreshold");
    }
}
