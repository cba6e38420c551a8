//! The use case: one invocation for one job.

use super::asker::Asker;
use super::candidates::Candidates;
use super::pace::Pace;
use super::parts::{Part, stored};
use super::records;
use super::times::Times;
use super::working::{LEASE, LOOKS_EVERY, Work};
use crate::error::EngineError;
use crate::job_table::{JobTable, NewJob, Observed, RunItem};
use crate::objects::{get_json, head};
use bedrock_batch_domain::job::JobStatus;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::plan::{JobItem, Plan};
use bedrock_batch_domain::s3_uri::S3Uri;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use tokio::time::Instant;

/// What the state machine hands to invoke.
#[derive(Debug, Clone, Deserialize)]
pub struct InvokeInput {
    /// The run.
    pub run_id: String,
    /// The execution of the state machine; that of the plan, if it is not said.
    #[serde(default)]
    pub execution_arn: Option<String>,
    /// The job.
    pub job: JobItem,
}

/// How far the job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Invoked {
    /// Whether all its records have a line; else it is to be invoked again.
    pub done: bool,
}

/// Everything that invoke needs.
#[derive(Debug, Clone)]
pub struct Invoker {
    /// S3.
    pub s3: aws_sdk_s3::Client,
    /// The bucket of everything.
    pub bucket: String,
    /// The job table.
    pub jobs: JobTable,
    /// Bedrock's runtime, without retries of its own: each request takes its turn, repeated ones as well.
    pub bedrock: aws_sdk_bedrockruntime::Client,
}

impl Invoker {
    /// Asks the job's records that have no line yet, as far as the time allows.
    ///
    /// # Errors
    /// `JobFailed` if Bedrock refuses every model of a job of the first round, or if the run was stopped; else as AWS
    /// fails. What was answered by then is stored.
    pub async fn run(&self, input: &InvokeInput, times: Times) -> Result<Invoked, EngineError> {
        let run = self.jobs.run(&input.run_id).await?;
        let done = self.answer(input, times, run).await;
        if let Err(error) = &done {
            tracing::warn!(run_id = input.run_id, name = input.job.name, error_type = error.name(), "not answered");
            // The Map ends without a reason; should this be the one, it is found here.
            let noted = self.jobs.record_failure(&input.run_id, &input.job.name, error).await;
            if let Err(second) = noted {
                tracing::warn!(name = input.job.name, error_type = second.name(), "the reason could not be stored");
            }
        }
        done
    }

    async fn answer(&self, input: &InvokeInput, times: Times, run: Option<RunItem>) -> Result<Invoked, EngineError> {
        let InvokeInput { run_id, job, .. } = input;
        if run.as_ref().is_some_and(|run| run.stopped) {
            return Err(EngineError::superseded(format!("run {run_id} was stopped")));
        }
        let owner = run.as_ref().map(|run| run.execution_arn.as_str());
        if input.execution_arn.as_deref().is_some_and(|own| owner.is_some_and(|owner| owner != own)) {
            return Err(EngineError::superseded(format!("another execution has taken run {run_id} over")));
        }
        let plan: Plan = get_json(&self.s3, &self.bucket, &Layout::plan_key(run_id)).await?;
        let new = NewJob {
            run_id,
            execution_arn: input.execution_arn.as_deref().or(owner).unwrap_or(&plan.execution_arn),
            model_id: &plan.on_demand.model.id,
            may_fall_back: false,
            item: job,
        };
        let before = self.jobs.begin_on_demand(&new).await?;
        if before.is_over() {
            return Ok(Invoked { done: true });
        }
        let asked = Observed { status: JobStatus::InProgress, message: None, processed: before.processed };
        self.jobs.record(&job.name, &asked).await?;

        // Of this invocation alone: another one of the same execution may be believed dead and go on.
        let asking_as = &format!("{} {:016x}", new.execution_arn, fastrand::u64(..));
        if !self.wait_for_the_lease(&job.name, asking_as, times).await? {
            return Ok(Invoked { done: false });
        }
        let done = self.work(input, times, run.clone(), (&plan, asking_as)).await;
        // Nothing is under way any more, however it ended.
        self.jobs.end_lease(&job.name, asking_as).await?;
        let done = done?;
        if done {
            let all = Some(u64::from(job.records));
            let over = Observed { status: JobStatus::Completed, message: None, processed: all };
            self.jobs.record(&job.name, &over).await?;
        }
        if before.failure.is_some() {
            // An earlier attempt's trouble is over; left there it would explain somebody else's failure.
            self.jobs.clear_failure(&job.name).await?;
        }
        Ok(Invoked { done })
    }

    /// Waits until no other invocation asks the job's rows; false if the time is over before.
    async fn wait_for_the_lease(&self, name: &str, asking_as: &str, times: Times) -> Result<bool, EngineError> {
        while !self.jobs.lease(name, asking_as, LEASE).await? {
            tracing::info!(name, "an invocation that should have ended still asks");
            if Instant::now() + LOOKS_EVERY >= times.asks_until {
                return Ok(false);
            }
            tokio::time::sleep(LOOKS_EVERY).await;
        }
        Ok(true)
    }

    async fn work(
        &self,
        input: &InvokeInput,
        times: Times,
        run: Option<RunItem>,
        (plan, asking_as): (&Plan, &str),
    ) -> Result<bool, EngineError> {
        let InvokeInput { run_id, job, .. } = input;
        let layout = Layout::new(&plan.request.job_name_prefix, run_id);
        let file = S3Uri::new(&self.bucket, layout.records_key(job.index));
        let gone = || EngineError::corrupt(format!("{file}, which holds the job's records, does not exist any more"));
        let file = head(&self.s3, &file).await?.ok_or_else(gone)?;
        let prefix = S3Uri::new(&self.bucket, layout.on_demand_prefix(job.index));
        let stored = stored(&self.s3, &prefix).await?;

        let asking = &plan.request.asking;
        let models = [Some(&plan.on_demand.model), plan.on_demand.fallback.as_ref()];
        let asker = Asker {
            client: self.bedrock.clone(),
            invocation: plan.model.family.invocation_type(),
            models: Candidates::new(models.into_iter().flatten().map(|model| model.id.clone())),
            pace: Pace::new(asking.requests_per_second),
            times,
            requests: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
        };
        let mut work = Work {
            run_id,
            job,
            jobs: &self.jobs,
            owner: run,
            asking_as,
            next_look: Instant::now() + LOOKS_EVERY,
            asker: Arc::new(asker),
            workers: usize::try_from(asking.max_workers).unwrap_or(1).max(1),
            part: Part::new(&self.s3, prefix, stored.next),
            before: stored.ids.len() as u64,
            written: 0,
            failed: 0,
            given_up: Vec::new(),
            trouble: None,
        };
        let done = work.answer(records::stream(&self.s3, &file, stored.ids)).await;
        work.log(matches!(done, Ok(true)));
        if matches!(done, Ok(false)) && work.written == 0 {
            let why = "no record could be answered in the time of one invocation: raise onDemandInvocationSeconds";
            return Err(EngineError::transient(why));
        }
        done
    }
}
