//! An execution that continues an earlier run: resumes it, or only collects its answers.

mod continuation;

use crate::error::EngineError;
use crate::job_table::{JobTable, StoredItem, StoredJob};
use crate::next_step::{NextStepper, read_whole_history};
use crate::objects::Bucket;
use crate::preprocess::StartInput;
use crate::reconcile::execution_status;
use crate::sweep::{SweepTime, sweep};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use bedrock_batch_domain::ids::{JobName, RunId};
use bedrock_batch_domain::input::{COLLECT_RUN, RESUME_RUN, RunRequest, StackLimits};
use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::plan::Plan;
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::run::{JobProgress, Step, is_running, resume};
use serde_json::Value;
use std::collections::HashMap;
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

pub use continuation::Continuation;

/// Maximum age of a run that can be continued. Items of jobs of earlier versions expire 90 days after their last update, which may
/// have been at the start of the run.
const MAX_RUN_AGE_DAYS: i64 = 80;

/// Maximum time to keep the items of a run from expiring.
const KEEPING_TIME: Duration = Duration::from_mins(10);

/// Returns true if all jobs of a run that started at this time are still in the job table.
fn is_remembered(started_at: &str, now: SystemTime) -> bool {
    let started = DateTime::from_str(started_at, Format::DateTimeWithOffset);
    started.is_ok_and(|started| DateTime::from(now).secs() - started.secs() < MAX_RUN_AGE_DAYS * 24 * 3600)
}

/// Continues earlier runs.
#[derive(Debug, Clone)]
pub struct RunContinuer {
    /// Bucket of the stack.
    pub bucket: Bucket,
    /// Job table.
    pub jobs: JobTable,
    /// Step Functions client.
    pub step_functions: aws_sdk_sfn::Client,
    /// Limits of the stack, for the validation of other fields of the input.
    pub limits: StackLimits,
}

impl RunContinuer {
    /// Returns the first step of an execution that continues an earlier run.
    ///
    /// # Errors
    /// Returns `InvalidInput` if the run cannot be continued, and an error if an AWS request fails.
    pub async fn run(&self, continuation: &Continuation, start: &StartInput) -> Result<Step, EngineError> {
        let Continuation { field, run: name } = continuation;
        let run_id = RunId::of_execution(name);
        let plan = self.plan_of(field, name, &run_id).await?;
        self.same_input(field, &start.input, &plan)?;
        self.take_over(field, name, &plan, start).await?;
        self.keep_items(&run_id).await?;
        let step = match *field {
            COLLECT_RUN => self.collect(name, &plan, start).await?,
            _ => self.resume(&plan, start).await?,
        };
        tracing::info!(%run_id, field, step = ?step.step, pass = step.state.pass, "run_continued");
        Ok(step)
    }

    async fn plan_of(&self, field: &str, name: &str, run_id: &RunId) -> Result<Plan, EngineError> {
        self.bucket.find_json(&Layout::plan_key(run_id)).await?.ok_or_else(|| {
            let rule = "this run does not exist, or it ended before anything was submitted";
            let remedy = "check the name, or start it again with its own input";
            Problem::new(field, name, rule).remedy(remedy).into()
        })
    }

    /// Checks that all other fields of the input equal those that the run was started with.
    fn same_input(&self, field: &str, input: &Value, plan: &Plan) -> Result<(), EngineError> {
        let mut rest = input.as_object().cloned().unwrap_or_default();
        rest.remove(RESUME_RUN);
        rest.remove(COLLECT_RUN);
        rest.retain(|_, value| !value.is_null());
        if rest.is_empty() {
            return Ok(());
        }
        // The quota of jobs may have changed since.
        let limits = StackLimits { max_concurrent_jobs: plan.request.max_concurrent_jobs, ..self.limits };
        let (request, problems) = RunRequest::read(&Value::Object(rest), limits);
        let remedy = format!("give `{field}` alone, or start a new run");
        let Some(request) = request.filter(|_| problems.is_empty()) else {
            let rule = "continues with the input of its run, but there are other fields beside it";
            return Err(Problem::without_value(field, rule).remedy(remedy).into());
        };
        let cannot = |error: serde_json::Error| EngineError::internal("cannot write an input as JSON").caused_by(error);
        let differing = request.differences(&plan.request).map_err(cannot)?;
        if differing.is_empty() {
            return Ok(());
        }
        let rule = format!("the run had another input: {} differ", differing.join(", "));
        Err(Problem::without_value(field, rule).remedy(remedy).into())
    }

    /// Acquires the run from the execution that owns it, which must have ended.
    async fn take_over(&self, field: &str, name: &str, plan: &Plan, start: &StartInput) -> Result<(), EngineError> {
        let item = self.jobs.run(&plan.run_id).await?;
        let Some(item) = item.filter(|_| is_remembered(&plan.started_at, SystemTime::now())) else {
            // Without its jobs, all rows would be sent (and charged) again.
            let rule = "is so old that its jobs are no longer known";
            return Err(Problem::new(field, name, rule).remedy("start a new run").into());
        };
        if let Some(since) = &item.files_deleted_at {
            return Err(without_files(field, name, since).into());
        }
        let owner = item.execution_arn;
        let still_runs = || {
            let rule = format!("still runs (execution {})", owner.name());
            Problem::new(field, name, rule).remedy("wait for its end, or stop it first: `bedrock-batch stop`")
        };
        if owner != start.execution_arn
            && execution_status(&self.step_functions, &owner).await?.as_deref().is_some_and(is_running)
        {
            return Err(still_runs().into());
        }
        if self.jobs.acquire_run(&plan.run_id, &start.execution_arn, Some(&owner)).await? {
            return Ok(());
        }
        let now = self.jobs.run(&plan.run_id).await?;
        match now.and_then(|item| item.files_deleted_at) {
            Some(since) => Err(without_files(field, name, &since).into()),
            None => Err(still_runs().into()),
        }
    }

