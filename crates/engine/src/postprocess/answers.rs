//! The answers of one chunk, by row, which are in memory while the rows are written. All texts are in one buffer, and all
//! embeddings in another, so that a chunk of 100,000 answers needs little more memory than their bytes.

use super::answer_lines::for_each_line;
use super::prompts_read::PromptsRead;
use super::row_ids::RowIds;
use crate::error::EngineError;
use arrow_array::StringArray;
use bedrock_batch_domain::answer::{RecordError, read_line};
use bedrock_batch_domain::extract::{FieldKinds, FieldValue, Unparsed};
use bedrock_batch_domain::input::RetryOn;
use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::model::{Family, Reply, ReplyPayload};
use bedrock_batch_domain::prompt::hold_to_limits;
use bedrock_batch_domain::row_error::{RowError, RowErrorCode};
use bedrock_batch_domain::summary::{ChunkCounts, Tokens};
use std::borrow::Cow;
use std::io::Read;
use std::ops::Range;

/// Job that had rows of the chunk.
#[derive(Debug, Clone)]
pub struct JobAttempt {
    /// Pass of the job.
    pub pass: u32,
    /// Number of its rows: the next ones of those that were unanswered when the pass began.
    pub records: usize,
    /// If true, its records were sent to the model.
    pub was_sent: bool,
    /// Lane of the job.
    pub lane: Lane,
    /// Model that was invoked, for lines that do not name it.
    pub model_id: String,
    /// Reason of its rows that got no line.
    pub missing: RowError,
}

/// Outcome of a row so far.
#[derive(Debug)]
pub(super) enum Outcome {
    /// There is no line for it.
    Missing,
    /// It was never sent.
    NotSent(Box<RowError>),
    /// Its line contains the reason why there is no answer.
    Failed(Box<RecordError>),
    /// The row that it equals has no answer, for this reason.
    NoneShared(Box<RowError>),
    /// It has an answer.
    Replied(StoredReply),
}

/// Reply whose texts and embeddings are in the buffers of [`Answers`].
#[derive(Debug)]
pub(super) struct StoredReply {
    pub(super) payload: KeptPayload,
    /// Index of the stop reason.
    pub(super) stop_reason: Option<usize>,
    pub(super) input_tokens: Option<u64>,
    pub(super) output_tokens: Option<u64>,
    /// Index of the model.
    pub(super) model: usize,
    /// Fields of the prompt.
    pub(super) fields: Fields,
}

/// Fields of an answer.
#[derive(Debug, Clone)]
pub(super) enum Fields {
    /// The prompt defines none, or there is no text.
    None,
    /// Fields of all prompts, in order.
    Found {
        values: Box<[Option<FieldValue>]>,
        /// Indexes of the values that were written as in their reference, other than in the answer.
        corrected: Box<[usize]>,
    },
    /// The answer has none, for this reason.
    Unparsed(Box<Unparsed>),
}

/// Rules by which answers are read.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// Reasons for which rows without an answer may be sent again.
    pub retry_on: &'a [RetryOn],
    /// Prompts of the run.
    pub prompts: &'a PromptsRead,
}

#[derive(Debug, Clone)]
pub(super) enum KeptPayload {
    None,
    Text(Range<usize>),
    Embedding(Range<usize>),
}

/// Row with its outcome.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) outcome: Outcome,
    /// Number of its prompt.
    pub(super) prompt: u16,
    /// Number of times that its record was sent.
    pub(super) attempts: u32,
    /// Number of the job that had it last, from 1; 0 for none.
    sent_by: u32,
    /// Number of the job that its line is from, from 1.
    line_of: u32,
}

/// All rows of a chunk, with their outcomes.
#[derive(Debug)]
pub(super) struct Answers<'a> {
    ids: RowIds,
    pub(super) rows: Vec<Row>,
    pub(super) texts: String,
    pub(super) floats: Vec<f32>,
    pub(super) stop_reasons: Vec<String>,
    pub(super) models: Vec<String>,
    attempts: Vec<JobAttempt>,
    reading: Reading<'a>,
    /// Rows that could be sent when the latest pass began, and the number of them that are assigned to a job.
    open: Vec<usize>,
    assigned: usize,
}

