//! Columns that the folders of a file name, as Hive, Spark and others write them: `country=DE/part-0.parquet`.

use crate::column_name::one_form;

/// Folder of the rows whose cell is null or empty.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// Returns the columns that the folders of a file name, with their value; `below` is the part of its key below the prefix. If two
/// folders name one column, the inner one counts.
pub fn hive_columns(below: &str) -> Vec<(String, Option<String>)> {
    let Some((folders, _)) = below.rsplit_once('/') else { return Vec::new() };
    let mut columns: Vec<(String, Option<String>)> = Vec::new();
    for (name, value) in folders.split('/').filter_map(|folder| folder.split_once('=')) {
        let name = one_form(&decoded(name)).into_owned();
        let value = (value != NULL).then(|| decoded(value));
        columns.retain(|(outer, _)| *outer != name);
        if !name.is_empty() {
            columns.push((name, value));
        }
    }
    columns
}

/// Returns a text whose characters are percent-encoded where the name of a folder must not have them. Other percent signs
/// stay: not all writers encode.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, more @ ..] = rest {
        let code = match (first, more) {
            (b'%', [high, low, ..]) => hex_digit(*high).zip(hex_digit(*low)).map(|(high, low)| 16 * high + low),
            _ => None,
        };
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &more[2..] } else { more };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case::none("part-0.parquet", &[])]
    #[case::other_folders("2026/part=0.parquet", &[])]
    #[case::nested("country=DE/day=2026-01-01/part-0.csv", &[("country", Some("DE")), ("day", Some("2026-01-01"))])]
    #[case::null("country=__HIVE_DEFAULT_PARTITION__/a.csv", &[("country", None)])]
    #[case::encoded("country=a%2Fb/time=10%3A30/a.csv", &[("country", Some("a/b")), ("time", Some("10:30"))])]
    #[case::encoded_name("my%20key=1/a.csv", &[("my key", Some("1"))])]
    #[case::plain("rate=100%/a=%zz/b=%F/c=%ff/a.csv", &[("rate", Some("100%")), ("a", Some("%zz")), ("b", Some("%F")), ("c", Some("%ff"))])]
    #[case::equals_sign("query=a=b/a.csv", &[("query", Some("a=b"))])]
    #[case::empty("=x/a=/a.csv", &[("a", Some(""))])]
    #[case::inner("a=1/b=2/a=3/a.csv", &[("b", Some("2")), ("a", Some("3"))])]
    #[case::forms("cafe\u{301}=1/a.csv", &[("café", Some("1"))])]
    fn folders_name_columns(#[case] below: &str, #[case] expected: &[(&str, Option<&str>)]) {
        let found = hive_columns(below);
        let found: Vec<_> = found.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
        assert_eq!(found, expected);
    }

    proptest! {
        #[test]
        fn what_spark_encodes_is_decoded(value in "\\PC{1,12}") {
            let encoded = value.bytes().fold(String::new(), |encoded, byte| encoded + &format!("%{byte:02X}"));
            prop_assert_eq!(hive_columns(&format!("k={encoded}/a.csv")), [("k".to_owned(), Some(value))]);
        }

        #[test]
        fn any_key_has_columns_of_different_names(key in "[a-c=%/20]{0,24}") {
            let names: Vec<String> = hive_columns(&key).into_iter().map(|(name, _)| name).collect();
            let distinct: std::collections::BTreeSet<&String> = names.iter().collect();
            prop_assert_eq!(distinct.len(), names.len());
        }
    }
}
