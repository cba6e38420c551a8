//! Restriction of links to certain objects.

use crate::contract::prefixes::{ANSWERS, RUNS};

/// Returns the last part of a key.
pub fn file_name(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or_default()
}

/// Returns true if a link may lead to the object `key`: answered rows, a run's totals, and lists of links. Everything else
/// of a run (its inputs, records and plan) stays in the bucket.
pub fn is_linkable(key: &str) -> bool {
    let parts: Vec<&str> = key.split('/').collect();
    let plain = parts.iter().all(|part| !part.is_empty() && *part != "." && *part != "..");
    plain
        && match parts.as_slice() {
            [ANSWERS, _, ..] => parts.len() > 2,
            [RUNS, _, file] => ["summary.json", "links.txt"].contains(file),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("batch_output_parquet/p/r/0000.parquet", true)]
    #[case("batch_output_parquet/p/r/duplicates-0000.csv", true)]
    #[case("runs/r/summary.json", true)]
    #[case("runs/r/links.txt", true)]
    #[case("batch_output_parquet/", false)]
    #[case("batch_output_parquet/x", false)]
    #[case("batch_output_parquet/p/r/", false)]
    #[case("batch_output_parquet/../inputs/a.csv", false)]
    #[case("batch_output_parquet2/p/r/0000.parquet", false)]
    #[case("runs/r/plan.json", false)]
    #[case("runs/r/stages/summary.json", false)]
    #[case("runs/summary.json", false)]
    #[case("runs//summary.json", false)]
    #[case("inputs/a.csv", false)]
    #[case("/runs/r/summary.json", false)]
    #[case("", false)]
    fn only_answered_rows_totals_and_lists_are_linked(#[case] key: &str, #[case] linkable: bool) {
        assert_eq!(is_linkable(key), linkable);
    }
}
