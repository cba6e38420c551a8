//! The job table (DynamoDB). A job's item exists before the job does, so that no job is lost; the conditions of its updates
//! make late, repeated and reordered events harmless.

mod attributes;
mod counts;
mod failures;
mod items;
mod job_places;
mod jobs;
mod lease;
mod open_jobs;
mod ownership;
mod pages;
mod read;
mod run_item;
mod update;
mod upload_slots;
mod work_order;

pub use items::{CorruptItem, Fallback, StoredFailure, StoredFile, StoredItem, StoredJob};
pub use jobs::{BegunJob, NewJob, Observed, Waiting};
pub use ownership::Ownership;
pub use pages::ItemPages;
pub use run_item::RunItem;
pub use upload_slots::StoredSlots;
pub(crate) use work_order::WorkOrder;

use aws_sdk_dynamodb::Client;

/// Job table.
#[derive(Debug, Clone)]
pub struct JobTable {
    client: Client,
    table: String,
}

impl JobTable {
    /// Creates the table with this name; sends no request.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Returns the name of the table.
    pub fn name(&self) -> &str {
        &self.table
    }
}
