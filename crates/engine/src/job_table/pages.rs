//! Queries page by page: a table may have more items than a function has memory for.

use super::attributes::Item;
use super::items::{CorruptItem, StoredItem};
use crate::error::EngineError;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::Select;

/// Results of a query, page by page.
#[derive(Debug)]
pub struct ItemPages {
    query: QueryFluentBuilder,
    /// Description of the query, for messages.
    context: String,
    /// Key after which the next page begins; `None` before the first page.
    after: Option<Item>,
    is_over: bool,
}

impl ItemPages {
    /// Creates the results of `query`; sends no request.
    pub(super) fn new(query: QueryFluentBuilder, context: String) -> Self {
        Self { query, context, after: None, is_over: false }
    }

    /// Returns the next page in the order of the index, or `None` after the last one. Corrupt items are returned as such, so
    /// that they do not hide the others.
    ///
    /// # Errors
    /// Returns an error if the DynamoDB request fails.
    pub async fn next(&mut self) -> Result<Option<Vec<Result<StoredItem, CorruptItem>>>, EngineError> {
        if self.is_over {
            return Ok(None);
        }
        let page = self.query.clone().set_exclusive_start_key(self.after.take()).send().await;
        let page = page.map_err(|error| EngineError::from_aws(&self.context, &error))?;
        let items = page.items().iter().map(CorruptItem::or_item).collect();
        self.after = page.last_evaluated_key;
        self.is_over = self.after.is_none();
        Ok(Some(items))
    }

    /// Returns the number of items on all pages that were not read.
    ///
    /// # Errors
    /// Returns an error if the DynamoDB request fails.
    pub async fn count_left(mut self) -> Result<u64, EngineError> {
        let mut count = 0;
        while !self.is_over {
            let query = self.query.clone().select(Select::Count).set_limit(None);
            let page = query.set_exclusive_start_key(self.after.take()).send().await;
            let page = page.map_err(|error| EngineError::from_aws(&self.context, &error))?;
            count += u64::try_from(page.count()).unwrap_or(0);
            self.after = page.last_evaluated_key;
            self.is_over = self.after.is_none();
        }
        Ok(count)
    }
}
