//! Counts of one chunk.

use super::value_counts::ValueCounts;
use crate::extract::{ColumnType, FieldKinds};
use crate::join_task::JoinStamp;
use crate::lane::Lane;
use crate::model::CachedTokens;
use crate::row_error::{Reason, RowErrorCode};
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
    /// Answers that were nearly JSON, and were repaired.
    #[serde(skip_serializing_if = "is_zero")]
    pub repaired: u64,
    /// For each field of the prompt whose type its values determine, their numbers; empty if there are too many fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<ValueCounts>,
    /// Cells of the CSV file that were guarded because spreadsheets would take them for formulas.
    #[serde(skip_serializing_if = "is_zero")]
    pub guarded_cells: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl ChunkCounts {
    /// Counts a row without an answer. Reasons quote what models and services say, so the number of different ones is limited:
    /// an item of the job table holds at most 400 KB.
    pub fn count_failed(&mut self, reason: &Reason) {
        count_limited(&mut self.failed, &reason.words(), 1);
        *self.failed_codes.entry(reason.code).or_default() += 1;
    }

    /// Counts a value of `field` that was changed to the allowed value that it stands for.
    pub fn count_changed(&mut self, field: &str) {
        match self.changed.get_mut(field) {
            Some(count) => *count += 1,
            None => drop(self.changed.insert(field.to_owned(), 1)),
        }
    }

    /// Adds the usage of answers. A sum that exceeds its range is its maximum, and a warning.
    pub fn add_usage(&mut self, lane: Lane, model_id: &str, answers: u64, tokens: Tokens) {
        let at = self.usage_of(lane, model_id);
        let usage = &mut self.usage[at];
        usage.answers = usage.answers.saturating_add(answers);
        if !usage.tokens.add(tokens) {
            self.warn_of_maximum();
        }
    }

    /// Returns the index of the usage of a model. Lines of answers name models, so the number of different ones is limited.
    fn usage_of(&mut self, lane: Lane, model_id: &str) -> usize {
        let known = |usage: &[Usage], id: &str| usage.iter().position(|of| of.lane == lane && of.model_id == id);
        if let Some(at) = known(&self.usage, model_id) {
            return at;
        }
        let fits = self.usage.len() < MAX_MODELS && model_id.len() <= MAX_MODEL_ID_BYTES;
        let model_id = if fits { model_id } else { OTHER_MODELS };
        known(&self.usage, model_id).unwrap_or_else(|| {
            let (tokens, cached) = (Tokens::default(), CachedTokens::default());
            self.usage.push(Usage { lane, model_id: model_id.to_owned(), answers: 0, tokens, cached });
            self.usage.len() - 1
        })
    }

    /// Adds cached tokens to the usage of a model.
    pub fn add_cached(&mut self, lane: Lane, model_id: &str, cached: CachedTokens) {
        if cached.total() > 0 {
            let at = self.usage_of(lane, model_id);
            self.usage[at].cached.add(cached);
        }
    }

    /// Adds tokens that were saved.
    pub fn add_saved(&mut self, tokens: Tokens) {
        if !self.saved.add(tokens) {
            self.warn_of_maximum();
        }
    }

    fn warn_of_maximum(&mut self) {
        *self.warnings.entry(OVER_MAXIMUM.to_owned()).or_default() += 1;
    }
}

/// Warning about answers whose numbers of tokens cannot be added: the sums are lower limits then.
pub(super) const OVER_MAXIMUM: &str = "numbers of tokens over the maximum, so that their sums are too low";

/// Maximum number of models that counts name, maximum size of the name of each, and the name of all others.
const MAX_MODELS: usize = 20;
const MAX_MODEL_ID_BYTES: usize = 300;
const OTHER_MODELS: &str = "other models";

/// Maximum number of different reasons that are counted, maximum size of each, and the name of all others.
const MAX_REASONS: usize = 64;
const MAX_REASON_BYTES: usize = 200;
const OTHER_REASONS: &str = "other reasons";

