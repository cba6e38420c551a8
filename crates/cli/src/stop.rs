//! `bedrock-batch stop`: aborts a run. The stack then stops its jobs, so that they cause no further cost.

use crate::executions::Execution;
use crate::failure::Failure;
use crate::pipeline_run::PipelineRun;
use crate::run::Run;
use crate::run_progress::{open_jobs, quantity};
use crate::stack::Stack;
use crate::terminal::{errln, outln};
use bedrock_batch_domain::ids::ExecutionArn;
use bedrock_batch_domain::plan::Plan;
use clap::Args;
use std::time::{Duration, Instant};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Name of the run; for a pipeline run, its running stage is stopped too
    run: String,
}

/// Maximum time to wait until the jobs end.
const MAX_WAIT: Duration = Duration::from_mins(1);
/// Pause between two polls.
const PAUSE: Duration = Duration::from_secs(1);

pub(crate) async fn run(stack: &Stack, arguments: &Arguments) -> Result<(), Failure> {
    let name = &arguments.run;
    if let Some(pipeline) = stack.pipeline_run(name).await? {
        return stop_pipeline(stack, &pipeline).await;
    }
    let run = stack.run(name).await?;
    run.ensure_own_run()?;
    let Some(execution) = run.running() else { return Err(already_ended("run", name, &run.outcome())) };
    stack.abort(execution).await?.map_err(|outcome| already_ended("run", name, &outcome))?;
    errln!("aborted execution {}", execution.name());
    let remaining = wait_for_end(stack, &run, execution).await?;
    outln!("run {name}: stopped");
    match remaining {
        None => errln!("it had not submitted anything yet: start it again with its own input"),
        Some(remaining) => {
            if let Some(message) = remaining.message() {
                errln!("{message}");
            }
            errln!("to write out the answers it has: `bedrock-batch collect {name}`");
            errln!("to continue it:                  `bedrock-batch resume {name}`");
        }
    }
    Ok(())
}

fn already_ended(kind: &str, name: &str, outcome: &str) -> Failure {
    Failure::Usage(format!("{kind} `{name}` has already ended, there is nothing to stop: {outcome}"))
}

/// Stops the pipeline first, so that no further stage starts, and then the running stage.
async fn stop_pipeline(stack: &Stack, pipeline: &PipelineRun) -> Result<(), Failure> {
    let name = &pipeline.name;
    let already_ended = |outcome: &str| already_ended("pipeline run", name, outcome);
    let Some(execution) = pipeline.running() else { return Err(already_ended(&pipeline.outcome())) };
    stack.abort(execution).await?.map_err(|outcome| already_ended(&outcome))?;
    errln!("aborted execution {}", execution.name());
    // It may have been frozen in the meantime.
    let frozen = match &pipeline.frozen {
        Some(frozen) => Some(frozen.clone()),
        None => stack.pipeline(name).await?,
    };
    let mut stopped = None;
    for stage in frozen.iter().flat_map(|frozen| &frozen.stages) {
        let Some(run) = stack.find_run(&stage.execution_name).await? else { break };
        let Some(execution) = run.execution.as_ref().filter(|execution| !execution.has_succeeded()) else { continue };
        if execution.is_running() && stack.abort(execution).await?.is_err() {
            continue;
        }
        let remaining = wait_for_end(stack, &run, execution).await?;
        stopped = Some((stage, remaining));
    }
    outln!("pipeline run {name}: stopped");
    let Some((stage, remaining)) = stopped else { return Ok(()) };
    errln!("stage {} was stopped: run {}", stage.stage_name, stage.execution_name);
    if let Some(message) = remaining.and_then(RemainingJobs::message) {
        errln!("{message}");
    }
    if remaining.is_some() {
        errln!("to write out the answers it has:          `bedrock-batch collect {}`", stage.execution_name);
    }
    errln!("to download the rows of completed stages: `bedrock-batch download {name} --stage NAME`");
    Ok(())
}

/// Waits until the jobs of an aborted run have ended. Returns `None` if the run had not submitted anything.
async fn wait_for_end(stack: &Stack, run: &Run, execution: &Execution) -> Result<Option<RemainingJobs>, Failure> {
    // It may have been frozen in the meantime.
    let plan = match &run.plan {
        Some(plan) => Some(plan.clone()),
        None => stack.plan(&run.name).await?,
    };
    match plan {
        Some(plan) => Ok(Some(wait_for_jobs(stack, &plan, &execution.arn).await)),
        None => Ok(None),
    }
}

/// Jobs of a stopped run that have not ended yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct RemainingJobs {
    /// Number of jobs that Bedrock has not ended.
    open: usize,
    /// True once the stack has requested them to stop.
    stop_requested: bool,
}

impl RemainingJobs {
    fn message(self) -> Option<String> {
        let jobs = quantity(self.open as u64, "job");
        match (self.open, self.stop_requested) {
            (0, _) => None,
            (1, true) => Some(format!("{jobs} is still stopping; Bedrock ends it within minutes")),
            (_, true) => Some(format!("{jobs} are still stopping; Bedrock ends them within minutes")),
            (_, false) => Some(format!(
                "{jobs} without a stop request yet: the stack sends it within minutes; `bedrock-batch status` shows \
                 when it has"
            )),
        }
    }
}

/// Waits until no job is open, for [`MAX_WAIT`] at most. Failures to read the jobs are only reported: the run is stopped.
async fn wait_for_jobs(stack: &Stack, plan: &Plan, execution_arn: &ExecutionArn) -> RemainingJobs {
    let started = Instant::now();
    let mut last = None;
    loop {
        match remaining_jobs(stack, plan, execution_arn).await {
            Ok(remaining) => {
                if last.replace(remaining) != Some(remaining) && remaining.open > 0 {
                    errln!("  {} open", quantity(remaining.open as u64, "job"));
                }
                if remaining == (RemainingJobs { open: 0, stop_requested: true }) {
                    return remaining;
                }
            }
            Err(error) => errln!("  cannot read the status of the jobs right now: {error}"),
        }
        if started.elapsed() >= MAX_WAIT {
            return last.unwrap_or(RemainingJobs { open: 0, stop_requested: false });
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn remaining_jobs(stack: &Stack, plan: &Plan, execution_arn: &ExecutionArn) -> Result<RemainingJobs, Failure> {
    // Read before the jobs: a function that creates a job after `stopped` was set stops that job itself.
    let item = stack.job_table(plan).run(&plan.run_id).await?;
    let stop_requested = item.is_none_or(|item| item.stopped || item.execution_arn != *execution_arn);
    Ok(RemainingJobs { open: open_jobs(&stack.jobs(plan).await?), stop_requested })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remaining_jobs_are_reported() {
        let message = |open, stop_requested| RemainingJobs { open, stop_requested }.message();
        assert_eq!(message(0, true), None);
        assert_eq!(message(1, true).unwrap(), "1 job is still stopping; Bedrock ends it within minutes");
        assert_eq!(message(3, true).unwrap(), "3 jobs are still stopping; Bedrock ends them within minutes");
        assert!(message(3, false).unwrap().starts_with("3 jobs without a stop request yet"));
    }
}
