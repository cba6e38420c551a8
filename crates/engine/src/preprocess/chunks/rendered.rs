//! The lines of a batch.

use super::held_batch::Block;
use super::set_aside::SetAside;
use bedrock_batch_domain::row_error::RowError;
use std::mem::take;

/// Lines of a batch, and the rows that are set aside.
#[derive(Debug, Default)]
pub(super) struct Rendered {
    /// All lines of the batch, one after the other.
    pub(super) lines: Vec<u8>,
    /// End of the line of each row that stays; a row without a line ends with the previous row.
    pub(super) ends: Vec<usize>,
    /// For each row that stays, the reason why it has no line, if it has none.
    pub(super) not_sent: Vec<Option<RowError>>,
    /// Rows that are set aside, by their number in the batch.
    pub(super) set_aside: Vec<(usize, SetAside)>,
    /// Requests of several rows, in a run that has some.
    pub(super) requests: Option<RequestsOfBatch>,
}

/// Requests of a batch.
#[derive(Debug, Default)]
pub(super) struct RequestsOfBatch {
    /// For each row that stays, the number of its request, if it has one.
    pub(super) of_rows: Vec<Option<u64>>,
    pub(super) blocks: Vec<Block>,
}

impl Rendered {
    /// Takes the blocks of the lines, in a run with requests of several rows.
    pub(super) fn take_blocks(&mut self) -> Option<Vec<Block>> {
        self.requests.as_mut().map(|requests| take(&mut requests.blocks))
    }

    /// Ends a row, with the line that was written last or without one.
    pub(super) fn end_row(&mut self, not_sent: Option<RowError>) {
        self.ends.push(self.lines.len());
        self.not_sent.push(not_sent);
    }
}
