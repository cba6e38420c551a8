//! Result of an extraction.

use super::FieldValue;

/// Fields of an answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Extraction {
    /// Values of the fields, `None` for those that are missing or `null`.
    pub values: Vec<Option<FieldValue>>,
    /// For each value that was changed to the allowed value that it stands for, the index of its field among those whose
    /// values may be changed.
    pub changed: Vec<usize>,
    /// If true, the answer was nearly JSON, and was repaired.
    pub repaired: bool,
}
