//! Following a pipeline run stage by stage, for those who wait for it.

use crate::executions::{Execution, Orchestrator};
use crate::failure::Failure;
use crate::pipeline_run::came_to;
use crate::pipeline_totals::print_pipeline;
use crate::progress::{Watched, until_over};
use crate::stack::Stack;
use bedrock_batch_domain::pipeline::Pipeline;

/// Watches a pipeline run, and prints what its stages came to; fails if it does.
pub(crate) async fn follow_pipeline(stack: &Stack, name: &str, execution_arn: &str) -> Result<(), Failure> {
    let mut watched = WatchedPipeline { name, execution_arn, frozen: None, done: 0, stage: None };
    let execution = until_over(name, async || watched.look(stack).await).await?;
    if !execution.has_succeeded() {
        return Err(Failure::Failed(format!("pipeline run {name} {}", execution.end())));
    }
    match stack.pipeline_run(name).await? {
        Some(run) => print_pipeline(stack, &run).await,
        None => Ok(()),
    }
}

struct WatchedPipeline<'a> {
    name: &'a str,
    execution_arn: &'a str,
    frozen: Option<Pipeline>,
    /// How many stages are over.
    done: usize,
    /// The stage after them, once it has begun.
    stage: Option<Watched>,
}

impl WatchedPipeline<'_> {
    async fn look(&mut self, stack: &Stack) -> Result<Execution, Failure> {
        // Looked at before its stages, so that the last picture is the whole one.
        let execution = stack.execution(self.execution_arn).await?;
        let execution =
            execution.ok_or_else(|| Failure::Failed(format!("there is no execution {}", self.execution_arn)))?;
        if self.frozen.is_none() {
            self.frozen = stack.pipeline(self.name).await?;
        }
        while self.look_at_stage(stack, execution.is_running()).await? {}
        Ok(execution)
    }

    /// Whether the stage is over, so that the next one may have begun.
    async fn look_at_stage(&mut self, stack: &Stack, pipeline_runs: bool) -> Result<bool, Failure> {
        let stages = self.frozen.as_ref().map_or(&[][..], |frozen| &frozen.stages);
        let Some(stage) = stages.get(self.done) else { return Ok(false) };
        if self.stage.is_none() {
            let arn = stack.execution_arn(Orchestrator::Batch, &stage.execution_name);
            if stack.execution(&arn).await?.is_none() {
                return Ok(false);
            }
            let number = format!("stage {} of {}", self.done + 1, stages.len());
            eprintln!("{number}, {}: run {}", stage.stage_name, stage.execution_name);
            self.stage = Some(Watched::new(&stage.execution_name, &arn));
        }
        let Some(watched) = &mut self.stage else { return Ok(false) };
        let execution = watched.look(stack).await?;
        if execution.is_running() {
            // The pipeline is over, and its stage is about to be.
            if !pipeline_runs {
                eprintln!("  {} is still being ended", stage.execution_name);
            }
            return Ok(false);
        }
        match stack.stage_now(stage).await?.output {
            Some(output) => eprintln!("  {}", came_to(&output)),
            None => eprintln!("  {}", execution.status),
        }
        (self.done, self.stage) = (self.done + 1, None);
        Ok(true)
    }
}