const UNREADABLE: &str = "unreadable lines in the job's output";
const UNKNOWN: &str = "answers to records that were not asked";
const REPEATED: &str = "repeated answers to one record";

impl<'a> Answers<'a> {
    /// Creates the rows of a chunk, without answers yet, from their ids, the reasons why some were not sent, and (if they
    /// have different ones) their prompts.
    pub(super) fn new(
        ids: &[StringArray],
        not_sent: Vec<Option<RowError>>,
        prompts: &[StringArray],
        reading: Reading<'a>,
    ) -> Self {
        let outcome = |why: Option<RowError>| why.map_or(Outcome::Missing, |why| Outcome::NotSent(Box::new(why)));
        let mut prompts = prompts.iter().flat_map(|batch| batch.iter()).map(|id| reading.prompts.number(id));
        let mut prompt = || prompts.next().unwrap_or_default();
        let row = |why| Row { outcome: outcome(why), prompt: prompt(), attempts: 0, sent_by: 0, line_of: 0 };
        Self {
            ids: RowIds::new(ids),
            rows: not_sent.into_iter().map(row).collect(),
            texts: String::new(),
            floats: Vec::new(),
            stop_reasons: Vec::new(),
            models: Vec::new(),
            attempts: Vec::new(),
            reading,
            open: Vec::new(),
            assigned: 0,
        }
    }

    /// Starts the next job, which is one more attempt for its rows. Jobs must be in the order in which they ran.
    pub(super) fn begin_job(&mut self, job: JobAttempt) {
        if self.attempts.last().is_none_or(|last| last.pass != job.pass) {
            self.open = (0..self.rows.len()).filter(|row| self.can_be_sent(*row)).collect();
            self.assigned = 0;
        }
        let number = job_number(self.attempts.len() + 1);
        let end = self.open.len().min(self.assigned.saturating_add(job.records));
        for row in &self.open[self.assigned..end] {
            let Some(row) = self.rows.get_mut(*row) else { continue };
            row.attempts += u32::from(job.was_sent);
            if job.was_sent || row.sent_by == 0 {
                // The outcome of a job that sent it is more informative than that of a job that did not.
                row.sent_by = number;
            }
            if job.was_sent && matches!(row.outcome, Outcome::Failed(_)) {
                // The latest attempt determines the reason why there is no answer.
                row.outcome = Outcome::Missing;
            }
        }
        self.assigned = end;
        self.attempts.push(job);
    }

    /// Returns true if the row has no answer and may be sent (again). A row that was never sent always may.
    pub(super) fn can_be_sent(&self, row: usize) -> bool {
        let reason = match self.rows.get(row).map(|row| &row.outcome) {
            Some(Outcome::Missing) if self.rows.get(row).is_some_and(|row| row.attempts == 0) => return true,
            Some(Outcome::Missing | Outcome::NoneShared(_)) => RetryOn::Missing,
            Some(Outcome::Failed(error)) => match **error {
                RecordError::Nothing => RetryOn::Missing,
                RecordError::UnknownFormat => RetryOn::Unparsed,
                RecordError::Refused { .. } if error.is_permanent() => return false,
                RecordError::Refused { .. } => RetryOn::Error,
            },
            Some(Outcome::Replied(
                StoredReply { payload: KeptPayload::None, .. } | StoredReply { fields: Fields::Unparsed(_), .. },
            )) => RetryOn::Unparsed,
            Some(Outcome::Replied(_) | Outcome::NotSent(_)) | None => return false,
        };
        self.reading.retry_on.contains(&reason)
    }

    /// Returns the row with this id, if the chunk has it.
    pub(super) fn row(&self, id: &str) -> Option<usize> {
        self.ids.row(id)
    }

    /// Returns true if the row has a line in the chunk's file of records.
    pub(super) fn was_sent(&self, row: usize) -> bool {
        !matches!(self.rows.get(row).map(|row| &row.outcome), Some(Outcome::NotSent(_)) | None)
    }

