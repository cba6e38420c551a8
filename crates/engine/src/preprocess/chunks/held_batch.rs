//! A batch of rows whose lines are rendered, and which is held until all of them have a place.

use arrow_array::RecordBatch;
use bedrock_batch_domain::chunk_plan::Placed;
use bedrock_batch_domain::row_error::RowError;
use bytes::Bytes;
use std::ops::Range;

/// Batch whose lines are rendered, and wait for the chunker's decision.
pub(super) struct HeldBatch {
    pub(super) rows: RecordBatch,
    pub(super) lines: Bytes,
    /// End of each row's line; a row without a line ends with the previous row.
    pub(super) ends: Vec<usize>,
    /// Reasons why rows have no line.
    pub(super) not_sent: Vec<Option<RowError>>,
    /// Places of the rows, as far as determined.
    pub(super) placed: Vec<Placed>,
    /// Positions of the rows in the input.
    pub(super) positions: Positions,
}

/// Lines whose rows alternate, so that they must be in one chunk. Each line belongs to the first row of its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    /// Number of lines.
    pub(super) records: u32,
    pub(super) bytes: u64,
}

/// Positions of the rows of a batch in the input.
pub(super) enum Positions {
    /// Consecutive, from this position.
    From(u64),
    /// Not consecutive, because duplicates were removed.
    Each(Vec<u64>),
}

impl Positions {
    pub(super) fn of(&self, row: usize) -> u64 {
        match self {
            Self::From(first) => first + row as u64,
            Self::Each(positions) => positions.get(row).copied().unwrap_or_default(),
        }
    }

    /// Returns the positions of some of the rows.
    pub(super) fn slice(&self, begin: usize, rows: usize) -> Self {
        match self {
            Self::From(first) => Self::From(first + begin as u64),
            Self::Each(positions) => Self::Each(positions.get(begin..begin + rows).unwrap_or_default().to_vec()),
        }
    }
}

impl HeldBatch {
    pub(super) fn has_line(&self, row: usize) -> bool {
        !self.line_range(row..row + 1).is_empty()
    }

    /// Returns the length of each row's line, 0 for a row without one.
    pub(super) fn line_lengths(&self) -> impl Iterator<Item = usize> {
        (0..self.ends.len()).map(|row| self.line_range(row..row + 1).len())
    }

    pub(super) fn line_range(&self, rows: Range<usize>) -> Range<usize> {
        let begin = if rows.start == 0 { 0 } else { self.ends[rows.start - 1] };
        begin..self.ends[rows.end - 1]
    }
}
