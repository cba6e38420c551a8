//! Keys of a run's objects in the bucket, and names of its jobs.
//!
//! Bedrock refuses `= : + @ ,`, spaces and `//` in the S3 addresses of a job and `_` and spaces in its name
//! (patterns of `CreateModelInvocationJob`), so names are cleaned here, when a run starts, and nowhere later.

use crate::contract::prefixes::{ANSWERS, EXPIRING, INPUT_ROWS, JOB_INPUTS, JOB_OUTPUTS, RUNS, SETTINGS};
use crate::ids::{DuplicatesName, JobName, JobPrefix, RunId};
use crate::job_name_scheme::JobNameScheme;
use crate::short_hash::{digest, long_hash, short_hash};

/// Names of the objects and jobs of one run. Cheap to create; has no state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    prefix: JobPrefix,
    run: RunId,
}

impl Layout {
    /// The layout of `run` under the prefix of its request.
    pub fn new(prefix: &JobPrefix, run: &RunId) -> Self {
        Self { prefix: prefix.clone(), run: run.clone() }
    }

    /// Returns true for the key of an intermediate file of a run: neither the user's input nor answered rows.
    pub fn is_internal(key: &str) -> bool {
        let folder = key.split('/').next().unwrap_or_default();
        [RUNS, JOB_INPUTS, INPUT_ROWS, JOB_OUTPUTS].contains(&folder)
    }

    /// `0000`, `0001`, … `9999`, `10000`, …
    pub fn chunk(index: u32) -> String {
        format!("{index:04}")
    }

    /// Returns the key of the records that Bedrock reads: one JSON line per record.
    pub fn records_key(&self, index: u32) -> String {
        format!("{JOB_INPUTS}/{}/{}/{}.jsonl", self.prefix, self.run, Self::chunk(index))
    }

    /// Returns the folder of the records, with a trailing slash.
    pub fn records_prefix(&self) -> String {
        format!("{JOB_INPUTS}/{}/{}/", self.prefix, self.run)
    }

    /// Returns the key of the same rows with all their columns and `record_id`.
    pub fn rows_key(&self, index: u32) -> String {
        format!("{INPUT_ROWS}/{}/{}/{}.parquet", self.prefix, self.run, Self::chunk(index))
    }

    /// Returns the folder in which Bedrock writes the answers of a job, with a trailing slash.
    pub fn answers_prefix(&self, index: u32) -> String {
        format!("{JOB_OUTPUTS}/{}/{}/{}/", self.prefix, self.run, Self::chunk(index))
    }

    /// Returns the folder of the answers of an on-demand job, with a trailing slash.
    pub fn on_demand_prefix(&self, index: u32) -> String {
        format!("{}on-demand/", self.answers_prefix(index))
    }

    /// Returns the key of rows that equal earlier rows, with all their columns.
    pub fn duplicate_rows_key(&self, index: u32) -> String {
        format!("{INPUT_ROWS}/{}/{}/duplicates-{}.parquet", self.prefix, self.run, Self::chunk(index))
    }

    /// Returns the key of answered rows that equal earlier rows.
    pub fn duplicate_output_key(&self, index: u32, extension: &str) -> String {
        format!("{}duplicates-{}.{extension}", self.output_prefix(), Self::chunk(index))
    }

    /// Returns the folder of the answered rows, with a trailing slash.
    pub fn output_prefix(&self) -> String {
        format!("{ANSWERS}/{}/{}/", self.prefix, self.run)
    }

    /// Returns the key of the answered rows of one job; `extension` is `parquet` or `csv`.
    pub fn output_key(&self, index: u32, extension: &str) -> String {
        format!("{}{}.{extension}", self.output_prefix(), Self::chunk(index))
    }

    /// Returns the folders of the working files of the run, with trailing slashes: neither answered rows nor what names them.
    pub fn working_prefixes(&self) -> [String; 3] {
        [JOB_INPUTS, INPUT_ROWS, JOB_OUTPUTS].map(|folder| format!("{folder}/{}/{}/", self.prefix, self.run))
    }

    /// Returns the folder of the notes that working files are to be deleted, with a trailing slash. Their keys are in the order of
    /// their days.
    pub fn expiries_prefix() -> String {
        format!("{EXPIRING}/")
    }

    /// Returns the key of the note that the working files of a run are to be deleted on a day, such as `2026-12-31`.
    pub fn expiry_key(day: &str, run: &RunId) -> String {
        format!("{EXPIRING}/{day}/{run}.json")
    }

    /// Returns the day in the key of such a note.
    pub fn day_of_expiry(key: &str) -> Option<&str> {
        let (day, _) = key.strip_prefix(EXPIRING)?.strip_prefix('/')?.split_once('/')?;
        (day.len() == "2026-12-31".len()).then_some(day)
    }

