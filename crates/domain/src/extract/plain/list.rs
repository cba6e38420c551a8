//! Lists of flat objects, each with the `id` of a row, in one pass over the text.

use super::cell::PlainCell;
use super::fields::{PlainFields, Reading, cell_of};
use crate::extract::listed::{ID, row_number};
use crate::json_scanner::{JsonScanner, Scalar, Span};

/// Scanner of lists, whose memory is used again for the next list.
#[derive(Debug, Default)]
pub struct PlainLists {
    members: Vec<Member>,
    /// For each element, the end of its members.
    ends: Vec<usize>,
    /// For each row, the number of its elements, and the last one of them.
    rows: Vec<(usize, usize)>,
    strange: usize,
}

#[derive(Debug)]
struct Member {
    name: Span,
    /// Value as it is written.
    value: Span,
    scalar: Scalar,
}

/// Columns of the fields of an answer, among those of all answers.
#[derive(Debug, Clone, Copy)]
pub struct CellColumns<'a> {
    /// Column of each field.
    pub of_fields: &'a [usize],
    /// Number of columns.
    pub all: usize,
}

/// Answer to a row, without its `id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainAnswer {
    /// There are this many elements for the row, which is none or several.
    Elements(usize),
    /// The answer was appended, and the cells of its fields if that is true: else they are read in the general way.
    Appended(bool),
}

impl PlainLists {
    /// Reads the list that `text` is, the answer to a request of `rows` rows. Returns false for any other text, which is read in
    /// the general way.
    pub fn scan(&mut self, text: &str, rows: usize) -> bool {
        self.members.clear();
        self.ends.clear();
        self.rows.clear();
        self.rows.resize(rows, (0, 0));
        self.strange = 0;
        self.scan_list(text).unwrap_or(false)
    }

    fn scan_list(&mut self, text: &str) -> Option<bool> {
        let mut scanner = JsonScanner::new(text)?;
        let mut has_ids = false;
        let mut next = scanner.next_byte().filter(|byte| *byte == b'[').and_then(|_| scanner.next_byte())?;
        let is_empty = next == b']';
        while next != b']' {
            if next != b'{' {
                return None;
            }
            let (ids, row) = self.scan_object(&mut scanner, text)?;
            has_ids |= ids > 0;
            let place = row.filter(|_| ids == 1).and_then(|row| self.rows.get_mut(row.checked_sub(1)?));
            match place {
                Some(place) => *place = (place.0 + 1, self.ends.len()),
                None => self.strange += 1,
            }
            self.ends.push(self.members.len());
            next = match scanner.next_byte()? {
                b',' => scanner.next_byte().filter(|byte| *byte == b'{')?,
                b']' => b']',
                _ => return None,
            };
        }
        // Space that JSON does not have may surround an answer as well; that is left to the general way.
        let is_whole = scanner.next_byte().is_none() && scanner.is_at_end();
        Some(is_whole && (is_empty || has_ids))
    }

    /// Reads the members of an object whose bracket is consumed; returns the number of its ids, and the row of the last one.
    fn scan_object(&mut self, scanner: &mut JsonScanner<'_>, text: &str) -> Option<(usize, Option<usize>)> {
        let (mut ids, mut row) = (0, None);
        let mut next = scanner.next_byte()?;
        while next != b'}' {
            if next != b'"' {
                return None;
            }
            let (name, has_escapes) = scanner.rest_of_text()?;
            if has_escapes || scanner.next_byte()? != b':' {
                return None;
            }
            let (value, scalar) = scanner.scalar()?;
            if name.of(text).as_bytes() == ID {
                ids += 1;
                row = row_number(value.of(text).as_bytes());
            } else {
                self.members.push(Member { name, value, scalar });
            }
            next = match scanner.next_byte()? {
                b',' => scanner.next_byte().filter(|byte| *byte == b'"')?,
                b'}' => b'}',
                _ => return None,
            };
        }
        Some((ids, row))
    }

    /// Returns the number of elements that belong to no row.
    pub fn strange(&self) -> usize {
        self.strange
    }

    /// Appends the answer to a row (from 0) of the request whose list `text` is to `answers`, and the cells of its fields to
    /// `cells`, if `fields` reads them.
    pub fn read_row(
        &self,
        row: usize,
        text: &str,
        fields: Option<(&PlainFields, CellColumns<'_>)>,
        (answers, cells): (&mut String, &mut Vec<PlainCell>),
    ) -> PlainAnswer {
        let element = match self.rows.get(row) {
            Some((1, element)) => *element,
            Some((elements, _)) => return PlainAnswer::Elements(*elements),
            None => return PlainAnswer::Elements(0),
        };
        let begin = element.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let end = self.ends.get(element).copied().unwrap_or(begin);
        let members = self.members.get(begin..end).unwrap_or_default();
        let (answer, first_cell) = (answers.len(), cells.len());
        let mut reading = fields.map(|(fields, columns)| {
            cells.resize(first_cell + columns.all, PlainCell::Null);
            (fields, columns, Reading::default())
        });
        answers.push('{');
        for member in members {
            if answers.len() > answer + 1 {
                answers.push(',');
            }
            let name = member.name.of(text);
            answers.push_str(member.name.with_quotes().of(text));
            answers.push(':');
            let value = answers.len() - answer;
            answers.push_str(member.value.of(text));
            if let Some((fields, columns, progress)) = &mut reading {
                let field = fields.read(progress, name, (member.value, member.scalar), text);
                match (field, u32::try_from(value), u32::try_from(answers.len() - answer)) {
                    (Ok(field), Ok(begin), Ok(end)) => {
                        let column = field.and_then(|field| columns.of_fields.get(field));
                        if let Some(cell) = column.and_then(|column| cells.get_mut(first_cell + column)) {
                            *cell = cell_of(member.scalar, begin, end);
                        }
                    }
                    _ => reading = None,
                }
            }
        }
        answers.push('}');
        let is_read = reading.is_some_and(|(fields, _, reading)| fields.is_complete(&reading));
        if !is_read {
            cells.truncate(first_cell);
        }
        PlainAnswer::Appended(is_read)
    }
}
