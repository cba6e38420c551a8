//! Follows a pipeline run stage by stage, for `--wait`.

use crate::executions::{Execution, Orchestrator};
use crate::failure::Failure;
use crate::pipeline_run::counts_line;
use crate::pipeline_totals::print_pipeline;
use crate::stack::Stack;
use crate::terminal::errln;
use crate::watch::{RunWatcher, poll_until_ended};
use bedrock_batch_domain::ids::ExecutionArn;
use bedrock_batch_domain::pipeline::Pipeline;

/// Watches a pipeline run and prints the totals of its stages.
///
/// # Errors
/// Returns an error if the pipeline run fails or cannot be observed.
pub(crate) async fn follow_pipeline(stack: &Stack, name: &str, execution_arn: &ExecutionArn) -> Result<(), Failure> {
    let mut watcher = PipelineWatcher { name, execution_arn, frozen: None, done: 0, stage: None };
    let execution = poll_until_ended(name, async || watcher.poll(stack).await).await?;
    if !execution.has_succeeded() {
        return Err(Failure::Failed(format!("pipeline run {name} {}", execution.outcome())));
    }
    match stack.pipeline_run(name).await? {
        Some(run) => print_pipeline(stack, &run).await,
        None => Ok(()),
    }
}

struct PipelineWatcher<'a> {
    name: &'a str,
    execution_arn: &'a ExecutionArn,
    frozen: Option<Pipeline>,
    /// Number of stages that have ended.
    done: usize,
    /// Stage after those, once it has started.
    stage: Option<RunWatcher>,
}

impl PipelineWatcher<'_> {
    async fn poll(&mut self, stack: &Stack) -> Result<Execution, Failure> {
        // Described before its stages are, so that the last progress shown is complete.
        let execution = stack.execution(self.execution_arn).await?;
        let execution =
            execution.ok_or_else(|| Failure::Failed(format!("execution {} does not exist", self.execution_arn)))?;
        if self.frozen.is_none() {
            self.frozen = stack.pipeline(self.name).await?;
        }
        while self.poll_stage(stack, execution.is_running()).await? {}
        Ok(execution)
    }

    /// Returns true if the stage has ended, so that the next one may have started.
    async fn poll_stage(&mut self, stack: &Stack, pipeline_is_running: bool) -> Result<bool, Failure> {
        let stages = self.frozen.as_ref().map_or(&[][..], |frozen| &frozen.stages);
        let Some(stage) = stages.get(self.done) else { return Ok(false) };
        if self.stage.is_none() {
            let execution = stack.execution_named(Orchestrator::Batch, &stage.execution_name).await?;
            let Some(execution) = execution else { return Ok(false) };
            let number = format!("stage {} of {}", self.done + 1, stages.len());
            errln!("{number}, {}: run {}", stage.stage_name, stage.execution_name);
            self.stage = Some(RunWatcher::new(&stage.execution_name, &execution.arn));
        }
        let Some(watcher) = &mut self.stage else { return Ok(false) };
        let execution = watcher.poll(stack).await?;
        if execution.is_running() {
            // The pipeline has ended and its stage is about to.
            if !pipeline_is_running {
                errln!("  {} is still stopping", stage.execution_name);
            }
            return Ok(false);
        }
        match stack.stage_state(stage).await?.output {
            Some(output) => errln!("  {}", counts_line(&output)),
            None => errln!("  {}", execution.status),
        }
        (self.done, self.stage) = (self.done + 1, None);
        Ok(true)
    }
}
