//! Workbooks that cannot be read, in words that say what to do.

use bedrock_batch_domain::problem::{Problem, listed, shortened};

/// Remedy for workbooks over a limit: a CSV has none of these.
pub(super) const AS_CSV: &str = "save the sheet as CSV UTF-8 and name that file";
/// Remedy for files that are no workbooks.
const SAVE_AGAIN: &str = "open it in Excel and save it as Excel Workbook (.xlsx), or as CSV UTF-8";

/// Returns the problem of a file that is another kind of file by its first bytes.
pub(super) fn not_a_workbook(file: &str, head: &[u8]) -> Option<Problem> {
    let problem = |rule: &str, remedy: &str| Some(Problem::without_value(file, rule).remedy(remedy));
    match head {
        [b'P', b'K', 3, 4, ..] => None,
        [0xd0, 0xcf, 0x11, 0xe0, ..] => problem(
            "is protected by a password, or a workbook of Excel before 2007 (.xls)",
            "remove the password in Excel, or save it as Excel Workbook (.xlsx)",
        ),
        [b'P', b'A', b'R', b'1', ..] => problem("is a Parquet file, not an Excel workbook", "name it `.parquet`"),
        [b'{', ..] => problem("is JSON, not an Excel workbook", "name it `.jsonl` if it has one object per line"),
        _ => problem(
            "is not an Excel workbook (.xlsx)",
            "if it is text with a delimiter, name it `.csv`; else open it in Excel and save it as Excel Workbook (.xlsx)",
        ),
    }
}

pub(super) fn too_large(file: &str, max_bytes: u64) -> Problem {
    let rule = format!("has more than {} MiB", max_bytes >> 20);
    Problem::without_value(file, rule).remedy(AS_CSV)
}

/// Returns the problem of a part that takes too much memory or time.
pub(super) fn part_over_limit(file: &str, part: &str, rule: String) -> Problem {
    Problem::new(format!("{file} part"), part, rule).remedy(AS_CSV)
}

/// Returns the problem of a workbook that its reader refuses. Its messages may quote cells.
pub(super) fn damaged(file: &str, error: &dyn std::fmt::Display) -> Problem {
    let error = shortened(&error.to_string());
    Problem::without_value(file, format!("cannot be read as an Excel workbook: {error}")).remedy(SAVE_AGAIN)
}

pub(super) fn no_such_sheet(file: &str, sheet: &str, sheets: &[&str]) -> Problem {
    let rule = format!("{file} has no such sheet");
    Problem::new("sheet", sheet, rule).remedy(format!("its sheets are {}", listed(sheets)))
}

pub(super) fn no_sheet(file: &str) -> Problem {
    Problem::without_value(file, "has no sheet of cells that is not hidden").remedy("name a hidden one in `sheet`")
}

pub(super) fn no_header(file: &str, sheet: &str) -> Problem {
    let rule = "has no cells; its first row that is not blank has the names of the columns";
    Problem::new(format!("{file} sheet"), sheet, rule).remedy("name another sheet in `sheet`")
}

/// Returns the problem of a cell that belongs to no column.
pub(super) fn no_name(file: &str, row: u32, column: u32, header_row: u32) -> Problem {
    let rule = format!("has text, but its column has no name in row {header_row}, the first one that is not blank");
    let remedy = "name the column there, remove the text, or remove the rows above the names";
    Problem::without_value(format!("{file} cell {}{row}", column_letters(column)), rule).remedy(remedy)
}

pub(super) fn named_twice(file: &str, row: u32, column: u32, name: &str) -> Problem {
    let place = format!("{file} cell {}{row}", column_letters(column));
    match name {
        "" => Problem::without_value(place, "has no name for its column, as another one").remedy("name them"),
        name => Problem::new(place, name, "this column name occurs twice").remedy("rename one"),
    }
}

pub(super) fn out_of_order(file: &str, row: u32) -> Problem {
    damaged(file, &format_args!("its row {row} is not in its place"))
}

/// Returns the letters of a column, from `A` for 0.
fn column_letters(column: u32) -> String {
    let mut letters = Vec::new();
    let mut remainder = column + 1;
    while remainder > 0 {
        let digit = (remainder - 1) % 26;
        letters.insert(0, char::from(b'A' + u8::try_from(digit).unwrap_or_default()));
        remainder = (remainder - 1) / 26;
    }
    letters.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_letters() {
        let letters = [0, 25, 26, 701, 702, 16_383].map(column_letters);
        assert_eq!(letters, ["A", "Z", "AA", "ZZ", "AAA", "XFD"]);
    }
}
