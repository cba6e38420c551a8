//! Counts of chunks and files of duplicates.

use super::JobTable;
use super::update::{number, text};
use crate::error::EngineError;
use bedrock_batch_domain::ids::{ItemName, RunId};
use bedrock_batch_domain::summary::ChunkCounts;

impl JobTable {
    /// Stores the counts of a join, and removes the error of an earlier attempt. If a chunk whose job was never started, or a
    /// file of duplicates, has no item yet, it is created.
    ///
    /// # Errors
    /// Returns an error if the DynamoDB request fails.
    pub async fn set_counts(
        &self,
        run_id: &RunId,
        name: ItemName<'_>,
        index: u32,
        counts: &ChunkCounts,
    ) -> Result<(), EngineError> {
        let json = serde_json::to_string(counts)
            .map_err(|error| EngineError::internal(format!("cannot write the counts of {name}")).caused_by(error))?;
        let values = [(":counts", text(&json)), (":run", text(run_id.as_str())), (":index", number(index))];
        let set = "SET counts = :counts, run_id = :run, job_index = :index REMOVE failure_error, failure_cause";
        self.change(name.as_str(), set, "attribute_not_exists(run_id) OR run_id = :run", &values).await?;
        Ok(())
    }

    /// Stores the number of cells that the pivot of a chunk has guarded, beside the counts of its latest join. A repetition
    /// stores the same.
    ///
    /// # Errors
    /// Returns an error if the DynamoDB request fails.
    pub async fn set_guarded_cells(&self, run_id: &RunId, name: ItemName<'_>, cells: u64) -> Result<(), EngineError> {
        let values = [(":cells", number(cells)), (":run", text(run_id.as_str()))];
        self.change(name.as_str(), "SET guarded_cells = :cells", "run_id = :run", &values).await?;
        Ok(())
    }
}
