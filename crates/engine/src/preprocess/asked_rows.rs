//! Rows with all that rendering their records takes: ids, which prompt each is asked, and its image.

use super::columns::with_first_column;
use super::record_ids::RecordIds;
use crate::error::EngineError;
use crate::images::FetchedImage;
use arrow_array::{RecordBatch, StringArray};
use bedrock_batch_domain::row_error::RowError;
use std::sync::Arc;

/// Rows on their way into chunks.
#[derive(Debug)]
pub struct AskedRows {
    /// All columns, `record_id` first.
    pub(super) rows: RecordBatch,
    /// The ids, as in the first column.
    pub(super) ids: StringArray,
    /// Whether ids do not follow from the rows' positions.
    pub(super) own_ids: bool,
    /// Whether rows that are not asked may go into other files than their neighbours.
    pub(super) may_lie_apart: bool,
    /// What each row is asked.
    pub(super) asks: Asks,
    /// Each row's image, where rows have some.
    pub(super) images: Option<Vec<Option<Arc<FetchedImage>>>>,
}

/// What rows are asked.
#[derive(Debug)]
pub(super) enum Asks {
    /// All the first prompt.
    First,
    /// Each its own, by number, or nothing.
    Each(Vec<Result<usize, RowError>>),
}

impl AskedRows {
    /// What the row is asked.
    pub(super) fn ask(&self, row: usize) -> Result<usize, &RowError> {
        match &self.asks {
            Asks::First => Ok(0),
            Asks::Each(asks) => asks.get(row).map_or(Ok(0), |ask| ask.as_ref().copied()),
        }
    }

    /// The row's image.
    pub(super) fn image(&self, row: usize) -> Option<&FetchedImage> {
        self.images.as_ref()?.get(row)?.as_deref()
    }
}

/// Rows that are all asked one prompt, with their ids; the first `most` of them.
pub fn numbered<'a>(
    batches: impl Iterator<Item = Result<RecordBatch, EngineError>> + 'a,
    most: u64,
) -> impl Iterator<Item = Result<AskedRows, EngineError>> + 'a {
    let mut ids = RecordIds::default();
    first_rows(batches, most).map(move |batch| {
        let batch = batch?;
        let own_ids = RecordIds::are_own(&batch);
        let ids = ids.of(&batch)?;
        let rows = with_first_column(&batch, &ids)?;
        Ok(AskedRows { rows, ids, own_ids, may_lie_apart: true, asks: Asks::First, images: None })
    })
}

/// The first `most` rows.
pub(super) fn first_rows<'a>(
    batches: impl Iterator<Item = Result<RecordBatch, EngineError>> + 'a,
    most: u64,
) -> impl Iterator<Item = Result<RecordBatch, EngineError>> + 'a {
    let mut ahead = most;
    // Not `scan` over an infinite end: a batch that nobody needs is not read.
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
