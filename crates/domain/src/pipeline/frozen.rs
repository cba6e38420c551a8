//! Frozen pipeline run: `runs/<pipeline run>/pipeline.json`.

use crate::ids::{ExecutionArn, JobPrefix, RunId};
use serde::{Deserialize, Serialize};

/// Pipeline run with all its names, so that nothing has to be looked up between stages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pipeline {
    /// Id of the pipeline run: the cleaned name of its execution.
    pub pipeline_run_id: RunId,
    /// Name of the pipeline.
    pub pipeline_name: String,
    /// ARN of the execution of the pipeline orchestrator.
    pub execution_arn: ExecutionArn,
    /// Time of the start, in the format of Step Functions.
    pub started_at: String,
    /// Bucket of the stack.
    pub bucket: String,
    /// Validity of the links in its email, in days.
    pub presigned_url_expiry_days: u32,
    /// Stages, in order.
    pub stages: Vec<FrozenStage>,
}

/// Stage of a pipeline run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenStage {
    /// Name of the stage.
    pub stage_name: String,
    /// Id of its run.
    pub run_id: RunId,
    /// Name of its execution of the batch orchestrator.
    pub execution_name: String,
    /// Part of every job name and key.
    pub job_name_prefix: JobPrefix,
    /// Model, as the user named it.
    pub model_id: String,
}
