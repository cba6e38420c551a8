//! Why a row has no answer, as data: a stable code, what tells reasons of one code apart, and details.
//!
//! Reasons travel as data, in rows files, shared answers and counts. Words are made of them at the edge, and only by this
//! module: the text of the `error` column ([`RowError`] displayed), and the words that a summary counts by
//! ([`Reason::words`]). No program finds a reason out by reading words again, except those of rows files that were
//! written before there were codes ([`RowError::from_text`]).

mod code;
mod stored;
mod words;

pub use code::RowErrorCode;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Why a row has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowError {
    /// What rows are counted by.
    #[serde(flatten)]
    pub reason: Reason,
    /// What the row's `error` says beyond it; empty for nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// The part of a [`RowError`] that rows are counted by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Reason {
    /// The code.
    pub code: RowErrorCode,
    /// What tells reasons of one code apart: the name of the stage, the status of the job, the code of the model's error.
    /// Empty where there is nothing of the kind.
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
    /// A reason of this code with details.
    pub fn new(code: RowErrorCode, detail: impl Into<String>) -> Self {
        Self { reason: code.into(), detail: detail.into() }
    }

    /// The same, with what tells it apart from others of its code.
    #[must_use]
    pub fn qualified(mut self, qualifier: impl Into<Cow<'static, str>>) -> Self {
        self.reason.qualifier = qualifier.into();
        self
    }

    /// The row has no answer from the stage of this name, which says `error`.
    pub fn failed_in_stage(stage_name: &str, error: &str) -> Self {
        Self::new(RowErrorCode::FailedInEarlierStage, error).qualified(stage_name.to_owned())
    }

    /// A reason that was stored without a code: its text in `error`, and the words that it is counted by.
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
