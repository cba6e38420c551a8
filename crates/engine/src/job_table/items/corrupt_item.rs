//! Item that cannot be read.

use super::super::attributes::Item;
use super::StoredItem;
use crate::error::EngineError;
use bedrock_batch_domain::contract::job_table::PARTITION_KEY;

/// Item that cannot be read, in a list of items. What it is a job of may still cost money, so its key is kept.
#[derive(Debug)]
pub struct CorruptItem {
    /// Key of the item; empty if it has none.
    pub key: String,
    /// Error, which names the item, the attribute and its value.
    pub error: EngineError,
}

impl CorruptItem {
    /// Reads an item.
    pub(in crate::job_table) fn or_item(item: &Item) -> Result<StoredItem, Self> {
        StoredItem::read(item).map_err(|error| {
            let key = item.get(PARTITION_KEY).and_then(|key| key.as_s().ok());
            Self { key: key.cloned().unwrap_or_default(), error }
        })
    }
}
