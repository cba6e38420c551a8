//! The number of rows that a run sends, their lane, and the counts for the plan.

use super::chunks::Written;
use super::input::InputReader;
use super::prompting::Survey;
use super::validated_request::ValidatedRequest;
use crate::error::EngineError;
use bedrock_batch_domain::check::{
    answer_problems, copies_warning, prefix_problems, reference_warning, rows_part_problems, sent_prompt_problems,
    shown_column_problems, used_reference_problems,
};
use bedrock_batch_domain::chunk_plan::ChunkLimits;
use bedrock_batch_domain::input::{ProcessingMode, RunRequest};
use bedrock_batch_domain::job_size::{MAX_SHARING_ROWS, records_per_job};
use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::model::Limits;
use bedrock_batch_domain::plan::PlanCounts;
use bedrock_batch_domain::problem::{Problem, Problems};
use bedrock_batch_domain::row_error::{Reason, RowErrorCode, count_words};
use std::collections::BTreeMap;
use std::mem::take;
use tokio::runtime::Handle;

/// Maximum number of jobs: the result of the Distributed Map has two bytes per job, and is limited to 256 KiB.
const MAX_JOBS: u64 = 100_000;

/// Number of rows of the input, number of rows that the request allows, and their lane and limits.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowBudget {
    there: u64,
    within_total: u64,
    /// Number of rows of the input that are used.
    pub(super) taken: u64,
    /// Number of prompted rows that they become: more, if rows have several prompts. Several of them may share a request.
    pub(super) records: u64,
    pub(super) lane: Lane,
    pub(super) limits: ChunkLimits,
    /// Maximum number of rows per request.
    per_request: u32,
}

impl RowBudget {
    /// Plans a run. If rows have different prompts, all rows are read, and prompts that no row uses are removed from the
    /// request. To be used on a blocking thread.
    pub(super) fn plan(checked: &mut ValidatedRequest, inputs: &InputReader) -> Result<Self, EngineError> {
        if !checked.resolved.prompts.names_prompts() {
            return Self::of(checked, None);
        }
        let runtime = Handle::current();
        let names = checked.input.view.names();
        checked.resolved.prompts = take(&mut checked.resolved.prompts).without_columns(&names);
        let names_prompts_by_row = checked.resolved.prompts.names_prompts_by_row();
        let (max_rows, max_records) = Self::maximum(checked);
        let survey = checked.prompter().survey(inputs.batches(&runtime, &checked.input), max_rows, max_records)?;
        let budget = Self::of(checked, Some(&survey))?;
        checked.resolved.prompts = take(&mut checked.resolved.prompts).restricted_to(&survey.used);
        // If rows name their prompts, the prompts that are sent are known only now.
        let mut problems = answer_problems(&checked.request, &checked.resolved);
        problems.extend(prefix_problems(&checked.resolved, &checked.input.view.columns));
        problems.extend(rows_part_problems(&checked.request, &checked.resolved.prompts));
        if names_prompts_by_row {
            problems.extend(shown_column_problems(&checked.request, &checked.resolved.prompts, Some(&names)));
            problems.extend(sent_prompt_problems(&checked.request, &checked.resolved));
        }
        problems.extend(used_reference_problems(&checked.request, &checked.resolved));
        Problems::check(problems)?;
        Ok(budget)
    }

    /// Returns the maximum number of rows that the request allows, and the maximum number of records.
    fn maximum(checked: &ValidatedRequest) -> (u64, u64) {
        let request = &checked.request;
        let of_model = checked.resolved.model.limits.max_records_per_job;
        let per_job = request.max_records_per_job.unwrap_or(of_model).min(of_model);
        let rows_per_job = u64::from(per_job) * u64::from(request.rows_per_request());
        // With requests of several rows, it is only an upper bound: a request may have fewer rows than it may have.
        let in_jobs = request.max_num_jobs.map_or(u64::MAX, |jobs| u64::from(jobs) * rows_per_job);
        (checked.input.shape.rows.min(request.max_records_total.unwrap_or(u64::MAX)), in_jobs)
    }

    /// Creates the budget; `survey` is the survey of all rows, if rows have different prompts.
    fn of(checked: &ValidatedRequest, survey: Option<&Survey>) -> Result<Self, EngineError> {
        let (request, model) = (&checked.request, &checked.resolved.model.limits);
        let there = checked.input.shape.rows;
        let (within_total, in_jobs) = Self::maximum(checked);
        let (taken, records) = match survey {
            Some(survey) => (survey.rows, survey.records),
            None => (within_total.min(in_jobs), within_total.min(in_jobs)),
        };
        // At least as many requests are sent.
        let requests = records.div_ceil(u64::from(request.rows_per_request()));
        let lane = lane_of(request, model, requests);
        let limits = chunk_limits(request, model, lane, requests);
        let budget =
            Self { there, within_total, taken, records, lane, limits, per_request: request.rows_per_request() };
        budget.check(requests)?;
        if requests.div_ceil(u64::from(limits.max_records)) > MAX_JOBS {
            let rule = format!("{records} rows would need more than {MAX_JOBS} jobs, the maximum of a run");
            let remedy = "raise it (Bedrock takes up to 100,000 records per job), or split the input";
            return Err(Problem::new("max_records_per_job", limits.max_records, rule).remedy(remedy).into());
        }
        Ok(budget)
    }

