//! Where everything of a run lies in the bucket, and what its jobs are called.
//!
//! Bedrock refuses `= : + @ ,`, spaces and `//` in the S3 addresses of a job and `_` and spaces in its name
//! (patterns of `CreateModelInvocationJob`), so names are cleaned here, when a run starts, and nowhere later.

use crate::contract::prefixes::{ANSWERS, INPUT_ROWS, JOB_INPUTS, JOB_OUTPUTS, RUNS};
use sha2::{Digest, Sha256};

/// The longest job name that Bedrock takes.
pub const LONGEST_JOB_NAME: usize = 63;
/// The longest part of a job name that comes from the user's prefix: leaves room for `-<index>-<hash>`.
const LONGEST_PREFIX: usize = 40;

/// `job_name_prefix` as it stands in keys and job names: ASCII letters, digits and `-`, at most 40, beginning and
/// ending with a letter or digit. `None` if nothing of it is left.
pub fn clean_prefix(prefix: &str) -> Option<String> {
    let cleaned = joined_by_hyphens(prefix, |c| c.is_ascii_alphanumeric());
    let short: String = cleaned.chars().take(LONGEST_PREFIX).collect();
    let trimmed = short.trim_matches('-');
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}

/// The run's id: the execution's name where S3 addresses of Bedrock jobs allow all its characters, else the cleaned
/// name and a short hash of the real one, so that two executions never share files.
pub fn run_id(execution_name: &str) -> String {
    let cleaned = joined_by_hyphens(execution_name, |c| c.is_ascii_alphanumeric() || c == '_' || c == '.' || c == '-');
    if cleaned == execution_name && cleaned.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return cleaned;
    }
    let kept = cleaned.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    let hash = short_hash(&[execution_name]);
    if kept.is_empty() { format!("run-{hash}") } else { format!("{kept}-{hash}") }
}

/// Replaces each run of characters that do not fit by one hyphen.
fn joined_by_hyphens(text: &str, fits: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if fits(c) {
            out.push(c);
        } else if !out.ends_with('-') {
            out.push('-');
        }
    }
    out
}

/// Eight hex digits that stand for `parts`.
pub(crate) fn short_hash(parts: &[&str]) -> String {
    digest(parts)[..8].to_owned()
}

fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex::encode(hash.finalize())
}

/// The names of one run's objects and jobs. Cheap to make; holds no state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    prefix: String,
    run: String,
}

