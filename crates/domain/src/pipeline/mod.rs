//! Pipelines: several runs, each reading the answered rows of the one before it.

mod frozen;
mod summary;

pub use frozen::{FrozenStage, Pipeline};
pub use summary::{PipelineSummary, StageTotals};
