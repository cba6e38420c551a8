//! Rows with everything that their records need: ids, prompts and images.

use super::record_ids::RecordIds;
use crate::error::EngineError;
use crate::images::FetchedImage;
use crate::preprocess::own_columns::with_first_column;
use arrow_array::{RecordBatch, StringArray};
use bedrock_batch_domain::row_error::RowError;
use std::sync::Arc;

/// Rows that are ready to be written to chunks.
#[derive(Debug)]
pub struct PromptedRows {
    /// All columns, `record_id` first.
    pub(in crate::preprocess) rows: RecordBatch,
    /// Ids, as in the first column.
    pub(in crate::preprocess) ids: StringArray,
    /// If true, ids do not follow from the rows' positions.
    pub(in crate::preprocess) own_ids: bool,
    /// If true, rows that are not sent may be written to other files than their neighbours.
    pub(in crate::preprocess) may_be_set_aside: bool,
    /// Prompt of each row.
    pub(super) prompts: PromptAssignment,
    /// Image of each row, if rows have images.
    pub(super) images: Option<Vec<Option<Arc<FetchedImage>>>>,
}

/// Prompts of rows.
#[derive(Debug)]
pub(super) enum PromptAssignment {
    /// The first prompt, for all rows.
    First,
    /// For each row the number of its prompt, or the reason why it has none.
    Each(Vec<Result<usize, RowError>>),
}

impl PromptedRows {
    /// Returns the number of the row's prompt, or the reason why it has none.
    pub(in crate::preprocess) fn prompt_of(&self, row: usize) -> Result<usize, &RowError> {
        match &self.prompts {
            PromptAssignment::First => Ok(0),
            PromptAssignment::Each(prompts) => prompts.get(row).map_or(Ok(0), |prompt| prompt.as_ref().copied()),
        }
    }

    /// Returns the row's image.
    pub(in crate::preprocess) fn image(&self, row: usize) -> Option<&FetchedImage> {
        self.images.as_ref()?.get(row)?.as_deref()
    }
}

/// Returns the first `max_rows` rows with their ids, all with the first prompt.
pub fn numbered<'a>(
    batches: impl Iterator<Item = Result<RecordBatch, EngineError>> + 'a,
    max_rows: u64,
) -> impl Iterator<Item = Result<PromptedRows, EngineError>> + 'a {
    let mut ids = RecordIds::default();
    first_rows(batches, max_rows).map(move |batch| {
        let batch = batch?;
        let own_ids = RecordIds::are_own(&batch);
        let ids = ids.of(&batch)?;
        let rows = with_first_column(&batch, &ids)?;
        Ok(PromptedRows { rows, ids, own_ids, may_be_set_aside: true, prompts: PromptAssignment::First, images: None })
    })
}

/// Returns the first `max_rows` rows.
pub(super) fn first_rows<'a>(
    batches: impl Iterator<Item = Result<RecordBatch, EngineError>> + 'a,
    max_rows: u64,
) -> impl Iterator<Item = Result<RecordBatch, EngineError>> + 'a {
    let mut ahead = max_rows;
    // Not `scan`, which would read one more batch than needed.
    let mut batches = batches;
    std::iter::from_fn(move || {
        if ahead == 0 {
            return None;
        }
        let batch = match batches.next()? {
            Ok(batch) => batch,
            Err(error) => return Some(Err(error)),
        };
        let rows = usize::try_from(ahead).unwrap_or(usize::MAX).min(batch.num_rows());
        ahead -= rows as u64;
        Some(Ok(if rows == batch.num_rows() { batch } else { batch.slice(0, rows) }))
    })
}
