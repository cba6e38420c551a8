//! Checks that the job table's index by run shows the work of the step that is done. The index is eventually consistent:
//! what it does not show yet could lead to rows being sent that have an answer.

use super::NextStepper;
use crate::error::EngineError;
use crate::job_table::StoredJob;
use bedrock_batch_domain::join_task::{JoinStamp, JoinTask};
use bedrock_batch_domain::plan::JobItem;
use bedrock_batch_domain::run::{History, Phase, Step};
use std::collections::HashMap;

/// The stamps of the latest joins, by the names that counts are stored under.
struct Stamps<'a>(HashMap<&'a str, &'a JoinStamp>);

impl<'a> Stamps<'a> {
    fn of(jobs: &'a [StoredJob]) -> Self {
        Self(jobs.iter().filter_map(|job| Some((job.name.as_str(), &job.counts.as_ref()?.stamp))).collect())
    }

    /// Returns an error unless all of these are stored: names, each with its stamp.
    fn check<'t>(&self, expected: impl Iterator<Item = (&'t str, &'t JoinStamp)>) -> Result<(), EngineError> {
        let late = expected.filter(|(name, stamp)| self.0.get(name) != Some(stamp)).count();
        if late > 0 {
            return Err(EngineError::transient(format!("the counts of {late} joins are not visible yet")));
        }
        Ok(())
    }
}

impl NextStepper {
    /// Returns an error unless `jobs`, as the index shows them, are up to date with the step `done`.
    pub(super) async fn check_visible(
        &self,
        done: &Step,
        history: &History,
        jobs: &[StoredJob],
    ) -> Result<(), EngineError> {
        match done.state.phase {
            Phase::AnswerAndJoin => {
                // Counts that are there from an earlier join (of a run that was collected, and resumed after that) are not
                // those of the jobs' own joins.
                let items: Vec<JobItem> = self.bucket.get_json(&done.manifest_key).await?;
                Stamps::of(jobs).check(items.iter().map(|item| (item.name.as_str(), &JoinStamp::FirstJob)))?;
                check_over(history, jobs, done.state.pass)
            }
            Phase::Answer => check_over(history, jobs, done.state.pass),
            Phase::Join | Phase::LastJoin => {
                let tasks: Vec<JoinTask> = self.bucket.get_json(&done.manifest_key).await?;
                Stamps::of(jobs).check(tasks.iter().filter_map(|task| Some((task.name(), task.stamp()?))))
            }
            // Wide rows are counted already.
            Phase::Pivot | Phase::Finished => Ok(()),
        }
    }
}

/// Returns an error unless all jobs of the pass are over.
fn check_over(history: &History, jobs: &[StoredJob], pass: u32) -> Result<(), EngineError> {
    let over: HashMap<&str, bool> = jobs.iter().map(|job| (job.name.as_str(), job.is_over())).collect();
    let open = history.jobs_of_pass(pass).filter(|(job, _)| over.get(job.name.as_str()) != Some(&true)).count();
    if open > 0 {
        return Err(EngineError::transient(format!("the end of {open} jobs is not visible yet")));
    }
    Ok(())
}
