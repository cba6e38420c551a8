//! Result of a first pass over a table whose cells are text.

use super::csv_infer::CellType;
use arrow_schema::SchemaRef;
use std::collections::BTreeMap;

/// Columns and rows of a file.
#[derive(Debug, Clone)]
pub struct TextShape {
    /// Number of rows.
    pub rows: u64,
    /// Columns, all of text.
    pub schema: SchemaRef,
    /// Types of the columns, if they are inferred.
    pub types: Option<Vec<CellType>>,
    /// Warnings with their number of occurrences.
    pub warnings: BTreeMap<String, u64>,
}
