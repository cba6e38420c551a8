//! Folders of table formats whose files are more than the rows of the table: a Delta Lake, Iceberg or Hudi table keeps files that
//! a later version has replaced, and only its log says which ones count.

use crate::problem::{Problem, shortened};
use std::fmt;

/// Entry of a Parquet file's metadata that writers of Iceberg tables add.
pub const ICEBERG_SCHEMA: &str = "iceberg.schema";

/// Folders with the logs of tables whose partitions are folders beside it. Files of Iceberg tables say themselves what they are.
pub const LOGS: [(LakeFormat, &str); 2] = [(LakeFormat::Delta, "_delta_log"), (LakeFormat::Hudi, ".hoodie")];

/// Returns the folder of the table to which a prefix may belong that ends in a partition, such as `orders/day=2026-01-01/`.
pub fn folder_of_partition(prefix: &str) -> Option<&str> {
    let mut folder = prefix.trim_end_matches('/');
    let mut is_partition = false;
    loop {
        let begin = folder.rfind('/').map_or(0, |slash| slash + 1);
        if !folder[begin..].contains('=') {
            return is_partition.then(|| &prefix[..folder.len() + usize::from(!folder.is_empty())]);
        }
        is_partition = true;
        folder = folder[..begin].trim_end_matches('/');
    }
}

/// Format of a table with a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LakeFormat {
    /// Delta Lake: `_delta_log/`.
    Delta,
    /// Apache Iceberg: `metadata/*.metadata.json`.
    Iceberg,
    /// Apache Hudi: `.hoodie/`.
    Hudi,
}

impl LakeFormat {
    /// Returns the format of the table to whose log a file belongs, and the folder of the table; `below` is the part of the
    /// file's key below the prefix.
    pub fn of_log(below: &str) -> Option<(Self, &str)> {
        let mut begin = 0;
        for part in below.split('/') {
            let inner = below.get(begin + part.len() + 1..);
            let format = match (part, inner) {
                ("_delta_log", Some(_)) => Some(Self::Delta),
                (".hoodie", Some(_)) => Some(Self::Hudi),
                ("metadata", Some(file)) if file.ends_with(".metadata.json") => Some(Self::Iceberg),
                _ => None,
            };
            if let Some(format) = format {
                return Some((format, &below[..begin]));
            }
            begin += part.len() + 1;
        }
        None
    }

    /// Returns the problem of an input with such a table; `place` is the table or one of its files.
    pub fn problem(self, field: &str, place: impl fmt::Display) -> Problem {
        let place = shortened(&place.to_string());
        let rule = format!(
            "is a folder of the {self} table at {place}, which also has files that the table no longer contains: rows would be \
             sent that were deleted or replaced"
        );
        let remedy = format!(
            "write the current rows to a folder of their own and name that, for example with Spark: \
             `spark.read.format(\"{}\").load(…).write.parquet(…)`; one file that is named itself is read as it is",
            self.spark_name()
        );
        Problem::without_value(field, rule).remedy(remedy)
    }

    fn spark_name(self) -> &'static str {
        match self {
            Self::Delta => "delta",
            Self::Iceberg => "iceberg",
            Self::Hudi => "hudi",
        }
    }
}

impl fmt::Display for LakeFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Delta => "Delta Lake",
            Self::Iceberg => "Iceberg",
            Self::Hudi => "Hudi",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("_delta_log/00000000000000000000.json", Some((LakeFormat::Delta, "")))]
    #[case("sales/orders/_delta_log/_last_checkpoint", Some((LakeFormat::Delta, "sales/orders/")))]
    #[case("metadata/v1.metadata.json", Some((LakeFormat::Iceberg, "")))]
    #[case("orders/metadata/00001-x.metadata.json", Some((LakeFormat::Iceberg, "orders/")))]
    #[case("orders/.hoodie/hoodie.properties", Some((LakeFormat::Hudi, "orders/")))]
    #[case("metadata/notes.json", None)]
    #[case("_delta_log", None)]
    #[case("a/metadata.json", None)]
    #[case("part-0.parquet", None)]
    #[case("", None)]
    fn logs_are_known_by_their_names(#[case] below: &str, #[case] expected: Option<(LakeFormat, &str)>) {
        assert_eq!(LakeFormat::of_log(below), expected);
    }

    #[rstest]
    #[case("sales/orders/day=2026-01-01/", Some("sales/orders/"))]
    #[case("orders/day=1/hour=2", Some("orders/"))]
    #[case("day=1/", Some(""))]
    #[case("day=1/orders/", None)]
    #[case("orders/", None)]
    #[case("", None)]
    fn the_table_of_a_partition_is_found(#[case] prefix: &str, #[case] expected: Option<&str>) {
        assert_eq!(folder_of_partition(prefix), expected);
    }

    #[test]
    fn the_problem_says_what_to_do() {
        let problem = LakeFormat::Delta.problem("s3_uri", "s3://b/orders/").to_string();
        assert!(
            problem.starts_with("s3_uri: is a folder of the Delta Lake table at s3://b/orders/, which"),
            "{problem}"
        );
        assert!(problem.contains("spark.read.format(\"delta\")"), "{problem}");
    }
}
