//! Form of CSV files, as far as an input defines it. What it leaves open is found from each file.

use super::Fields;
use crate::column_name::one_form;
use crate::problem::{Problem, nearest};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// Field that contains these options.
pub const CSV: &str = "csv";

/// Encodings of text by the names under which users know them. All others are converted before they are uploaded.
pub const ENCODINGS: [&str; 31] = [
    "utf-8",
    "utf-16",
    "utf-16le",
    "utf-16be",
    "windows-1252",
    "cp1252",
    "latin-1",
    "latin1",
    "iso-8859-1",
    "iso-8859-2",
    "iso-8859-5",
    "iso-8859-7",
    "iso-8859-9",
    "iso-8859-15",
    "windows-1250",
    "windows-1251",
    "windows-1253",
    "windows-1254",
    "windows-1255",
    "windows-1256",
    "windows-1257",
    "windows-1258",
    "koi8-r",
    "ibm866",
    "macintosh",
    "shift_jis",
    "euc-jp",
    "euc-kr",
    "gb18030",
    "gbk",
    "big5",
];
/// Maximum number of lines that are passed over.
const MAX_SKIPPED_ROWS: u64 = 10_000;
/// Maximum number of texts that stand for null.
const MAX_NULL_VALUES: usize = 100;
/// Maximum length of such a text in bytes.
const MAX_NULL_VALUE_BYTES: usize = 1_000;
/// Maximum number of names in the input. A file may have more columns in its own header.
const MAX_NAMES: usize = 5_000;

/// Names of the columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum CsvHeader {
    /// If true, the first line has them; if false, there are none, and columns are called `column_1` and so on.
    InFile(bool),
    /// Names for files that have none.
    Names(Vec<String>),
}

impl CsvHeader {
    /// Returns true if the first line of a file is its header.
    pub fn is_in_file(&self) -> bool {
        *self == Self::InFile(true)
    }
}

impl Default for CsvHeader {
    fn default() -> Self {
        Self::InFile(true)
    }
}

/// Form of the CSV files of an input.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CsvOptions {
    /// Character between cells; by default, it is found from the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// Character around cells, `"` by default. If it is empty, no character has this meaning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
    /// Character that makes the next one stand for itself within quotes. By default, quotes are doubled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escape: Option<char>,
    /// Encoding of the text, one of [`ENCODINGS`]. By default UTF-8, or UTF-16 with a mark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// Names of the columns.
    #[serde(skip_serializing_if = "CsvHeader::is_in_file")]
    pub header: CsvHeader,
    /// Character at the beginning of lines that are no rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<char>,
    /// Number of lines before the header.
    #[serde(skip_serializing_if = "is_zero")]
    pub skip_rows: u64,
    /// Cells that stand for null.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub null_values: Vec<String>,
    /// If true, text after closing quotes, quotes after spaces and cells that look like rows are read as they are.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub lenient: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl CsvOptions {
    /// Returns true if nothing is defined.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the problem of options with an input that has no CSV files but `found`, if there are some.
    pub fn problem_beside(&self, found: &str) -> Option<Problem> {
        let rule = || format!("concerns CSV files, and the input is {found}");
        (!self.is_default()).then(|| Problem::without_value(CSV, rule()).remedy("leave it out"))
    }

    /// Returns the options of a run or a stage of an execution input. Problems are left to its validation.
    pub fn of_run(input: &Map<String, Value>) -> Self {
        Self::read(&mut Fields::new("", input))
    }

    /// Returns the character around cells, if there is one.
    pub fn quote(&self) -> Option<char> {
        self.quote.as_ref().map_or(Some('"'), |quote| quote.chars().next())
    }

    /// Reads the options from the fields of an execution input.
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let Some(object) = fields.object(CSV) else { return Self::default() };
        let mut inner = fields.inner(CSV, object);
        let options = Self {
            delimiter: character(&mut inner, "delimiter", "`;`, or `\\t` for a tab"),
            quote: read_quote(&mut inner),
            escape: character(&mut inner, "escape", "`\\\\` for a backslash"),
            encoding: read_encoding(&mut inner),
            header: read_header(&mut inner),
            comment: character(&mut inner, "comment", "`#`"),
            skip_rows: inner.integer("skip_rows", 0, MAX_SKIPPED_ROWS).unwrap_or(0),
            null_values: read_null_values(&mut inner),
            lenient: inner.boolean("lenient").unwrap_or(false),
        };
        options.note_equal_characters(&mut inner);
        fields.note_all(inner.finish());
        options
    }

    fn note_equal_characters(&self, fields: &mut Fields<'_>) {
        let named = [
            ("delimiter", self.delimiter),
            ("quote", self.quote()),
            ("escape", self.escape),
            ("comment", self.comment),
        ];
        for (at, (field, character)) in named.iter().enumerate() {
            let same = named[..at].iter().find(|(_, other)| character.is_some() && other == character);
            if let (Some((other, _)), Some(character)) = (same, character) {
                let rule = format!("must differ from {other}");
                let remedy = match (*field, *other) {
                    ("escape", "quote") => "leave it out: doubled quotes are read without it",
                    _ => "use another character",
                };
                fields.note(Problem::new(fields.name(field), character, rule).remedy(remedy));
            }
        }
        if self.escape.is_some() && self.quote().is_none() {
            let rule = "has no meaning without quotes";
            fields.note(Problem::without_value(fields.name("escape"), rule).remedy("leave it out, or name the quote"));
        }
    }
}

