//! Excel workbooks (`.xlsx`, `.xlsm`): one sheet as a table of text, in batches.

mod cell_value;
mod container;
mod inspect;
mod limited_part;
mod problems;
mod read;
mod sheet;
mod table;

pub use inspect::inspect_workbook;
pub use read::WorkbookRows;

#[cfg(test)]
mod tests;
