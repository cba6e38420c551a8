//! Files of a table by their names, whether they are objects in S3 or files that are about to be uploaded.

use crate::problem::{Problem, Problems};
use std::collections::BTreeMap;

/// Endings of compressed files, which are recognized by their bytes.
const COMPRESSED: [&str; 3] = [".gz", ".zst", ".bz2"];
/// Warning about files that are left out, see [`is_marker`].
pub const MARKERS_IGNORED: &str = "objects ignored: names or folders that begin with `_` or `.`, and folder markers";
/// Warning about files that have no rows.
pub const EMPTY_FILES: &str = "files without rows, which are passed over";

/// Format of the files of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableFormat {
    /// Text: `.csv` or `.tsv`, perhaps compressed.
    Csv,
    /// One JSON object per line: `.jsonl` or `.ndjson`, perhaps compressed.
    JsonLines,
    /// Parquet.
    Parquet,
    /// Workbook of Excel: `.xlsx` or `.xlsm`.
    Workbook,
}

impl TableFormat {
    /// Returns the name of the format, as used in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::JsonLines => "JSON lines",
            Self::Parquet => "Parquet",
            Self::Workbook => "Excel workbooks",
        }
    }

    /// Returns the format of a file by its name.
    pub fn of(name: &str) -> Option<Self> {
        match (ending(name).as_str(), uncompressed_name(name) == name) {
            ("csv" | "tsv", _) => Some(Self::Csv),
            ("jsonl" | "ndjson", _) => Some(Self::JsonLines),
            ("parquet" | "pq", true) => Some(Self::Parquet),
            ("xlsx" | "xlsm", true) => Some(Self::Workbook),
            _ => None,
        }
    }

    /// Returns the format of the files with these names, which `field` names all together.
    ///
    /// # Errors
    /// Returns a problem for each file that is not a table or is a copy of another one, and one if the formats differ.
    pub fn of_all(field: &str, names: &[String]) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        let mut formats = Vec::new();
        for name in names {
            match Self::of(name) {
                Some(format) if formats.contains(&format) => {}
                Some(format) => formats.push(format),
                None => problems.push(no_table(field, name)),
            }
        }
        let first = formats.first().copied().unwrap_or(Self::Csv);
        if formats.len() > 1 {
            let found: Vec<&str> = formats.iter().map(|format| format.name()).collect();
            let rule = format!("the prefix contains files of several formats: {}", found.join(", "));
            problems.push(Problem::without_value(field, rule).remedy("split it"));
        }
        problems.extend(copies(field, names));
        Problems::check(problems)?;
        Ok(first)
    }
}

fn no_table(field: &str, name: &str) -> Problem {
    let rule =
        "is not a table by its name (.csv, .tsv, .jsonl, .ndjson, all also with .gz, .zst or .bz2; .parquet, .xlsx)";
    let remedy = match ending(name).as_str() {
        "json" => {
            "name it `.jsonl` if it has one object per line; a list becomes such lines by `jq -c '.[]' FILE > FILE.jsonl`"
        }
        "xls" | "xlsb" | "ods" | "numbers" => "save it as Excel Workbook (.xlsx), or the sheet as CSV UTF-8",
        "xlsx" | "xlsm" => "leave it uncompressed: a workbook is compressed already",
        _ => "convert it, or keep it out of the prefix",
    };
    Problem::new(field, name, rule).remedy(remedy)
}

/// Returns the problems of files that are there more than once, in different compressions: their rows would be paid for twice.
fn copies(field: &str, names: &[String]) -> Vec<Problem> {
    let mut files: BTreeMap<&str, &str> = BTreeMap::new();
    let found = names.iter().filter_map(|name| {
        let first = *files.entry(uncompressed_name(name)).or_insert(name);
        let rule = || format!("has the rows of `{first}`, and is compressed otherwise");
        (first != name).then(|| Problem::new(field, name, rule()).remedy("remove one of the two"))
    });
    found.collect()
}

/// Returns the name that a file has when it is not compressed.
fn uncompressed_name(name: &str) -> &str {
    let end = |compressed: &&str| name.len().checked_sub(compressed.len());
    let is_there = |at: &usize| {
        name.get(*at..).is_some_and(|end| COMPRESSED.iter().any(|compressed| end.eq_ignore_ascii_case(compressed)))
    };
    COMPRESSED.iter().filter_map(end).find(is_there).map_or(name, |at| &name[..at])
}

/// Returns the ending of a name in lower case, without that of a compressed file. A key may be nothing but the ending.
fn ending(name: &str) -> String {
    uncompressed_name(name).rsplit('.').next().unwrap_or_default().to_ascii_lowercase()
}