/// Reads a character that separates or begins something.
fn character(fields: &mut Fields<'_>, field: &'static str, example: &str) -> Option<char> {
    let text = fields.text(field)?;
    let character = one_ascii(text);
    if character.is_none() {
        let rule = "must be one ASCII character, and no letter, digit or line break";
        fields.note(Problem::new(fields.name(field), text, rule).remedy(format!("write for example {example}")));
    }
    character
}

/// Returns the only character of a text, if it may structure a file.
fn one_ascii(text: &str) -> Option<char> {
    let mut chars = text.chars();
    let only = chars.next().filter(|_| chars.next().is_none())?;
    (only.is_ascii() && !only.is_ascii_alphanumeric() && !matches!(only, '\n' | '\r' | '\0')).then_some(only)
}

fn read_quote(fields: &mut Fields<'_>) -> Option<String> {
    let text = fields.text("quote")?;
    if text.is_empty() || one_ascii(text).is_some() {
        return Some(text.to_owned());
    }
    let rule = "must be one ASCII character, and no letter, digit or line break; or empty, if quotes have no meaning";
    fields.note(Problem::new(fields.name("quote"), text, rule).remedy("leave it out for `\"`"));
    None
}

fn read_encoding(fields: &mut Fields<'_>) -> Option<String> {
    let text = fields.text("encoding")?;
    let name = text.trim().to_ascii_lowercase();
    let name = if name == "utf8" { "utf-8".to_owned() } else { name };
    if ENCODINGS.contains(&name.as_str()) {
        return Some(name);
    }
    let remedy = format!("{}; or convert the file to UTF-8", nearest(&name, ENCODINGS));
    fields.note(Problem::new(fields.name("encoding"), text, "is not a known encoding").remedy(remedy));
    None
}

