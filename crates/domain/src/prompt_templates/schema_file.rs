//! The newest of several schemas.

/// Beginning of the name of a schema.
pub const SCHEMA_PREFIX: &str = "validation_schema_";
const SCHEMA_ENDING: &str = ".json";
/// Digits of a date, and of the most precise time: microseconds.
const DATE_DIGITS: usize = 8;
const MAX_TIME_DIGITS: usize = 20;

/// File of a schema. Of two files the newer one is greater: by the time in the name (a file without one is older than all
/// others), then by the last modification, then by name, so that the choice never depends on the order of a listing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SchemaFile {
    time: Option<String>,
    modified: i64,
    /// Name of the file.
    pub name: String,
}

impl SchemaFile {
    /// Returns the file `name`, or `None` if that is not the name of a schema. `modified` is the time of its last modification in
    /// seconds.
    pub fn new(name: &str, modified: i64) -> Option<Self> {
        let middle = name.strip_prefix(SCHEMA_PREFIX)?.strip_suffix(SCHEMA_ENDING)?;
        Some(Self { time: time_in(middle), modified, name: name.to_owned() })
    }
}

/// Returns the digits of the first time in a text, as many for all: `20261130_083109` and `2026-11-30T08:31:09` are the same.
fn time_in(text: &str) -> Option<String> {
    let is_digit = |c: char| c.is_ascii_digit();
    let starts = text.char_indices().filter(|(at, c)| is_digit(*c) && !text[..*at].ends_with(is_digit));
    starts.map(|(at, _)| &text[at..]).find_map(|rest| {
        let first = rest.find(|c: char| !is_digit(c)).unwrap_or(rest.len());
        if first != 4 && first < DATE_DIGITS {
            return None;
        }
        let mut digits = String::new();
        let mut separators = 0;
        for c in rest.chars() {
            if is_digit(c) && digits.len() < MAX_TIME_DIGITS {
                digits.push(c);
                separators = 0;
            } else if separators == 0 && matches!(c, '_' | '-' | ':' | '.' | 'T') {
                separators = 1;
            } else {
                break;
            }
        }
        let month = digits.get(4..6).is_some_and(|month| ("01"..="12").contains(&month));
        let day = digits.get(6..DATE_DIGITS).is_some_and(|day| ("01"..="31").contains(&day));
        (month && day).then(|| format!("{digits:0<MAX_TIME_DIGITS$}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn newest(files: &[(&str, i64)]) -> Option<String> {
        let files = files.iter().filter_map(|(name, modified)| SchemaFile::new(name, *modified));
        files.max().map(|file| file.name)
    }

    #[rstest]
    #[case::time_in_the_name(&[("validation_schema_20261130_083109.json", 1), ("validation_schema_20261129_235959.json", 9)], "validation_schema_20261130_083109.json")]
    #[case::other_forms(&[("validation_schema_2026-11-30T08:31:10.json", 1), ("validation_schema_20261130_083109.json", 9)], "validation_schema_2026-11-30T08:31:10.json")]
    #[case::date_alone(&[("validation_schema_20261130.json", 1), ("validation_schema_20261129_235959.json", 9)], "validation_schema_20261130.json")]
    #[case::version_before_the_time(&[("validation_schema_v9_20261129_000000.json", 9), ("validation_schema_v1_20261130_000000.json", 1)], "validation_schema_v1_20261130_000000.json")]
    #[case::without_a_time(&[("validation_schema_final.json", 9), ("validation_schema_20200101_000000.json", 1)], "validation_schema_20200101_000000.json")]
    #[case::last_modified(&[("validation_schema_b.json", 1), ("validation_schema_a.json", 2)], "validation_schema_a.json")]
    #[case::same_time(&[("validation_schema_20261130_083109.json", 2), ("validation_schema_2026-11-30_08-31-09.json", 1)], "validation_schema_20261130_083109.json")]
    #[case::others_are_ignored(&[("validation_schema_a.json", 1), ("validation_schema_b.txt", 2), ("template_metadata_20261130_083109.json", 3)], "validation_schema_a.json")]
    fn the_newest_schema_counts(#[case] files: &[(&str, i64)], #[case] expected: &str) {
        assert_eq!(newest(files).as_deref(), Some(expected));
        let mut reversed = files.to_vec();
        reversed.reverse();
        assert_eq!(newest(&reversed).as_deref(), Some(expected), "in whatever order they are listed");
    }

    #[rstest]
    #[case("validation_schema.json")]
    #[case("schema_20261130_083109.json")]
    #[case("validation_schema_20261130_083109.json.bak")]
    fn other_names_are_no_schemas(#[case] name: &str) {
        assert_eq!(SchemaFile::new(name, 0), None);
    }

    proptest! {
        #[test]
        fn any_name_is_compared(names in prop::collection::vec("[0-9_T:é.-]{0,30}", 1..5)) {
            let names: Vec<String> = names.iter().map(|name| format!("{SCHEMA_PREFIX}{name}.json")).collect();
            let files: Vec<(&str, i64)> = names.iter().map(|name| (name.as_str(), 0)).collect();
            prop_assert!(newest(&files).is_some());
        }
    }
}
