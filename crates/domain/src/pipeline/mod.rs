//! Pipelines: several runs, each reading the answered rows of the one before it.

mod failed_child;
mod frozen;
mod stage_input;
mod summary;

pub use failed_child::FailedChild;
pub use frozen::{FrozenStage, Pipeline};
pub use stage_input::{is_stage_input, stage_input_key};
pub use summary::{PipelineSummary, StageTotals};
