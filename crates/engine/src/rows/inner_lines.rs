//! Lines within a quoted cell. Two stray quotes make a cell of all rows between them, and the number of fields may fit
//! nevertheless: such a cell has lines with as many delimiters as the header.

use memchr::{memchr_iter, memchr2};

/// Minimum number of delimiters of lines that are rows beyond doubt. Lines of a letter have a comma each now and then.
const MIN_DELIMITERS: u64 = 10;

/// Lines of one cell so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct InnerLines {
    /// Number of line ends.
    ends: u64,
    /// Number of delimiters since the latest one.
    delimiters: u64,
    /// If true, a line has another number of delimiters than the header.
    is_text: bool,
    /// If true, the latest byte was a carriage return.
    has_return: bool,
}

impl InnerLines {
    /// Adds text of the cell; the header has `of_header` delimiters.
    pub(super) fn add(&mut self, text: &[u8], delimiter: u8, of_header: u64) {
        if self.is_text || of_header == 0 {
            return;
        }
        let mut rest = text;
        if self.has_return && !rest.is_empty() {
            self.has_return = false;
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(end) = memchr2(b'\n', b'\r', rest) {
            self.count(&rest[..end], delimiter);
            self.is_text = self.ends > 0 && self.delimiters != of_header;
            if self.is_text {
                return;
            }
            self.ends += 1;
            self.delimiters = 0;
            let is_return = rest[end] == b'\r';
            rest = &rest[end + 1..];
            self.has_return = is_return && rest.is_empty();
            if is_return {
                rest = rest.strip_prefix(b"\n").unwrap_or(rest);
            }
        }
        self.count(rest, delimiter);
    }

    /// Counts delimiters of a line, except of the first one: it is a part of a row at best.
    fn count(&mut self, text: &[u8], delimiter: u8) {
        if self.ends > 0 {
            self.delimiters += memchr_iter(delimiter, text).count() as u64;
        }
    }

    /// Returns the number of whole lines if all of them look like rows, and the last line like the beginning of one: with as
    /// many delimiters as there are before the cell.
    pub(super) fn rows(self, before: u64) -> u64 {
        if self.is_text || self.delimiters != before { 0 } else { self.ends.saturating_sub(1) }
    }

    /// Returns true if this number of lines cannot be text by chance.
    pub(super) fn are_rows(rows: u64, of_header: u64) -> bool {
        rows.saturating_mul(of_header) >= MIN_DELIMITERS
    }
}
