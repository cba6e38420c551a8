//! Numbers of values of a field by what they are, to report the values that change the type of its column.

use crate::extract::{FieldValue, PlainCell};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Numbers of values of a field. Stored as a list of four numbers, since an item of the job table has limited room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "[u64; 4]", into = "[u64; 4]")]
pub struct ValueCounts {
    booleans: u64,
    numbers: u64,
    texts: u64,
    lists: u64,
}

impl ValueCounts {
    /// Maximum number of fields whose values are counted.
    pub const MAX_FIELDS: usize = 500;

    /// Counts a value.
    pub fn record(&mut self, value: &FieldValue) {
        match value {
            FieldValue::Boolean(_) => self.booleans += 1,
            FieldValue::Number(_) => self.numbers += 1,
            FieldValue::Text(_) => self.texts += 1,
            FieldValue::List(_) => self.lists += 1,
        }
    }

    /// Counts the value of a cell, if it has one.
    pub fn record_cell(&mut self, cell: PlainCell) {
        match cell {
            PlainCell::Null => {}
            PlainCell::Boolean(_) => self.booleans += 1,
            PlainCell::Integer(_) | PlainCell::Float(_) => self.numbers += 1,
            PlainCell::Text(..) | PlainCell::EscapedText(..) => self.texts += 1,
        }
    }

    /// Adds the values of another chunk.
    pub(super) fn add(&mut self, more: Self) {
        self.booleans = self.booleans.saturating_add(more.booleans);
        self.numbers = self.numbers.saturating_add(more.numbers);
        self.texts = self.texts.saturating_add(more.texts);
        self.lists = self.lists.saturating_add(more.lists);
    }

    /// Returns the numbers by name, without those that are zero; empty if all values are of one kind.
    pub(super) fn mixed(self) -> BTreeMap<String, u64> {
        let named = [("boolean", self.booleans), ("list", self.lists), ("number", self.numbers), ("text", self.texts)];
        let counted: BTreeMap<String, u64> =
            named.into_iter().filter(|(_, count)| *count > 0).map(|(name, count)| (name.to_owned(), count)).collect();
        if counted.len() > 1 { counted } else { BTreeMap::new() }
    }
}

impl From<[u64; 4]> for ValueCounts {
    fn from([booleans, numbers, texts, lists]: [u64; 4]) -> Self {
        Self { booleans, numbers, texts, lists }
    }
}

impl From<ValueCounts> for [u64; 4] {
    fn from(counts: ValueCounts) -> Self {
        [counts.booleans, counts.numbers, counts.texts, counts.lists]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_several_kinds_are_counted_by_kind() {
        let mut counts = ValueCounts::default();
        for _ in 0..9 {
            counts.record(&FieldValue::Number(1.into()));
        }
        assert_eq!(counts.mixed(), BTreeMap::new());
        counts.record_cell(PlainCell::Null);
        counts.record_cell(PlainCell::Text(1, 2));
        let mut sum = ValueCounts::default();
        sum.add(counts);
        sum.add(counts);
        assert_eq!(sum.mixed(), BTreeMap::from([("number".to_owned(), 18), ("text".to_owned(), 2)]));
        assert_eq!(serde_json::to_string(&sum).unwrap(), "[0,18,2,0]");
        assert_eq!(serde_json::from_str::<ValueCounts>("[0,18,2,0]").unwrap(), sum);
    }
}
