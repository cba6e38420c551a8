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
    /// The record has doubled or escaped quotes, or text after a quote.
    Unusual,
}

/// Adds the fields of the record at the beginning of a text, up to its end or to where it cannot be read. The text does not begin with
/// the end of a line.
pub(super) fn split(text: &[u8], dialect: Dialect, fields: &mut ByteRecord) -> Split {
    let Dialect { delimiter, quote, escape } = dialect;
    let mut at = 0;
    loop {
        let rest = &text[at..];
        let (field, end) = match quote {
            Some(quote) if rest.first() == Some(&quote) => {
                let Some(length) = memchr(quote, &rest[1..]) else { return Split::Incomplete };
                let field = &rest[1..=length];
                if escape.is_some_and(|escape| memchr(escape, field).is_some()) {
                    return Split::Unusual;
                }
                (field, length + 2)
            }
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
