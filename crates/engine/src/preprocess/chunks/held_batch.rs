//! A batch of rows whose lines are rendered, until it is known where they go.

use arrow_array::RecordBatch;
use bedrock_batch_domain::chunk_plan::Placed;
use bedrock_batch_domain::row_error::RowError;
use std::ops::Range;

/// A batch whose lines are rendered, waiting for the chunker's word.
pub(super) struct HeldBatch {
    pub(super) rows: RecordBatch,
    pub(super) lines: Vec<u8>,
    /// Where each row's line ends; a row without a line ends where the one before does.
    pub(super) ends: Vec<usize>,
    /// Reason why a row has no line.
    pub(super) not_sent: Vec<Option<RowError>>,
    /// Where each row goes, as far as said.
    pub(super) placed: Vec<Placed>,
    /// Where each row stands in the input.
    pub(super) positions: Positions,
}

/// Where the rows of a batch stand in the input.
pub(super) enum Positions {
    /// One after the other, from here on.
    From(u64),
    /// Duplicates were taken out from between them.
    Each(Vec<u64>),
}

impl Positions {
    pub(super) fn of(&self, row: usize) -> u64 {
        match self {
            Self::From(first) => first + row as u64,
            Self::Each(positions) => positions.get(row).copied().unwrap_or_default(),
        }
    }
}

impl HeldBatch {
    pub(super) fn has_line(&self, row: usize) -> bool {
        !self.line_range(row..row + 1).is_empty()
    }

    pub(super) fn line_range(&self, rows: Range<usize>) -> Range<usize> {
        let begin = if rows.start == 0 { 0 } else { self.ends[rows.start - 1] };
        begin..self.ends[rows.end - 1]
    }
}
