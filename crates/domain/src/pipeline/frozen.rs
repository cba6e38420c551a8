//! `runs/<pipeline run>/pipeline.json`: what a pipeline run freezes when it starts.

use serde::{Deserialize, Serialize};

/// A pipeline run with all its names: nothing is looked up between stages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pipeline {
    /// The pipeline run: the name of its execution, cleaned.
    pub pipeline_run_id: String,
    /// The pipeline's name.
    pub pipeline_name: String,
    /// The execution of the pipeline orchestrator.
    pub execution_arn: String,
    /// When it started, as Step Functions writes it.
    pub started_at: String,
    /// The bucket of everything.
    pub bucket: String,
    /// How many days the links of its email live.
    pub presigned_url_expiry_days: u32,
    /// Its stages, in order.
    pub stages: Vec<FrozenStage>,
}

/// One stage of a pipeline run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenStage {
    /// Its name.
    pub stage_name: String,
    /// Its run.
    pub run_id: String,
    /// The name of the execution of the batch orchestrator that does it.
    pub execution_name: String,
    /// Part of every job name and key.
    pub job_name_prefix: String,
    /// The model, as the user names it.
    pub model_id: String,
}
