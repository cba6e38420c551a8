//! Right of a function to write the files of a run.

use super::JobTable;
use crate::error::EngineError;
use bedrock_batch_domain::ids::{ExecutionArn, ItemName, RunId};
use bedrock_batch_domain::join_order::JoinOrder;

/// Right of a function to write the files of a run, to be checked when a file is complete. A function continues for a while
/// after its execution was stopped, or after Step Functions has started it again, and must not replace files that were written
/// since.
#[derive(Debug, Clone)]
pub struct Ownership {
    jobs: JobTable,
    run_id: RunId,
    owner: ExecutionArn,
    join: Option<(String, JoinOrder)>,
}

impl Ownership {
    /// Returns the right that an execution has while it owns the run.
    pub fn new(jobs: &JobTable, run_id: &RunId, owner: &ExecutionArn) -> Self {
        Self { jobs: jobs.clone(), run_id: run_id.clone(), owner: owner.clone(), join: None }
    }

    /// Limits the right to the time until a later join of the file begins.
    #[must_use]
    pub fn of_join(self, name: ItemName<'_>, order: JoinOrder) -> Self {
        Self { join: Some((name.as_str().to_owned(), order)), ..self }
    }

    /// Checks the right.
    ///
    /// # Errors
    /// Returns `Superseded` if it has ceased, and an error if a DynamoDB request fails or an item is corrupt.
    pub async fn ensure(self) -> Result<(), EngineError> {
        self.jobs.ensure_owner(&self.run_id, &self.owner).await?;
        match &self.join {
            Some((name, order)) => self.jobs.ensure_latest_join(name, *order).await,
            None => Ok(()),
        }
    }
}
