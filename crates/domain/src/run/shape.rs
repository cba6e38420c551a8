//! Facts about a run that are fixed when it starts.

use crate::input::ProcessingMode;
use crate::plan::Plan;

/// Facts about a run that are fixed when it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunShape {
    /// Lanes that the request allows.
    pub processing: ProcessingMode,
    /// Minimum number of records in a batch job of the model.
    pub batch_minimum: u32,
    /// Number of chunks.
    pub chunks: u32,
    /// If true, the last chunk is too small for a batch job: it is the remainder of the first pass.
    pub has_small_chunk: bool,
    /// Number of files of duplicates.
    pub duplicate_files: u32,
    /// If true, rows with several answers are combined to wide rows.
    pub is_wide: bool,
}

impl From<&Plan> for RunShape {
    fn from(plan: &Plan) -> Self {
        Self {
            processing: plan.request.invocation.processing_mode,
            batch_minimum: plan.model.limits.min_records_per_job,
            chunks: plan.counts.jobs,
            has_small_chunk: plan.small_chunk,
            duplicate_files: plan.counts.duplicate_chunks,
            is_wide: plan.prompts.is_wide(),
        }
    }
}
