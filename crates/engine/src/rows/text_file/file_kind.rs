//! Kinds of files that people upload under the name of a CSV, by their first bytes.

/// Kind of a file that is not a table of text.
pub(super) struct FileKind {
    /// The kind as part of a sentence: "is …".
    pub(super) name: &'static str,
    pub(super) remedy: &'static str,
}

/// First bytes, the kind, and the remedy.
const KINDS: [(&[u8], &str, &str); 15] = [
    (b"PAR1", "a Parquet file, not a CSV", "name it `.parquet`"),
    (
        b"PK\x03\x04",
        "a zip archive, perhaps an Excel workbook (.xlsx), not a CSV",
        "save the sheet as CSV UTF-8, or unpack it",
    ),
    (b"PK\x05\x06", "an empty zip archive, not a CSV", "upload the file that was to be in it"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook (.xls), not a CSV", "save the sheet as CSV UTF-8"),
    (b"\xfd7zXZ\0", "a file compressed with xz", "compress it with gzip, zstd or bzip2"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive, not a CSV", "unpack it"),
    (b"\x04\x22\x4d\x18", "a file compressed with LZ4", "compress it with gzip, zstd or bzip2"),
    (b"\xff\x06\0\0sNaPpY", "a file compressed with Snappy", "compress it with gzip, zstd or bzip2"),
    // One layer of compression has been removed.
    (b"\x1f\x8b\x08", "a file that was compressed twice", "decompress it once before the upload"),
    (b"%PDF-", "a PDF, not a CSV", "export the table as CSV"),
    (b"SQLite format 3\0", "a SQLite database, not a CSV", "export the table as CSV"),
    (b"ORC", "an ORC file, not a CSV", "convert it to Parquet"),
    (b"Obj\x01", "an Avro file, not a CSV", "convert it to Parquet"),
    (b"ARROW1\0\0", "an Arrow or Feather file, not a CSV", "convert it to Parquet"),
    (b"{\\rtf", "a document in rich text, not a CSV", "save it as plain text"),
];

/// Returns the kind of a file that begins with these bytes, if it is not text.
pub(super) fn other_than_text(head: &[u8]) -> Option<FileKind> {
    // A header may begin with the word ORC.
    let is_kind = |magic: &[u8]| head.starts_with(magic) && (magic != b"ORC" || head.get(3).is_some_and(|b| *b < b' '));
    let found = KINDS.iter().find(|(magic, _, _)| is_kind(magic));
    found.map(|(_, name, remedy)| FileKind { name, remedy }).or_else(|| markup(head))
}

/// Pages of HTML and lines of JSON are text, but no table.
fn markup(head: &[u8]) -> Option<FileKind> {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let begins = |word: &[u8]| head.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word));
    if begins(b"<!doctype") || begins(b"<html") {
        let remedy = "download the file again: such a page often is the message of an error, or of a login";
        return Some(FileKind { name: "an HTML page, not a CSV", remedy });
    }
    if begins(b"<?xml") {
        return Some(FileKind { name: "an XML document, not a CSV", remedy: "export the table as CSV" });
    }
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let is_object = begins(b"{") && serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok();
    is_object.then_some(FileKind { name: "JSON, not a CSV", remedy: "convert it to CSV or Parquet" })
}