impl Layout {
    /// The layout of `run` under a prefix that [`clean_prefix`] made.
    pub fn new(prefix: impl Into<String>, run: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), run: run.into() }
    }

    /// Whether a key is of a file that runs write for themselves: not the user's input, nor the answered rows.
    pub fn is_internal(key: &str) -> bool {
        let folder = key.split('/').next().unwrap_or_default();
        [RUNS, JOB_INPUTS, INPUT_ROWS, JOB_OUTPUTS].contains(&folder)
    }

    /// `0000`, `0001`, … `9999`, `10000`, …
    pub fn chunk(index: u32) -> String {
        format!("{index:04}")
    }

    /// What Bedrock reads: one JSON line a record.
    pub fn records_key(&self, index: u32) -> String {
        format!("{JOB_INPUTS}/{}/{}/{}.jsonl", self.prefix, self.run, Self::chunk(index))
    }

    /// The same rows with all their columns and `record_id`.
    pub fn rows_key(&self, index: u32) -> String {
        format!("{INPUT_ROWS}/{}/{}/{}.parquet", self.prefix, self.run, Self::chunk(index))
    }

    /// The folder that Bedrock writes a job's answers under, with a trailing slash.
    pub fn answers_prefix(&self, index: u32) -> String {
        format!("{JOB_OUTPUTS}/{}/{}/{}/", self.prefix, self.run, Self::chunk(index))
    }

    /// The folder that the answers of an on-demand job are written under, with a trailing slash.
    pub fn on_demand_prefix(&self, index: u32) -> String {
        format!("{}on-demand/", self.answers_prefix(index))
    }

    /// Rows that equal earlier rows, with all their columns.
    pub fn duplicate_rows_key(&self, index: u32) -> String {
        format!("{INPUT_ROWS}/{}/{}/duplicates-{}.parquet", self.prefix, self.run, Self::chunk(index))
    }

    /// Answered rows that equal earlier rows.
    pub fn duplicate_output_key(&self, index: u32, extension: &str) -> String {
        format!("{}duplicates-{}.{extension}", self.output_prefix(), Self::chunk(index))
    }

    /// The folder of the answered rows, with a trailing slash.
    pub fn output_prefix(&self) -> String {
        format!("{ANSWERS}/{}/{}/", self.prefix, self.run)
    }

    /// Answered rows of one job; `extension` is `parquet` or `csv`.
    pub fn output_key(&self, index: u32, extension: &str) -> String {
        format!("{}{}.{extension}", self.output_prefix(), Self::chunk(index))
    }

    /// The run's frozen plan.
    pub fn plan_key(run: &str) -> String {
        format!("{RUNS}/{run}/plan.json")
    }

    /// The prompts that the stages of a pipeline run are asked with, whatever is deployed meanwhile.
    pub fn pipeline_prompts_key(run: &str) -> String {
        format!("{RUNS}/{run}/prompts.json")
    }

    /// The job manifest that the Distributed Map reads.
    pub fn jobs_key(run: &str) -> String {
        format!("{RUNS}/{run}/jobs.json")
    }

    /// The job manifest of a pass: that of the first is [`Layout::jobs_key`].
    pub fn pass_jobs_key(run: &str, pass: u32) -> String {
        if pass == 0 { Self::jobs_key(run) } else { format!("{RUNS}/{run}/passes/{pass}/jobs.json") }
    }

    /// Which rows of which chunks each job of a later pass has.
    pub fn pass_parts_key(run: &str, pass: u32) -> String {
        format!("{RUNS}/{run}/passes/{pass}/parts.json")
    }

    /// The manifest of the chunks to be joined after a pass.
    pub fn pass_chunks_key(run: &str, pass: u32) -> String {
        format!("{RUNS}/{run}/passes/{pass}/chunks.json")
    }

    /// The manifest of the jobs that a resumed run still has to ask; `execution` resumes it.
    pub fn resumed_jobs_key(run: &str, execution: &str) -> String {
        format!("{RUNS}/{run}/resumed/{}/jobs.json", run_id(execution))
    }

    /// The positions of the chunks' first rows; there if there are duplicates.
    pub fn first_rows_key(run: &str) -> String {
        format!("{RUNS}/{run}/first_rows.json")
    }

    /// The manifest of the files that are joined when all else is done after this pass.
    pub fn last_join_key(run: &str, pass: u32) -> String {
        format!("{RUNS}/{run}/passes/{pass}/last.json")
    }

    /// The manifest of the chunks whose rows are written as wide ones, when all else is done after this pass.
    pub fn wide_key(run: &str, pass: u32) -> String {
        format!("{RUNS}/{run}/passes/{pass}/wide.json")
    }

    /// A chunk's rows with an answer each, where several of them are to become one.
    pub fn long_key(&self, chunk: u32) -> String {
        format!("{RUNS}/{}/long/{}.parquet", self.run, Self::chunk(chunk))
    }

    /// The records of a chunk that may be asked again: its lines, as they were sent.
    pub fn unanswered_key(&self, chunk: u32) -> String {
        format!("{RUNS}/{}/unanswered/{}.jsonl", self.run, Self::chunk(chunk))
    }

    /// The record ids of a chunk whose answers duplicates in other chunks wait for.
    pub fn wanted_key(&self, chunk: u32) -> String {
        format!("{RUNS}/{}/wanted/{}.json", self.run, Self::chunk(chunk))
    }

    /// The answers that duplicates wait for, one a line.
    pub fn shared_key(&self, chunk: u32) -> String {
        format!("{RUNS}/{}/shared/{}.jsonl.out", self.run, Self::chunk(chunk))
    }

    /// The run's totals.
    pub fn summary_key(run: &str) -> String {
        format!("{RUNS}/{run}/summary.json")
    }

    /// A pipeline run's frozen pipeline.
    pub fn pipeline_key(pipeline_run: &str) -> String {
        format!("{RUNS}/{pipeline_run}/pipeline.json")
    }

    /// The links to the files of a run, one a line; there if an email would have too many of them.
    pub fn links_key(run: &str) -> String {
        format!("{RUNS}/{run}/links.txt")
    }

    /// Under which name the counts of a file of duplicates are stored in the job table; no job can be called so.
    pub fn duplicates_name(run: &str, index: u32) -> String {
        format!("duplicates/{run}/{}", Self::chunk(index))
    }

    /// Under which name the job table knows which execution has the run in hand; no job can be called so.
    pub fn run_item_name(run: &str) -> String {
        format!("run/{run}")
    }

    /// The name of the run's job `index` in `round`: the same whenever it is asked for, different for every run, round
    /// and index, at most 63 characters of Bedrock's job name pattern. `started_at` (the execution's) tells a run from
    /// an older one whose name was used again.
    pub fn job_name(&self, started_at: &str, round: u32, index: u32) -> String {
        let hash = short_hash(&[&self.run, started_at, &round.to_string(), &index.to_string()]);
        format!("{}-{}-{hash}", self.prefix, Self::chunk(index))
    }
}