    /// Returns the reason of a row without a line.
    pub(super) fn missing(&self, row: &Row) -> Cow<'_, RowError> {
        let job = (row.sent_by as usize).checked_sub(1).and_then(|number| self.attempts.get(number));
        job.map_or_else(|| Cow::Owned(RowErrorCode::NotAsked.into()), |job| Cow::Borrowed(&job.missing))
    }

    /// Reads one `.jsonl.out` of the job that was started last. Unusable lines are counted and never stop a run: the rows that
    /// they may have belonged to report that they have no answer.
    ///
    /// # Errors
    /// Returns an error if reading fails.
    pub(super) fn read(
        &mut self,
        family: Family,
        input: impl Read,
        counts: &mut ChunkCounts,
    ) -> Result<(), EngineError> {
        for_each_line(input, |line| {
            if let Some(warning) = self.take(family, line, counts) {
                *counts.warnings.entry(warning.to_owned()).or_default() += 1;
            }
        })?;
        Ok(())
    }

    /// Processes one line; returns the warning that it causes, if any.
    fn take(&mut self, family: Family, line: &[u8], counts: &mut ChunkCounts) -> Option<&'static str> {
        if line.trim_ascii().is_empty() {
            return None;
        }
        let Ok(answer) = read_line(family, line) else {
            return Some(UNREADABLE);
        };
        let (job_lane, later_pass, own_model) =
            self.attempts.last().map_or((Lane::Batch, false, ""), |a| (a.lane, a.pass > 0, a.model_id.as_str()));
        let model_id = answer.model_id.as_deref().unwrap_or(own_model).to_owned();
        // Jobs of later passes also have rows of other chunks.
        let unknown = if later_pass { None } else { Some(UNKNOWN) };
        let Some(row) = self.ids.row(&answer.record_id) else {
            return unknown;
        };
        let number = job_number(self.attempts.len());
        let reopened = self.can_be_sent(row);
        let Some(known) = self.rows.get_mut(row) else { return unknown };
        let same_job = known.line_of == number;
        let warning = match &known.outcome {
            Outcome::NotSent(_) => return Some(UNKNOWN),
            Outcome::Missing | Outcome::NoneShared(_) => None,
            // An answer takes precedence over an error; of two answers, the first is kept.
            Outcome::Failed(_) if answer.outcome.is_ok() => same_job.then_some(REPEATED),
            Outcome::Replied(_) if reopened && !same_job && answer.outcome.is_ok() => None,
            Outcome::Replied(_) if reopened && !same_job => return None,
            Outcome::Failed(_) | Outcome::Replied(_) => return Some(REPEATED),
        };
        known.line_of = number;
        let prompt = known.prompt;
        let outcome = match answer.outcome {
            Ok(reply) => {
                let tokens =
                    Tokens { input: reply.input_tokens.unwrap_or(0), output: reply.output_tokens.unwrap_or(0) };
                counts.add_usage(job_lane, &model_id, 1, tokens);
                Outcome::Replied(self.keep(reply, prompt, &model_id))
            }
            Err(error) => Outcome::Failed(Box::new(error)),
        };
        self.rows[row].outcome = outcome;
        warning
    }

    fn keep(&mut self, reply: Reply<'_>, prompt: u16, model_id: &str) -> StoredReply {
        let mut fields = Fields::None;
        let payload = match reply.payload {
            None => KeptPayload::None,
            Some(ReplyPayload::Text(text)) => {
                fields = self.fields_of(prompt, &text, reply.stop_reason.as_deref());
                self.keep_text(&text)
            }
            Some(ReplyPayload::Embedding(embedding)) => self.keep_embedding(&embedding),
        };
        // There are only a few different ones of each.
        let stop_reason = reply.stop_reason.map(|reason| number_of(&mut self.stop_reasons, &reason));
        let model = number_of(&mut self.models, model_id);
        StoredReply {
            payload,
            stop_reason,
            input_tokens: reply.input_tokens,
            output_tokens: reply.output_tokens,
            model,
            fields,
        }
    }

    /// Returns the fields of a prompt in an answer to it, among those of all prompts; the prefill is part of the answer.
    pub(super) fn fields_of(&self, prompt: u16, text: &str, stop_reason: Option<&str>) -> Fields {
        let Some(reader) = self.reading.prompts.reader(prompt) else { return Fields::None };
        let Some(extractor) = &reader.extractor else { return Fields::None };
        let prefill = self.reading.prompts.prefill(prompt);
        let whole = if prefill.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(format!("{prefill}{text}")) };
        let extracted = extractor.extract(&whole, stop_reason).and_then(|mut values| {
            let corrected = hold_to_limits(&reader.limits, &mut values)?;
            Ok((values, corrected))
        });
        match extracted {
            Ok((values, corrected)) => {
                let corrected = corrected.into_iter().filter_map(|field| reader.columns.get(field).copied()).collect();
                let all = self.field_names().len();
                if values.len() == all && reader.columns.iter().enumerate().all(|(at, column)| at == *column) {
                    return Fields::Found { values: values.into(), corrected };
                }
                let mut fields = vec![None; all];
                for (column, value) in reader.columns.iter().zip(values) {
                    if let Some(field) = fields.get_mut(*column) {
                        *field = value;
                    }
                }
                Fields::Found { values: fields.into(), corrected }
            }
            Err(why) => Fields::Unparsed(Box::new(why)),
        }
    }

    /// Returns the names of the fields of all prompts.
    pub(super) fn field_names(&self) -> &'a [String] {
        &self.reading.prompts.fields
    }

    /// Returns the prompts of the run.
    pub(super) fn prompts(&self) -> &'a PromptsRead {
        self.reading.prompts
    }

    /// Returns the kinds of each field's values in the answers.
    pub(super) fn kinds(&self) -> Vec<FieldKinds> {
        let mut kinds = vec![FieldKinds::default(); self.field_names().len()];
        for row in &self.rows {
            if let Outcome::Replied(StoredReply { fields: Fields::Found { values, .. }, .. }) = &row.outcome {
                for (kinds, value) in kinds.iter_mut().zip(values) {
                    if let Some(value) = value {
                        kinds.record(value);
                    }
                }
            }
        }
        kinds
    }

    pub(super) fn keep_text(&mut self, text: &str) -> KeptPayload {
        let begin = self.texts.len();
        self.texts.push_str(text);
        KeptPayload::Text(begin..self.texts.len())
    }

    pub(super) fn keep_embedding(&mut self, embedding: &[f32]) -> KeptPayload {
        let begin = self.floats.len();
        self.floats.extend_from_slice(embedding);
        KeptPayload::Embedding(begin..self.floats.len())
    }

    pub(super) fn text(&self, kept: &StoredReply) -> Option<&str> {
        match &kept.payload {
            KeptPayload::Text(range) => self.texts.get(range.clone()),
            KeptPayload::Embedding(_) | KeptPayload::None => None,
        }
    }

    pub(super) fn embedding(&self, kept: &StoredReply) -> Option<&[f32]> {
        match &kept.payload {
            KeptPayload::Embedding(range) => self.floats.get(range.clone()),
            KeptPayload::Text(_) | KeptPayload::None => None,
        }
    }

    pub(super) fn stop_reason(&self, kept: &StoredReply) -> Option<&str> {
        kept.stop_reason.and_then(|number| self.stop_reasons.get(number)).map(String::as_str)
    }
}

/// Returns the index of a name in a list, to which it is added if it is new.
pub(super) fn number_of(names: &mut Vec<String>, name: &str) -> usize {
    names.iter().position(|known| known == name).unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    })
}

/// Returns the number of a job among those that were started, from 1.
fn job_number(count: usize) -> u32 {
    #[expect(clippy::expect_used, reason = "jobs are numbered by u32 within a run")]
    u32::try_from(count).expect("a chunk has fewer than u32::MAX jobs")
}
