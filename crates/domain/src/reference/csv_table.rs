//! Strict reader of a small CSV table (RFC 4180) with a header. Readers of row files are in the engine, and work on streams.

use crate::problem::listed;
use std::collections::HashSet;

/// Parsed table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CsvTable {
    /// Names of the columns.
    pub(super) header: Vec<String>,
    /// Cells of the rows, without the header. All rows have as many cells as the header.
    pub(super) rows: Vec<Vec<String>>,
}

impl CsvTable {
    /// Parses and checks a table.
    ///
    /// # Errors
    /// Returns the rule that the text breaks.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut records = records(text)?.into_iter();
        let header = records.next().map(|(_, header)| header).unwrap_or_default();
        let mut names = HashSet::new();
        for (at, name) in header.iter().enumerate() {
            if name.trim().is_empty() {
                return Err(format!("has no name for column {} in its first line, the header", at + 1));
            }
            if !names.insert(name) {
                return Err(format!("names the column {} twice in its header", listed(&[name])));
            }
        }
        let mut rows = Vec::new();
        for (line, row) in records {
            if row.len() != header.len() {
                let (cells, columns) = (row.len(), header.len());
                return Err(format!("has {cells} cells at line {line}, but its header names {columns} columns"));
            }
            rows.push(row);
        }
        if rows.is_empty() {
            return Err("has no rows after its first line, which is the header".to_owned());
        }
        Ok(Self { header, rows })
    }
}

/// Returns the records with the line at which each begins, without empty lines.
fn records(text: &str) -> Result<Vec<(usize, Vec<String>)>, String> {
    let mut records = Vec::new();
    let (mut line, mut begin) = (1, 1);
    let mut record: Vec<String> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (cell, was_quoted, after) = cell(rest, line)?;
        line += rest[..rest.len() - after.len()].matches('\n').count();
        record.push(cell);
        rest = after;
        if let Some(next) = rest.strip_prefix(',') {
            rest = next;
            if rest.is_empty() {
                record.push(String::new());
            } else {
                continue;
            }
        }
        let is_empty_line = !was_quoted && record.len() == 1 && record.iter().all(String::is_empty);
        let ended = std::mem::take(&mut record);
        if !is_empty_line {
            records.push((begin, ended));
        }
        let next = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n'));
        line += usize::from(next.is_some());
        rest = next.unwrap_or(rest);
        begin = line;
    }
    Ok(records)
}

/// Returns the cell at the beginning of `text`, whether it was quoted, and the text after it, which begins with its delimiter.
fn cell(text: &str, line: usize) -> Result<(String, bool, &str), String> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', '\n']).unwrap_or(text.len());
        let end = if text[end..].starts_with('\n') && text[..end].ends_with('\r') { end - 1 } else { end };
        return Ok((text[..end].to_owned(), false, &text[end..]));
    };
    let mut cell = String::new();
    let mut rest = quoted;
    loop {
        let Some(end) = rest.find('"') else {
            return Err(format!("has a quote at line {line} that does not end"));
        };
        cell.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                cell.push('"');
                rest = after;
            }
            None if rest.is_empty() || rest.starts_with([',', '\n']) || rest.starts_with("\r\n") => {
                return Ok((cell, true, rest));
            }
            None => return Err(format!("has text after a closing quote in the cell that begins at line {line}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn table(header: &[&str], rows: &[&[&str]]) -> CsvTable {
        let texts = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
        CsvTable { header: texts(header), rows: rows.iter().map(|row| texts(row)).collect() }
    }

    #[rstest]
    #[case("a,b\n1,2", table(&["a", "b"], &[&["1", "2"]]))]
    #[case("a,b\r\n1,2\r\n\r\n3,\r\n", table(&["a", "b"], &[&["1", "2"], &["3", ""]]))]
    #[case("a\n\"x, \"\"y\"\"\n z\"\n", table(&["a"], &[&["x, \"y\"\n z"]]))]
    #[case("a,b\n,", table(&["a", "b"], &[&["", ""]]))]
    #[case("a\n\"\"\n", table(&["a"], &[&[""]]))]
    #[case("a\n5\" tube\n", table(&["a"], &[&["5\" tube"]]))]
    fn tables_are_read(#[case] text: &str, #[case] expected: CsvTable) {
        assert_eq!(CsvTable::parse(text), Ok(expected));
    }

    #[rstest]
    #[case("a,b\n1,2\n\n1,2,3", "has 3 cells at line 4, but its header names 2 columns")]
    #[case("a,b\n\"x\ny\",2\n1", "has 1 cells at line 4, but")]
    #[case("a,\n1,2", "has no name for column 2 in its first line, the header")]
    #[case("a,b,a\n1,2,3", "names the column `a` twice in its header")]
    #[case("a,b\n", "has no rows after its first line, which is the header")]
    #[case("", "has no rows after its first line")]
    #[case("a\n1\n\"x\ny", "has a quote at line 3 that does not end")]
    #[case("a\n\"x\"y", "has text after a closing quote in the cell that begins at line 2")]
    fn mistakes_are_reported_with_their_line(#[case] text: &str, #[case] expected: &str) {
        let rule = CsvTable::parse(text).unwrap_err();
        assert!(rule.starts_with(expected), "{rule}");
    }

    #[test]
    fn a_header_of_very_many_names_is_read_in_linear_time() {
        // A list of codes in one line. Compared with each other, these names would take minutes.
        let names: Vec<String> = (0..400_000).map(|code| format!("A{code:06}")).collect();
        let rule = CsvTable::parse(&names.join(",")).unwrap_err();
        assert_eq!(rule, "has no rows after its first line, which is the header");
    }

    proptest! {
        #[test]
        fn what_is_written_with_quotes_is_read(rows in prop::collection::vec(prop::collection::vec("[a,\"\r\n ü]{0,5}", 3), 1..5)) {
            let written = |cells: &Vec<String>| {
                let quoted: Vec<String> = cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
                quoted.join(",") + "\r\n"
            };
            let text: String = std::iter::once("x,y,z\n".to_owned()).chain(rows.iter().map(written)).collect();
            prop_assert_eq!(CsvTable::parse(&text).unwrap().rows, rows);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[a,\"\r\n]{0,30}") {
            if let Ok(table) = CsvTable::parse(&text) {
                prop_assert!(table.rows.iter().all(|row| row.len() == table.header.len()));
            }
        }
    }
}
