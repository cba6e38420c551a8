//! `bedrock-batch stop`: aborts a run; the stack then stops its jobs, and with them what they cost.

use crate::executions::Execution;
use crate::failure::Failure;
use crate::pipeline_run::PipelineRun;
use crate::run::Run;
use crate::say::say;
use crate::stack::Stack;
use crate::standing::{number, open_jobs};
use bedrock_batch_domain::plan::Plan;
use clap::Args;
use std::time::{Duration, Instant};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The run's name; of a pipeline run, its stage is stopped with it
    run: String,
}

/// How long the end of the jobs is waited for.
const PATIENCE: Duration = Duration::from_mins(1);
/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);

pub(crate) async fn run(stack: &Stack, arguments: &Arguments) -> Result<(), Failure> {
    let name = &arguments.run;
    if let Some(pipeline) = stack.pipeline_run(name).await? {
        return stop_pipeline(stack, &pipeline).await;
    }
    let run = stack.run(name).await?;
    run.must_be_its_own()?;
    let Some(execution) = run.running() else { return Err(over("run", name, &run.end())) };
    stack.abort(execution).await?.map_err(|end| over("run", name, &end))?;
    eprintln!("execution {} is aborted", execution.name());
    let asked = wait_for_the_end(stack, &run, execution).await?;
    say!("run {name}: stopped");
    match asked {
        None => eprintln!("it had asked nothing yet: start it again with its own input"),
        Some(left) => {
            if let Some(line) = left.line() {
                eprintln!("{line}");
            }
            eprintln!("the answers that there are: `bedrock-batch collect {name}`");
            eprintln!("go on with it:              `bedrock-batch resume {name}`");
        }
    }
    Ok(())
}

fn over(what: &str, name: &str, end: &str) -> Failure {
    Failure::Usage(format!("{what} `{name}` is over, there is nothing to stop: {end}"))
}

/// Stops the pipeline first, so that no further stage begins, and then the stage that runs.
async fn stop_pipeline(stack: &Stack, pipeline: &PipelineRun) -> Result<(), Failure> {
    let name = &pipeline.name;
    let over = |end: &str| over("pipeline run", name, end);
    let Some(execution) = pipeline.running() else { return Err(over(&pipeline.end())) };
    stack.abort(execution).await?.map_err(|end| over(&end))?;
    eprintln!("execution {} is aborted", execution.name());
    // It may have been frozen in between.
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
        let left = wait_for_the_end(stack, &run, execution).await?;
        stopped = Some((stage, left));
    }
    say!("pipeline run {name}: stopped");
    let Some((stage, left)) = stopped else { return Ok(()) };
    eprintln!("stage {} was stopped: run {}", stage.stage_name, stage.execution_name);
    if let Some(line) = left.and_then(Left::line) {
        eprintln!("{line}");
    }
    if left.is_some() {
        eprintln!("the answers that it has: `bedrock-batch collect {}`", stage.execution_name);
    }
    eprintln!("stages that were done: `bedrock-batch download {name} --stage NAME`");
    Ok(())
}

/// Waits until the jobs of an aborted run are over. `None`: it had asked nothing.
async fn wait_for_the_end(stack: &Stack, run: &Run, execution: &Execution) -> Result<Option<Left>, Failure> {
    // It may have been frozen in between.
    let plan = match &run.plan {
        Some(plan) => Some(plan.clone()),
        None => stack.plan(&run.name).await?,
    };
    match plan {
        Some(plan) => Ok(Some(wait_for_the_jobs(stack, &plan, &execution.arn).await)),
        None => Ok(None),
    }
}

/// What is left of a run that was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Left {
    /// Jobs that Bedrock has not ended.
    open: usize,
    /// Whether the stack has told them to stop.
    told: bool,
}

impl Left {
    fn line(self) -> Option<String> {
        let jobs = number(self.open as u64, "job");
        match (self.open, self.told) {
            (0, _) => None,
            (1, true) => Some(format!("{jobs} is still stopping; Bedrock ends it within minutes")),
            (_, true) => Some(format!("{jobs} are still stopping; Bedrock ends them within minutes")),
            (_, false) => Some(format!(
                "{jobs} not told to stop yet: the stack sweeps up within minutes; `bedrock-batch status` shows it"
            )),
        }
    }
}

/// Waits until no job is open, as long as patience lasts. The run is stopped, whatever is seen of it.
async fn wait_for_the_jobs(stack: &Stack, plan: &Plan, execution_arn: &str) -> Left {
    let begun = Instant::now();
    let mut last = None;
    loop {
        match look(stack, plan, execution_arn).await {
            Ok(left) => {
                if last.replace(left) != Some(left) && left.open > 0 {
                    eprintln!("  {} open", number(left.open as u64, "job"));
                }
                if left == (Left { open: 0, told: true }) {
                    return left;
                }
            }
            Err(error) => eprintln!("  cannot see the jobs right now: {error}"),
        }
        if begun.elapsed() >= PATIENCE {
            return last.unwrap_or(Left { open: 0, told: false });
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn look(stack: &Stack, plan: &Plan, execution_arn: &str) -> Result<Left, Failure> {
    // Looked at first: jobs that are made after the mark are stopped by their makers.
    let item = stack.job_table(plan).run(&plan.run_id).await?;
    let told = item.is_none_or(|item| item.stopped || item.execution_arn != execution_arn);
    Ok(Left { open: open_jobs(&stack.jobs(plan).await?), told })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_said() {
        let line = |open, told| Left { open, told }.line();
        assert_eq!(line(0, true), None);
        assert_eq!(line(1, true).unwrap(), "1 job is still stopping; Bedrock ends it within minutes");
        assert_eq!(line(3, true).unwrap(), "3 jobs are still stopping; Bedrock ends them within minutes");
        assert!(line(3, false).unwrap().starts_with("3 jobs not told to stop yet"));
    }
}
