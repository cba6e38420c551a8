//! The sparse index of open jobs, which are those that a state machine waits for.

use super::JobTable;
use super::pages::ItemPages;
use super::update::{text, timestamp};
use crate::error::EngineError;
use bedrock_batch_domain::contract::job_table::OPEN_INDEX;
use std::time::{Duration, SystemTime};

/// Value of the attribute `open`, which only open jobs have, so that their index is sparse.
pub(super) const OPEN: &str = "1";

/// Number of jobs per page, which are checked together.
const PAGE_JOBS: i32 = 100;

impl JobTable {
    /// Returns the open jobs that were not updated for `silence`, the longest silent first.
    pub fn silent_for(&self, silence: Duration) -> ItemPages {
        let before = timestamp(SystemTime::now() - silence);
        let query = self.client.query().table_name(&self.table).index_name(OPEN_INDEX.name).limit(PAGE_JOBS);
        let query = query
            .key_condition_expression(format!("#open = :open AND {} < :before", OPEN_INDEX.sort_key))
            .expression_attribute_names("#open", OPEN_INDEX.partition_key)
            .expression_attribute_values(":open", text(OPEN))
            .expression_attribute_values(":before", text(&before));
        ItemPages::new(query, format!("cannot list the open jobs of the table {}", self.table))
    }

    /// Notes that an open job is being checked, so that it is the last one in the order of the longest silence: jobs whose
    /// state does not change, or that cannot be checked, must not keep the others from their turn. `key` is the job's, which
    /// may be that of a corrupt item.
    ///
    /// # Errors
    /// Returns an error if the DynamoDB request fails.
    pub async fn note_check(&self, key: &str) -> Result<(), EngineError> {
        let values = [(":now", text(&timestamp(SystemTime::now())))];
        self.change(key, "SET checked_at = :now", "attribute_exists(#open)", &values).await?;
        Ok(())
    }
}
