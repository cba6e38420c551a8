//! The item with the slots of the executions that uploads start. It is read and replaced as a whole.

use super::JobTable;
use super::attributes::Attributes;
use super::update::{if_done, number, text};
use crate::error::EngineError;
use bedrock_batch_domain::contract::job_table::{PARTITION_KEY, UPLOAD_SLOTS};
use bedrock_batch_domain::trigger::UploadSlots;

/// Slots as stored.
#[derive(Debug, Clone, Default)]
pub struct StoredSlots {
    /// The slots.
    pub slots: UploadSlots,
    /// Number of times that they were changed.
    version: u64,
}

impl JobTable {
    /// Returns the slots of the executions that uploads start.
    ///
    /// # Errors
    /// Returns an error if the DynamoDB request fails or the item is corrupt.
    pub async fn upload_slots(&self) -> Result<StoredSlots, EngineError> {
        let name = UPLOAD_SLOTS;
        let get = self.client.get_item().table_name(&self.table).key(PARTITION_KEY, text(name));
        let got = get.consistent_read(true).send().await;
        let got = got.map_err(|error| {
            EngineError::from_aws(format!("cannot read the item `{name}` of the table {}", self.table), &error)
        })?;
        let Some(item) = got.item() else { return Ok(StoredSlots::default()) };
        let attributes = Attributes::of(item)?;
        let slots = attributes.json("slots")?.unwrap_or_default();
        Ok(StoredSlots { slots, version: attributes.number("version")?.unwrap_or_default() })
    }

    /// Stores changed slots, unless they were changed since they were read; returns true if they are stored.
    ///
    /// # Errors
    /// Returns an error if the DynamoDB request fails.
    pub async fn put_upload_slots(&self, changed: &StoredSlots) -> Result<bool, EngineError> {
        let name = UPLOAD_SLOTS;
        let slots = serde_json::to_string(&changed.slots)
            .map_err(|error| EngineError::internal("cannot write the slots of uploads as JSON").caused_by(error))?;
        let put = self.client.put_item().table_name(&self.table).item(PARTITION_KEY, text(name));
        let put = put
            .item("slots", text(&slots))
            .item("version", number(changed.version + 1))
            .condition_expression("attribute_not_exists(job_name) OR version = :read")
            .expression_attribute_values(":read", number(changed.version));
        let done = if_done(put.send().await, || format!("cannot write the item `{name}` of the table {}", self.table))?;
        Ok(done.is_some())
    }
}
