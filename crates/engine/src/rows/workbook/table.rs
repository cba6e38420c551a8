//! The table of a sheet: names in the first row that is not blank, and rows below.

use super::problems::{named_twice, no_name};
use super::sheet::{SheetRow, Workbook};
use crate::error::EngineError;
use crate::rows::too_many_columns;
use bedrock_batch_domain::column_name::one_form;
use bedrock_batch_domain::problem::{Problem, Problems};
use std::collections::HashSet;

/// Maximum number of mistakes that a message names.
const MAX_MISTAKES: usize = 5;

/// Columns of the table.
#[derive(Debug, Clone)]
pub(super) struct Header {
    pub(super) names: Vec<String>,
    /// First column of the sheet that has a name, from 0.
    first: u32,
    row: u32,
    /// Number of names that were written in another form.
    pub(super) changed: u64,
}

/// Row of the table.
pub(super) enum TableRow<'a> {
    /// Row of empty cells, between others.
    Blank,
    /// Row with cells: places in the header, in order, and their texts.
    Cells(&'a SheetRow),
}

impl Header {
    fn of(row: &SheetRow, file: &str) -> Result<Self, Problems> {
        let mut header = Self { names: Vec::new(), first: 0, row: row.number, changed: 0 };
        for (column, text) in row.cells() {
            let name = one_form(text);
            if name.is_empty() {
                continue;
            }
            if header.names.is_empty() {
                header.first = column;
            }
            header.names.resize((column - header.first) as usize, String::new());
            header.changed += u64::from(name != text);
            header.names.push(name.into_owned());
        }
        Problems::check(too_many_columns(file, header.names.len()).into_iter().collect())?;
        let mut seen = HashSet::new();
        let twice = header.names.iter().zip(header.first..).filter(|(name, _)| !seen.insert(name.as_str()));
        Problems::check(twice.map(|(name, column)| named_twice(file, row.number, column, name)).collect())?;
        Ok(header)
    }

    /// Returns the cells of a row with the places of their columns in the header.
    pub(super) fn cells<'a>(&self, row: &'a SheetRow) -> impl Iterator<Item = (usize, &'a str)> {
        let first = self.first;
        let placed = row.cells().filter_map(move |(column, text)| Some((column.checked_sub(first)? as usize, text)));
        placed.take_while({
            let columns = self.names.len();
            move |(at, _)| *at < columns
        })
    }

    /// Returns the problem of the first cell that has text and no column.
    fn check(&self, row: &SheetRow, file: &str) -> Option<Problem> {
        let has_column =
            |column: u32| column.checked_sub(self.first).is_some_and(|at| (at as usize) < self.names.len());
        let mut others = row.cells().filter(|(column, text)| !has_column(*column) && !text.trim().is_empty());
        others.next().map(|(column, _)| no_name(file, row.number, column, self.row))
    }
}

/// Calls `visit` with the header and each row of the table, until it returns false. Returns the header, if there is one.
///
/// # Errors
/// Returns `InvalidInput` with the first mistakes of the table, and the errors of `visit`.
pub(super) fn each_table_row(
    workbook: &mut Workbook,
    file: &str,
    mut visit: impl FnMut(&Header, TableRow<'_>) -> Result<bool, EngineError>,
) -> Result<Option<Header>, EngineError> {
    let mut header: Option<Header> = None;
    let mut next_row = 0;
    let mut mistakes = Vec::new();
    workbook.each_row(|row| {
        let Some(header) = &header else {
            let found = Header::of(row, file)?;
            // A row of nothing but white space does not name columns.
            if !found.names.is_empty() {
                header = Some(found);
                next_row = row.number + 1;
            }
            return Ok(true);
        };
        mistakes.extend(header.check(row, file));
        if !mistakes.is_empty() {
            return Ok(mistakes.len() < MAX_MISTAKES);
        }
        for _ in next_row..row.number {
            if !visit(header, TableRow::Blank)? {
                return Ok(false);
            }
        }
        next_row = row.number + 1;
        visit(header, TableRow::Cells(row))
    })?;
    Problems::check(mistakes)?;
    Ok(header)
}