    /// Returns the key of the models, limits and prices that take the place of deployed ones.
    pub fn model_overrides_key() -> String {
        format!("{SETTINGS}/model-overrides.toml")
    }

    /// Returns the key of the run's frozen plan.
    pub fn plan_key(run: &RunId) -> String {
        format!("{RUNS}/{run}/plan.json")
    }

    /// Returns the key of the execution that has claimed the name of a run or a pipeline run, and with it this folder.
    pub fn name_claim_key(run: &RunId) -> String {
        format!("{RUNS}/{run}/claim.json")
    }

    /// Returns the key of the commit at which a run reads its dataset.
    pub fn dataset_pin_key(run: &RunId) -> String {
        format!("{RUNS}/{run}/dataset.json")
    }

    /// Returns the key of what Bedrock said about a run's models when it started.
    pub fn model_pin_key(run: &RunId) -> String {
        format!("{RUNS}/{run}/models.json")
    }

    /// Returns the key of the prompts of a pipeline run, which all its stages use even if others are deployed meanwhile.
    pub fn pipeline_prompts_key(run: &RunId) -> String {
        format!("{RUNS}/{run}/prompts.json")
    }

    /// Returns the key of the job manifest that the Distributed Map reads.
    pub fn jobs_key(run: &RunId) -> String {
        format!("{RUNS}/{run}/jobs.json")
    }

    /// Returns the key of the job manifest of a pass; that of the first is [`Layout::jobs_key`].
    pub fn pass_jobs_key(run: &RunId, pass: u32) -> String {
        if pass == 0 { Self::jobs_key(run) } else { format!("{RUNS}/{run}/passes/{pass}/jobs.json") }
    }

    /// Returns the key of the list of rows, by chunk, that each job of a later pass has.
    pub fn pass_parts_key(run: &RunId, pass: u32) -> String {
        format!("{RUNS}/{run}/passes/{pass}/parts.json")
    }

    /// Returns the key of the manifest of the chunks to be joined after a pass.
    pub fn pass_chunks_key(run: &RunId, pass: u32) -> String {
        format!("{RUNS}/{run}/passes/{pass}/chunks.json")
    }

    /// Returns the key of the manifest of the jobs that a resumed run still has to run; `execution` resumes it.
    pub fn resumed_jobs_key(run: &RunId, execution: &str) -> String {
        format!("{RUNS}/{run}/resumed/{}/jobs.json", RunId::of_execution(execution))
    }

    /// Returns the key of the positions of the chunks' first rows, which exists if there are duplicates.
    pub fn first_rows_key(run: &RunId) -> String {
        format!("{RUNS}/{run}/first_rows.json")
    }

    /// Returns the key of the manifest of the files that are joined last, after this pass.
    pub fn last_join_key(run: &RunId, pass: u32) -> String {
        format!("{RUNS}/{run}/passes/{pass}/last.json")
    }

    /// Returns the key of the manifest of the chunks whose rows are written as wide rows at the end, after this pass.
    pub fn wide_key(run: &RunId, pass: u32) -> String {
        format!("{RUNS}/{run}/passes/{pass}/wide.json")
    }

    /// Returns the key of a chunk's rows with one answer each, several of which become one wide row.
    pub fn long_key(&self, chunk: u32) -> String {
        format!("{RUNS}/{}/long/{}.parquet", self.run, Self::chunk(chunk))
    }

    /// Returns the key of the records of a chunk that may be retried: its lines, as they were sent.
    pub fn unanswered_key(&self, chunk: u32) -> String {
        format!("{RUNS}/{}/unanswered/{}.jsonl", self.run, Self::chunk(chunk))
    }

    /// Returns the key of the record ids of a chunk whose answers duplicates in other chunks wait for.
    pub fn wanted_key(&self, chunk: u32) -> String {
        format!("{RUNS}/{}/wanted/{}.json", self.run, Self::chunk(chunk))
    }

    /// Returns the key of the answers that duplicates wait for, one per line.
    pub fn shared_key(&self, chunk: u32) -> String {
        format!("{RUNS}/{}/shared/{}.jsonl.out", self.run, Self::chunk(chunk))
    }

    /// Returns the key of the run's totals.
    pub fn summary_key(run: &RunId) -> String {
        format!("{RUNS}/{run}/summary.json")
    }

    /// Returns the key of the frozen pipeline of a pipeline run.
    pub fn pipeline_key(pipeline_run: &RunId) -> String {
        format!("{RUNS}/{pipeline_run}/pipeline.json")
    }

    /// Returns the key of the links to the files of a run, one per line, which exists if they are too many for an email.
    pub fn links_key(run: &RunId) -> String {
        format!("{RUNS}/{run}/links.txt")
    }

    /// Returns the name of a file of duplicates in the job table, which no job can have.
    pub fn duplicates_name(run: &RunId, index: u32) -> DuplicatesName {
        DuplicatesName::new(run, index)
    }

