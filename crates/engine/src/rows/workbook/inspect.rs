//! First pass over a workbook: its columns, the number of its rows, and whatever is read otherwise than it is shown.

use super::container::read_container;
use super::problems::no_header;
use super::sheet::Workbook;
use super::table::{TableRow, each_table_row};
use crate::error::EngineError;
use crate::rows::NAMES_CHANGED;
use crate::rows::csv_infer::{CellType, ColumnTypes};
use crate::rows::table_shape::FileShape;
use arrow_schema::{Field, Schema};
use bedrock_batch_domain::problem::Problem;
use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

/// Numbers of what was found.
#[derive(Debug, Default)]
struct Counts {
    rows: u64,
    blank: u64,
    errors: u64,
    long: u64,
}

/// Reads the sheet with this name, by default the first one that is not hidden. If `with_types` is true, types are inferred.
///
/// # Errors
/// Returns `InvalidInput` if the file is not a workbook, has no such sheet or is over a limit, and an error if reading fails.
pub fn inspect_workbook(
    input: impl Read,
    file: &str,
    sheet: Option<&str>,
    with_types: bool,
) -> Result<FileShape, EngineError> {
    let Some(bytes) = read_container(input, file)? else {
        return Ok(FileShape::empty(Problem::without_value(file, "is empty").remedy("add rows")));
    };
    let mut workbook = Workbook::open(bytes, file, sheet)?;
    let mut counts = Counts::default();
    let mut types = Vec::new();
    let header = each_table_row(&mut workbook, file, |header, row| {
        types.resize(header.names.len(), CellType::Empty);
        counts.rows += 1;
        match row {
            TableRow::Blank => counts.blank += 1,
            TableRow::Cells(row) => {
                counts.errors += row.errors;
                counts.long += row.long;
                if with_types {
                    for (at, text) in header.cells(row) {
                        if let Some(cell) = types.get_mut(at) {
                            *cell = cell.and(CellType::of(text.as_bytes()));
                        }
                    }
                }
            }
        }
        Ok(true)
    })?;
    let Some(header) = header else { return Ok(FileShape::empty(no_header(file, &workbook.sheet))) };
    let merged = workbook.merged_areas()?;
    let further = sheet.is_none() && workbook.visible_sheets > 1;
    types.resize(header.names.len(), CellType::Empty);
    let fields = header.names.iter().map(|name| Field::new(name, CellType::Text.data_type(), true));
    Ok(FileShape {
        rows: counts.rows,
        schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())),
        types: with_types.then(|| ColumnTypes::new(header.names.iter().cloned().zip(types))),
        why_empty: Problem::without_value(file, "contains a header, but no rows").remedy("add rows"),
        warnings: warnings(&counts, merged, further, header.changed),
    })
}

fn warnings(counts: &Counts, merged: u64, has_further_sheets: bool, changed: u64) -> BTreeMap<String, u64> {
    let found = [
        ("cells of workbooks with an error such as #N/A, read as empty", counts.errors),
        ("whole numbers over 2^53 in workbooks, of which not all digits are kept", counts.long),
        ("blank rows between rows of workbooks, read as rows of empty cells", counts.blank),
        ("merged cells of workbooks, of which only the first has the value", merged),
        (
            "workbooks with further sheets, of which the first is read (`sheet` names another)",
            has_further_sheets.into(),
        ),
        (NAMES_CHANGED, changed),
    ];
    found.into_iter().filter(|(_, count)| *count > 0).map(|(text, count)| (text.to_owned(), count)).collect()
}
