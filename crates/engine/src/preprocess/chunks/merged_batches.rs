//! Merging of small batches, so that requests of several rows can be formed within a batch: an input of many small files has
//! batches of few rows.

use crate::error::EngineError;
use crate::preprocess::prompting::PromptedRows;
use crate::rows::{BATCH_BYTES, BATCH_ROWS};

/// Iterator over batches, which merges small ones.
pub(super) struct MergedBatches<I> {
    batches: I,
    /// If false, batches are passed on as they are.
    is_merging: bool,
}

impl<I: Iterator<Item = Result<PromptedRows, EngineError>>> MergedBatches<I> {
    pub(super) fn new(batches: I, is_merging: bool) -> Self {
        Self { batches, is_merging }
    }
}

impl<I: Iterator<Item = Result<PromptedRows, EngineError>>> Iterator for MergedBatches<I> {
    type Item = Result<PromptedRows, EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        let first = self.batches.next()?;
        if !self.is_merging {
            return Some(first);
        }
        let mut merged = Vec::new();
        let (mut rows, mut bytes) = (0, 0);
        let mut next = Some(first);
        while let Some(batch) = next {
            let batch = match batch {
                Ok(batch) => batch,
                Err(error) => return Some(Err(error)),
            };
            rows += batch.rows.num_rows();
            bytes += batch.rows.get_array_memory_size();
            merged.push(batch);
            if rows >= BATCH_ROWS || bytes >= BATCH_BYTES {
                break;
            }
            next = self.batches.next();
        }
        Some(PromptedRows::merged(merged))
    }
}