/// The idempotency token of the job `job_name` of `run`, 64 letters and digits: with it Bedrock takes a repeated
/// `CreateModelInvocationJob` as the same one.
pub fn client_request_token(run: &str, job_name: &str) -> String {
    digest(&[run, job_name])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("test-joke-job1", Some("test-joke-job1"))]
    #[case("my_prefix v2", Some("my-prefix-v2"))]
    #[case("--über//cool--", Some("ber-cool"))]
    #[case("日本", None)]
    #[case("", None)]
    #[case("___", None)]
    fn prefixes(#[case] raw: &str, #[case] clean: Option<&str>) {
        assert_eq!(clean_prefix(raw).as_deref(), clean);
    }

    #[test]
    fn a_name_that_fits_is_kept_and_others_never_collide() {
        assert_eq!(run_id("0f9a-11_x.y"), "0f9a-11_x.y");
        assert_ne!(run_id("a=b"), run_id("a+b"));
        assert_ne!(run_id("a=b"), run_id("a-b"));
    }

    #[test]
    fn every_run_round_and_index_has_a_job_name_of_its_own() {
        let mut names = std::collections::HashSet::new();
        for run in ["a", "b"] {
            let layout = Layout::new("p", run);
            for (at, round, index) in
                [("t", 0, 0), ("t", 1, 0), ("t", 0, 1), ("t", 1, 1), ("t", 0, 10_000), ("u", 0, 0)]
            {
                let name = layout.job_name(at, round, index);
                assert_eq!(name, layout.job_name(at, round, index));
                assert!(names.insert(client_request_token(run, &name)) && names.insert(name));
            }
        }
    }

    fn bedrock_takes_key(key: &str) -> bool {
        key.split('/')
            .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "-!_*'().".contains(c)))
    }

    proptest! {
        #[test]
        fn names_always_fit_bedrocks_patterns(prefix in "\\PC{0,80}", name in "\\PC{1,80}", round in 0u32..9, index in any::<u32>()) {
            let Some(prefix) = clean_prefix(&prefix) else { return Ok(()) };
            let layout = Layout::new(prefix, run_id(&name));
            let job = layout.job_name("t", round, index);
            prop_assert!(job.len() <= LONGEST_JOB_NAME);
            prop_assert!(job.chars().next().unwrap().is_ascii_alphanumeric());
            prop_assert!(job.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'));
            prop_assert!(bedrock_takes_key(&layout.records_key(index)), "{}", layout.records_key(index));
            prop_assert!(bedrock_takes_key(layout.answers_prefix(index).trim_end_matches('/')));
            let token = client_request_token("r", &job);
            prop_assert!(token.len() <= 256 && token.chars().all(|c| c.is_ascii_alphanumeric()));
        }
    }
}
