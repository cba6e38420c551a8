//! Human-readable tables: side by side in columns if they fit the terminal, else one cell per line.

use bedrock_batch_domain::printable;
use console::{measure_text_width, pad_str, truncate_str};
use std::borrow::Cow;

/// Header and cells, each a single line of text.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// Maximum width of a cell.
const MAX_CELL_WIDTH: usize = 64;
/// Width below which columns are not narrowed.
const MIN_COLUMN_WIDTH: usize = 16;
/// Space between two columns, and before the first.
const GAP: usize = 2;

impl Table {
    /// Formats the table for a terminal of this width. Empty columns are omitted, such as `error` if no row failed.
    pub(crate) fn lines(mut self, terminal: Option<usize>) -> Vec<String> {
        for column in (0..self.header.len()).rev() {
            if self.rows.iter().all(|row| row[column].is_empty()) {
                self.header.remove(column);
                self.rows.iter_mut().for_each(|row| {
                    row.remove(column);
                });
            }
        }
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row.get(column).map_or(0, |cell| measure_text_width(cell)));
            let widest = cells.max().unwrap_or(0).min(MAX_CELL_WIDTH);
            widest.max(measure_text_width(&self.header[column]))
        };
        let natural: Vec<usize> = (0..self.header.len()).map(width).collect();
        match terminal {
            None => self.columns(&natural),
            Some(terminal) => match narrowed(natural, terminal) {
                Some(widths) => self.columns(&widths),
                None => self.stacked(terminal),
            },
        }
    }

    fn columns(&self, widths: &[usize]) -> Vec<String> {
        let dashes: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
        let line = |cells: &Vec<String>| {
            let cells: Vec<String> = cells.iter().zip(widths).map(|(cell, width)| padded(cell, *width)).collect();
            format!("  {}", cells.join("  ")).trim_end().to_owned()
        };
        [&self.header, &dashes].into_iter().chain(&self.rows).map(line).collect()
    }

    /// Formats the first cell of each row with the remaining ones below it, each with the name of its column.
    fn stacked(&self, terminal: usize) -> Vec<String> {
        let names = self.header.iter().map(|name| measure_text_width(name)).max().unwrap_or(0);
        let room = terminal.saturating_sub(names + 3 * GAP).max(MIN_COLUMN_WIDTH);
        let mut lines = Vec::new();
        for row in &self.rows {
            for (column, cell) in row.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
                let indent = if column == 0 { "" } else { "  " };
                let name = padded(&self.header[column], names + GAP - indent.len());
                lines.push(format!("  {indent}{name}  {}", truncate_str(cell, room, "…")));
            }
        }
        lines
    }
}

fn padded(cell: &str, width: usize) -> String {
    let cut: Cow<'_, str> = truncate_str(cell, width, "…");
    pad_str(&cut, width, console::Alignment::Left, None).into_owned()
}

/// Narrows the widest columns until all fit; returns `None` if that is not possible.
fn narrowed(mut widths: Vec<usize>, terminal: usize) -> Option<Vec<usize>> {
    let needed = |widths: &[usize]| widths.iter().map(|width| width + GAP).sum::<usize>();
    while needed(&widths) > terminal {
        let widest = widths.iter_mut().max().filter(|widest| **widest > MIN_COLUMN_WIDTH)?;
        *widest -= 1;
    }
    Some(widths)
}

/// Maximum number of characters that are kept of a cell: more than any terminal shows. A width alone does not limit it,
/// since characters may have none.
const MAX_CELL_CHARS: usize = 2000;

/// Returns a cell as one line without hidden characters, with single spaces in place of whitespace and line breaks.
pub(crate) fn single_line(text: &str) -> String {
    let cut: String = text.chars().take(MAX_CELL_CHARS).collect();
    let end = if cut.len() < text.len() { "…" } else { "" };
    printable::line(&cut.split_whitespace().collect::<Vec<_>>().join(" ")) + end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(cells: &[&[&str]]) -> Table {
        let mut rows = cells.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect());
        Table { header: rows.next().unwrap(), rows: rows.collect() }
    }

    #[test]
    fn columns_are_as_wide_as_their_cells_and_empty_ones_are_omitted() {
        let lines = table(&[&["id", "topic", "error"], &["1", "a cat", ""], &["2", "寝袋", ""]]).lines(None);
        assert_eq!(lines, ["  id  topic", "  --  -----", "  1   a cat", "  2   寝袋"]);
    }

    #[test]
    fn long_cells_are_truncated() {
        let lines = table(&[&["id", "text"], &["1", &"long ".repeat(50)]]).lines(None);
        assert_eq!(measure_text_width(&lines[2]), 2 + 2 + 2 + MAX_CELL_WIDTH);
        assert!(lines[2].ends_with('…'));
    }

    #[test]
    fn no_cell_controls_the_terminal() {
        let cell = "a\u{1b}]8;;http://x\u{1b}\\b\r\nc\u{202e}\u{9b}2J".to_owned() + &"\u{301}".repeat(100_000);
        let shown = single_line(&cell);
        assert!(shown.starts_with("a�]8;;http://x�\\b c��2J"), "{shown:?}");
        assert!(!shown.contains(printable::is_hidden) && shown.chars().count() <= MAX_CELL_CHARS + 1);
    }

    #[test]
    fn a_narrow_terminal_narrows_the_widest_columns() {
        let long = "word ".repeat(12);
        let lines = table(&[&["id", "text", "more"], &["1", &long, "short"]]).lines(Some(40));
        assert!(lines.iter().all(|line| measure_text_width(line) <= 40), "{lines:#?}");
        assert!(lines[2].ends_with("…  short"), "{lines:#?}");
    }

    #[test]
    fn columns_that_do_not_fit_are_stacked() {
        let header: Vec<String> = (0..9).map(|number| format!("column_{number}")).collect();
        let cells: Vec<String> = (0..9).map(|number| format!("{number} {}", "word ".repeat(9))).collect();
        let lines = Table { header, rows: vec![cells.clone(), cells] }.lines(Some(60));
        assert_eq!(lines.len(), 18);
        assert!(lines[0].starts_with("  column_0    0 word"), "{lines:#?}");
        assert!(lines[1].starts_with("    column_1  1 word"), "{lines:#?}");
        assert!(lines.iter().all(|line| measure_text_width(line) <= 60), "{lines:#?}");
    }
}
