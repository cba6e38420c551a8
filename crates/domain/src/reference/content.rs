//! Content of a reference: checked when it is read, and frozen in the plan as it is inserted.

use super::compact_json::compact;
use super::csv_table::CsvTable;
use super::json_values;
use crate::problem::{Problem, listed};
use crate::s3_uri::S3Uri;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Format of a reference, by the extension of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReferenceFormat {
    /// CSV with a header.
    Csv,
    /// JSON.
    Json,
    /// Plain text.
    Txt,
}

impl ReferenceFormat {
    /// Rule of the extension, which determines the format.
    pub const RULE: &str = "must be a `.csv`, `.json` or `.txt` object";

    /// Returns the format of the file or object `name`; `None` if its extension is not one of a reference.
    pub fn of(name: &str) -> Option<Self> {
        let extension = name.rsplit('/').next()?.rsplit_once('.')?.1;
        let formats = [("csv", Self::Csv), ("json", Self::Json), ("txt", Self::Txt)];
        formats.iter().find(|(known, _)| extension.eq_ignore_ascii_case(known)).map(|(_, format)| *format)
    }
}

/// Returns the rule that a text breaks as the address of a reference, if it breaks one.
pub fn address_rule(text: &str) -> Option<&'static str> {
    match S3Uri::parse(text) {
        Ok(uri) if ReferenceFormat::of(&uri.key).is_none() => Some(ReferenceFormat::RULE),
        Ok(_) => None,
        Err(rule) => Some(rule),
    }
}

/// Origin of a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceSource {
    /// Name of the reference.
    pub name: String,
    /// Address of the object.
    pub uri: String,
    /// `ETag` of the object.
    pub etag: String,
}

/// Reference data, as it was when the run started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// Name of the reference.
    pub name: String,
    /// Address of the object.
    pub uri: String,
    /// `ETag` of the object.
    pub etag: String,
    /// Format of the object.
    pub format: ReferenceFormat,
    /// Text that prompts insert.
    pub text: String,
}

impl Reference {
    /// Reads the content of a reference. CSV and plain text stay as they are, but for a byte order mark; JSON becomes compact.
    ///
    /// # Errors
    /// Returns a problem of the field `reference` if the content cannot be used.
    pub fn read(source: ReferenceSource, content: &[u8]) -> Result<Self, Problem> {
        let ReferenceSource { name, uri, etag } = source;
        let problem = |rule: &str| Problem::new(format!("reference.{name}"), &uri, rule);
        let Some(format) = ReferenceFormat::of(&uri) else {
            return Err(problem(ReferenceFormat::RULE));
        };
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        let text = std::str::from_utf8(content).map_err(|error| {
            let rule = format!("is not UTF-8 after {} bytes", error.valid_up_to());
            problem(&rule).remedy("save it as UTF-8")
        })?;
        if text.trim().is_empty() {
            return Err(problem("is empty"));
        }
        let text = match format {
            ReferenceFormat::Csv => CsvTable::parse(text).map(|_| text.to_owned()),
            ReferenceFormat::Json => read_json(text),
            ReferenceFormat::Txt => Ok(text.to_owned()),
        };
        let text = text.map_err(|rule| problem(&rule))?;
        Ok(Self { name, uri, etag, format, text })
    }

    /// Returns the values of a column of CSV, of a member of the objects of a JSON list, or (without `column`) of a JSON list of
    /// texts. Blank ones are left out.
    ///
    /// # Errors
    /// Returns the rule that the reference breaks.
    pub fn values(&self, column: Option<&str>) -> Result<Vec<String>, String> {
        let values = match self.format {
            ReferenceFormat::Csv => csv_values(&self.text, column),
            ReferenceFormat::Json => serde_json::from_str::<Value>(&self.text)
                .map_err(|error| format!("is not valid JSON: {error}"))
                .and_then(|value| json_values::values(&value, column)),
            ReferenceFormat::Txt => Err("is plain text, which has no values: use CSV or a JSON list".to_owned()),
        };
        let values: Vec<String> = values?.into_iter().filter(|value| !value.trim().is_empty()).collect();
        if values.is_empty() { Err("has no values there".to_owned()) } else { Ok(values) }
    }
}

fn read_json(text: &str) -> Result<String, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("is not valid JSON: {error}"))?;
    let is_empty = match &value {
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        Value::String(text) => text.trim().is_empty(),
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) => false,
    };
    if is_empty { Err("is empty".to_owned()) } else { Ok(compact(text)) }
}