/// Returns true if a file of this name is expected to have tabs between its cells.
pub fn has_tabs(name: &str) -> bool {
    ending(name) == "tsv"
}

/// Returns true for files that other tools leave beside data: `_SUCCESS`, `.crc` files, folder markers, folders of unfinished
/// work. `below` is the part of the key below the prefix.
pub fn is_marker(below: &str) -> bool {
    below.is_empty()
        || below.ends_with('/')
        || below.split('/').any(|part| part.starts_with('_') || part.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn problems(names: &[&str]) -> Vec<String> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let found = TableFormat::of_all("s3_uri", &names).unwrap_err();
        found.as_slice().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn names_of_compressed_files_are_those_of_the_files_in_them() {
        for (name, expected) in [
            ("a/rows.csv.gz", "a/rows.csv"),
            ("rows.CSV.ZST", "rows.CSV"),
            ("rows.tsv.bz2", "rows.tsv"),
            ("rows.csv", "rows.csv"),
            (".gz", ""),
            ("gz", "gz"),
        ] {
            assert_eq!(uncompressed_name(name), expected);
        }
    }

    proptest! {
        #[test]
        fn any_name_has_an_uncompressed_one(name in "[a.é-]{0,3}(\\.gz|\\.bz2|\\.zs)?") {
            prop_assert!(name.starts_with(uncompressed_name(&name)));
        }
    }

    #[rstest]
    #[case("a.csv", Some(TableFormat::Csv))]
    #[case("s3://b/A.CSV", Some(TableFormat::Csv))]
    #[case("a.tsv", Some(TableFormat::Csv))]
    #[case("a.csv.gz", Some(TableFormat::Csv))]
    #[case("a.tsv.zst", Some(TableFormat::Csv))]
    #[case("a.csv.bz2", Some(TableFormat::Csv))]
    #[case("csv", Some(TableFormat::Csv))]
    #[case("a.jsonl", Some(TableFormat::JsonLines))]
    #[case("a.NDJSON", Some(TableFormat::JsonLines))]
    #[case("a.jsonl.gz", Some(TableFormat::JsonLines))]
    #[case("a.ndjson.zst", Some(TableFormat::JsonLines))]
    #[case("a.json", None)]
    #[case("a.XLSX", Some(TableFormat::Workbook))]
    #[case("a.xlsm", Some(TableFormat::Workbook))]
    #[case("a.xlsx.gz", None)]
    #[case("a.xlsb", None)]
    #[case("a.PARQUET", Some(TableFormat::Parquet))]
    #[case("a.pq", Some(TableFormat::Parquet))]
    #[case("a.parquet.gz", None)]
    #[case("a.gz", None)]
    #[case("a.csv.zip", None)]
    #[case("", None)]
    fn tables_are_known_by_their_names(#[case] name: &str, #[case] expected: Option<TableFormat>) {
        assert_eq!(TableFormat::of(name), expected);
    }

    #[test]
    fn a_file_beside_its_compressed_copy_is_refused() {
        let told = problems(&["in/a.csv", "in/a.csv.gz", "in/b.csv", "in/c.tsv.bz2", "in/c.tsv.zst", "in/d.csv.gz"]);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains("in/a.csv.gz") && told[0].contains("has the rows of `in/a.csv`"), "{}", told[0]);
        assert!(told[1].contains("in/c.tsv.zst"), "{}", told[1]);
    }

    #[test]
    fn files_that_are_no_parts_of_one_table_are_refused_together() {
        let found = problems(&["a.csv", "b.parquet", "c.txt", "d.xls", "e.json", "f.jsonl", "g.csv"]);
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(found[0].starts_with("s3_uri is `c.txt`: is not a table by its name"), "{}", found[0]);
        assert!(found[1].ends_with("save it as Excel Workbook (.xlsx), or the sheet as CSV UTF-8"), "{}", found[1]);
        assert!(found[2].ends_with("by `jq -c '.[]' FILE > FILE.jsonl`"), "{}", found[2]);
        let formats = "s3_uri: the prefix contains files of several formats: CSV, Parquet, JSON lines; split it";
        assert_eq!(found[3], formats);
    }

    #[rstest]
    #[case("part-0.csv", false)]
    #[case("a_b/c.d.csv", false)]
    #[case("_SUCCESS", true)]
    #[case("a/_temporary/part-0.csv", true)]
    #[case(".part-0.csv.crc", true)]
    #[case("folder/", true)]
    #[case("", true)]
    fn files_of_other_tools_are_known_by_their_names(#[case] below: &str, #[case] expected: bool) {
        assert_eq!(is_marker(below), expected);
    }
}
