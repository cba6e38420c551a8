//! The answers of one chunk, by row, which are in memory while the rows are written. All texts are in one buffer, and all
//! embeddings in another, so that a chunk of 100,000 answers needs little more memory than their bytes.

use super::prompts_read::PromptsRead;
use super::requests::{Requests, Resend};
use super::row_ids::RowIds;
use super::row_prefills::RowPrefills;
use arrow_array::StringArray;
use bedrock_batch_domain::answer::RecordError;
use bedrock_batch_domain::extract::{FieldKinds, FieldValue, NotListed, PlainCell, PlainLists, Unparsed};
use bedrock_batch_domain::input::RetryOn;
use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::row_error::{RowError, RowErrorCode};
use bedrock_batch_domain::summary::ValueCounts;
use std::borrow::Cow;
use std::ops::Range;

/// Job that had rows of the chunk.
#[derive(Debug, Clone)]
pub struct JobAttempt {
    /// Pass of the job.
    pub pass: u32,
    /// Number of its records: the next ones of those that could be sent when the pass began.
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

impl JobAttempt {
    /// Creates the first job of a chunk, a batch job of this number of records that were sent.
    pub fn first(records: usize, model_id: &str) -> Self {
        let missing = RowErrorCode::NoAnswer.into();
        Self { pass: 0, records, was_sent: true, lane: Lane::Batch, model_id: model_id.to_owned(), missing }
    }
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
    /// If true, the list that it is an element of was nearly JSON, and was repaired.
    pub(super) in_repaired_list: bool,
    /// Fields of the prompt.
    pub(super) fields: Fields,
}

/// Fields of an answer.
#[derive(Debug, Clone)]
pub(super) enum Fields {
    /// The prompt defines none, or there is no text.
    None,
    /// The answer has some.
    Found(Box<FoundFields>),
    /// Fields of all prompts, in order: those of [`Answers::cells`] from this one on.
    Cells(usize),
    /// The answer has none, for this reason.
    Unparsed(Box<Unparsed>),
    /// The answer to the row's request has no answer to the row, for this reason.
    NotListed(Box<NotListed>),
}

/// Fields that were found in an answer.
#[derive(Debug, Clone)]
pub(super) struct FoundFields {
    /// Values of the fields of all prompts, in order.
    pub(super) values: Box<[Option<FieldValue>]>,
    /// If true, the answer was nearly JSON, and was repaired.
    pub(super) repaired: bool,
    /// Fields of this prompt whose values were changed to those of its schema.
    pub(super) changed: Box<[usize]>,
    /// Fields of all prompts whose values were changed to those of their references.
    pub(super) corrected: Box<[usize]>,
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
    pub(super) sent_by: u32,
    /// Number of the job that its line is from, from 1.
    pub(super) line_of: u32,
    /// If true, that line is of a request with other rows.
    pub(super) with_others: bool,
}

/// All rows of a chunk, with their outcomes.
#[derive(Debug)]
pub(super) struct Answers<'a> {
    pub(super) ids: RowIds,
    pub(super) rows: Vec<Row>,
    pub(super) texts: String,
    pub(super) floats: Vec<f32>,
    /// Cells of the fields of answers that were read without a tree.
    pub(super) cells: Vec<PlainCell>,
    /// Scanner of lists of answers.
    pub(super) lists: PlainLists,
    pub(super) stop_reasons: Vec<String>,
    pub(super) models: Vec<String>,
    pub(super) attempts: Vec<JobAttempt>,
    pub(super) reading: Reading<'a>,
    /// Beginnings of the answers, if they differ from row to row.
    pub(super) prefills: RowPrefills,
    /// Requests of the rows; `None` if each record has one row.
    pub(super) requests: Option<Requests>,
    /// Records that could be sent when the latest pass began, and the number of them that are assigned to a job.
    pub(super) open: Vec<Resend>,
    pub(super) assigned: usize,
}

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
        let row = |why| Row {
            outcome: outcome(why),
            prompt: prompt(),
            attempts: 0,
            sent_by: 0,
            line_of: 0,
            with_others: false,
        };
        Self {
            ids: RowIds::new(ids),
            rows: not_sent.into_iter().map(row).collect(),
            texts: String::new(),
            floats: Vec::new(),
            cells: Vec::new(),
            lists: PlainLists::default(),
            stop_reasons: Vec::new(),
            models: Vec::new(),
            attempts: Vec::new(),
            reading,
            prefills: RowPrefills::default(),
            requests: None,
            open: Vec::new(),
            assigned: 0,
        }
    }

    /// Returns the prefill with which the answer to a row with this prompt begins.
    pub(super) fn prefill(&self, row: usize, prompt: u16) -> &str {
        let prompts = self.reading.prompts;
        // A list begins with it, but its elements do not.
        if prompts.lists_rows(prompt) {
            return "";
        }
        self.prefills.of(row).unwrap_or_else(|| prompts.literal_prefill(prompt))
    }

    /// Adds the requests of the rows.
    pub(super) fn set_requests(&mut self, requests: Requests) {
        self.requests = Some(requests);
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

    /// Returns the names of the fields of all prompts.
    pub(super) fn field_names(&self) -> &'a [String] {
        &self.reading.prompts.fields
    }

    /// Returns the prompts of the run.
    pub(super) fn prompts(&self) -> &'a PromptsRead {
        self.reading.prompts
    }

    /// Returns the kinds of each field: those of its declared type, or those of its values in the answers. Counts these, unless
    /// there are too many fields.
    pub(super) fn kinds(&self) -> (Vec<FieldKinds>, Vec<ValueCounts>) {
        let prompts = self.reading.prompts;
        let mut kinds = prompts.declared_kinds();
        let mut counts = vec![ValueCounts::default(); kinds.len()];
        for row in &self.rows {
            let Outcome::Replied(StoredReply { fields, .. }) = &row.outcome else { continue };
            let kinds = kinds.iter_mut().zip(&mut counts).zip(&prompts.typed_by_values);
            match fields {
                Fields::Found(found) => {
                    let values = kinds.zip(&found.values).filter(|((_, by_values), _)| **by_values);
                    for (((kinds, counts), _), value) in values {
                        if let Some(value) = value {
                            kinds.record(value);
                            counts.record(value);
                        }
                    }
                }
                Fields::Cells(first) => {
                    let cells = kinds.zip(self.cells_from(*first)).filter(|((_, by_values), _)| **by_values);
                    for (((kinds, counts), _), cell) in cells {
                        cell.record(kinds);
                        counts.record_cell(*cell);
                    }
                }
                Fields::None | Fields::Unparsed(_) | Fields::NotListed(_) => {}
            }
        }
        if counts.len() > ValueCounts::MAX_FIELDS {
            counts.clear();
        }
        (kinds, counts)
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

    /// Returns the cells of the fields of all prompts, from this one on.
    pub(super) fn cells_from(&self, first: usize) -> &[PlainCell] {
        self.cells.get(first..first + self.field_names().len()).unwrap_or_default()
    }

    /// Returns the size of the texts and embeddings of some rows; `None` if there are fewer rows.
    pub(super) fn payload_bytes(&self, rows: Range<usize>) -> Option<usize> {
        let bytes = |row: &Row| match &row.outcome {
            Outcome::Replied(StoredReply { payload: KeptPayload::Text(range), .. }) => range.len(),
            Outcome::Replied(StoredReply { payload: KeptPayload::Embedding(range), .. }) => {
                range.len() * size_of::<f32>()
            }
            _ => 0,
        };
        Some(self.rows.get(rows)?.iter().map(bytes).sum())
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
pub(super) fn job_number(count: usize) -> u32 {
    #[expect(clippy::expect_used, reason = "jobs are numbered by u32 within a run")]
    u32::try_from(count).expect("a chunk has fewer than u32::MAX jobs")
}
