//! Counts of chunks and files of duplicates.

use super::JobTable;
use super::attributes::Attributes;
use super::update::{number, text};
use super::work_order::{JOIN_ORDER, WorkOrder};
use crate::error::EngineError;
use bedrock_batch_domain::ids::{ItemName, RunId};
use bedrock_batch_domain::join_order::JoinOrder;
use bedrock_batch_domain::summary::ChunkCounts;
use std::fmt;

impl JobTable {
    /// Notes that a join of a file begins, which is `order` among all of its joins. If a chunk whose job was never started, or a
    /// file of duplicates, has no item yet, it is created.
    ///
    /// # Errors
    /// Returns `Superseded` if a later join has begun, `NameClash` if the item belongs to another run, and an error if a
    /// DynamoDB request fails.
    pub async fn begin_join(
        &self,
        run_id: &RunId,
        (name, index): (ItemName<'_>, u32),
        order: JoinOrder,
    ) -> Result<(), EngineError> {
        let order = WorkOrder::from(order);
        let values = [(":order", text(&order.text)), (":run", text(run_id.as_str())), (":index", number(index))];
        let set = "SET join_order = :order, run_id = :run, job_index = if_not_exists(job_index, :index)";
        let is_latest = self.change_of_run((run_id, name), set, &order.is_latest(":order"), &values).await?;
        if is_latest { Ok(()) } else { Err(later_join(name)) }
    }

    /// Checks that no later join of the file has begun.
    ///
    /// # Errors
    /// Returns `Superseded` if one has, and an error if the DynamoDB request fails or the item is corrupt.
    pub(super) async fn ensure_latest_join(&self, name: &str, order: JoinOrder) -> Result<(), EngineError> {
        let item = self.item(name).await?;
        let latest = item.as_ref().map(|item| Attributes::of(item)?.text(JOIN_ORDER)).transpose()?.flatten();
        if latest.is_some_and(|latest| latest > order.to_string()) { Err(later_join(name)) } else { Ok(()) }
    }

    /// Stores the counts of a join that has begun, and removes the error of an earlier attempt and the count of an earlier pivot.
    ///
    /// # Errors
    /// Returns `Superseded` if a later join has begun, `NameClash` if the item belongs to another run, and an error if a
    /// DynamoDB request fails.
    pub async fn set_counts(
        &self,
        run_id: &RunId,
        (name, index): (ItemName<'_>, u32),
        order: JoinOrder,
        counts: &ChunkCounts,
    ) -> Result<(), EngineError> {
        let json = serde_json::to_string(counts)
            .map_err(|error| EngineError::internal(format!("cannot write the counts of {name}")).caused_by(error))?;
        let order = WorkOrder::from(order);
        let values = [
            (":counts", text(&json)),
            (":order", text(&order.text)),
            (":run", text(run_id.as_str())),
            (":index", number(index)),
        ];
        let set = "SET counts = :counts, join_order = :order, run_id = :run, job_index = :index \
                   REMOVE failure_error, failure_cause, guarded_cells";
        let is_latest = self.change_of_run((run_id, name), set, &order.is_latest(":order"), &values).await?;
        if is_latest { Ok(()) } else { Err(later_join(name)) }
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

fn later_join(name: impl fmt::Display) -> EngineError {
    EngineError::superseded(format!("a later join of {name} has begun: the result of this one was not stored"))
}