/// Adds rows under the words of their reason, or of other reasons if there are too many different ones.
pub(super) fn count_limited(counts: &mut BTreeMap<String, u64>, words: &str, rows: u64) {
    let cut = &words[..words.floor_char_boundary(MAX_REASON_BYTES)];
    let words = if counts.len() < MAX_REASONS || counts.contains_key(cut) { cut } else { OTHER_REASONS };
    match counts.get_mut(words) {
        Some(count) => *count = count.saturating_add(rows),
        None => {
            counts.insert(words.to_owned(), rows);
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
    /// Adds `more`. Returns false if a sum exceeds its range, and is the maximum instead: answers may claim any number.
    #[must_use]
    pub fn add(&mut self, more: Self) -> bool {
        let sums = (self.input.checked_add(more.input), self.output.checked_add(more.output));
        self.input = sums.0.unwrap_or(u64::MAX);
        self.output = sums.1.unwrap_or(u64::MAX);
        sums.0.is_some() && sums.1.is_some()
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

/// Adds the rows without an answer of a chunk by the code of the reason. Those that a version without codes has counted are
/// `unknown`, so that the total equals that of the words.
pub(super) fn add_failed_codes(codes: &mut BTreeMap<RowErrorCode, u64>, chunk: &ChunkCounts) {
    add_counts(codes, &chunk.failed_codes);
    let all: u64 = chunk.failed.values().sum();
    let with_code = chunk.failed_codes.values().sum();
    if all > with_code {
        *codes.entry(RowErrorCode::Unknown).or_default() += all - with_code;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_tokens_end_at_their_maximum_with_a_warning() {
        let mut counts = ChunkCounts::default();
        for tokens in [u64::MAX, 5, 7] {
            counts.add_usage(Lane::Batch, "m", 1, Tokens { input: tokens, output: 1 });
        }
        let usage = &counts.usage[0];
        assert_eq!((usage.answers, usage.tokens), (3, Tokens { input: u64::MAX, output: 3 }));
        assert_eq!(counts.warnings, BTreeMap::from([(OVER_MAXIMUM.to_owned(), 2)]));
        counts.add_saved(Tokens { input: 1, output: u64::MAX });
        counts.add_saved(Tokens { input: 1, output: u64::MAX });
        assert_eq!(counts.saved, Tokens { input: 2, output: u64::MAX });
        assert_eq!(counts.warnings[OVER_MAXIMUM], 3);
    }

    #[test]
    fn numbers_of_rows_end_at_their_maximum() {
        let mut counts = BTreeMap::new();
        for rows in [5, u64::MAX, 7] {
            count_limited(&mut counts, "why", rows);
        }
        assert_eq!(counts["why"], u64::MAX);
    }

    #[test]
    fn whatever_answers_say_counts_stay_small_and_no_row_is_lost() {
        let mut counts = ChunkCounts::default();
        for number in 0..10_000 {
            let code = format!("{number} {}", "\u{1}".repeat(1_000));
            counts.count_failed(&Reason { code: RowErrorCode::ModelRefused, qualifier: code.clone().into() });
            counts.add_usage(Lane::Batch, &code, 1, Tokens { input: 1, output: 1 });
            counts.add_usage(Lane::Batch, &format!("model {number}"), 1, Tokens { input: 1, output: 1 });
            counts.add_cached(Lane::Batch, &code, CachedTokens { read: 1, written: 0 });
        }
        assert_eq!(counts.failed.values().sum::<u64>(), 10_000);
        assert_eq!(counts.failed_codes[&RowErrorCode::ModelRefused], 10_000);
        assert_eq!(counts.usage.iter().map(|usage| usage.answers).sum::<u64>(), 20_000);
        assert_eq!(counts.usage.iter().map(|usage| usage.cached.read).sum::<u64>(), 10_000);
        let json = serde_json::to_string(&counts).unwrap();
        assert!(json.len() < 100_000, "{} bytes", json.len());
    }
}
