//! Rows for people: in columns where there is room for them, else one below the other.

use console::{measure_text_width, pad_str, truncate_str};
use std::borrow::Cow;

/// Cells as text, each on one line.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// The widest cell of a table.
const WIDEST: usize = 64;
/// Columns are not cut down to less than this.
const NARROWEST: usize = 16;
/// Between two columns, and before the first.
const GAP: usize = 2;

impl Table {
    /// The lines of the table, for a terminal of this width. Without the columns in which nothing stands, such as `error`
    /// where all went well.
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
            let widest = cells.max().unwrap_or(0).min(WIDEST);
            widest.max(measure_text_width(&self.header[column]))
        };
        let natural: Vec<usize> = (0..self.header.len()).map(width).collect();
        match terminal {
            None => self.side_by_side(&natural),
            Some(terminal) => match narrowed(natural, terminal) {
                Some(widths) => self.side_by_side(&widths),
                None => self.one_below_the_other(terminal),
            },
        }
    }

    fn side_by_side(&self, widths: &[usize]) -> Vec<String> {
        let dashes: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
        let line = |cells: &Vec<String>| {
            let cells: Vec<String> = cells.iter().zip(widths).map(|(cell, width)| padded(cell, *width)).collect();
            format!("  {}", cells.join("  ")).trim_end().to_owned()
        };
        [&self.header, &dashes].into_iter().chain(&self.rows).map(line).collect()
    }

    /// The first cell, the rest below it, each with its name.
    fn one_below_the_other(&self, terminal: usize) -> Vec<String> {
        let names = self.header.iter().map(|name| measure_text_width(name)).max().unwrap_or(0);
        let room = terminal.saturating_sub(names + 3 * GAP).max(NARROWEST);
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

/// The widths, the widest ones cut until all fit; `None` if they cannot.
fn narrowed(mut widths: Vec<usize>, terminal: usize) -> Option<Vec<usize>> {
    let needed = |widths: &[usize]| widths.iter().map(|width| width + GAP).sum::<usize>();
    while needed(&widths) > terminal {
        let widest = widths.iter_mut().max().filter(|widest| **widest > NARROWEST)?;
        *widest -= 1;
    }
    Some(widths)
}

/// A text on one line.
pub(crate) fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(cells: &[&[&str]]) -> Table {
        let mut rows = cells.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect());
        Table { header: rows.next().unwrap(), rows: rows.collect() }
    }

    #[test]
    fn columns_are_as_wide_as_their_cells_and_empty_ones_are_left_out() {
        let lines = table(&[&["id", "topic", "error"], &["1", "a cat", ""], &["2", "寝袋", ""]]).lines(None);
        assert_eq!(lines, ["  id  topic", "  --  -----", "  1   a cat", "  2   寝袋"]);
    }

    #[test]
    fn long_cells_are_cut() {
        let lines = table(&[&["id", "text"], &["1", &"long ".repeat(50)]]).lines(None);
        assert_eq!(measure_text_width(&lines[2]), 2 + 2 + 2 + WIDEST);
        assert!(lines[2].ends_with('…'));
    }

    #[test]
    fn a_narrow_terminal_cuts_the_widest_columns() {
        let long = "word ".repeat(12);
        let lines = table(&[&["id", "text", "more"], &["1", &long, "short"]]).lines(Some(40));
        assert!(lines.iter().all(|line| measure_text_width(line) <= 40), "{lines:#?}");
        assert!(lines[2].ends_with("…  short"), "{lines:#?}");
    }

    #[test]
    fn many_columns_stand_below_each_other() {
        let header: Vec<String> = (0..9).map(|number| format!("column_{number}")).collect();
        let cells: Vec<String> = (0..9).map(|number| format!("{number} {}", "word ".repeat(9))).collect();
        let lines = Table { header, rows: vec![cells.clone(), cells] }.lines(Some(60));
        assert_eq!(lines.len(), 18);
        assert!(lines[0].starts_with("  column_0    0 word"), "{lines:#?}");
        assert!(lines[1].starts_with("    column_1  1 word"), "{lines:#?}");
        assert!(lines.iter().all(|line| measure_text_width(line) <= 60), "{lines:#?}");
    }
}
