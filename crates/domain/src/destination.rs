//! The folder that a run copies its answered rows to, beside those in the bucket of the stack.

use crate::contract::prefixes;
use crate::ids::RunId;
use crate::problem::Problem;
use crate::s3_uri::S3Uri;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Field of a request that names the folder.
pub const OUTPUT_URI: &str = "output_uri";
/// Maximum number of bytes of the folder: the name of the run and those of its files follow, and S3 allows 1,024.
const MAX_PREFIX_BYTES: usize = 800;

/// Folder in S3. Each run has a folder of its own name in it, so that runs never overwrite or mix with each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Destination(S3Uri);

impl Destination {
    /// Parses `s3://bucket/prefix/`; the last slash may be missing.
    ///
    /// # Errors
    /// Returns the rule that the text breaks, for a [`Problem`].
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.contains("YOUR_ACCOUNT_ID") {
            return Err(
                "still contains the placeholder YOUR_ACCOUNT_ID; replace it by the 12 digits of your AWS account",
            );
        }
        let mut uri = S3Uri::parse(text)?;
        if uri.key.contains(char::is_control) {
            return Err("must not contain control characters");
        }
        if uri.key.split('/').any(|part| part == "." || part == "..") {
            // S3 refuses keys that lead above their bucket, and clients resolve others to another folder.
            return Err("must not have `.` or `..` between its slashes");
        }
        if uri.key.len() > MAX_PREFIX_BYTES {
            return Err(
                "must have at most 800 bytes after the bucket, since the names of the run and its files follow",
            );
        }
        if !uri.key.is_empty() && !uri.key.ends_with('/') {
            uri.key.push('/');
        }
        Ok(Self(uri))
    }

    /// Returns the name of the bucket.
    pub fn bucket(&self) -> &str {
        &self.0.bucket
    }

    /// Returns the folder of a run, with a trailing slash.
    pub fn of_run(&self, run: &RunId) -> S3Uri {
        S3Uri::new(&self.0.bucket, format!("{}{run}/", self.0.key))
    }

    /// Returns the problem of this folder for a stack with the bucket `own` that may also write to `others`.
    pub fn problem(&self, own: &str, others: &[String]) -> Option<Problem> {
        if self.bucket() == own {
            let folder = self.0.key.split('/').next().unwrap_or_default();
            let reserved = prefixes::ALL.iter().find(|prefix| prefix.value == folder)?;
            let rule = format!("`{}/` in the bucket of the stack is for its own files", reserved.value);
            return Some(Problem::new(OUTPUT_URI, self, rule).remedy("choose another prefix, such as `answers/`"));
        }
        if others.iter().any(|other| other == self.bucket()) {
            return None;
        }
        let writable: Vec<&str> = std::iter::once(own).chain(others.iter().map(String::as_str)).collect();
        let rule = format!("the stack may write to the buckets {} only", writable.join(", "));
        let remedy = "choose one of them, or add the bucket to the context key `outputBuckets` and deploy";
        Some(Problem::new(OUTPUT_URI, self, rule).remedy(remedy))
    }

    /// Returns the problem of a folder that lies in the prefix `rows` that the rows are read from: the next run over it would
    /// take the answers for rows.
    pub fn problem_of_input(&self, rows: &str) -> Option<Problem> {
        let rows = Self::parse(rows).ok()?;
        let contains = rows.bucket() == self.bucket() && self.0.key.starts_with(&rows.0.key);
        let rule = "is inside the prefix that the rows are read from, so that the next run would read its own answers";
        contains.then(|| Problem::new(OUTPUT_URI, self, rule).remedy("choose a folder outside of it"))
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<String> for Destination {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Destination> for String {
    fn from(destination: Destination) -> Self {
        destination.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn problem(text: &str) -> Option<String> {
        let others = ["lake".to_owned()];
        Destination::parse(text).unwrap().problem("our-bucket", &others).map(|problem| problem.to_string())
    }

    #[rstest]
    #[case("s3://lake/a/b", "s3://lake/a/b/r-1/")]
    #[case("s3://lake/a/", "s3://lake/a/r-1/")]
    #[case("s3://lake", "s3://lake/r-1/")]
    fn each_run_has_a_folder_of_its_own(#[case] text: &str, #[case] folder: &str) {
        let run = RunId::of_execution("r-1");
        assert_eq!(Destination::parse(text).unwrap().of_run(&run).to_string(), folder);
    }

    #[rstest]
    #[case("lake/a/", "must look like `s3://bucket/path`")]
    #[case("s3://bucket-YOUR_ACCOUNT_ID/a/", "still contains the placeholder YOUR_ACCOUNT_ID")]
    #[case("s3://lake/a\nb/", "must not contain control characters")]
    #[case("s3://lake/../a/", "must not have `.` or `..`")]
    #[case("s3://lake/a/.", "must not have `.` or `..`")]
    fn an_invalid_folder_is_refused(#[case] text: &str, #[case] rule: &str) {
        assert!(Destination::parse(text).unwrap_err().starts_with(rule));
    }

    #[rstest]
    #[case("s3://our-bucket/answers/")]
    #[case("s3://our-bucket/runs2/")]
    #[case("s3://our-bucket/..a/b../v1.2/")]
    #[case("s3://our-bucket")]
    #[case("s3://lake/runs/")]
    fn writable_folders_are_accepted(#[case] text: &str) {
        assert_eq!(problem(text), None);
    }

    #[rstest]
    #[case(
        "s3://theirs/a/",
        "output_uri is `s3://theirs/a/`: the stack may write to the buckets our-bucket, lake only; choose one of them, or add the bucket to the context key `outputBuckets`"
    )]
    #[case(
        "s3://our-bucket/trigger/x",
        "output_uri is `s3://our-bucket/trigger/x/`: `trigger/` in the bucket of the stack is for its own files; choose another prefix"
    )]
    #[case("s3://our-bucket/runs", "`runs/` in the bucket of the stack is for its own files")]
    fn other_folders_are_refused_with_the_remedy(#[case] text: &str, #[case] expected: &str) {
        assert!(problem(text).unwrap().contains(expected));
    }

    #[rstest]
    #[case("s3://lake/rows/", "s3://lake/rows/answers/", true)]
    #[case("s3://lake/rows", "s3://lake/rows/", true)]
    #[case("s3://lake", "s3://lake/answers/", true)]
    #[case("s3://lake/rows/a.csv", "s3://lake/rows/", false)]
    #[case("s3://lake/rows", "s3://lake/rows-answers/", false)]
    #[case("s3://lake/rows/", "s3://other/rows/", false)]
    fn answers_are_not_copied_into_the_input(#[case] rows: &str, #[case] folder: &str, #[case] refused: bool) {
        assert_eq!(Destination::parse(folder).unwrap().problem_of_input(rows).is_some(), refused);
    }

    proptest! {
        #[test]
        fn keys_of_copies_are_short_enough_and_stored_folders_are_read_back(text in "s3://[a-z]{3}/\\PC{0,900}", run in "\\PC{1,80}") {
            if let Ok(destination) = Destination::parse(&text) {
                let folder = destination.of_run(&RunId::of_execution(&run));
                prop_assert!(folder.key.len() + "duplicates-100000.parquet".len() <= 1024);
                let stored = serde_json::to_string(&destination).unwrap();
                prop_assert_eq!(serde_json::from_str::<Destination>(&stored).unwrap(), destination);
            }
        }
    }
}
