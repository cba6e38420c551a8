//! Check that the job table's index by run shows the results of the completed step. The index is eventually consistent, and
//! results that it does not show yet could cause rows to be sent that already have an answer.

use super::NextStepper;
use crate::error::EngineError;
use crate::job_table::StoredItem;
use bedrock_batch_domain::ids::{ItemName, JobName};
use bedrock_batch_domain::join_task::{JoinStamp, JoinTask};
use bedrock_batch_domain::plan::JobItem;
use bedrock_batch_domain::run::{History, Phase, Step};
use std::collections::HashMap;

/// Stamps of the latest joins, by the names under which counts are stored.
struct Stamps<'a>(HashMap<ItemName<'a>, &'a JoinStamp>);

impl<'a> Stamps<'a> {
    fn of(items: &'a [StoredItem]) -> Self {
        Self(items.iter().filter_map(|item| Some((item.name(), &item.counts()?.stamp))).collect())
    }

    /// Returns an error unless each of these names is stored with its stamp.
    fn check<'t>(&self, expected: impl Iterator<Item = (ItemName<'t>, &'t JoinStamp)>) -> Result<(), EngineError> {
        let late = expected.filter(|(name, stamp)| self.0.get(name) != Some(stamp)).count();
        if late > 0 {
            return Err(EngineError::transient(format!("the counts of {late} joins are not visible yet")));
        }
        Ok(())
    }
}

impl NextStepper {
    /// Returns an error unless `items`, as the index shows them, are up to date with the step `done`.
    pub(super) async fn check_visible(
        &self,
        done: &Step,
        history: &History,
        items: &[StoredItem],
    ) -> Result<(), EngineError> {
        match done.state.phase {
            Phase::AnswerAndJoin => {
                // Counts of an earlier join (if the run was collected and then resumed) must not be taken for those of the
                // jobs' own joins.
                let expected: Vec<JobItem> = self.bucket.get_json(&done.manifest_key).await?;
                Stamps::of(items).check(expected.iter().map(|item| ((&item.name).into(), &JoinStamp::FirstJob)))?;
                check_over(history, items, done.state.pass)
            }
            Phase::Answer => check_over(history, items, done.state.pass),
            Phase::Join | Phase::LastJoin => {
                let tasks: Vec<JoinTask> = self.bucket.get_json(&done.manifest_key).await?;
                Stamps::of(items).check(tasks.iter().filter_map(|task| Some((task.name(), task.stamp()?))))
            }
            // Wide rows are already counted.
            Phase::Pivot | Phase::Finished => Ok(()),
        }
    }
}

/// Returns an error unless all jobs of the pass are over.
fn check_over(history: &History, items: &[StoredItem], pass: u32) -> Result<(), EngineError> {
    let jobs = items.iter().filter_map(StoredItem::job);
    let over: HashMap<&JobName, bool> = jobs.map(|job| (&job.name, job.is_over())).collect();
    let open = history.jobs_of_pass(pass).filter(|(job, _)| over.get(&job.name) != Some(&true)).count();
    if open > 0 {
        return Err(EngineError::transient(format!("the end of {open} jobs is not visible yet")));
    }
    Ok(())
}
