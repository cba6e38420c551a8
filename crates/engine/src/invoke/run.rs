//! Use case: one invocation for one job.

use super::cache_points::CachePoints;
use super::candidates::Candidates;
use super::pace::Pace;
use super::parts::{Part, stored};
use super::record_invoker::RecordInvoker;
use super::records;
use super::times::Times;
use super::working::{CHECK_INTERVAL, LEASE, Work};
use crate::error::EngineError;
use crate::job_table::{JobTable, NewJob, Observed, RunItem};
use crate::objects::Bucket;
use bedrock_batch_domain::ids::{ExecutionArn, RunId};
use bedrock_batch_domain::job::JobStatus;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::plan::{JobItem, Plan};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use tokio::time::Instant;

/// Input of an invocation by the state machine.
#[derive(Debug, Clone, Deserialize)]
pub struct InvokeInput {
    /// Id of the run.
    pub run_id: RunId,
    /// ARN of the execution; by default that of the plan.
    #[serde(default)]
    pub execution_arn: Option<ExecutionArn>,
    /// Job to process.
    pub job: JobItem,
}

/// Progress of the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Invoked {
    /// True if all its records have a line; otherwise another invocation is needed.
    pub done: bool,
}

/// Sends the records of jobs on demand.
#[derive(Debug, Clone)]
pub struct Invoker {
    /// Bucket of the stack.
    pub bucket: Bucket,
    /// Job table.
    pub jobs: JobTable,
    /// Client of Bedrock's runtime, without retries of its own: every request waits for its turn, including retries.
    pub bedrock: aws_sdk_bedrockruntime::Client,
}

impl Invoker {
    /// Sends the job's records that have no line yet, as far as the time allows.
    ///
    /// # Errors
    /// Returns `JobFailed` if Bedrock refuses every model of a job of the first round, `Superseded` if the run was stopped or
    /// taken over, and an error if an AWS request fails. Answers received until then are stored.
    pub async fn run(&self, input: &InvokeInput, times: Times) -> Result<Invoked, EngineError> {
        let done = self.answer(input, times).await;
        self.jobs.record_outcome(&input.run_id, (&input.job.name, input.job.index), None, done).await
    }

    async fn answer(&self, input: &InvokeInput, times: Times) -> Result<Invoked, EngineError> {
        let InvokeInput { run_id, job, .. } = input;
        let run = self.jobs.run(run_id).await?;
        if let Some(run) = &run {
            match &input.execution_arn {
                Some(execution_arn) => run.ensure_owner(run_id, execution_arn)?,
                None => run.ensure_running(run_id)?,
            }
        }
        let owner = run.as_ref().map(|run| &run.execution_arn);
        let plan: Plan = self.bucket.get_json(&Layout::plan_key(run_id)).await?;
        let new = NewJob {
            run_id,
            execution_arn: input.execution_arn.as_ref().or(owner).unwrap_or(&plan.execution_arn),
            model_id: &plan.on_demand.model.id,
            on_demand_allowed: false,
            item: job,
        };
        let before = self.jobs.begin_on_demand(&new).await?;
        if before.is_over() {
            return Ok(Invoked { done: true });
        }
        let running = Observed { status: JobStatus::InProgress, message: None, processed: before.processed };
        self.jobs.record(run_id, &job.name, &running).await?;

        // Unique to this invocation: another one of the same execution may be presumed dead and continue.
        let lease_holder = &format!("{} {:016x}", new.execution_arn, fastrand::u64(..));
        if !self.wait_for_the_lease(input, lease_holder, times).await? {
            return Ok(Invoked { done: false });
        }
        let done = self.work(input, times, run.clone(), (&plan, lease_holder)).await;
        // No request is in progress any more, independent of the result.
        self.jobs.end_lease(run_id, &job.name, lease_holder).await?;
        let done = done?;
        if done {
            let all = Some(u64::from(job.records));
            let over = Observed { status: JobStatus::Completed, message: None, processed: all };
            self.jobs.record(run_id, &job.name, &over).await?;
        }
        if before.failure.is_some() {
            // The failure of an earlier attempt is resolved; if kept, it would be taken for the cause of another failure.
            self.jobs.clear_failure(run_id, &job.name).await?;
        }
        Ok(Invoked { done })
    }

    /// Waits until no other invocation sends the job's rows; returns false if the time is over before that.
    async fn wait_for_the_lease(
        &self,
        input: &InvokeInput,
        lease_holder: &str,
        times: Times,
    ) -> Result<bool, EngineError> {
        let (run_id, name) = (&input.run_id, &input.job.name);
        while !self.jobs.lease(run_id, name, lease_holder, LEASE).await? {
            tracing::info!(%name, "job_leased_by_another_invocation");
            if Instant::now() + CHECK_INTERVAL >= times.send_until {
                return Ok(false);
            }
            tokio::time::sleep(CHECK_INTERVAL).await;
        }
        Ok(true)
    }

    async fn work(
        &self,
        input: &InvokeInput,
        times: Times,
        run: Option<RunItem>,
        (plan, lease_holder): (&Plan, &str),
    ) -> Result<bool, EngineError> {
        let InvokeInput { run_id, job, .. } = input;
        let layout = Layout::new(&plan.request.job_name_prefix, run_id);
        let key = layout.records_key(job.index);
        let gone = || {
            let file = self.bucket.uri(&key);
            EngineError::corrupt(format!("{file}, which holds the job's records, does not exist any more"))
        };
        let file = self.bucket.head(&key).await?.ok_or_else(gone)?;
        let prefix = layout.on_demand_prefix(job.index);
        let stored = stored(&self.bucket, &prefix).await?;

        let options = &plan.request.invocation;
        let models = [Some(&plan.on_demand.model), plan.on_demand.fallback.as_ref()];
        let record_invoker = RecordInvoker {
            client: self.bedrock.clone(),
            invocation: plan.model.family.invocation_type(),
            models: Candidates::new(models.into_iter().flatten().map(|model| model.id.clone())),
            cache_points: CachePoints::of(plan, job)?,
            pace: Pace::new(options.requests_per_second),
            times,
            requests: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
        };
        let mut work = Work {
            run_id,
            job,
            jobs: &self.jobs,
            owner: run,
            lease_holder,
            next_check: Instant::now() + CHECK_INTERVAL,
            record_invoker: Arc::new(record_invoker),
            workers: usize::try_from(options.max_workers).unwrap_or(1).max(1),
            part: Part::new(&self.bucket, prefix, stored.next),
            before: stored.ids.len() as u64,
            written: 0,
            failed: 0,
            given_up: Vec::new(),
            error: None,
        };
        let done = work.answer(records::stream(self.bucket.client(), &file, stored.ids)).await;
        work.log(matches!(done, Ok(true)));
        if matches!(done, Ok(false)) && work.written == 0 {
            let why = "no record could be answered in the time of one invocation: raise onDemandInvocationSeconds";
            return Err(EngineError::transient(why));
        }
        done
    }
}
