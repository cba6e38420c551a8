//! Counts of one chunk.

use crate::extract::{ColumnType, FieldKinds};
use crate::join_task::JoinStamp;
use crate::lane::Lane;
use crate::model::CachedTokens;
use crate::row_error::{Reason, RowErrorCode, count_words};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Counts of one chunk, over all jobs that had rows of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChunkCounts {
    /// Number of rows in the chunk's output file.
    pub rows: u64,
    /// Number of those rows with an answer.
    pub answered: u64,
    /// Rows without an answer, by the words for the reason.
    pub failed: BTreeMap<String, u64>,
    /// The same rows by the code of the reason; fewer if a version without codes has counted them.
    pub failed_codes: BTreeMap<RowErrorCode, u64>,
    /// Number of the rows without an answer that may be sent again.
    pub unanswered: u64,
    /// Number of rows that were sent more than once.
    pub retried: u64,
    /// Warnings with their number of occurrences: unreadable lines, repeated or unknown records.
    pub warnings: BTreeMap<String, u64>,
    /// Answers and tokens by lane and model, including answers that another one replaced.
    pub usage: Vec<Usage>,
    /// Tokens that were saved on rows that equal other rows.
    pub saved: Tokens,
    /// For each field of the prompt, the kinds of its values in the answers.
    pub kinds: Vec<FieldKinds>,
    /// Types of the fields' columns in the chunk's output file.
    pub types: Vec<ColumnType>,
    /// Join that counted this.
    pub stamp: JoinStamp,
    /// By field, values that were changed to the allowed value that they stand for.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub changed: BTreeMap<String, u64>,
    /// Cells of the CSV file that were guarded because spreadsheets would take them for formulas.
    #[serde(skip_serializing_if = "is_zero")]
    pub guarded_cells: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl ChunkCounts {
    /// Counts a row without an answer.
    pub fn count_failed(&mut self, reason: &Reason) {
        count_words(&mut self.failed, reason, 1);
        *self.failed_codes.entry(reason.code).or_default() += 1;
    }

    /// Counts a value of `field` that was changed to the allowed value that it stands for.
    pub fn count_changed(&mut self, field: &str) {
        match self.changed.get_mut(field) {
            Some(count) => *count += 1,
            None => drop(self.changed.insert(field.to_owned(), 1)),
        }
    }

    /// Adds the usage of answers.
    pub fn add_usage(&mut self, lane: Lane, model_id: &str, answers: u64, tokens: Tokens) {
        let known = self.usage.iter_mut().find(|usage| usage.lane == lane && usage.model_id == model_id);
        match known {
            Some(usage) => {
                usage.answers += answers;
                usage.tokens.add(tokens);
            }
            None => {
                let cached = CachedTokens::default();
                self.usage.push(Usage { lane, model_id: model_id.to_owned(), answers, tokens, cached });
            }
        }
    }

    /// Adds cached tokens to the usage of a model that has some.
    pub fn add_cached(&mut self, lane: Lane, model_id: &str, cached: CachedTokens) {
        let known = self.usage.iter_mut().find(|usage| usage.lane == lane && usage.model_id == model_id);
        if let Some(usage) = known {
            usage.cached.add(cached);
        }
    }
}

/// Numbers of tokens, as reported by Bedrock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// Input tokens.
    #[serde(rename = "input_tokens")]
    pub input: u64,
    /// Output tokens.
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

/// Usage of one model in one lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Lane.
    pub lane: Lane,
    /// Model.
    pub model_id: String,
    /// Number of answers.
    pub answers: u64,
    /// Tokens of those answers.
    #[serde(flatten)]
    pub tokens: Tokens,
    /// Those of the input tokens that were read from the cache of prompts or written to it.
    #[serde(flatten)]
    pub cached: CachedTokens,
}

/// Adds `more` to `counts`, by reason.
pub(super) fn add_counts<R: Ord + Clone>(counts: &mut BTreeMap<R, u64>, more: &BTreeMap<R, u64>) {
    for (reason, count) in more {
        *counts.entry(reason.clone()).or_default() += count;
    }
}

/// Returns the rows without an answer by the code of the reason. Those that a version without codes has counted are
/// `unknown`, so that the total equals that of the words.
pub(super) fn failed_codes(chunks: &[ChunkCounts]) -> BTreeMap<RowErrorCode, u64> {
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
