//! `bedrock-batch status`.

use crate::failure::Failure;
use crate::pipeline_run::PipelineRun;
use crate::pipeline_totals::print_pipeline;
use crate::run::Run;
use crate::say::say;
use crate::stack::Stack;
use crate::standing::{Standing, number, open_jobs, rounds};
use crate::totals::print_totals;
use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The run's name
    run: String,
}

pub(crate) async fn run(stack: &Stack, arguments: &Arguments) -> Result<(), Failure> {
    let name = &arguments.run;
    if let Some(pipeline) = stack.pipeline_run(name).await? {
        return of_pipeline(stack, &pipeline).await;
    }
    let run = stack.run(name).await?;
    say!("{}", headline(&run));
    let mut open = 0;
    if let Some(plan) = &run.plan {
        let jobs = stack.jobs(plan).await?;
        say!("  {}", Standing::of(plan, &jobs).line());
        for line in rounds(&jobs) {
            say!("  {line}");
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
        say!("  {reason}");
    }
    if let Some(earlier) = execution.earlier_run.as_ref().filter(|_| run.plan.is_none()) {
        eprintln!("it was to go on with run {earlier}: `bedrock-batch status {earlier}`");
        return Ok(());
    }
    if execution.has_succeeded() {
        return print_totals(stack, name).await;
    }
    if open > 0 {
        let told = if run.stopped { "told to stop" } else { "not told to stop yet" };
        say!("  not ended by Bedrock yet: {}, {told}", number(open, "job"));
    }
    if run.plan.is_some() {
        eprintln!("go on with it: `bedrock-batch resume {name}`");
        eprintln!("or take what there is: `bedrock-batch collect {name}`");
    }
    Ok(())
}

async fn of_pipeline(stack: &Stack, pipeline: &PipelineRun) -> Result<(), Failure> {
    print_pipeline(stack, pipeline).await?;
    let Some(execution) = &pipeline.execution else { return Ok(()) };
    if let Some(reason) = execution.reason() {
        say!("  {reason}");
    }
    if !execution.is_running() && !execution.has_succeeded() && pipeline.frozen.is_some() {
        eprintln!("the rows of a stage that is done: `bedrock-batch download {} --stage NAME`", pipeline.name);
    }
    Ok(())
}

/// `run a: RUNNING`, and the execution where it has another name.
fn headline(run: &Run) -> String {
    let name = &run.name;
    match &run.execution {
        None => format!("run {name}: over so long ago that Step Functions has forgotten it"),
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
            arn: format!("arn:aws:states:us-east-1:1:execution:machine:{name}"),
            status: "RUNNING".to_owned(),
            error: None,
            cause: None,
            earlier_run: None,
        });
        Run { name: "a".to_owned(), plan: None, execution, stopped: false }
    }

    #[test]
    fn the_execution_is_named_if_it_is_not_the_runs_own() {
        assert_eq!(headline(&run(Some("a"))), "run a: RUNNING");
        assert_eq!(headline(&run(Some("a-resume-1"))), "run a: RUNNING (execution a-resume-1)");
        assert!(headline(&run(None)).contains("forgotten"));
    }
}
