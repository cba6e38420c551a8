//! `bedrock-batch status`: shows a run's status, progress and totals.

use crate::failure::Failure;
use crate::pipeline_run::PipelineRun;
use crate::pipeline_totals::print_pipeline;
use crate::run::Run;
use crate::run_progress::{RunProgress, open_jobs, quantity, rounds};
use crate::stack::Stack;
use crate::terminal::{errln, outln, print_lines};
use crate::totals::print_totals;
use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Name of the run or the pipeline run
    run: String,
}

pub(crate) async fn run(stack: &Stack, arguments: &Arguments) -> Result<(), Failure> {
    let name = &arguments.run;
    if let Some(pipeline) = stack.pipeline_run(name).await? {
        return print_pipeline_status(stack, &pipeline).await;
    }
    let run = stack.run(name).await?;
    outln!("{}", headline(&run));
    let mut open = 0;
    if let Some(plan) = &run.plan {
        let jobs = stack.jobs(plan).await?;
        outln!("  {}", RunProgress::of(plan, &jobs).line());
        for line in rounds(&jobs) {
            outln!("  {line}");
        }
        open = open_jobs(&jobs) as u64;
    }
    let Some(execution) = &run.execution else {
        return print_totals(stack, name).await;
    };
    if execution.is_running() {
        return Ok(());
    }
    if let Some(reason) = execution.reason() {
        print_lines("  ", &reason);
    }
    if let Some(earlier) = execution.earlier_run.as_ref().filter(|_| run.plan.is_none()) {
        errln!("this execution was started to continue run {earlier}: `bedrock-batch status {earlier}`");
        return Ok(());
    }
    if execution.has_succeeded() {
        return print_totals(stack, name).await;
    }
    if open > 0 {
        let stop = if run.stopped { "stop requested" } else { "stop not requested yet" };
        outln!("  not ended by Bedrock yet: {}, {stop}", quantity(open, "job"));
    }
    if run.plan.is_some() {
        errln!("to continue it:                      `bedrock-batch resume {name}`");
        errln!("to write out the answers it has now: `bedrock-batch collect {name}`");
    }
    Ok(())
}

async fn print_pipeline_status(stack: &Stack, pipeline: &PipelineRun) -> Result<(), Failure> {
    print_pipeline(stack, pipeline).await?;
    let Some(execution) = &pipeline.execution else { return Ok(()) };
    if let Some(reason) = execution.reason() {
        print_lines("  ", &reason);
    }
    if !execution.is_running() && !execution.has_succeeded() && pipeline.frozen.is_some() {
        errln!("to download the rows of a completed stage: `bedrock-batch download {} --stage NAME`", pipeline.name);
    }
    Ok(())
}

/// Returns `run a: RUNNING`, with the execution if it has another name.
fn headline(run: &Run) -> String {
    let name = &run.name;
    match &run.execution {
        None => format!("run {name}: ended so long ago that Step Functions no longer knows it"),
        Some(execution) if execution.name() == name => format!("run {name}: {}", execution.status),
        Some(execution) => format!("run {name}: {} (execution {})", execution.status, execution.name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::executions::Execution;

    fn run(execution: Option<&str>) -> Run {
        let execution = execution.map(|name| Execution {
            arn: format!("arn:aws:states:us-east-1:1:execution:machine:{name}").parse().unwrap(),
            status: "RUNNING".to_owned(),
            error: None,
            cause: None,
            earlier_run: None,
        });
        Run { name: "a".to_owned(), plan: None, execution, stopped: false }
    }

    #[test]
    fn the_execution_is_shown_if_it_is_not_the_runs_own() {
        assert_eq!(headline(&run(Some("a"))), "run a: RUNNING");
        assert_eq!(headline(&run(Some("a-resume-1"))), "run a: RUNNING (execution a-resume-1)");
        assert!(headline(&run(None)).contains("no longer knows it"));
    }
}
