//! Parts of a record's line: escaped text, and the places of cells.

use crate::json_text::push_escaped;
use crate::prompt::{Piece, Template};
use std::collections::BTreeSet;
use std::io::Write as _;

/// Part of a record's line.
#[derive(Debug, Clone)]
pub(super) enum Segment {
    /// Literal text, already escaped.
    Escaped(Vec<u8>),
    /// Cell of the column with this index.
    Cell(usize),
    /// Number of the row within its request.
    RowNumber,
}

/// Returns the segments of a template. Columns that are not among `columns` yet are added.
pub(super) fn segments_of(template: &Template, columns: &mut Vec<String>) -> Vec<Segment> {
    let segments = template.pieces().iter().map(|piece| match piece {
        Piece::Literal(literal) => {
            let mut escaped = Vec::with_capacity(literal.len());
            push_escaped(&mut escaped, literal);
            Segment::Escaped(escaped)
        }
        Piece::Column(name) => Segment::Cell(index_of(name, columns)),
    });
    segments.collect()
}

fn index_of(name: &str, columns: &mut Vec<String>) -> usize {
    columns.iter().position(|column| column == name).unwrap_or_else(|| {
        columns.push(name.to_owned());
        columns.len() - 1
    })
}

/// Appends segments. `number` is that of the row within its request, and `cell(i)` the row's cell of column `i`.
pub(super) fn push_segments<'a>(
    line: &mut Vec<u8>,
    segments: &[Segment],
    number: usize,
    cell: &impl Fn(usize) -> &'a str,
) {
    for segment in segments {
        match segment {
            Segment::Escaped(literal) => line.extend_from_slice(literal),
            Segment::Cell(index) => push_escaped(line, cell(*index)),
            Segment::RowNumber => {
                // Writing to memory cannot fail.
                let _ = write!(line, "{number}");
            }
        }
    }
}

/// Marks of the cells of system prompt and prefill, while the JSON around the text of a record is rendered: the index of a
/// column between two characters that occur nowhere else in it, and that JSON does not escape.
#[derive(Debug, Clone, Copy)]
pub(super) struct CellMarks(char);

impl CellMarks {
    /// Chooses marks that do not occur in these texts.
    pub(super) fn absent_from<'t>(texts: impl Iterator<Item = &'t str>) -> Self {
        let used: BTreeSet<char> = texts.flat_map(str::chars).filter(|char| *char >= '\u{e000}').collect();
        // All of them would be an input of megabytes that consists of nothing else.
        let mut private_use = ('\u{e000}'..='\u{f8ff}').chain('\u{f0000}'..='\u{ffffd}');
        Self(private_use.find(|mark| !used.contains(mark)).unwrap_or('\u{10fffd}'))
    }

    /// Returns the text of a template, with marks in place of its columns. Columns that are not among `columns` yet are added.
    pub(super) fn marked(self, template: &Template, columns: &mut Vec<String>) -> String {
        let texts = template.pieces().iter().map(|piece| match piece {
            Piece::Literal(text) => text.clone(),
            Piece::Column(name) => format!("{0}{1}{0}", self.0, index_of(name, columns)),
        });
        texts.collect()
    }

    /// Returns the segments of JSON with marks.
    pub(super) fn segments_of(self, json: &str) -> Vec<Segment> {
        let parts = json.split(self.0).enumerate().map(|(at, part)| match part.parse() {
            Ok(index) if at % 2 == 1 => Segment::Cell(index),
            _ => Segment::Escaped(part.as_bytes().to_vec()),
        });
        parts.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_no_characters_of_the_texts() {
        let texts = ["a\u{e000}", "\u{e001}b"];
        let marks = CellMarks::absent_from(texts.into_iter());
        assert_eq!(marks.0, '\u{e002}');
        let mut columns = vec!["x".to_owned()];
        let template = Template::of_names("a{y}b{x}", |_| true);
        let marked = marks.marked(&template, &mut columns);
        let mut line = Vec::new();
        push_segments(&mut line, &marks.segments_of(&marked), 1, &|index| ["<\">", "7"][index]);
        assert_eq!((columns, line.as_slice()), (vec!["x".to_owned(), "y".to_owned()], br#"a7b<\">"#.as_slice()));
    }
}
