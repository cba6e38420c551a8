//! Rows at the end of a batch whose requests may get further rows, and which are written with the next batch.

use super::held_batch::{HeldBatch, Positions};
use super::rendered::Rendered;
use crate::error::EngineError;
use crate::preprocess::own_columns::with_requests;
use arrow_array::RecordBatch;
use bedrock_batch_domain::row_error::RowError;
use bytes::Bytes;
use std::collections::VecDeque;

/// Rows that wait for the next batch, with their positions in the input. They are not copied.
#[derive(Default)]
pub(super) struct CarriedRows(VecDeque<(RecordBatch, Positions)>);

/// Lines of rows that are not yet in a batch.
struct Lines {
    text: Bytes,
    ends: Vec<usize>,
    not_sent: Vec<Option<RowError>>,
    /// Requests of the rows, in a run with requests of several rows.
    of_rows: Option<Vec<Option<u64>>>,
}

impl CarriedRows {
    /// Adds rows after those that wait, and returns the first ones of all, those that are rendered. The others wait.
    pub(super) fn exchange(
        &mut self,
        rows: RecordBatch,
        positions: Positions,
        rendered: Rendered,
    ) -> Result<Vec<HeldBatch>, EngineError> {
        self.0.push_back((rows, positions));
        self.take(rendered)
    }

    /// Returns the rows that are rendered, which must be among those that wait.
    pub(super) fn take(&mut self, rendered: Rendered) -> Result<Vec<HeldBatch>, EngineError> {
        let Rendered { lines, ends, not_sent, requests, .. } = rendered;
        let mut lines =
            Lines { text: lines.into(), ends, not_sent, of_rows: requests.map(|requests| requests.of_rows) };
        let mut held = Vec::with_capacity(self.0.len());
        // A batch whose rows were all set aside is held too, as it is without requests of several rows.
        while let Some((rows, positions)) = self.0.pop_front() {
            let complete = lines.ends.len().min(rows.num_rows());
            let waiting = rows.num_rows() - complete;
            if waiting > 0 {
                self.0.push_front((rows.slice(complete, waiting), positions.slice(complete, waiting)));
            }
            if complete > 0 || waiting == 0 {
                let others = lines.split_off(complete);
                held.push(lines.held_batch(rows.slice(0, complete), positions.slice(0, complete))?);
                lines = others;
            }
            if waiting > 0 {
                break;
            }
        }
        if lines.ends.is_empty() { Ok(held) } else { Err(EngineError::internal("more rows were rendered than read")) }
    }
}

impl Lines {
    /// Splits off the lines of the rows from number `rows` on, of which there must be as many.
    fn split_off(&mut self, rows: usize) -> Self {
        let mut ends = self.ends.split_off(rows);
        let end = self.ends.last().copied().unwrap_or(0);
        for other in &mut ends {
            *other -= end;
        }
        let of_rows = self.of_rows.as_mut().map(|of_rows| of_rows.split_off(rows));
        Self { text: self.text.split_off(end), ends, not_sent: self.not_sent.split_off(rows), of_rows }
    }

    /// Returns a batch of these rows without places.
    fn held_batch(self, rows: RecordBatch, positions: Positions) -> Result<HeldBatch, EngineError> {
        let Self { text: lines, ends, not_sent, of_rows } = self;
        let placed = Vec::with_capacity(rows.num_rows());
        let rows = match of_rows {
            Some(of_rows) => with_requests(&rows, of_rows)?,
            None => rows,
        };
        Ok(HeldBatch { rows, lines, ends, not_sent, placed, positions })
    }
}
