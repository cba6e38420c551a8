//! Lookup of rows by their record ids.

use arrow_array::{Array, StringArray};
use bedrock_batch_domain::record_id::PositionId;
use std::collections::HashMap;

/// Rows of a job by their record ids.
#[derive(Debug)]
pub(super) enum RowIds {
    /// Consecutive ids that preprocess assigned: the row follows from the number.
    Positions { first: u64, rows: usize },
    /// Ids from the user's input.
    Own(HashMap<Box<str>, usize>),
}

impl RowIds {
    /// Creates the lookup from the ids of a job's rows, in batches.
    pub(super) fn new(batches: &[StringArray]) -> Self {
        let ids = || batches.iter().flat_map(|batch| (0..batch.len()).map(|row| batch.value(row)));
        let first = ids().next().and_then(position).unwrap_or(0);
        let in_order = |(row, id)| position(id).and_then(|at| at.checked_sub(first)) == Some(row as u64);
        if ids().enumerate().all(in_order) {
            return Self::Positions { first, rows: batches.iter().map(Array::len).sum() };
        }
        Self::Own(ids().enumerate().map(|(row, id)| (id.into(), row)).collect())
    }

    /// Returns the row with this id, if there is one.
    pub(super) fn row(&self, id: &str) -> Option<usize> {
        match self {
            Self::Positions { first, rows } => {
                let row = usize::try_from(position(id)?.checked_sub(*first)?).ok()?;
                (row < *rows).then_some(row)
            }
            Self::Own(rows) => rows.get(id).copied(),
        }
    }
}

fn position(id: &str) -> Option<u64> {
    PositionId::parse(id).map(|id| id.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_need_no_table() {
        let ids =
            RowIds::new(&[StringArray::from(vec!["r000000999", "r000001000"]), StringArray::from(vec!["r000001001"])]);
        assert!(matches!(ids, RowIds::Positions { first: 999, rows: 3 }));
        assert_eq!(ids.row("r000001001"), Some(2));
        for unknown in ["r000000998", "r000001002", "r1001", "r0000001001", "1001", "r-00001001", ""] {
            assert_eq!(ids.row(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn own_ids_are_looked_up_in_a_table() {
        let ids = RowIds::new(&[StringArray::from(vec!["b", "a", "r000000002"])]);
        assert_eq!((ids.row("b"), ids.row("r000000002"), ids.row("c")), (Some(0), Some(2), None));
    }
}
