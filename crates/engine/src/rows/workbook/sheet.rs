//! Rows of the sheet of a workbook that is read, in order.

use super::cell_value::{CellNote, push_cell};
use super::problems::{damaged, no_sheet, no_such_sheet, out_of_order};
use crate::error::EngineError;
use bedrock_batch_domain::problem::Problem;
use bytes::Bytes;
use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx, XlsxError};
use std::io::Cursor;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Maximum number of rows of a sheet, in Excel as here.
const MAX_ROWS: u32 = 1_048_576;
/// Maximum number of columns of a sheet.
const MAX_SHEET_COLUMNS: u32 = 16_384;

/// Row with at least one cell that has a value.
#[derive(Debug, Default)]
pub(super) struct SheetRow {
    /// Number of the row, from 1.
    pub(super) number: u32,
    text: String,
    /// Columns, from 0 and in order, with the places of their texts.
    cells: Vec<(u32, Range<usize>)>,
    /// Number of cells with an error.
    pub(super) errors: u64,
    /// Number of cells whose last digits may be wrong.
    pub(super) long: u64,
}

impl SheetRow {
    /// Returns the cells that have a value, in the order of their columns.
    pub(super) fn cells(&self) -> impl Iterator<Item = (u32, &str)> {
        self.cells.iter().map(|(column, range)| (*column, self.text.get(range.clone()).unwrap_or_default()))
    }

    /// Returns the size of all texts.
    pub(super) fn bytes(&self) -> usize {
        self.text.len()
    }

    fn begin(&mut self, number: u32) {
        self.number = number;
        self.text.clear();
        self.cells.clear();
        (self.errors, self.long) = (0, 0);
    }

    fn is_blank(&self) -> bool {
        self.cells.is_empty() && self.errors == 0
    }

    /// Adds a cell. Returns false if the row has it already, or has one after it.
    fn push(&mut self, column: u32, value: &DataRef<'_>) -> bool {
        let begin = self.text.len();
        match push_cell(&mut self.text, value) {
            CellNote::IsError => self.errors += 1,
            CellNote::IsLong => self.long += 1,
            CellNote::Nothing => {}
        }
        if self.text.len() == begin {
            return true;
        }
        let is_next = self.cells.last().is_none_or(|(last, _)| *last < column);
        self.cells.push((column, begin..self.text.len()));
        is_next
    }
}

/// Workbook that was checked.
pub(super) struct Workbook {
    xlsx: Xlsx<Cursor<Bytes>>,
    file: String,
    /// Name of the sheet that is read.
    pub(super) sheet: String,
    /// Number of the sheets of cells that are not hidden.
    pub(super) visible_sheets: usize,
}

impl Workbook {
    /// Opens a workbook to read the sheet with this name, by default the first one that is not hidden.
    ///
    /// # Errors
    /// Returns a problem if the workbook is damaged or has no such sheet.
    pub(super) fn open(bytes: Bytes, file: &str, sheet: Option<&str>) -> Result<Self, Problem> {
        let xlsx: Xlsx<_> = caught(file, || Xlsx::new(Cursor::new(bytes)))?;
        let sheets = &xlsx.sheets_metadata().to_vec();
        let of_cells = || sheets.iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
        let visible = || of_cells().filter(|sheet| sheet.visible == SheetVisible::Visible);
        let found = match sheet {
            Some(name) => of_cells().find(|sheet| sheet.name == name).ok_or_else(|| {
                let names: Vec<&str> = of_cells().map(|sheet| sheet.name.as_str()).collect();
                no_such_sheet(file, name, &names)
            })?,
            None => visible().next().ok_or_else(|| no_sheet(file))?,
        };
        let (sheet, visible_sheets) = (found.name.clone(), visible().count());
        Ok(Self { xlsx, file: file.to_owned(), sheet, visible_sheets })
    }

    /// Returns the number of merged areas of the sheet.
    ///
    /// # Errors
    /// Returns a problem if the sheet is damaged.
    pub(super) fn merged_areas(&mut self) -> Result<u64, Problem> {
        let areas = caught(&self.file, || self.xlsx.merge_cells_by_sheet_name(&self.sheet))?;
        Ok(areas.len() as u64)
    }

    /// Calls `row` with each row that is not blank, until it returns false.
    ///
    /// # Errors
    /// Returns a problem if the sheet is damaged, and the errors of `row`.
    pub(super) fn each_row(
        &mut self,
        mut row: impl FnMut(&SheetRow) -> Result<bool, EngineError>,
    ) -> Result<(), EngineError> {
        let file = self.file.as_str();
        let mut cells = caught(file, || self.xlsx.worksheet_cells_reader(&self.sheet))?;
        let mut current = SheetRow::default();
        loop {
            let cell = caught(file, || cells.next_cell())?;
            let place = cell.as_ref().map(|cell| cell.get_position());
            let number = place.map(|(row, _)| row.saturating_add(1));
            if number != Some(current.number) {
                if !current.is_blank() && !row(&current)? {
                    return Ok(());
                }
                let Some(number) = number else { return Ok(()) };
                if number < current.number || number > MAX_ROWS {
                    return Err(out_of_order(file, number).into());
                }
                current.begin(number);
            }
            if let (Some(cell), Some((_, column))) = (cell, place)
                && (column >= MAX_SHEET_COLUMNS || !current.push(column, cell.get_value()))
            {
                return Err(out_of_order(file, current.number).into());
            }
        }
    }
}

/// Calls the reader of workbooks, which may panic for damaged ones. What it has read into must not be used after an error.
fn caught<T>(file: &str, read: impl FnOnce() -> Result<T, XlsxError>) -> Result<T, Problem> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(read) => read.map_err(|error| damaged(file, &error)),
        Err(_) => Err(damaged(file, &"its parts contradict each other")),
    }
}
