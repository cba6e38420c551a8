//! Finalize: summarizes a run, or explains its failure.

use crate::copies::copy_answers;
use crate::error::EngineError;
use crate::job_table::{CorruptItem, JobTable, StoredFailure, StoredItem};
use crate::metrics::{record, record_all};
use crate::objects::Bucket;
use crate::time;
use crate::working_files::note_expiry;
use bedrock_batch_domain::contract::metrics::RUN_SECONDS;
use bedrock_batch_domain::error_name::ErrorName;
use bedrock_batch_domain::figures::figures;
use bedrock_batch_domain::ids::{ExecutionArn, RunId};
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::plan::Plan;
use bedrock_batch_domain::printable;
use bedrock_batch_domain::s3_uri::S3Uri;
use bedrock_batch_domain::summary::{JobFacts, RunOutput, Summary, Totals};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
        /// The execution. State machines of earlier versions do not send it.
        #[serde(default)]
        execution_arn: Option<ExecutionArn>,
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
    /// Days after which working files are deleted; `None` if they stay.
    pub working_file_days: Option<u32>,
}

impl Finalizer {
    /// Computes the run's totals, writes `summary.json`, and returns the execution's output.
    ///
    /// # Errors
    /// Returns `Transient` if the index of the job table does not show all counts yet, `Superseded` if another execution
    /// than `owner` owns the run, else an error if the run cannot be read or the summary cannot be written.
    pub async fn summarize(&self, run_id: &RunId, owner: Option<&ExecutionArn>) -> Result<RunOutput, EngineError> {
        self.ensure_owner(run_id, owner).await?;
        let plan: Plan = self.bucket.get_json(&Layout::plan_key(run_id)).await?;
        let layout = Layout::new(&plan.request.job_name_prefix, run_id);
        let mut totals = Totals::default();
        let counts_pivots = plan.prompts.is_wide() && plan.request.answers.csv_safe_cells;
        let mut pages = self.jobs.pages_of_run(run_id);
        while let Some(page) = pages.next().await? {
            for item in page {
                let item = item.map_err(|corrupt| corrupt.error)?;
                if let Some(counts) = item.counts() {
                    totals.add_chunk(counts);
                    if counts_pivots {
                        totals.add_guarded_cells(guarded_by_pivot(run_id, &item)?);
                    }
                }
                if let Some(job) = facts(&item) {
                    totals.add_job(&job);
                }
            }
        }
        let expected = plan.counts.jobs + plan.counts.duplicate_chunks;
        if totals.chunks != u64::from(expected) {
            let rule = format!("{} of the {expected} chunks of run {run_id} are counted", totals.chunks);
            return Err(EngineError::transient(rule));
        }
        let paths = output_keys(&plan, &layout).map(|key| self.bucket.uri(key).to_string());
        let prefix = self.bucket.uri(layout.output_prefix()).to_string();
        let mut output = RunOutput::new(run_id.clone(), prefix, paths, Summary::of(&plan, totals));
        output.model_id = Some(plan.request.model_id.clone());
        output.link_days = plan.request.presigned_url_expiry_days;
        if let Some(destination) = &plan.request.output_uri {
            let folder = destination.of_run(run_id);
            output.copied_to = Some(folder.to_string());
            self.copy(&plan, (&layout, owner), &folder, &output).await?;
        }
        // A late function of a stopped execution must not replace the summary of the one that continued the run.
        self.ensure_owner(run_id, owner).await?;
        // Written last, so that a run with a summary has its copies too.
        let key = Layout::summary_key(run_id);
        // Only for figures, which fail no run.
        let earlier: Option<Box<RunOutput>> = Box::pin(self.bucket.find_json(&key)).await.unwrap_or_default();
        self.bucket.put_json(&key, &output).await?;
        if let (Some(days), Some(owner)) = (self.working_file_days, owner) {
            note_expiry(&self.bucket, &plan, owner, days, time::now()).await?;
        }
        record_all(&figures(earlier.as_deref(), &output));
        if earlier.is_none()
            && let Some(started_at) = time::second(&plan.started_at)
        {
            record(&RUN_SECONDS, "", time::seconds_since(started_at));
        }
        tracing::info!(%run_id, status = output.status, answered = output.summary.answered, "run_finalized");
        Ok(output)
    }

