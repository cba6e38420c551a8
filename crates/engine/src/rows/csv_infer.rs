//! Inference of types for CSV columns (`infer_types`): a column has a type only if all of its cells do.

use super::csv_dialect::CsvReading;
use super::csv_header::read_header;
use super::csv_lines::CsvLines;
use super::csv_text::CsvText;
use crate::error::EngineError;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;

/// Largest number up to which all whole numbers are different floats.
const MAX_EXACT_INTEGER: u64 = 1 << f64::MANTISSA_DIGITS;

/// Type of the cells of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellType {
    /// All cells are empty.
    Empty,
    /// Whole numbers of 64 bits without plus sign and leading zeros (`0012` is a code, not a number).
    Integer,
    /// Whole numbers of 64 bits, some of which lose digits as decimal numbers.
    LongInteger,
    /// Decimal numbers.
    Float,
    /// `true` and `false`, in any case.
    Boolean,
    /// Anything else.
    Text,
}

impl CellType {
    /// Returns the column's Arrow type; empty cells become null in all columns except text columns.
    pub fn data_type(self) -> DataType {
        match self {
            Self::Integer | Self::LongInteger => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Boolean => DataType::Boolean,
            Self::Empty | Self::Text => DataType::Utf8,
        }
    }

    /// Returns the type of one cell.
    pub(super) fn of(cell: &[u8]) -> Self {
        let Ok(text) = std::str::from_utf8(cell) else { return Self::Text };
        if text.is_empty() {
            return Self::Empty;
        }
        if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") {
            return Self::Boolean;
        }
        let digits = text.strip_prefix('-').unwrap_or(text);
        let code = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
        // `parse` also accepts `nan`, `inf` and `+1`.
        if code || !digits.starts_with(|c: char| c.is_ascii_digit()) {
            return Self::Text;
        }
        if let Ok(integer) = text.parse::<i64>() {
            if integer.unsigned_abs() > MAX_EXACT_INTEGER { Self::LongInteger } else { Self::Integer }
        } else if digits.bytes().all(|byte| byte.is_ascii_digit()) {
            // A whole number of more than 64 bits would lose digits as a float.
            Self::Text
        } else if text.parse::<f64>().is_ok_and(f64::is_finite) {
            Self::Float
        } else {
            Self::Text
        }
    }

    /// Returns the type of a column with cells of both types.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a,
            (Self::Empty, other) | (other, Self::Empty) => other,
            (Self::Integer, Self::LongInteger) | (Self::LongInteger, Self::Integer) => Self::LongInteger,
            (Self::Integer, Self::Float) | (Self::Float, Self::Integer) => Self::Float,
            _ => Self::Text,
        }
    }
}

/// Types of the cells of a table's columns, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnTypes(HashMap<String, CellType>);

impl ColumnTypes {
    /// Creates the types of the columns with these names.
    pub(super) fn new(columns: impl IntoIterator<Item = (String, CellType)>) -> Self {
        Self(columns.into_iter().collect())
    }

    /// Returns the type of the column with this name.
    pub fn of(&self, column: &str) -> CellType {
        self.0.get(column).copied().unwrap_or(CellType::Text)
    }

    /// Adds the types of another file of the table. Columns are found by name.
    pub fn unite(&mut self, other: Self) {
        for (column, cell) in other.0 {
            let united = self.0.get(&column).map_or(cell, |own| own.and(cell));
            self.0.insert(column, united);
        }
    }

    /// Returns a schema with these types in place of text.
    pub fn typed(&self, schema: &SchemaRef) -> SchemaRef {
        let fields = schema.fields().iter().map(|field| match self.0.get(field.name()) {
            Some(cell) => Arc::new(Field::new(field.name(), cell.data_type(), true)),
            None => Arc::clone(field),
        });
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }
}

/// Infers the types from all cells of a CSV.
///
/// # Errors
/// Returns an error if the file cannot be read as a CSV; ragged rows are left to the second pass.
pub fn infer_types(input: impl Read, file: &str, reading: &CsvReading) -> Result<ColumnTypes, EngineError> {
    let mut lines = CsvLines::new(CsvText::open(input, file, reading)?);
    let Some(header) = read_header(&mut lines, reading)? else { return Ok(ColumnTypes::default()) };
    let nulls = &reading.options.null_values;
    let mut types = vec![CellType::Empty; header.names.len()];
    let mut record = csv::ByteRecord::new();
    while lines.read(&mut record)? {
        for (cell_type, cell) in types.iter_mut().zip(&record) {
            if *cell_type != CellType::Text && !nulls.iter().any(|null| null.as_bytes() == cell) {
                *cell_type = cell_type.and(CellType::of(cell));
            }
        }
    }
    Ok(ColumnTypes(header.names.into_iter().zip(types).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("1\n-2\n\n", CellType::Integer)]
    #[case("1\n2.5\n", CellType::Float)]
    #[case("1e5\n0.1\n", CellType::Float)]
    #[case("9007199254740992\n0.1\n", CellType::Float)]
    #[case("9007199254740993\n1\n", CellType::LongInteger)]
    #[case("1\n-9007199254740993\n0.1\n", CellType::Text)]
    #[case("0012\n1\n", CellType::Text)]
    #[case("true\nFALSE\n", CellType::Boolean)]
    #[case("true\n1\n", CellType::Text)]
    #[case("nan\n", CellType::Text)]
    #[case("+1\n", CellType::Text)]
    #[case("99999999999999999999\n", CellType::Text)]
    #[case("2026-01-01\n", CellType::Text)]
    #[case("\"\"\n", CellType::Empty)]
    fn a_type_is_inferred_only_if_all_cells_have_it(#[case] cells: &str, #[case] expected: CellType) {
        let text = format!("a\n{cells}");
        assert_eq!(infer_types(text.as_bytes(), "a.csv", &CsvReading::default()).unwrap().of("a"), expected);
    }

    #[test]
    fn types_of_several_files_are_united_by_the_names_of_their_columns() {
        let types = |text: &str| infer_types(text.as_bytes(), "a.csv", &CsvReading::default()).unwrap();
        let mut united = types("a,b,c\n1,x,true\n");
        united.unite(types("c,a,d\n,1.5,2\n"));
        let found = ["a", "b", "c", "d", "e"].map(|column| united.of(column));
        assert_eq!(found, [CellType::Float, CellType::Text, CellType::Boolean, CellType::Integer, CellType::Text]);
    }
}