    /// Keeps the items of the run from expiring while it is continued.
    async fn keep_items(&self, run_id: &RunId) -> Result<(), EngineError> {
        let time = SweepTime::until(Instant::now() + KEEPING_TIME);
        let (mut left, mut failure) = (0, None);
        let mut pages = self.jobs.pages_of_run(run_id);
        while let Some(page) = pages.next().await? {
            let keys = page.into_iter().map(|item| match item {
                Ok(item) => item.name().to_string(),
                Err(corrupt) => corrupt.key,
            });
            let keep = |key: String| {
                let jobs = self.jobs.clone();
                async move { jobs.note_continuation(&key).await }
            };
            left += sweep(keys, time, keep, |kept| failure = failure.take().or(kept.err())).await;
        }
        match failure {
            Some(error) => Err(error),
            None if left > 0 => Err(EngineError::transient(format!("{left} items of run {run_id} could not be kept"))),
            None => Ok(()),
        }
    }

    /// Returns the step that runs the remaining jobs of the latest pass, or the step after that pass if there are none.
    async fn resume(&self, plan: &Plan, start: &StartInput) -> Result<Step, EngineError> {
        let history = read_whole_history(&self.bucket, &plan.run_id).await?;
        let stored = self.jobs.of_run(&plan.run_id).await?;
        for item in stored.iter().filter(|item| item.failure().is_some()) {
            // The error that ended the earlier execution must not be reported as the reason of a later failure.
            self.jobs.clear_failure(&plan.run_id, item.name()).await?;
        }
        let jobs = stored.iter().filter_map(StoredItem::job);
        let by_name: HashMap<&JobName, &StoredJob> = jobs.map(|job| (&job.name, job)).collect();
        let progress = |name: &JobName| {
            let of = |job: &&StoredJob| JobProgress { has_begun: true, is_over: job.is_over() };
            by_name.get(name).map(of).unwrap_or_default()
        };
        let resumption = resume(plan.lane, plan.request.invocation.max_retry_rounds, &history, progress);
        let first = Step::first(plan, &start.execution_arn);
        if resumption.open_jobs.is_empty() {
            let stepper = NextStepper { bucket: self.bucket.clone(), jobs: self.jobs.clone() };
            return stepper.run(Step { state: resumption.state, ..first }).await;
        }
        let key = Layout::resumed_jobs_key(&plan.run_id, &start.execution_name);
        self.bucket.put_json(&key, &resumption.open_jobs).await?;
        Ok(first.followed_by(plan, resumption.state, resumption.lane, key))
    }

    /// Returns the jobs of the run once no function of its last execution sends their records any more. Such a function
    /// notices within seconds that the run was stopped, and then stores its answers. Its lease limits the wait.
    async fn jobs_without_a_lease(&self, run_id: &RunId) -> Result<Vec<StoredJob>, EngineError> {
        loop {
            let items = self.jobs.of_run(run_id).await?;
            let jobs: Vec<StoredJob> = items.into_iter().filter_map(StoredItem::into_job).collect();
            let now = DateTime::from(SystemTime::now()).secs();
            if jobs.iter().all(|job| job.leased_until < now) {
                return Ok(jobs);
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// Joins every chunk with the existing answers.
    async fn collect(&self, name: &str, plan: &Plan, start: &StartInput) -> Result<Step, EngineError> {
        let stored = self.jobs_without_a_lease(&plan.run_id).await?;
        let open = stored.iter().filter(|job| job.lane == Lane::Batch && job.was_sent() && !job.is_over());
        let open = open.count();
        if open > 0 {
            let rule = format!("{open} of its jobs are not over yet");
            let remedy = "try again in a few minutes: stopped jobs still write the answers that they have";
            return Err(Problem::new(COLLECT_RUN, name, rule).remedy(remedy).into());
        }
        let history = read_whole_history(&self.bucket, &plan.run_id).await?;
        let stepper = NextStepper { bucket: self.bucket.clone(), jobs: self.jobs.clone() };
        stepper.collect(plan, history, Step::first(plan, &start.execution_arn)).await
    }
}

/// Returns the problem of a run that cannot be continued because its files are gone.
fn without_files(field: &str, name: &str, since: &str) -> Problem {
    let day = since.split('T').next().unwrap_or_default();
    let rule = format!("its working files were deleted on {day}, some days after it was complete");
    Problem::new(field, name, rule).remedy(
        "start a new run over the rows without an answer (`previous_run`); the context key `deleteWorkingFilesAfterDays` says when files \
         are deleted",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("1970-01-10T00:00:00.123Z", true)]
    #[case("1970-01-10T02:00:00+02:00", true)]
    #[case::of_79_days("1969-11-02T00:00:01Z", true)]
    #[case::of_80_days("1969-11-02T00:00:00Z", false)]
    #[case::of_85_days("1969-10-28T00:00:00Z", false)]
    #[case::of_90_days("1969-10-23T00:00:00Z", false)]
    #[case("some day", false)]
    fn old_runs_are_not_continued(#[case] started_at: &str, #[case] remembered: bool) {
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(20 * 24);
        assert_eq!(is_remembered(started_at, now), remembered);
    }
}