    /// Checks that this number of requests can be divided into jobs, and that a job's rows can be joined.
    pub(super) fn check(&self, requests: u64) -> Result<(), Problem> {
        let (limits, per_request) = (self.limits, u64::from(self.per_request));
        limits.check(requests).map_err(|problem| self.of_requests(problem, requests))?;
        let in_job = self.records.min(u64::from(limits.max_records) * per_request);
        if per_request > 1 && in_job > u64::from(MAX_SHARING_ROWS) {
            let rule = format!(
                "a job may have {in_job} rows with rows_per_request {per_request}, and at most {MAX_SHARING_ROWS} can be joined"
            );
            let remedy = format!("lower it to {}", u64::from(MAX_SHARING_ROWS) / per_request);
            return Err(Problem::new("max_records_per_job", limits.max_records, rule).remedy(remedy));
        }
        Ok(())
    }

    /// Explains a problem of the number of requests, if several rows share one.
    fn of_requests(&self, problem: Problem, requests: u64) -> Problem {
        let (least, most) = (self.limits.min_records, self.limits.max_records);
        if self.per_request == 1 || most < least {
            return problem;
        }
        let rows = self.records;
        let rule =
            format!("{rows} rows make {requests} requests, which do not form batch jobs of {least} to {most} records");
        let other = match problem.remedy.strip_prefix("raise it ") {
            Some(to) => format!("raise {} {to}", problem.field),
            None => problem.remedy,
        };
        Problem::new("rows_per_request", self.per_request, rule).remedy(format!("lower it, or {other}"))
    }

    pub(super) fn counts(self, checked: &ValidatedRequest, written: &Written) -> Result<PlanCounts, EngineError> {
        if written.rows != self.records {
            let rule = format!("{} rows were counted and {} read: it changed meanwhile", self.records, written.rows);
            let (field, value) = &checked.input.sources.named;
            return Err(Problem::new(*field, value, rule).remedy("start again").into());
        }
        let over_max_jobs = self.within_total - self.taken + written.over_max_chunks;
        let skipped_codes = BTreeMap::from([
            (RowErrorCode::OverMaxRecordsTotal, self.there - self.within_total),
            (RowErrorCode::OverMaxNumJobs, over_max_jobs),
        ]);
        let skipped_codes: BTreeMap<_, _> = skipped_codes.into_iter().filter(|(_, rows)| *rows > 0).collect();
        if written.chunks.is_empty() {
            return Err(self.nothing_to_send(written).into());
        }
        let mut warnings = checked.input.sources.warnings.clone();
        warnings.extend(checked.input.shape.warnings.clone());
        warnings.extend(checked.resolved.model_warnings.iter().map(|warning| (warning.clone(), 1)));
        let replaced = checked.resolved.replaced.len() as u64;
        if replaced > 0 {
            warnings.insert("prompts of the input that replace different ones of the stack".to_owned(), replaced);
        }
        if written.empty_cells > 0 {
            warnings.insert("empty cells in columns that the prompt shows".to_owned(), written.empty_cells);
        }
        if written.not_a_number > 0 {
            warnings.insert("cells that are NaN in columns that the prompt shows".to_owned(), written.not_a_number);
        }
        if written.not_representable > 0 {
            let text = "times that no calendar has, which the prompt shows as `(not representable)`";
            warnings.insert(text.to_owned(), written.not_representable);
        }
        for (warning, images) in [
            ("images whose Exif data turns them: models may see them as they are stored", written.turned_images),
            ("images of several frames: models may see only the first one", written.animated_images),
        ] {
            if images > 0 {
                warnings.insert(warning.to_owned(), images);
            }
        }
        if let Some(warning) = copies_warning(&checked.request, written.same > 0) {
            warnings.insert(warning, written.same);
        }
        let records: u64 = written.chunks.iter().map(|records| u64::from(*records)).sum();
        if let Some(warning) = reference_warning(&checked.request, &checked.resolved, self.lane, records) {
            warnings.insert(warning, records);
        }
        if written.forgotten > 0 {
            warnings.insert(
                "rows that later ones were not compared with, since there are too many different ones".to_owned(),
                written.forgotten,
            );
        }
        let number = |files: usize| {
            u32::try_from(files).map_err(|_| EngineError::internal(format!("{files} files are too many for a run")))
        };
        Ok(PlanCounts {
            rows: self.there - self.taken + self.records,
            input_rows: self.there,
            records,
            skipped: in_words(skipped_codes.iter().map(|(code, rows)| (Reason::from(*code), *rows))),
            skipped_codes,
            rejected: in_words(written.rejected.clone()),
            warnings,
            jobs: number(written.chunks.len())?,
            duplicates: written.same,
            duplicate_chunks: number(written.duplicates.len())?,
        })
    }

