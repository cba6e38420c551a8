//! Pipelines: several runs, each of which may read the answered rows of the previous one.

mod check;
#[cfg(test)]
mod clothing;
mod config;
mod failed_child;
mod freeze;
mod frozen;
mod names;
mod stage;
mod stage_input;
mod summary;

pub use check::{PipelineCheck, check};
pub use config::{MAX_STAGES, PipelineLimits, PipelineRequest};
pub use failed_child::FailedChild;
pub use freeze::PipelineExecution;
pub use frozen::{FrozenStage, Pipeline};
pub use names::stage_execution_name;
pub use stage::{StageRequest, StageRows};
pub use stage_input::{is_stage_input, pipeline_of_stage, stage_input_key};
pub use summary::{PipelineSummary, StageTotals};
