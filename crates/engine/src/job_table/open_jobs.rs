//! The sparse index of open jobs: those that a state machine waits for.

use super::{JobTable, OPEN, StoredJob, read, text};
use crate::error::EngineError;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use bedrock_batch_domain::contract::job_table::OPEN_INDEX;
use std::time::{Duration, SystemTime};

impl JobTable {
    /// Open jobs about which nothing was heard for `silence`, the longest silent first.
    ///
    /// # Errors
    /// As DynamoDB fails.
    pub async fn silent_for(&self, silence: Duration) -> Result<Vec<StoredJob>, EngineError> {
        let before = DateTime::from(SystemTime::now() - silence).fmt(Format::DateTime).unwrap_or_default();
        let query = self.client.query().table_name(&self.table).index_name(OPEN_INDEX.name);
        let query = query
            .key_condition_expression(format!("#open = :open AND {} < :before", OPEN_INDEX.sort_key))
            .expression_attribute_names("#open", OPEN_INDEX.partition_key)
            .expression_attribute_values(":open", text(OPEN))
            .expression_attribute_values(":before", text(&before));
        let mut items = query.into_paginator().items().send();
        let mut jobs = Vec::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(|error| EngineError::from_aws("cannot list the open jobs", &error))?;
            jobs.push(read(&item));
        }
        Ok(jobs)
    }
}
