//! Records of a CSV in their usual form, which need no state machine: fields end at the next delimiter, or at the quote that closes
//! them. The fields of a long text are found many bytes at a time.

use super::csv_dialect::Dialect;
use csv::ByteRecord;
use memchr::{memchr, memchr3};

/// Result of looking for a record at the beginning of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Split {
    /// The record takes this number of bytes, with the character that ends it.
    Whole(usize),
    /// The record does not end in the text.
    Incomplete,
    /// The record has escaped characters, or text after a quote.
    Unusual,
}

/// Adds the fields of the record at the beginning of a text, up to its end or to where it cannot be read. The text does not begin with
/// the end of a line. `unquoted` is memory for fields with doubled quotes.
pub(super) fn split(text: &[u8], dialect: Dialect, unquoted: &mut Vec<u8>, fields: &mut ByteRecord) -> Split {
    let Dialect { delimiter, quote, .. } = dialect;
    let mut at = 0;
    loop {
        let rest = &text[at..];
        let (field, end) = match quote {
            Some(quote) if rest.first() == Some(&quote) => match quoted(rest, quote, dialect.escape, unquoted) {
                Ok(found) => found,
                Err(split) => return split,
            },
            _ => {
                let Some(end) = memchr3(delimiter, b'\n', b'\r', rest) else { return Split::Incomplete };
                (&rest[..end], end)
            }
        };
        let Some(after) = rest.get(end) else { return Split::Incomplete };
        match after {
            b'\n' | b'\r' => {
                fields.push_field(field);
                return Split::Whole(at + end + 1);
            }
            after if *after == delimiter => fields.push_field(field),
            _ => return Split::Unusual,
        }
        at += end + 1;
    }
}

/// Returns the content of the quoted field at the beginning of a text, and the place after its closing quote.
fn quoted<'a>(
    text: &'a [u8],
    quote: u8,
    escape: Option<u8>,
    unquoted: &'a mut Vec<u8>,
) -> Result<(&'a [u8], usize), Split> {
    unquoted.clear();
    let mut start = 1;
    loop {
        let part = &text[start..];
        let length = memchr(quote, part).ok_or(Split::Incomplete)?;
        if escape.is_some_and(|escape| memchr(escape, &part[..length]).is_some()) {
            return Err(Split::Unusual);
        }
        let end = start + length + 1;
        if text.get(end) != Some(&quote) {
            if start == 1 {
                return Ok((&text[1..end - 1], end));
            }
            unquoted.extend_from_slice(&part[..length]);
            return Ok((unquoted, end));
        }
        // A doubled quote is one of the content.
        unquoted.extend_from_slice(&text[start..end]);
        start = end + 1;
    }
}
