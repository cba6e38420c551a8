//! The column `record_id`, which contains the input's own ids or the positions of rows.

use crate::error::EngineError;
use crate::preprocess::row_hash::RowHasher;
use crate::rows::cell_text::as_text;
use arrow_array::builder::StringBuilder;
use arrow_array::{RecordBatch, StringArray};
use bedrock_batch_domain::columns::RECORD_ID;
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::record_id::{PositionId, RecordId};
use std::collections::HashSet;

/// Maximum length of a record id: Bedrock publishes no limit, but DynamoDB, logs and file names have limits. Ids of answers
/// to several prompts may be longer, since each following stage adds the number of the prompt.
const MAX_BYTES: usize = 256;
const MAX_BYTES_OF_NUMBERS: usize = 80;

/// Creates or checks the ids of all rows of a run, in their order.
#[derive(Debug, Default)]
pub(super) struct RecordIds {
    next: u64,
    /// Hashes of the input's own ids: about 40 bytes per row, the only memory of a run that grows without limit. A false alarm
    /// would require about 10^17 rows.
    seen: HashSet<(u64, u64)>,
    hasher: RowHasher,
}

impl RecordIds {
    /// Returns true if the rows have ids of their own.
    pub(super) fn are_own(rows: &RecordBatch) -> bool {
        rows.column_by_name(RECORD_ID).is_some()
    }

    /// Returns the ids of the next rows.
    ///
    /// # Errors
    /// Returns `InvalidInput` for the first id that is null, empty, too long or repeated.
    pub(super) fn of(&mut self, rows: &RecordBatch) -> Result<StringArray, EngineError> {
        let first = self.next;
        self.next += rows.num_rows() as u64;
        match rows.column_by_name(RECORD_ID) {
            Some(column) => {
                let ids = as_text(column)?;
                for (at, id) in ids.iter().enumerate() {
                    self.check(id, first + at as u64 + 1)?;
                }
                Ok(ids)
            }
            None => Ok(positions(first, rows.num_rows())),
        }
    }

    fn check(&mut self, id: Option<&str>, row: u64) -> Result<(), EngineError> {
        let place = || format!("{RECORD_ID} of row {row}");
        let remedy = "every row needs an id of its own; leave the column out to have rows numbered";
        let Some(id) = id.filter(|id| !id.is_empty()) else {
            return Err(Problem::without_value(place(), "is null or empty").remedy(remedy).into());
        };
        let is_numbered = RecordId::parse(id).prompt.is_some();
        let max = if is_numbered { MAX_BYTES + MAX_BYTES_OF_NUMBERS } else { MAX_BYTES };
        if id.len() > max {
            return Err(Problem::new(place(), id, format!("is longer than {MAX_BYTES} bytes")).into());
        }
        if !self.seen.insert(self.hasher.hash(std::iter::once(id.as_bytes()))) {
            return Err(Problem::new(place(), id, "occurs more than once").remedy(remedy).into());
        }
        Ok(())
    }
}

/// Returns `r000000000`, `r000000001`, …
fn positions(first: u64, rows: usize) -> StringArray {
    let mut ids = StringBuilder::with_capacity(rows, rows * 10);
    let mut id = PositionId(first).to_string();
    for position in first..first + rows as u64 {
        ids.append_value(&id);
        id = next_position(id, position);
    }
    ids.finish()
}

/// Returns the id of the position after `position`, whose id is `id`: most ids differ from the one before in their last digit.
fn next_position(mut id: String, position: u64) -> String {
    match id.pop() {
        Some(digit @ '0'..='8') => {
            id.extend(char::from_digit(digit.to_digit(10).unwrap_or(0) + 1, 10));
            id
        }
        _ => PositionId(position + 1).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{ArrayRef, Int64Array};
    use std::sync::Arc;

    fn batch(name: &str, column: ArrayRef) -> RecordBatch {
        RecordBatch::try_from_iter([(name, column)]).unwrap()
    }

    #[test]
    fn rows_are_numbered_across_batches() {
        let mut ids = RecordIds::default();
        let rows = batch("a", Arc::new(Int64Array::from(vec![1, 2])));
        ids.of(&rows).unwrap();
        assert_eq!(ids.of(&rows).unwrap(), StringArray::from(vec!["r000000002", "r000000003"]));
    }

    #[test]
    fn positions_are_the_ids_that_they_are_displayed_as() {
        for first in [0, 8, 999, 999_999_990, 9_999_999_990] {
            let expected: StringArray =
                (first..first + 25).map(|position| Some(PositionId(position).to_string())).collect();
            assert_eq!(positions(first, 25), expected);
        }
    }

    #[test]
    fn the_inputs_own_ids_are_kept_and_must_be_unique() {
        let mut ids = RecordIds::default();
        let rows = batch(RECORD_ID, Arc::new(Int64Array::from(vec![7, 8])));
        assert_eq!(ids.of(&rows).unwrap(), StringArray::from(vec!["7", "8"]));
        let error = ids.of(&rows).unwrap_err().to_string();
        assert!(error.starts_with("record_id of row 3 is `7`: occurs more than once"), "{error}");
        let rows = batch(RECORD_ID, Arc::new(StringArray::from(vec![Some("x"), None])));
        let error = ids.of(&rows).unwrap_err().to_string();
        assert!(error.starts_with("record_id of row 6: is null or empty"), "{error}");
    }
}
