//! The answers of one job, by row: what is in memory while the rows are written.

use crate::error::EngineError;
use arrow_array::{Array, StringArray};
use bedrock_batch_domain::answer::{RecordError, read_line};
use bedrock_batch_domain::model::{Family, Reply};
use bedrock_batch_domain::summary::JobCounts;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};

/// Where a row stands.
#[derive(Debug)]
pub(super) enum Outcome {
    /// No line has come for it.
    Missing,
    /// It was never sent; why.
    NotSent(String),
    /// What came: a reply, or why there is none.
    Came(Box<Result<Reply, RecordError>>),
}

/// All rows of a job, with what came for them.
#[derive(Debug)]
pub(super) struct Answers {
    rows: HashMap<String, usize>,
    pub(super) outcomes: Vec<Outcome>,
}

const UNREADABLE: &str = "unreadable lines in the job's output";
const UNKNOWN: &str = "answers to records that were not asked";
const REPEATED: &str = "repeated answers to one record";

impl Answers {
    /// Rows without answers yet.
    pub(super) fn new() -> Self {
        Self { rows: HashMap::new(), outcomes: Vec::new() }
    }

    /// Adds the next rows of the job's rows file.
    pub(super) fn expect_rows(&mut self, ids: &StringArray, not_sent: &StringArray) {
        for row in 0..ids.len() {
            self.rows.insert(ids.value(row).to_owned(), self.outcomes.len());
            self.outcomes.push(if not_sent.is_null(row) {
                Outcome::Missing
            } else {
                Outcome::NotSent(not_sent.value(row).to_owned())
            });
        }
    }

    /// Reads one `.jsonl.out`. Lines that cannot be used are counted, and never stop a run: the row they may have
    /// belonged to is then missing its answer, and says so.
    ///
    /// # Errors
    /// When reading fails.
    pub(super) fn read(&mut self, family: Family, input: impl Read, counts: &mut JobCounts) -> Result<(), EngineError> {
        let mut input = BufReader::with_capacity(256 * 1024, input);
        let mut line = Vec::new();
        let mut warn = |what: &str| *counts.warnings.entry(what.to_owned()).or_default() += 1;
        loop {
            line.clear();
            if input.read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            let Some(answer) = std::str::from_utf8(&line).ok().and_then(|text| read_line(family, text).ok()) else {
                warn(UNREADABLE);
                continue;
            };
            let Some(outcome) = self.rows.get(&answer.record_id).and_then(|row| self.outcomes.get_mut(*row)) else {
                warn(UNKNOWN);
                continue;
            };
            match outcome {
                Outcome::Missing => *outcome = Outcome::Came(Box::new(answer.outcome)),
                // An answer is better than an error; of two answers the first stays.
                Outcome::Came(first) => {
                    warn(REPEATED);
                    if first.is_err() && answer.outcome.is_ok() {
                        **first = answer.outcome;
                    }
                }
                Outcome::NotSent(_) => warn(UNKNOWN),
            }
        }
    }
}