    fn nothing_to_send(self, written: &Written) -> Problem {
        let mut reasons = written.rejected.clone();
        reasons.retain(|reason, _| reason.code != RowErrorCode::TooFewForBatch);
        let failed_before = reasons.keys().any(|reason| reason.code == RowErrorCode::FailedInEarlierStage);
        let rejected: u64 = reasons.values().sum();
        let reasons: Vec<String> = in_words(reasons).into_keys().collect();
        let duplicates = written.same;
        let mut parts = Vec::new();
        if rejected > 0 {
            parts.push(format!("{rejected} cannot be sent ({})", reasons.join(", ")));
        }
        if duplicates > 0 {
            parts.push(format!("{duplicates} equal others"));
        }
        let least = self.limits.min_records;
        let rest = written.rows.saturating_sub(rejected + duplicates);
        let sharing = if self.per_request > 1 { ", of which several rows share one" } else { "" };
        if self.lane == Lane::Batch && rest > 0 {
            parts.push(format!("the others are fewer than the {least} records that a batch job needs{sharing}"));
        }
        let rule = format!("of {} rows, {}", written.rows, parts.join(", and "));
        let remedy = match (rejected > 0, duplicates > 0) {
            _ if failed_before => "check the answers of that stage; include_failed sends such rows nevertheless",
            (_, true) => "use processing_mode `auto`, add rows, or set deduplicate to false",
            (true, false) => "correct those rows, or add rows",
            (false, false) => "add rows",
        };
        Problem::without_value("the input", rule).remedy(remedy)
    }
}

/// Converts counts by reason to counts by the words for the reasons.
fn in_words(reasons: impl IntoIterator<Item = (Reason, u64)>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for (reason, rows) in reasons {
        count_words(&mut counts, &reason, rows);
    }
    counts
}

/// Returns the lane of the first pass for this number of rows.
fn lane_of(request: &RunRequest, model: &Limits, rows: u64) -> Lane {
    let options = &request.invocation;
    let threshold = options.batch_threshold.unwrap_or(u64::from(model.min_records_per_job));
    match options.processing_mode {
        ProcessingMode::Batch => Lane::Batch,
        ProcessingMode::Auto if rows >= threshold => Lane::Batch,
        ProcessingMode::Auto | ProcessingMode::Realtime => Lane::OnDemand,
    }
}

/// Returns the limits of the request, within those of the model. Files of records for the on-demand lane have no minimum.
fn chunk_limits(request: &RunRequest, model: &Limits, lane: Lane, requests: u64) -> ChunkLimits {
    ChunkLimits {
        min_records: if lane == Lane::Batch { model.min_records_per_job } else { 1 },
        max_records: records_per_job(request, model, lane, requests),
        max_bytes: model.max_chunk_bytes(),
        max_chunks: request.max_num_jobs,
        small_last: request.invocation.processing_mode == ProcessingMode::Auto,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(10, 995, 100, 1000, "")]
    #[case(
        10,
        995,
        99,
        1000,
        "rows_per_request is `10`: 995 rows make 99 requests, which do not form batch jobs of 100 to 1000 records; \
         lower it, or add rows"
    )]
    #[case(
        10,
        10_000,
        1001,
        100,
        "rows_per_request is `10`: 10000 rows make 1001 requests, which do not form batch jobs of 100 to 100 records; \
         lower it, or raise max_records_per_job to 199 or more"
    )]
    #[case(1, 1001, 1001, 100, "max_records_per_job is `100`: 1001 rows cannot be divided into jobs")]
    #[case(100, 1_000_000, 10_000, 50_000, "")]
    #[case(
        100,
        5_000_000,
        50_000,
        50_000,
        "max_records_per_job is `50000`: a job may have 5000000 rows with rows_per_request 100, and at most 1000000 can be \
         joined; lower it to 10000"
    )]
    #[case(1, 5_000_000, 5_000_000, 100_000, "")]
    fn the_number_of_requests_is_checked_in_words_of_its_cause(
        #[case] per_request: u32,
        #[case] records: u64,
        #[case] requests: u64,
        #[case] max_records: u32,
        #[case] expected: &str,
    ) {
        let limits =
            ChunkLimits { min_records: 100, max_records, max_bytes: 1 << 30, max_chunks: None, small_last: false };
        let (there, within_total, taken, lane) = (records, records, records, Lane::Batch);
        let budget = RowBudget { there, within_total, taken, records, lane, limits, per_request };
        let message = budget.check(requests).err().map(|problem| problem.to_string()).unwrap_or_default();
        assert!(message.starts_with(expected) && message.is_empty() == expected.is_empty(), "{message}");
    }
}
