//! Queries of jobs, and of all items of a run.

use super::JobTable;
use super::attributes::{Attributes, Item};
use super::items::{CorruptItem, StoredItem, StoredJob};
use super::pages::ItemPages;
use super::update::text;
use crate::error::EngineError;
use bedrock_batch_domain::contract::job_table::{PARTITION_KEY, RUN_INDEX};
use bedrock_batch_domain::ids::{ItemName, JobName, RunId};

impl JobTable {
    /// Returns the job with this name, if it was started.
    ///
    /// # Errors
    /// Returns an error if the DynamoDB request fails or the item is corrupt.
    pub async fn get(&self, name: &JobName) -> Result<Option<StoredJob>, EngineError> {
        let item = self.item(name.as_str()).await?;
        Ok(item.as_ref().map(StoredItem::read).transpose()?.and_then(StoredItem::into_job))
    }

    /// Returns the job of a run with this name, if it was started.
    ///
    /// # Errors
    /// Returns `NameClash` if a job of another run has the name, and an error if the DynamoDB request fails or the item is
    /// corrupt.
    pub async fn job_of_run(&self, run_id: &RunId, name: &JobName) -> Result<Option<StoredJob>, EngineError> {
        let stored = self.get(name).await?;
        match &stored {
            Some(job) if job.run_id != *run_id => Err(clash(run_id, name.into(), &job.run_id)),
            _ => Ok(stored),
        }
    }

    /// Returns an error if an item with this name exists and belongs to another run.
    pub(super) async fn ensure_item_of_run(&self, run_id: &RunId, name: ItemName<'_>) -> Result<(), EngineError> {
        let Some(item) = self.item(name.as_str()).await? else { return Ok(()) };
        let owner: Option<RunId> = Attributes::of(&item)?.id(RUN_INDEX.partition_key, "the id of a run")?;
        match owner {
            Some(owner) if owner != *run_id => Err(clash(run_id, name, &owner)),
            _ => Ok(()),
        }
    }

    /// Reads the item with this key, if it exists.
    pub(super) async fn item(&self, key: &str) -> Result<Option<Item>, EngineError> {
        let get = self.client.get_item().table_name(&self.table).key(PARTITION_KEY, text(key));
        let got = get.consistent_read(true).send().await;
        let got = got.map_err(|error| {
            EngineError::from_aws(format!("cannot read the item `{key}` of the table {}", self.table), &error)
        })?;
        Ok(got.item)
    }

    /// Returns all items of a run except its own, in the order of their numbers. The index is eventually consistent.
    ///
    /// # Errors
    /// Returns an error if the DynamoDB request fails or an item is corrupt.
    pub async fn of_run(&self, run_id: &RunId) -> Result<Vec<StoredItem>, EngineError> {
        self.readable_of_run(run_id).await?.into_iter().map(|item| item.map_err(|corrupt| corrupt.error)).collect()
    }

    /// Returns the same items, the corrupt ones as such, for callers that need all readable items.
    ///
    /// # Errors
    /// Returns an error if the DynamoDB request fails.
    pub async fn readable_of_run(&self, run_id: &RunId) -> Result<Vec<Result<StoredItem, CorruptItem>>, EngineError> {
        let mut pages = self.pages_of_run(run_id);
        let mut items = Vec::new();
        while let Some(page) = pages.next().await? {
            items.extend(page);
        }
        Ok(items)
    }

    /// Returns the same items page by page, for callers that have no memory for those of a run with 100,000 jobs.
    pub fn pages_of_run(&self, run_id: &RunId) -> ItemPages {
        let query = self.client.query().table_name(&self.table).index_name(RUN_INDEX.name);
        let condition = format!("{} = :run", RUN_INDEX.partition_key);
        let query =
            query.key_condition_expression(condition).expression_attribute_values(":run", text(run_id.as_str()));
        ItemPages::new(query, format!("cannot list the jobs of run {run_id} in the table {}", self.table))
    }
}

fn clash(run_id: &RunId, name: ItemName<'_>, owner: &RunId) -> EngineError {
    EngineError::name_clash(format!(
        "the item `{name}` of the job table belongs to run {owner}, not to run {run_id}: no two runs may share the name of a \
         job, so nothing was changed or submitted; start a new run over the same input, whose jobs have other names"
    ))
}