    async fn ensure_owner(&self, run_id: &RunId, owner: Option<&ExecutionArn>) -> Result<(), EngineError> {
        match owner {
            Some(owner) => self.jobs.ensure_owner(run_id, owner).await.map(|_| ()),
            None => Ok(()),
        }
    }

    /// Copies the answered rows to the folder that the request names. The summary comes last there as well.
    async fn copy(
        &self,
        plan: &Plan,
        (layout, owner): (&Layout, Option<&ExecutionArn>),
        folder: &S3Uri,
        output: &RunOutput,
    ) -> Result<(), EngineError> {
        let copies = copy_answers(&self.bucket, output_keys(plan, layout), folder).await?;
        // Copies take minutes, after which the folder may have the summary of the execution that continued the run.
        self.ensure_owner(&plan.run_id, owner).await?;
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
        let mut reasons = Reasons::default();
        let mut pages = self.jobs.pages_of_run(run_id);
        while let Some(page) = pages.next().await? {
            for item in &page {
                reasons.add(item);
            }
        }
        // If an item of the run belongs to another run, it could not record the error.
        if let Some(clash) = self.jobs.run(run_id).await?.and_then(|run| run.failure) {
            reasons.add_unrecorded(clash);
        }
        Ok(reasons.explain(&error))
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

/// Returns the number of cells that the pivot of a chunk has guarded.
///
/// # Errors
/// Returns `Transient` if the index of the job table does not show it yet.
fn guarded_by_pivot(run_id: &RunId, item: &StoredItem) -> Result<u64, EngineError> {
    let late = || EngineError::transient(format!("the pivot of {} of run {run_id} is not visible yet", item.name()));
    item.pivot_guarded_cells().ok_or_else(late)
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
        unknown_failure: job.unknown_failure().map(str::to_owned),
        was_late: job.late_stop_at.is_some(),
    })
}

/// Extracts the message of a function from a cause in the format of Step Functions; other causes are returned unchanged.
pub(crate) fn error_message_of(cause: &str) -> String {
    let said = serde_json::from_str::<serde_json::Value>(cause).ok();
    let said = said.as_ref().and_then(|said| said.get("errorMessage")).and_then(serde_json::Value::as_str);
    said.unwrap_or(cause).to_owned()
}

/// Recorded reasons of a failure. A run may have 100,000 of them, so only those that may be reported are held.
#[derive(Debug, Default)]
struct Reasons {
    first: Option<StoredFailure>,
    first_permanent: Option<StoredFailure>,
    /// Error of an item that cannot be read or belongs to another run: a permanent reason too, after those that were recorded.
    first_unrecorded: Option<StoredFailure>,
    /// Number of items with an error of each name.
    counts: BTreeMap<String, u64>,
}

impl Reasons {
    /// Adds the reason of an item, if it has one.
    fn add(&mut self, item: &Result<StoredItem, CorruptItem>) {
        match item {
            Ok(item) => {
                let Some(failure) = item.failure() else { return };
                *self.counts.entry(failure.error.clone()).or_default() += 1;
                if ErrorName::parse(&failure.error).is_some_and(|name| !name.is_retried()) {
                    self.first_permanent.get_or_insert_with(|| failure.clone());
                }
                self.first.get_or_insert_with(|| failure.clone());
            }
            Err(CorruptItem { error, .. }) => {
                self.add_unrecorded(StoredFailure { error: error.name().to_owned(), cause: error.message() });
            }
        }
    }

    /// Adds a reason that no item could record.
    fn add_unrecorded(&mut self, failure: StoredFailure) {
        *self.counts.entry(failure.error.clone()).or_default() += 1;
        self.first_unrecorded.get_or_insert(failure);
    }

