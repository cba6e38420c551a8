//! Input of postprocess.

use bedrock_batch_domain::ids::{ExecutionArn, RunId};
use bedrock_batch_domain::join_task::JoinTask;
use bedrock_batch_domain::plan::JobItem;
use serde::Deserialize;

/// Input of postprocess: one task of a run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "StateInput")]
pub struct PostprocessInput {
    /// The run.
    pub run_id: RunId,
    /// The execution of the state machine.
    pub execution_arn: ExecutionArn,
    /// The task.
    pub task: JoinTask,
}

/// Input in the format of the state machine: an item of its manifest, under a name that depends on the kind of the item.
#[derive(Deserialize)]
struct StateInput {
    run_id: RunId,
    execution_arn: ExecutionArn,
    /// Job of the first pass, whose rows are one chunk.
    #[serde(default)]
    job: Option<JobItem>,
    /// Task that the next step has written.
    #[serde(default)]
    chunk: Option<JoinTask>,
}

/// Error for an input without a task, or with two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the input of postprocess must have either `job` or `chunk`")]
struct NotOneTask;

impl TryFrom<StateInput> for PostprocessInput {
    type Error = NotOneTask;

    fn try_from(input: StateInput) -> Result<Self, NotOneTask> {
        let task = match (input.job, input.chunk) {
            (Some(job), None) => JoinTask::of_first_job(&job),
            (None, Some(task)) => task,
            _ => return Err(NotOneTask),
        };
        Ok(Self { run_id: input.run_id, execution_arn: input.execution_arn, task })
    }
}
