//! The answers of one job, by row: what is in memory while the rows are written. Texts and embeddings lie side by side
//! in one buffer each, so that a job of 100,000 answers costs their bytes and little more.

use super::answer_lines::for_each_line;
use super::row_ids::RowIds;
use crate::error::EngineError;
use arrow_array::StringArray;
use bedrock_batch_domain::answer::{RecordError, read_line};
use bedrock_batch_domain::model::{Family, Reply, ReplyPayload};
use bedrock_batch_domain::summary::JobCounts;
use std::io::Read;
use std::ops::Range;

/// Where a row stands.
#[derive(Debug)]
pub(super) enum Outcome {
    /// No line has come for it.
    Missing,
    /// It was never sent; why.
    NotSent(Box<str>),
    /// Its line says why there is no answer.
    Failed(Box<RecordError>),
    /// Its answer.
    Replied(Kept),
}

/// A reply, its parts in the buffers of [`Answers`].
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) payload: KeptPayload,
    /// The number of the stop reason.
    pub(super) stop_reason: Option<usize>,
    pub(super) input_tokens: Option<u64>,
    pub(super) output_tokens: Option<u64>,
}

#[derive(Debug)]
pub(super) enum KeptPayload {
    None,
    Text(Range<usize>),
    Embedding(Range<usize>),
}

/// All rows of a job, with what came for them.
#[derive(Debug)]
pub(super) struct Answers {
    rows: RowIds,
    pub(super) outcomes: Vec<Outcome>,
    pub(super) texts: String,
    pub(super) floats: Vec<f32>,
    pub(super) stop_reasons: Vec<String>,
}

const UNREADABLE: &str = "unreadable lines in the job's output";
const UNKNOWN: &str = "answers to records that were not asked";
const REPEATED: &str = "repeated answers to one record";

impl Answers {
    /// The rows of a job, without answers yet: their ids, and why some were not sent.
    pub(super) fn new(ids: &[StringArray], not_sent: &[StringArray]) -> Self {
        let outcome = |why: Option<&str>| why.map_or(Outcome::Missing, |why| Outcome::NotSent(why.into()));
        Self {
            rows: RowIds::new(ids),
            outcomes: not_sent.iter().flat_map(|batch| batch.iter().map(outcome)).collect(),
            texts: String::new(),
            floats: Vec::new(),
            stop_reasons: Vec::new(),
        }
    }

    /// Reads one `.jsonl.out`. Lines that cannot be used are counted, and never stop a run: the row they may have
    /// belonged to is then missing its answer, and says so.
    ///
    /// # Errors
    /// When reading fails.
    pub(super) fn read(&mut self, family: Family, input: impl Read, counts: &mut JobCounts) -> Result<(), EngineError> {
        for_each_line(input, |line| {
            if let Some(warning) = self.take(family, line) {
                *counts.warnings.entry(warning.to_owned()).or_default() += 1;
            }
        })?;
        Ok(())
    }

    /// Takes one line; returns what is odd about it.
    fn take(&mut self, family: Family, line: &[u8]) -> Option<&'static str> {
        if line.trim_ascii().is_empty() {
            return None;
        }
        let Ok(answer) = read_line(family, line) else {
            return Some(UNREADABLE);
        };
        let Some(row) = self.rows.row(&answer.record_id) else {
            return Some(UNKNOWN);
        };
        let warning = match self.outcomes.get(row) {
            Some(Outcome::Missing) => None,
            // An answer is better than an error; of two answers the first stays.
            Some(Outcome::Failed(_)) if answer.outcome.is_ok() => Some(REPEATED),
            Some(Outcome::Failed(_) | Outcome::Replied(_)) => return Some(REPEATED),
            Some(Outcome::NotSent(_)) | None => return Some(UNKNOWN),
        };
        self.outcomes[row] = match answer.outcome {
            Ok(reply) => Outcome::Replied(self.keep(reply)),
            Err(error) => Outcome::Failed(Box::new(error)),
        };
        warning
    }

    fn keep(&mut self, reply: Reply<'_>) -> Kept {
        let payload = match reply.payload {
            None => KeptPayload::None,
            Some(ReplyPayload::Text(text)) => {
                let begin = self.texts.len();
                self.texts.push_str(&text);
                KeptPayload::Text(begin..self.texts.len())
            }
            Some(ReplyPayload::Embedding(embedding)) => {
                let begin = self.floats.len();
                self.floats.extend_from_slice(&embedding);
                KeptPayload::Embedding(begin..self.floats.len())
            }
        };
        let stop_reason = reply.stop_reason.map(|reason| {
            // There are a handful of them.
            self.stop_reasons.iter().position(|known| *known == *reason).unwrap_or_else(|| {
                self.stop_reasons.push(reason.into_owned());
                self.stop_reasons.len() - 1
            })
        });
        Kept { payload, stop_reason, input_tokens: reply.input_tokens, output_tokens: reply.output_tokens }
    }
}