    /// Selects the error to report: permanent reasons take precedence over transient ones, and recorded ones over an item
    /// that cannot be read.
    fn explain(self, error: &StateError) -> Explanation {
        let reason = self.first_permanent.or(self.first_unrecorded).or(self.first);
        // Only a Map ends without a reason of its own; a failed function reports its reason itself.
        match reason.filter(|_| error.error.starts_with("States.")) {
            Some(StoredFailure { error, cause }) => {
                let others = self.counts.get(&error).map_or(0, |count| count - 1);
                let more =
                    if others == 0 { String::new() } else { format!(" (and {others} more jobs with this error)") };
                Explanation::new(&error, &format!("{cause}{more}"))
            }
            None => Explanation::new(&error.error, &error_message_of(&error.cause)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job_table::StoredFile;

    fn chunk(failure: Option<(&str, &str)>) -> StoredItem {
        let failure = failure.map(|(error, cause)| StoredFailure { error: error.to_owned(), cause: cause.to_owned() });
        StoredItem::Chunk(
            "c".parse().unwrap(),
            StoredFile { index: 0, failure, counts: None, pivot_guarded_cells: None },
        )
    }

    fn explanation(
        items: &[Result<StoredItem, CorruptItem>],
        clash: Option<StoredFailure>,
        error: &StateError,
    ) -> Explanation {
        let mut reasons = Reasons::default();
        for item in items {
            reasons.add(item);
        }
        if let Some(clash) = clash {
            reasons.add_unrecorded(clash);
        }
        reasons.explain(error)
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
        let explained = explanation(&failures.map(|failure| Ok(chunk(failure))), None, &map_error());
        assert_eq!(
            (explained.error.as_str(), explained.cause.as_str()),
            ("JobFailed", "a (and 1 more jobs with this error)")
        );
    }

    #[test]
    fn a_corrupt_item_hides_no_recorded_reason_and_is_one_itself() {
        let explained = explanation(&[corrupt(), Ok(chunk(Some(("JobFailed", "no access"))))], None, &map_error());
        assert_eq!((explained.error.as_str(), explained.cause.as_str()), ("JobFailed", "no access"));
        let explained = explanation(&[corrupt(), Ok(chunk(Some(("Transient", "net"))))], None, &map_error());
        assert_eq!(explained.error, "Corrupt");
        assert!(explained.cause.contains("`round` is missing"), "{}", explained.cause);
    }

    #[test]
    fn a_clash_that_no_item_of_the_run_could_record_explains_the_failure() {
        let clash = StoredFailure { error: "NameClash".to_owned(), cause: "belongs to run a".to_owned() };
        let explained = explanation(&[Ok(chunk(None))], Some(clash), &map_error());
        assert_eq!((explained.error.as_str(), explained.cause.as_str()), ("NameClash", "belongs to run a"));
    }

    #[test]
    fn a_function_that_failed_explains_itself() {
        let error = StateError { error: "Transient".into(), cause: r#"{"errorMessage":"S3 is away"}"#.into() };
        let explained = explanation(&[Ok(chunk(Some(("JobFailed", "of long ago"))))], None, &error);
        assert_eq!((explained.error.as_str(), explained.cause.as_str()), ("Transient", "S3 is away"));
    }

    #[test]
    fn an_explanation_is_within_the_limits_of_step_functions() {
        let error = StateError { error: "E\u{1b}".repeat(1000), cause: "x\u{202e}\n".repeat(100_000) };
        let explained = explanation(&[], None, &error);
        assert!(explained.error.chars().count() <= 256 && explained.cause.chars().count() <= 32_768);
        assert!(!format!("{}{}", explained.error, explained.cause.replace('\n', "")).contains(printable::is_hidden));
        let long = "y".repeat(100_000);
        let explained = explanation(
            &[Ok(chunk(Some(("JobFailed", &long)))), Ok(chunk(Some(("JobFailed", "b"))))],
            None,
            &map_error(),
        );
        assert!(explained.cause.contains("more characters)") && explained.cause.len() <= 32_768);
    }

    #[test]
    fn without_a_recorded_reason_the_error_of_step_functions_is_returned() {
        assert_eq!(explanation(&[Ok(chunk(None))], None, &map_error()).error, "States.ExceedToleratedFailureThreshold");
    }
}
