//! Columns with the status of rows, which only runs with a prefix of their columns have.

use arrow_array::ArrayRef;
use arrow_array::builder::{BooleanBuilder, StringBuilder};
use bedrock_batch_domain::row_error::{ParseStatus, RowErrorCode};
use std::sync::Arc;

/// Status columns of some rows.
#[derive(Debug, Default)]
pub(super) struct StatusColumns {
    status: StringBuilder,
    validation_passed: BooleanBuilder,
    parse_status: StringBuilder,
}

impl StatusColumns {
    /// Appends the status of a row with this error.
    pub(super) fn push(&mut self, error: Option<RowErrorCode>) {
        self.push_named(error.is_none(), ParseStatus::of(error).name());
    }

    /// Appends a status by its name.
    pub(super) fn push_named(&mut self, is_answered: bool, parse_status: &str) {
        self.status.append_value(if is_answered { "success" } else { "error" });
        self.validation_passed.append_value(is_answered);
        self.parse_status.append_value(parse_status);
    }

    /// Returns the column with `success` or `error`.
    pub(super) fn status(&mut self) -> ArrayRef {
        Arc::new(self.status.finish())
    }

    /// Returns the column that is true for answers that were read.
    pub(super) fn validation_passed(&mut self) -> ArrayRef {
        Arc::new(self.validation_passed.finish())
    }

    /// Returns the column with the outcome of reading the answer.
    pub(super) fn parse_status(&mut self) -> ArrayRef {
        Arc::new(self.parse_status.finish())
    }
}