fn read_header(fields: &mut Fields<'_>) -> CsvHeader {
    let Some(value) = fields.value("header") else { return CsvHeader::default() };
    if let Some(in_file) = value.as_bool() {
        return CsvHeader::InFile(in_file);
    }
    let names = value.as_array().and_then(|list| list.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
    let Some(names) = names.filter(|names| !names.is_empty() && names.len() <= MAX_NAMES) else {
        let rule = "must be true, false, or a list of the names of all columns, for files without a header";
        fields.wrong("header", value, rule);
        return CsvHeader::default();
    };
    let names: Vec<String> = names.into_iter().map(|name| one_form(name).into_owned()).collect();
    let mut seen = HashSet::new();
    for name in &names {
        if name.is_empty() || !seen.insert(name) {
            let rule = if name.is_empty() { "contains an empty name" } else { "contains this name twice" };
            fields.note(Problem::new(fields.name("header"), name, rule).remedy("give each column a name of its own"));
        }
    }
    CsvHeader::Names(names)
}

fn read_null_values(fields: &mut Fields<'_>) -> Vec<String> {
    let Some(texts) = fields.texts("null_values") else { return Vec::new() };
    if texts.len() > MAX_NULL_VALUES || texts.iter().any(|text| text.len() > MAX_NULL_VALUE_BYTES) {
        let rule = format!("must be at most {MAX_NULL_VALUES} texts of at most {MAX_NULL_VALUE_BYTES} bytes");
        fields.note(Problem::without_value(fields.name("null_values"), rule));
        return Vec::new();
    }
    texts.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn read(csv: &Value) -> (CsvOptions, Vec<String>) {
        let input = json!({ "csv": csv });
        let mut fields = Fields::new("stages[1]", input.as_object().unwrap());
        let options = CsvOptions::read(&mut fields);
        (options, fields.finish().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn options_are_read_and_stored_without_absent_ones() {
        let (options, problems) = read(&json!({"delimiter": ";", "quote": "'", "escape": "\\", "encoding": "CP1252",
            "header": [" id", "text"], "comment": "#", "skip_rows": 2, "null_values": ["NA", ""], "lenient": true}));
        assert_eq!(problems, Vec::<String>::new());
        let stored = json!({"delimiter": ";", "quote": "'", "escape": "\\", "encoding": "cp1252",
            "header": ["id", "text"], "comment": "#", "skip_rows": 2, "null_values": ["NA", ""], "lenient": true});
        assert_eq!(serde_json::to_value(&options).unwrap(), stored);
        assert_eq!(serde_json::from_value::<CsvOptions>(stored).unwrap(), options);
        assert_eq!(serde_json::to_value(CsvOptions::default()).unwrap(), json!({}));
        assert_eq!(read(&json!(null)), (CsvOptions::default(), vec![]));
        assert_eq!(read(&json!({"quote": "", "header": false})).0.quote(), None);
    }

    #[rstest]
    #[case(json!(7), "stages[1].csv is `7`: must be an object")]
    #[case(json!({"delimiter": "||"}), "stages[1].csv.delimiter is `||`: must be one ASCII character")]
    #[case(json!({"delimiter": "x"}), "no letter, digit or line break; write for example `;`, or `\\t` for a tab")]
    #[case(json!({"delimiter": "¦"}), "must be one ASCII character")]
    #[case(json!({"delimiter": "\n"}), "must be one ASCII character")]
    #[case(json!({"delimiter": "\""}), "csv.quote is `\"`: must differ from delimiter")]
    #[case(json!({"escape": "\""}), "csv.escape is `\"`: must differ from quote; leave it out: doubled quotes")]
    #[case(json!({"escape": "\\", "quote": ""}), "csv.escape: has no meaning without quotes")]
    #[case(json!({"quote": "''"}), "csv.quote is `''`: must be one ASCII character")]
    #[case(json!({"encoding": "windows1252"}), "is not a known encoding; did you mean `windows-1252`")]
    #[case(json!({"header": "yes"}), "csv.header is `\"yes\"`: must be true, false, or a list of the names")]
    #[case(json!({"header": []}), "must be true, false, or a list")]
    #[case(json!({"header": ["a", " a"]}), "csv.header is `a`: contains this name twice")]
    #[case(json!({"header": ["a", "\u{200b}"]}), "csv.header: contains an empty name")]
    #[case(json!({"skip_rows": -1}), "csv.skip_rows is `-1`: must be a whole number from 0 to 10000")]
    #[case(json!({"null_values": "NA"}), "csv.null_values is `\"NA\"`: must be a list of texts")]
    #[case(json!({"lenient": 1}), "csv.lenient is `1`: must be true or false")]
    #[case(json!({"seperator": ";"}), "csv.seperator: is not a field of this input")]
    fn invalid_options_are_reported(#[case] csv: Value, #[case] expected: &str) {
        let (_, problems) = read(&csv);
        assert!(problems.len() == 1 && problems[0].contains(expected), "{problems:?}");
    }

    #[test]
    fn all_problems_are_reported_at_once() {
        let csv = json!({"delimiter": "ab", "quote": "xy", "encoding": "klingon", "skip_rows": "x", "header": 1});
        assert_eq!(read(&csv).1.len(), 5);
    }
}
