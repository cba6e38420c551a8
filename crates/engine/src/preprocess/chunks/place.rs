//! Assignment of lines to places: each batch is held until the chunker has placed all its lines, with a delay of some lines.

use super::ChunkWriteSpec;
use super::held_batch::{Block, HeldBatch};
use bedrock_batch_domain::chunk_plan::{Chunker, Placed};
use std::collections::VecDeque;

/// Holder of batches whose rows do not all have a place yet.
pub(super) struct Placer {
    /// `None` once there are no more rows.
    chunker: Option<Chunker>,
    /// If true, the chunker knows the number of rows, not of lines, and has to be notified of rows without a line.
    counts_rows: bool,
    held: VecDeque<HeldBatch>,
    /// Place of the latest line, which is also that of the following rows without a line.
    last: Option<Placed>,
    /// Number of lines that all rows yield, if known, and number of rows.
    all_lines: Option<u64>,
    all_rows: u64,
    /// Number of lines and rows so far, in a run with requests of several rows.
    lines: u64,
    rows: u64,
}

impl Placer {
    pub(super) fn new(spec: &ChunkWriteSpec<'_>) -> Self {
        Self {
            chunker: Some(Chunker::new(spec.limits, spec.lines.unwrap_or(spec.rows))),
            counts_rows: spec.lines.is_none(),
            held: VecDeque::new(),
            last: None,
            all_lines: spec.lines,
            all_rows: spec.rows,
            lines: 0,
            rows: 0,
        }
    }

    /// Adds rows, from which `set_aside` rows were set aside. In a run with requests of several rows, `blocks` are those of
    /// their lines.
    pub(super) fn hold(&mut self, batches: Vec<HeldBatch>, blocks: Option<&[Block]>, set_aside: usize) {
        let lengths: Vec<usize> = match blocks {
            Some(_) => Vec::new(),
            None => batches.iter().flat_map(HeldBatch::line_lengths).collect(),
        };
        self.rows += (batches.iter().map(|batch| batch.ends.len()).sum::<usize>() + set_aside) as u64;
        self.held.extend(batches);
        if let Some(blocks) = blocks {
            self.hold_blocks(blocks);
            return;
        }
        // Rows that were set aside do not yield a line either.
        (0..set_aside).for_each(|_| self.skip_row());
        for length in lengths {
            if length == 0 {
                self.skip_row();
            } else if let Some(placed) = self.chunker.as_mut().and_then(|chunker| chunker.push(length as u64)) {
                self.place_next_line(placed);
            }
        }
    }

    /// Places blocks of lines. The number of lines to come follows from that of the rows so far, since it is not known how
    /// many rows share a request.
    fn hold_blocks(&mut self, blocks: &[Block]) {
        if blocks.is_empty() {
            return;
        }
        let own: u64 = blocks.iter().map(|block| u64::from(block.records)).sum();
        let before = self.lines;
        self.lines += own;
        let rows_ahead = self.all_rows.saturating_sub(self.rows);
        let estimate = u128::from(rows_ahead) * u128::from(self.lines);
        let estimate = estimate.div_ceil(u128::from(self.rows.max(1)));
        let (ahead, at_most) = match self.all_lines {
            Some(all) => (all.saturating_sub(before), all.saturating_sub(before)),
            None => (own.saturating_add(u64::try_from(estimate).unwrap_or(u64::MAX)), own.saturating_add(rows_ahead)),
        };
        self.chunker.iter_mut().for_each(|chunker| chunker.expect(ahead, at_most));
        for block in blocks {
            self.chunker.iter_mut().for_each(|chunker| chunker.push_block(block.bytes, block.records));
            while let Some((placed, records)) = self.chunker.as_mut().and_then(Chunker::pop_placed) {
                (0..records).for_each(|_| self.place_next_line(placed));
            }
        }
    }

    /// Returns the oldest batch, if all its rows have a place.
    pub(super) fn next_placed(&mut self) -> Option<HeldBatch> {
        self.held.pop_front_if(|batch| batch.placed.len() == batch.ends.len())
    }

    /// Places the remaining rows.
    pub(super) fn finish(&mut self) {
        for (placed, records) in self.chunker.take().map(Chunker::finish_blocks).unwrap_or_default() {
            (0..records).for_each(|_| self.place_next_line(placed));
        }
        // Rows without a line after the last line; if there was no line at all, there is no chunk for them.
        let place = self.last.unwrap_or(Placed::TooFewLeft);
        for batch in &mut self.held {
            batch.placed.resize(batch.ends.len(), place);
        }
    }

    fn skip_row(&mut self) {
        if self.counts_rows {
            self.chunker.iter_mut().for_each(Chunker::skip_row);
        }
    }

    /// Places the oldest line without a place. Rows without a line before it get the place of the line before them, or that of
    /// the first line if there is none before them: a chunk never begins without a line. In a run with requests of several
    /// rows, the other rows of a request have no line either: they follow its line, within the same block.
    fn place_next_line(&mut self, placed: Placed) {
        for batch in self.held.iter_mut().filter(|batch| batch.placed.len() < batch.ends.len()) {
            while batch.placed.len() < batch.ends.len() {
                if batch.has_line(batch.placed.len()) {
                    batch.placed.push(placed);
                    self.last = Some(placed);
                    return;
                }
                batch.placed.push(self.last.unwrap_or(placed));
            }
        }
    }
}
