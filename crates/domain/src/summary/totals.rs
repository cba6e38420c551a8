//! Sums over the chunks and jobs of a run, of which there may be 100,000: they are added one by one, and not held together.

use super::counts::{ChunkCounts, OVER_MAXIMUM, add_counts, add_failed_codes, count_limited};
use super::value_counts::ValueCounts;
use crate::lane::Lane;
use crate::printable;
use crate::row_error::RowErrorCode;
use std::collections::BTreeMap;

/// Facts about one job that the totals of its run need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFacts {
    /// Lane of the job.
    pub lane: Lane,
    /// Round of the job.
    pub round: u32,
    /// Number of its records.
    pub records: u64,
    /// If true, its records were sent to the model.
    pub sent: bool,
    /// Reason why its rows were sent on demand instead, if they were.
    pub fallback: Option<String>,
    /// Bedrock's message, if the job failed for a reason that is not known.
    pub unknown_failure: Option<String>,
    /// If true, it did not end within its timeout, and was stopped.
    pub was_late: bool,
}

/// Sums over the chunks and jobs of a run.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// Number of chunks and files of duplicates.
    pub chunks: u64,
    /// Usage, saved tokens, changed values and warnings of all chunks.
    pub(super) used: ChunkCounts,
    pub(super) answered: u64,
    pub(super) retried: u64,
    pub(super) guarded_cells: u64,
    pub(super) failed_reasons: BTreeMap<String, u64>,
    pub(super) failed_codes: BTreeMap<RowErrorCode, u64>,
    /// Jobs whose records were sent, by lane.
    pub(super) sent: BTreeMap<Lane, u32>,
    pub(super) last_round: u32,
    /// Rows of jobs that were sent on demand instead, by reason.
    pub(super) fell_back: BTreeMap<String, u64>,
    /// Jobs that failed for reasons that are not known, by Bedrock's message.
    unknown_failures: BTreeMap<String, u64>,
}

impl Totals {
    /// Adds cells that a pivot has guarded for spreadsheets, after the join of its chunk.
    pub fn add_guarded_cells(&mut self, cells: u64) {
        self.guarded_cells = self.guarded_cells.saturating_add(cells);
    }

    /// Adds a chunk or a file of duplicates.
    pub fn add_chunk(&mut self, chunk: &ChunkCounts) {
        self.chunks += 1;
        self.answered += chunk.answered;
        self.retried += chunk.retried;
        self.guarded_cells += chunk.guarded_cells;
        for (words, rows) in &chunk.failed {
            count_limited(&mut self.failed_reasons, words, *rows);
        }
        add_failed_codes(&mut self.failed_codes, chunk);
        add_counts(&mut self.used.changed, &chunk.changed);
        self.used.repaired += chunk.repaired;
        let fields = self.used.values.len().max(chunk.values.len());
        self.used.values.resize_with(fields, ValueCounts::default);
        for (sum, counts) in self.used.values.iter_mut().zip(&chunk.values) {
            sum.add(*counts);
        }
        add_counts(&mut self.used.warnings, &chunk.warnings);
        self.used.add_saved(chunk.saved);
        for usage in &chunk.usage {
            self.used.add_usage(usage.lane, &usage.model_id, usage.answers, usage.tokens);
            self.used.add_cached(usage.lane, &usage.model_id, usage.cached);
        }
    }

    /// Adds a job.
    pub fn add_job(&mut self, job: &JobFacts) {
        if job.sent {
            // A run that was stopped may have a job of a later round whose records were not sent any more.
            self.last_round = self.last_round.max(job.round);
            *self.sent.entry(job.lane).or_default() += 1;
        }
        if job.was_late {
            *self.used.warnings.entry(LATE_JOB.to_owned()).or_default() += 1;
        }
        if let Some(message) = &job.unknown_failure {
            count_message(&mut self.unknown_failures, message, 1);
        }
        if let Some(reason) = &job.fallback {
            count_message(&mut self.fell_back, reason, job.records);
        }
    }

    /// Adds the warning that the sums of all models are too low.
    pub(super) fn warn_of_maximum(&mut self) {
        *self.used.warnings.entry(OVER_MAXIMUM.to_owned()).or_default() += 1;
    }

    /// Returns the warnings about jobs that failed for reasons that are not known.
    pub(super) fn unknown_failures(&self) -> impl Iterator<Item = (String, u64)> {
        self.unknown_failures.iter().map(|(message, jobs)| (format!("{UNKNOWN_FAILURE}: {message}"), *jobs))
    }

    pub(super) fn sent(&self, lane: Lane) -> u32 {
        self.sent.get(&lane).copied().unwrap_or(0)
    }
}

/// Warning about jobs that did not end in time.
const LATE_JOB: &str = "batch jobs that had not ended an hour after their timeout and were stopped; their rows count as unanswered \
                        by them, and are sent again while rounds are left";
/// Warning about jobs that failed for a reason that is not known, before Bedrock's message.
const UNKNOWN_FAILURE: &str = "batch jobs that failed with a message that is not known; their rows are sent again while rounds are \
                               left";

/// Adds to the count of a message of Bedrock, of which there may be many different ones.
fn count_message(counts: &mut BTreeMap<String, u64>, message: &str, number: u64) {
    let message = printable::shortened(message, MAX_FALLBACK_CHARS);
    let is_known = counts.len() < MAX_FALLBACKS || counts.contains_key(&message);
    *counts.entry(if is_known { message } else { "other reasons".to_owned() }).or_default() += number;
}

/// Maximum number of reasons of fallbacks, and of characters of each, besides the count of what is cut. They are quoted from Bedrock, and the output of an
/// execution is limited to 256 KiB.
const MAX_FALLBACKS: usize = 20;
const MAX_FALLBACK_CHARS: usize = 260;