fn csv_values(text: &str, column: Option<&str>) -> Result<Vec<String>, String> {
    let table = CsvTable::parse(text)?;
    let names: Vec<&str> = table.header.iter().map(String::as_str).collect();
    let Some(column) = column else {
        return Err(format!(
            "is a table: name a column, as in `reference.name.column`; the columns are {}",
            listed(&names)
        ));
    };
    let Some(at) = names.iter().position(|name| *name == column) else {
        return Err(format!("does not have the column `{column}`; the columns are {}", listed(&names)));
    };
    Ok(table.rows.into_iter().filter_map(|row| row.into_iter().nth(at)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn read(name: &str, content: &[u8]) -> Result<Reference, String> {
        let uri = format!("s3://bucket/{name}");
        let source = ReferenceSource { name: "codes".to_owned(), uri, etag: "\"e\"".to_owned() };
        Reference::read(source, content).map_err(|problem| problem.to_string())
    }

    #[rstest]
    #[case("a.csv", "\u{feff}Code,Term\r\nA01,Leak\r\n", "Code,Term\r\nA01,Leak\r\n")]
    #[case("a.JSON", "[ {\"z\": 1,\n \"a\": \"x y\"} ]\n", "[{\"z\":1,\"a\":\"x y\"}]")]
    #[case("a.txt", "  As it is {x}\n", "  As it is {x}\n")]
    fn content_is_inserted_as_written(#[case] name: &str, #[case] content: &str, #[case] expected: &str) {
        let reference = read(name, content.as_bytes()).unwrap();
        assert_eq!(reference.text, expected);
        let stored = serde_json::to_string(&reference).unwrap();
        assert_eq!(serde_json::from_str::<Reference>(&stored).unwrap(), reference);
    }

    #[rstest]
    #[case("a.xlsx", b"x", "must be a `.csv`, `.json` or `.txt` object")]
    #[case("csv", b"x", "must be a `.csv`, `.json` or `.txt` object")]
    #[case("a.txt", b" \n", "is empty")]
    #[case("a.csv", b"\xef\xbb\xbf", "is empty")]
    #[case("a.json", b"[ ]", "is empty")]
    #[case("a.json", b"{\"a\": }", "is not valid JSON: expected value at line 1 column 7")]
    #[case("a.txt", b"ab\xff", "is not UTF-8 after 2 bytes; save it as UTF-8")]
    #[case("a.csv", b"code\n", "has no rows after its first line, which is the header")]
    fn unusable_content_is_refused(#[case] name: &str, #[case] content: &[u8], #[case] expected: &str) {
        let problem = read(name, content).unwrap_err();
        assert_eq!(problem, format!("reference.codes is `s3://bucket/{name}`: {expected}"));
    }

    #[test]
    fn json_that_is_nested_too_deeply_is_refused() {
        let deep = "[".repeat(100_000);
        assert!(read("a.json", deep.as_bytes()).unwrap_err().contains("is not valid JSON: recursion limit exceeded"));
    }

    #[rstest]
    #[case("a.csv", "Code,Term\nA01,Leak\n , \nA02,Break\n", Some("Code"), &["A01", "A02"])]
    #[case("a.json", r#"["x", "", "y"]"#, None, &["x", "y"])]
    #[case("a.json", r#"[{"code": "x"}, {"code": "y"}]"#, Some("code"), &["x", "y"])]
    fn values_are_found(
        #[case] name: &str,
        #[case] content: &str,
        #[case] column: Option<&str>,
        #[case] expected: &[&str],
    ) {
        assert_eq!(read(name, content.as_bytes()).unwrap().values(column).unwrap(), expected);
    }

    #[rstest]
    #[case(
        "a.csv",
        "Code,Term\nA01,Leak\n",
        Some("code"),
        "does not have the column `code`; the columns are `Code`, `Term`"
    )]
    #[case("a.csv", "Code,Term\nA01,Leak\n", None, "is a table: name a column")]
    #[case("a.csv", "Code,Term\n,Leak\n", Some("Code"), "has no values there")]
    #[case("a.txt", "x", Some("Code"), "is plain text, which has no values")]
    #[case("a.json", "{\"a\": 1}", Some("a"), "is not a list")]
    fn references_without_these_values_are_refused(
        #[case] name: &str,
        #[case] content: &str,
        #[case] column: Option<&str>,
        #[case] expected: &str,
    ) {
        let rule = read(name, content.as_bytes()).unwrap().values(column).unwrap_err();
        assert!(rule.starts_with(expected), "{rule}");
    }
}
