//! Places in S3 that inputs may be read from.

use crate::contract::prefixes::{ANSWERS, INPUT_ROWS, JOB_INPUTS, JOB_OUTPUTS, RUNS, TRIGGER};
use crate::problem::Problem;
use crate::s3_uri::S3Uri;

/// Buckets and prefixes that a request may name for its rows, images, prompts, references and configuration.
///
/// The files of other runs are never among them, although the functions could read them: records, answers and plans of a run
/// are for those who started it, and a run that reads them under their keys would depend on what rewrites them.
#[derive(Debug, Clone, Copy)]
pub struct ReadableInputs<'a> {
    /// Bucket of the stack.
    pub own: &'a str,
    /// Other buckets.
    pub others: &'a [String],
    /// Prefixes that inputs must be under; without any, they may be anywhere in these buckets.
    pub prefixes: &'a [S3Uri],
}

impl ReadableInputs<'_> {
    /// Returns the problem of the object or prefix `uri`, which `field` names.
    pub fn problem(&self, field: &str, uri: &S3Uri) -> Option<Problem> {
        self.problem_of_bucket(field, uri).or_else(|| self.problem_of_key(field, uri))
    }

    fn problem_of_bucket(&self, field: &str, uri: &S3Uri) -> Option<Problem> {
        if uri.bucket == self.own || self.others.contains(&uri.bucket) {
            return None;
        }
        let readable: Vec<&str> = std::iter::once(self.own).chain(self.others.iter().map(String::as_str)).collect();
        let rule = format!("the stack may read the buckets {} only", readable.join(", "));
        let remedy = "copy the object, or add the bucket to the context key `inputBuckets` and deploy";
        Some(Problem::new(field, uri, rule).remedy(remedy))
    }

    /// Returns the problem of a key in one of the buckets.
    pub fn problem_of_key(&self, field: &str, uri: &S3Uri) -> Option<Problem> {
        let folder = uri.key.split('/').next().unwrap_or_default();
        if uri.bucket == self.own {
            if folder.is_empty() && !uri.key.trim_matches('/').is_empty() {
                let rule = "has a key that begins with `/`, which is not read in the bucket of the stack";
                return Some(Problem::new(field, uri, rule).remedy("write one `/` after the name of the bucket"));
            }
            if folder.is_empty() {
                let rule = "names the whole bucket of the stack, with the files of all runs";
                return Some(Problem::new(field, uri, rule).remedy("name a prefix in it, such as `inputs/`"));
            }
            if let Some(remedy) = remedy_for_files_of_runs(folder) {
                let rule =
                    format!("`{folder}/` in the bucket of the stack is for the files of runs, which are not inputs");
                return Some(Problem::new(field, uri, rule).remedy(remedy));
            }
            // Uploads are inputs wherever others may be.
            if folder == TRIGGER {
                return None;
            }
        }
        let is_under = |prefix: &S3Uri| prefix.bucket == uri.bucket && uri.key.starts_with(&prefix.key);
        if self.prefixes.is_empty() || self.prefixes.iter().any(is_under) {
            return None;
        }
        let allowed: Vec<String> = self.prefixes.iter().map(ToString::to_string).collect();
        let rule = format!("inputs of this stack are under {} only", allowed.join(", "));
        let remedy = "copy the object there, or add its prefix to the context key `inputPrefixes` and deploy";
        Some(Problem::new(field, uri, rule).remedy(remedy))
    }
}

/// Returns what to do in place of reading files under `folder`, if it is one for the files of runs.
fn remedy_for_files_of_runs(folder: &str) -> Option<&'static str> {
    match folder {
        ANSWERS => Some(
            "read the answered rows of a run with `previous_run`, which takes all of its files once it has ended, or let \
             the run copy them with `output_uri`",
        ),
        RUNS | JOB_INPUTS | INPUT_ROWS | JOB_OUTPUTS => {
            Some("name the input that the run was started with; `resume_run` and `collect_run` continue the run itself")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn problem(uri: &str, prefixes: &[&str]) -> Option<String> {
        let others = ["lake".to_owned()];
        let prefixes: Vec<S3Uri> = prefixes.iter().map(|prefix| S3Uri::parse(prefix).unwrap()).collect();
        let readable = ReadableInputs { own: "our-bucket", others: &others, prefixes: &prefixes };
        readable.problem("s3_uri", &S3Uri::parse(uri).unwrap()).map(|problem| problem.to_string())
    }

    #[rstest]
    #[case("s3://our-bucket/inputs/a.csv", &[])]
    #[case("s3://our-bucket/batch/a.csv", &[])]
    #[case("s3://our-bucket/trigger/c/a.csv", &["s3://our-bucket/inputs/"])]
    #[case("s3://our-bucket/inputs/a.csv", &["s3://lake/x/", "s3://our-bucket/inputs/"])]
    #[case("s3://lake", &[])]
    #[case("s3://lake/runs/a.csv", &[])]
    #[case("s3://lake/x/a.csv", &["s3://lake/x/"])]
    fn inputs_are_read(#[case] uri: &str, #[case] prefixes: &[&str]) {
        assert_eq!(problem(uri, prefixes), None);
    }

    #[rstest]
    #[case("s3://their-bucket/a.csv", &[], "the stack may read the buckets our-bucket, lake only; copy the object")]
    #[case("s3://our-bucket/batch_output_parquet/p/r/", &[], "`previous_run`")]
    #[case("s3://our-bucket/batch_output_parquet", &[], "`previous_run`")]
    #[case("s3://our-bucket/batch_outputs_json/p/r/0000/on-demand/0.jsonl.out", &[], "name the input that the run")]
    #[case("s3://our-bucket/batch_inputs_parquet/p/r/0000.parquet", &[], "which are not inputs")]
    #[case("s3://our-bucket/runs/r/plan.json", &["s3://our-bucket/runs/"], "`runs/` in the bucket of the stack is for")]
    #[case("s3://our-bucket", &[], "names the whole bucket of the stack")]
    #[case("s3://our-bucket/", &[], "such as `inputs/`")]
    #[case("s3://our-bucket//", &[], "names the whole bucket of the stack")]
    #[case("s3://our-bucket//runs/r/plan.json", &[], "has a key that begins with `/`, which is not read")]
    #[case("s3://our-bucket/other/a.csv", &["s3://our-bucket/inputs/"], "are under s3://our-bucket/inputs/ only")]
    #[case("s3://lake/inputs/a.csv", &["s3://our-bucket/inputs/"], "`inputPrefixes`")]
    #[case("s3://our-bucket/inputs", &["s3://our-bucket/inputs/"], "`inputPrefixes`")]
    fn other_places_are_refused_with_the_remedy(#[case] uri: &str, #[case] prefixes: &[&str], #[case] expected: &str) {
        let problem = problem(uri, prefixes).unwrap();
        assert!(problem.starts_with(&format!("s3_uri is `{}", &uri[..12])) && problem.contains(expected), "{problem}");
    }
}
