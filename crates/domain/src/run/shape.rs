//! Facts about a run that are fixed when it starts.

use super::history::History;
use crate::input::ProcessingMode;
use crate::plan::Plan;

/// Facts about a run that are fixed when it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunShape {
    /// Lanes that the request allows.
    pub processing: ProcessingMode,
    /// Minimum number of records in a batch job of the model.
    pub batch_minimum: u32,
    /// Maximum number of records that may be sent on demand, if it is limited.
    pub max_on_demand: Option<u64>,
    /// Number of chunks.
    pub chunks: u32,
    /// If true, the last chunk is too small for a batch job: it is the remainder of the first pass.
    pub has_small_chunk: bool,
    /// Number of files of duplicates.
    pub duplicate_files: u32,
    /// If true, rows with several answers are combined to wide rows.
    pub is_wide: bool,
}

impl RunShape {
    /// Returns true if this number of records more may be sent on demand, after these passes.
    pub fn allows_on_demand(&self, history: &History, records: u64) -> bool {
        self.max_on_demand.is_none_or(|max| history.on_demand_records().saturating_add(records) <= max)
    }
}

impl From<&Plan> for RunShape {
    fn from(plan: &Plan) -> Self {
        Self {
            processing: plan.request.invocation.processing_mode,
            batch_minimum: plan.model.limits.min_records_per_job,
            max_on_demand: plan.max_on_demand_records,
            chunks: plan.counts.jobs,
            has_small_chunk: plan.small_chunk,
            duplicate_files: plan.counts.duplicate_chunks,
            is_wide: plan.prompts.is_wide(),
        }
    }
}
