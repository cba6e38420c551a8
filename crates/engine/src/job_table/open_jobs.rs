//! The sparse index of open jobs, which are those that a state machine waits for.

use super::JobTable;
use super::items::{CorruptItem, StoredItem, StoredJob};
use super::update::{text, timestamp};
use crate::error::EngineError;
use bedrock_batch_domain::contract::job_table::OPEN_INDEX;
use std::time::{Duration, SystemTime};

/// Value of the attribute `open`, which only open jobs have, so that their index is sparse.
pub(super) const OPEN: &str = "1";

impl JobTable {
    /// Returns the open jobs that were not updated for `silence`, the longest silent first. Corrupt items are
    /// returned as such, so that they do not hide the others.
    ///
    /// # Errors
    /// Returns an error if the DynamoDB request fails.
    pub async fn silent_for(&self, silence: Duration) -> Result<Vec<Result<StoredJob, CorruptItem>>, EngineError> {
        let before = timestamp(SystemTime::now() - silence);
        let query = self.client.query().table_name(&self.table).index_name(OPEN_INDEX.name);
        let query = query
            .key_condition_expression(format!("#open = :open AND {} < :before", OPEN_INDEX.sort_key))
            .expression_attribute_names("#open", OPEN_INDEX.partition_key)
            .expression_attribute_values(":open", text(OPEN))
            .expression_attribute_values(":before", text(&before));
        let mut items = query.into_paginator().items().send();
        let mut jobs = Vec::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(|error| {
                EngineError::from_aws(format!("cannot list the open jobs of the table {}", self.table), &error)
            })?;
            // Only jobs are ever open.
            jobs.extend(CorruptItem::or_item(&item).map(StoredItem::into_job).transpose());
        }
        Ok(jobs)
    }
}
