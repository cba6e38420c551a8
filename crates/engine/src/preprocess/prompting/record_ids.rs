//! The column `record_id`, which contains the input's own ids or the positions of rows.

use crate::error::EngineError;
use crate::preprocess::row_hash::RowHasher;
use crate::rows::cell_text::as_text;
use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_cast::cast;
use arrow_schema::DataType;
use bedrock_batch_domain::columns::RECORD_ID;
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::record_id::{PositionId, RecordId};
use std::collections::HashSet;

/// Maximum length of a record id: Bedrock publishes no limit, but DynamoDB, logs and file names have limits. Ids of answers
/// to several prompts may be longer, since each following stage adds the number of the prompt.
const MAX_BYTES: usize = 256;
const MAX_BYTES_OF_NUMBERS: usize = 80;

/// Largest numbers up to which all whole numbers are different floats.
const MAX_WHOLE_DOUBLE: f64 = 9_007_199_254_740_991.0;
const MAX_WHOLE_FLOAT: f64 = 16_777_215.0;
const MAX_WHOLE_HALF: f64 = 2_047.0;

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
                let ids =
                    if column.data_type().is_floating() { whole_numbers(column, first)? } else { as_text(column)? };
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

/// Returns ids that are whole numbers, but became floats, as they do where a column has nulls: `1001`, not `1001.0`. Other floats
/// cannot be ids, and neither can those of a size at which several whole numbers are one float.
fn whole_numbers(column: &ArrayRef, first: u64) -> Result<StringArray, EngineError> {
    let of_type = column.data_type();
    let max = match of_type {
        DataType::Float64 => MAX_WHOLE_DOUBLE,
        DataType::Float32 => MAX_WHOLE_FLOAT,
        _ => MAX_WHOLE_HALF,
    };
    let floats = cast(column, &DataType::Float64)
        .map_err(|error| EngineError::internal("cannot read ids that are floats").caused_by(error))?;
    let floats = floats.as_primitive::<Float64Type>();
    let mut ids = StringBuilder::with_capacity(floats.len(), 8 * floats.len());
    for (id, row) in floats.iter().zip(first + 1..) {
        let Some(id) = id else {
            ids.append_null();
            continue;
        };
        if id.fract() != 0.0 || id.abs() > max {
            let rule =
                format!("ids of type {of_type} must be whole numbers of at most {max}, beyond which several are one");
            let remedy = "write the column as integers or as text";
            return Err(Problem::new(format!("{RECORD_ID} of row {row}"), id, rule).remedy(remedy).into());
        }
        // Without the sign of a zero.
        ids.append_value((id + 0.0).to_string());
    }
    Ok(ids.finish())
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
    use arrow_array::{Float32Array, Float64Array, Int64Array};
    use rstest::rstest;
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

    #[rstest]
    #[case::doubles(Arc::new(Float64Array::from(vec![1001.0, -0.0, 9_007_199_254_740_991.0])), Ok(["1001", "0", "9007199254740991"].as_slice()))]
    #[case::floats(Arc::new(Float32Array::from(vec![16_777_215.0])), Ok(["16777215"].as_slice()))]
    #[case::large_doubles(Arc::new(Float64Array::from(vec![1e16])), Err("record_id of row 1 is `10000000000000000`: ids of type Float64 must be whole numbers of at most 9007199254740991"))]
    #[case::large_floats(Arc::new(Float32Array::from(vec![1.0, 16_777_216.0])), Err("record_id of row 2 is `16777216`: ids of type Float32"))]
    #[case::fractions(Arc::new(Float64Array::from(vec![1.5])), Err("record_id of row 1 is `1.5`: ids of type Float64"))]
    #[case::nan(Arc::new(Float64Array::from(vec![f64::NAN])), Err("record_id of row 1 is `NaN`: ids of type Float64"))]
    #[case::null(Arc::new(Float64Array::from(vec![Some(1.0), None])), Err("record_id of row 2: is null or empty"))]
    fn ids_that_became_floats_are_whole_numbers_or_refused(
        #[case] column: ArrayRef,
        #[case] expected: Result<&[&str], &str>,
    ) {
        let batch = RecordBatch::try_from_iter_with_nullable([(RECORD_ID, column, true)]).unwrap();
        let found = RecordIds::default().of(&batch).map_err(|error| error.to_string());
        match expected {
            Ok(ids) => assert_eq!(found.unwrap(), StringArray::from(ids.to_vec())),
            Err(message) => {
                let found = found.unwrap_err();
                assert!(found.starts_with(message), "{found}");
            }
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
