//! Counts of one chunk.

use crate::extract::{ColumnType, FieldKinds};
use crate::join_task::JoinStamp;
use crate::lane::Lane;
use crate::row_error::{Reason, RowErrorCode, count_words};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Counts of one chunk, over all jobs that had rows of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobCounts {
    /// Rows in the chunk's output file.
    pub rows: u64,
    /// Of these, rows with an answer.
    pub answered: u64,
    /// Rows without, by the words for the reason.
    pub failed: BTreeMap<String, u64>,
    /// The same rows by the code of the reason; fewer where a version without codes has counted.
    pub failed_codes: BTreeMap<RowErrorCode, u64>,
    /// Of the rows without an answer, those that may be asked again.
    pub unanswered: u64,
    /// Rows that were asked more than once.
    pub retried: u64,
    /// Things a user may want to know, with how often: unreadable lines, repeated or unknown records.
    pub warnings: BTreeMap<String, u64>,
    /// What was read and written, by lane and model: of all answers that came, also of those that another one replaced.
    pub usage: Vec<Usage>,
    /// Tokens that rows did not cost, because they equal other rows.
    pub saved: Tokens,
    /// For each field of the prompt, the kinds of values that its answers hold.
    pub kinds: Vec<FieldKinds>,
    /// The types of the fields' columns in the chunk's output file.
    pub types: Vec<ColumnType>,
    /// The join that counted this.
    pub stamp: JoinStamp,
}

impl JobCounts {
    /// Counts a row without an answer.
    pub fn count_failed(&mut self, reason: &Reason) {
        count_words(&mut self.failed, reason, 1);
        *self.failed_codes.entry(reason.code).or_default() += 1;
    }

    /// Adds what one answer took.
    pub fn add_usage(&mut self, lane: Lane, model_id: &str, answers: u64, tokens: Tokens) {
        let known = self.usage.iter_mut().find(|usage| usage.lane == lane && usage.model_id == model_id);
        match known {
            Some(usage) => {
                usage.answers += answers;
                usage.tokens.add(tokens);
            }
            None => self.usage.push(Usage { lane, model_id: model_id.to_owned(), answers, tokens }),
        }
    }
}

/// Tokens, as Bedrock reports them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// Read.
    #[serde(rename = "input_tokens")]
    pub input: u64,
    /// Written.
    #[serde(rename = "output_tokens")]
    pub output: u64,
}

impl Tokens {
    /// Adds `more`.
    pub fn add(&mut self, more: Self) {
        self.input += more.input;
        self.output += more.output;
    }
}

/// What one model read and wrote in one lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// The lane.
    pub lane: Lane,
    /// The model.
    pub model_id: String,
    /// Answers that came.
    pub answers: u64,
    /// Tokens.
    #[serde(flatten)]
    pub tokens: Tokens,
}

/// Adds `more` to `counts`, reason by reason.
pub(super) fn add_counts<R: Ord + Clone>(counts: &mut BTreeMap<R, u64>, more: &BTreeMap<R, u64>) {
    for (reason, count) in more {
        *counts.entry(reason.clone()).or_default() += count;
    }
}

/// Rows without an answer by the code of the reason; those that a version without codes has counted are `unknown`, so
/// that the sum is that of the words.
pub(super) fn failed_codes(chunks: &[JobCounts]) -> BTreeMap<RowErrorCode, u64> {
    let mut codes = BTreeMap::new();
    for chunk in chunks {
        add_counts(&mut codes, &chunk.failed_codes);
        let all: u64 = chunk.failed.values().sum();
        let with_code = chunk.failed_codes.values().sum();
        if all > with_code {
            *codes.entry(RowErrorCode::Unknown).or_default() += all - with_code;
        }
    }
    codes
}