    /// Returns the name of the run's own item in the job table, which no job can have. The item contains the owner.
    pub fn run_item_name(run: &RunId) -> String {
        format!("run/{run}")
    }

    /// Returns the name of the run's job `index` in `round`: deterministic, and at most 63 characters of Bedrock's pattern for
    /// job names. It differs for every run, round and index, as far as the hash of the scheme does. `started_at` (that of the
    /// execution) distinguishes a run from an older one with the same name.
    pub fn job_name(&self, scheme: JobNameScheme, started_at: &str, round: u32, index: u32) -> JobName {
        let (round, number) = (round.to_string(), index.to_string());
        let parts = [self.run.as_str(), started_at, &round, &number];
        let hash = match scheme {
            JobNameScheme::ShortHash => short_hash(&parts),
            JobNameScheme::LongHash => long_hash(&parts),
        };
        JobName::of_job(&self.prefix, &Self::chunk(index), &hash)
    }
}

/// Returns the idempotency token of the job `job` of `run`, 64 letters and digits: Bedrock treats a repeated
/// `CreateModelInvocationJob` with the same token as the same request.
pub fn client_request_token(run: &RunId, job: &JobName) -> String {
    digest(&[run.as_str(), job.as_str()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_run_round_and_index_has_its_own_job_name() {
        let mut names = std::collections::HashSet::new();
        let prefix = JobPrefix::parse("p").unwrap();
        for run in ["a", "b"].map(RunId::of_execution) {
            let layout = Layout::new(&prefix, &run);
            for (at, round, index) in
                [("t", 0, 0), ("t", 1, 0), ("t", 0, 1), ("t", 1, 1), ("t", 0, 10_000), ("u", 0, 0)]
            {
                let name = layout.job_name(JobNameScheme::CURRENT, at, round, index);
                assert_eq!(name, layout.job_name(JobNameScheme::CURRENT, at, round, index));
                assert!(names.insert(client_request_token(&run, &name)) && names.insert(name.into()));
            }
        }
    }

    /// Names of the first job of this many runs under one prefix, the longest one.
    fn distinct_names(scheme: JobNameScheme, runs: u32) -> usize {
        let prefix = JobPrefix::parse(&"p".repeat(40)).unwrap();
        let name = |run: u32| {
            let run = RunId::of_execution(&format!("run-{run}"));
            Layout::new(&prefix, &run).job_name(scheme, "2026-11-30T15:30:00.000Z", 0, 0)
        };
        (0..runs).map(name).collect::<std::collections::HashSet<_>>().len()
    }

    #[test]
    fn very_many_runs_under_one_prefix_share_no_job_name() {
        const RUNS: u32 = 100_000;
        assert_eq!(distinct_names(JobNameScheme::LongHash, RUNS), RUNS as usize);
        // Otherwise this number of runs would prove nothing.
        assert!(distinct_names(JobNameScheme::ShortHash, RUNS) < RUNS as usize);
    }

    #[test]
    fn names_use_the_characters_that_bedrock_allows() {
        let run = RunId::of_execution("r");
        let length = |prefix: &str, index| {
            let layout = Layout::new(&JobPrefix::parse(prefix).unwrap(), &run);
            layout.job_name(JobNameScheme::LongHash, "t", 0, index).as_str().len()
        };
        assert_eq!(length(&"p".repeat(40), 0), 63);
        assert_eq!(length(&"p".repeat(40), u32::MAX), 63);
        assert_eq!(length("p", 0), "p-0000-".len() + 25, "128 bits suffice");
    }

    fn bedrock_accepts_key(key: &str) -> bool {
        key.split('/')
            .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "-!_*'().".contains(c)))
    }

    proptest! {
        #[test]
        fn names_always_fit_bedrocks_patterns(prefix in "\\PC{0,80}", name in "\\PC{1,80}", round in 0u32..9, index in any::<u32>()) {
            let Some(prefix) = JobPrefix::cleaned(&prefix) else { return Ok(()) };
            let run = RunId::of_execution(&name);
            let layout = Layout::new(&prefix, &run);
            let job = layout.job_name(JobNameScheme::CURRENT, "t", round, index);
            prop_assert_eq!(&JobName::parse(job.as_str()), &Ok(job.clone()));
            prop_assert!(job.as_str().chars().all(|c| c.is_ascii_alphanumeric() || c == '-'));
            prop_assert!(bedrock_accepts_key(&layout.records_key(index)), "{}", layout.records_key(index));
            prop_assert!(bedrock_accepts_key(layout.answers_prefix(index).trim_end_matches('/')));
            let token = client_request_token(&run, &job);
            prop_assert!(token.len() <= 256 && token.chars().all(|c| c.is_ascii_alphanumeric()));
        }
    }
}
