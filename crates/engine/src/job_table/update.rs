//! Conditional updates, by which all items are changed.

use super::JobTable;
use super::attributes::Item;
use crate::error::{AwsOperation, EngineError};
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bedrock_batch_domain::contract::job_table::{OPEN_INDEX, PARTITION_KEY, RUN_INDEX, TIME_TO_LIVE};
use bedrock_batch_domain::ids::{ItemName, RunId};
use std::borrow::Cow;
use std::time::SystemTime;

/// Maximum duration of an execution.
const MAX_EXECUTION_DAYS: i64 = 366;
/// Days for which the items of a run live after its end, so that it can be looked at and continued.
const DAYS_AFTER_END: i64 = 90;
/// Time to live after the last update. The items of the first jobs of an execution are not updated again, however long it lasts, and
/// are updated when the run is continued. Without its items, finalize fails, and rows would be sent twice.
const TIME_TO_LIVE_SECONDS: i64 = (MAX_EXECUTION_DAYS + DAYS_AFTER_END) * 24 * 3600;

/// Placeholders of the values that every update sets. Callers have names of their own for theirs, and a clash would write the
/// value of the one as that of the other.
const UPDATED_AT: &str = ":updated_at";
const EXPIRES_AT: &str = ":expires_at";
/// Placeholder of the run that an item must belong to, which callers do not use either.
const OWNER_RUN: &str = ":owner_run";

impl JobTable {
    /// Updates an item that belongs to no run, such as the run's own, if it meets the condition; returns true if it did. The
    /// names of `values` are not [`UPDATED_AT`] and not [`EXPIRES_AT`].
    pub(super) async fn change(
        &self,
        name: &str,
        expression: &str,
        condition: &str,
        values: &[(&str, AttributeValue)],
    ) -> Result<bool, EngineError> {
        Ok(self.change_returning_old(name, expression, condition, values).await?.is_some())
    }

    /// Updates an item of a run if it meets the condition; returns true if it did.
    ///
    /// # Errors
    /// Returns `NameClash` if the item belongs to another run, and an error if a DynamoDB request fails or the item is corrupt.
    pub(super) async fn change_of_run(
        &self,
        (run_id, name): (&RunId, impl Into<ItemName<'_>>),
        expression: &str,
        condition: &str,
        values: &[(&str, AttributeValue)],
    ) -> Result<bool, EngineError> {
        let old = self.change_of_run_returning_old((run_id, name), expression, condition, values).await?;
        Ok(old.is_some())
    }

    /// Does the same, and returns the old values of the changed attributes, or `None` if the condition was not met.
    pub(super) async fn change_of_run_returning_old(
        &self,
        (run_id, name): (&RunId, impl Into<ItemName<'_>>),
        expression: &str,
        condition: &str,
        values: &[(&str, AttributeValue)],
    ) -> Result<Option<Item>, EngineError> {
        let name = name.into();
        let run = RUN_INDEX.partition_key;
        let condition = format!("{} AND (attribute_not_exists({run}) OR {run} = {OWNER_RUN})", grouped(condition));
        let mut values = values.to_vec();
        values.push((OWNER_RUN, text(run_id.as_str())));
        let old = self.change_returning_old(name.as_str(), expression, &condition, &values).await?;
        if old.is_none() {
            self.ensure_item_of_run(run_id, name).await?;
        }
        Ok(old)
    }

    /// Updates an item if it meets the condition; returns the old values of the changed attributes, or `None` if it did not.
    async fn change_returning_old(
        &self,
        name: &str,
        expression: &str,
        condition: &str,
        values: &[(&str, AttributeValue)],
    ) -> Result<Option<Item>, EngineError> {
        let (set, remove) = match expression.split_once(" REMOVE ") {
            Some((set, removed)) => (set, format!(" REMOVE {removed}")),
            None => (expression, String::new()),
        };
        let full = format!("{set}, {} = {UPDATED_AT}, {TIME_TO_LIVE} = {EXPIRES_AT}{remove}", OPEN_INDEX.sort_key);
        let update = self.client.update_item().table_name(&self.table).key(PARTITION_KEY, text(name));
        let mut update = update.condition_expression(condition).return_values(ReturnValue::UpdatedOld);
        for (placeholder, value) in values {
            debug_assert!(![UPDATED_AT, EXPIRES_AT].contains(placeholder), "`{placeholder}` is set by every update");
            update = update.expression_attribute_values(*placeholder, value.clone());
        }
        // Last, so that they hold even if a caller took their names.
        update = update
            .expression_attribute_values(UPDATED_AT, text(&timestamp(SystemTime::now())))
            .expression_attribute_values(EXPIRES_AT, number(expiry()));
        // Attribute names that are reserved words of DynamoDB.
        for (alias, attribute) in [("#open", OPEN_INDEX.partition_key), ("#status", "status")] {
            if full.contains(alias) || condition.contains(alias) {
                update = update.expression_attribute_names(alias, attribute);
            }
        }
        let updated = update.update_expression(full).send().await;
        let updated = if_done(updated, || format!("cannot update the item `{name}` of the table {}", self.table))?;
        Ok(updated.map(|updated| updated.attributes.unwrap_or_default()))
    }
}

/// Returns a condition in one pair of parentheses: DynamoDB refuses a second pair around the same expression as redundant.
fn grouped(condition: &str) -> Cow<'_, str> {
    let mut depth = 0_i32;
    let closes_at = condition.char_indices().find_map(|(at, c)| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        (depth == 0).then_some(at)
    });
    let is_group = condition.starts_with('(') && closes_at == Some(condition.len() - 1);
    if is_group { condition.into() } else { format!("({condition})").into() }
}

/// Returns the result of a conditional request, or `None` if its condition was not met.
pub(super) fn if_done<T, E: AwsOperation>(
    result: Result<T, SdkError<E>>,
    context: impl FnOnce() -> String,
) -> Result<Option<T>, EngineError> {
    match result {
        Ok(done) => Ok(Some(done)),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(None),
        Err(error) => Err(EngineError::from_aws(context(), &error)),
    }
}

pub(super) fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

pub(super) fn number(value: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

/// Formats a time as text that sorts chronologically.
pub(super) fn timestamp(time: SystemTime) -> String {
    #[expect(clippy::expect_used, reason = "a clock that is off by millennia cannot be worked with")]
    DateTime::from(time).fmt(Format::DateTime).expect("the clock is within the years 1 to 9999")
}

/// Returns the time at which an item that is updated now expires, in seconds since 1970.
pub(super) fn expiry() -> i64 {
    DateTime::from(SystemTime::now()).secs() + TIME_TO_LIVE_SECONDS
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("a = :a", "(a = :a)")]
    #[case("a = :a OR b = :b", "(a = :a OR b = :b)")]
    #[case("(a = :a OR b = :b)", "(a = :a OR b = :b)")]
    #[case("(a = :a) OR (b = :b)", "((a = :a) OR (b = :b))")]
    #[case("attribute_not_exists(a)", "(attribute_not_exists(a))")]
    #[case("(attribute_not_exists(a) OR a = :a)", "(attribute_not_exists(a) OR a = :a)")]
    fn a_condition_gets_one_pair_of_parentheses(#[case] condition: &str, #[case] expected: &str) {
        assert_eq!(grouped(condition), expected);
    }
}
