//! Kinds of files that people upload under the name of a table of text, by their first bytes.

use super::text_kind::TextKind;

/// Kind of a file that is not a table of text.
#[derive(Debug)]
pub(super) struct FileKind {
    /// The kind as part of a sentence: "is …".
    pub(super) name: String,
    pub(super) remedy: &'static str,
}

/// First bytes, the kind, and the remedy.
const FILES: [(&[u8], &str, &str); 11] = [
    (b"PAR1", "a Parquet file", "name it `.parquet`"),
    (
        b"PK\x03\x04",
        "a zip archive, perhaps an Excel workbook (.xlsx)",
        "name it `.xlsx` if it is a workbook; else unpack it",
    ),
    (b"PK\x05\x06", "an empty zip archive", "upload the file that was to be in it"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook (.xls)", "save it as Excel Workbook (.xlsx), or the sheet as CSV UTF-8"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it"),
    (b"%PDF-", "a PDF", "export the table as CSV"),
    (b"SQLite format 3\0", "a SQLite database", "export the table as CSV"),
    (b"ORC", "an ORC file", "convert it to Parquet"),
    (b"Obj\x01", "an Avro file", "convert it to Parquet"),
    (b"ARROW1\0\0", "an Arrow or Feather file", "convert it to Parquet"),
    (b"{\\rtf", "a document in rich text", "save it as plain text"),
];

/// The same of files in compressions that are not read. What is in them may well be a table.
const COMPRESSED: [(&[u8], &str, &str); 4] = [
    (b"\xfd7zXZ\0", "a file compressed with xz", "compress it with gzip, zstd or bzip2"),
    (b"\x04\x22\x4d\x18", "a file compressed with LZ4", "compress it with gzip, zstd or bzip2"),
    (b"\xff\x06\0\0sNaPpY", "a file compressed with Snappy", "compress it with gzip, zstd or bzip2"),
    // One layer of compression has been removed.
    (b"\x1f\x8b\x08", "a file that was compressed twice", "decompress it once before the upload"),
];

/// Returns the kind of a file that begins with these bytes, if it is another one than expected.
pub(super) fn other_than(expected: TextKind, head: &[u8]) -> Option<FileKind> {
    // A header may begin with the word ORC.
    let is_kind = |magic: &[u8]| head.starts_with(magic) && (magic != b"ORC" || head.get(3).is_some_and(|b| *b < b' '));
    if let Some((_, name, remedy)) = COMPRESSED.iter().find(|(magic, _, _)| is_kind(magic)) {
        return Some(FileKind { name: (*name).to_owned(), remedy });
    }
    let found = FILES.iter().find(|(magic, _, _)| is_kind(magic)).map(|(_, name, remedy)| (*name, *remedy));
    let (name, remedy) = found.or_else(|| markup(expected, head))?;
    Some(FileKind { name: format!("{name}, not {}", expected.name()), remedy })
}

/// Pages of HTML and values of JSON are text, but not the expected table.
fn markup(expected: TextKind, head: &[u8]) -> Option<(&'static str, &'static str)> {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let begins = |word: &[u8]| head.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word));
    if begins(b"<!doctype") || begins(b"<html") {
        let remedy = "download the file again: such a page often is the message of an error, or of a login";
        return Some(("an HTML page", remedy));
    }
    if begins(b"<?xml") {
        return Some(("an XML document", "export the table as CSV"));
    }
    match expected {
        TextKind::Csv => {
            let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let is_object = begins(b"{") && serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok();
            is_object.then_some(("JSON", "name it `.jsonl` if it has one object per line, or convert it to CSV"))
        }
        TextKind::JsonLines => {
            begins(b"[").then_some(("a JSON list", "write its elements as lines: `jq -c '.[]' FILE > FILE.jsonl`"))
        }
    }
}
