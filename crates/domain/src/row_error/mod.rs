//! The reason why a row has no answer, as data: a stable code, a qualifier of the code, and details.
//!
//! Rows files, shared answers and counts contain reasons as data. They are converted to words only for users, and only by
//! this module: to the text of the `error` column ([`RowError`] displayed), and to the words that a summary counts by
//! ([`Reason::words`]). Words are never parsed, except those of rows files that were written before there were codes
//! ([`RowError::from_text`]).

mod code;
mod parse_status;
mod stored;
mod words;

pub use code::RowErrorCode;
pub use parse_status::ParseStatus;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Reason why a row has no answer, with details.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowError {
    /// Part that rows are counted by.
    #[serde(flatten)]
    pub reason: Reason,
    /// Further details for the row's `error`; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// The part of a [`RowError`] that rows are counted by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Reason {
    /// Code of the reason.
    pub code: RowErrorCode,
    /// Distinguishes reasons with the same code: the name of the stage, the status of the job, the code of the model's
    /// error. Empty if the code needs no qualifier.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub qualifier: Cow<'static, str>,
}

impl From<RowErrorCode> for Reason {
    fn from(code: RowErrorCode) -> Self {
        Self { code, qualifier: Cow::Borrowed("") }
    }
}

impl From<RowErrorCode> for RowError {
    fn from(code: RowErrorCode) -> Self {
        Self { reason: code.into(), detail: String::new() }
    }
}

impl RowError {
    /// Creates a reason with this code and details.
    pub fn new(code: RowErrorCode, detail: impl Into<String>) -> Self {
        Self { reason: code.into(), detail: detail.into() }
    }

    /// Adds the qualifier, which distinguishes the reason from others with the same code.
    #[must_use]
    pub fn qualified(mut self, qualifier: impl Into<Cow<'static, str>>) -> Self {
        self.reason.qualifier = qualifier.into();
        self
    }

    /// Creates the reason of a row without an answer from the stage `stage_name`, which reported `error`.
    pub fn failed_in_stage(stage_name: &str, error: &str) -> Self {
        Self::new(RowErrorCode::FailedInEarlierStage, error).qualified(stage_name.to_owned())
    }

    /// Creates a reason that was stored without a code, from its text in `error` and the words that it is counted by.
    pub fn uncoded(text: impl Into<String>, words: impl Into<String>) -> Self {
        Self::new(RowErrorCode::Unknown, text).qualified(words.into())
    }
}

/// Adds the rows of each reason under its words.
pub fn count_words(counts: &mut BTreeMap<String, u64>, reason: &Reason, rows: u64) {
    let words = reason.words();
    match counts.get_mut(words.as_ref()) {
        Some(count) => *count += rows,
        None => {
            counts.insert(words.into_owned(), rows);
        }
    }
}
