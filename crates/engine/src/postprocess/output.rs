//! Columns that answers add, built batch by batch.

use super::answers::{Answers, Fields, FoundFields, Outcome, StoredReply};
use super::field_columns::FieldColumns;
use super::join_job::JoinJob;
use super::prompts_read::PromptsRead;
use super::status_columns::StatusColumns;
use arrow_array::ArrayRef;
use arrow_array::builder::{Float32Builder, ListBuilder, StringBuilder, UInt32Builder, UInt64Builder};
use bedrock_batch_domain::columns::{
    ATTEMPTS, EMBEDDING, INPUT_TOKENS, MODEL_ID, OUTPUT_TOKENS, PARSE_STATUS, PROMPT_ID, RESPONSE, STATUS, STOP_REASON,
    VALIDATION_PASSED, metadata, prefixed,
};
use bedrock_batch_domain::extract::ColumnType;
use bedrock_batch_domain::row_error::{RowError, RowErrorCode};
use bedrock_batch_domain::summary::{ChunkCounts, Tokens};
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// Answer columns of some rows.
pub(super) struct AnswerColumns<'a> {
    job: &'a JoinJob<'a>,
    prompts: &'a PromptsRead,
    field_names: &'a [String],
    fields: FieldColumns,
    /// If true, the rows equal rows that were sent, and cost nothing themselves.
    duplicates: bool,
    status: StatusColumns,
    response: StringBuilder,
    /// Only of models that answer with embeddings.
    embedding: Option<ListBuilder<Float32Builder>>,
    error: StringBuilder,
    stop_reason: StringBuilder,
    input_tokens: UInt64Builder,
    output_tokens: UInt64Builder,
    attempts: UInt32Builder,
    model_id: StringBuilder,
    prompt_id: StringBuilder,
}

impl<'a> AnswerColumns<'a> {
    /// Creates empty columns for these rows; those of the prompt's fields get these types.
    pub(super) fn new(
        job: &'a JoinJob<'a>,
        answers: &Answers<'a>,
        types: &[ColumnType],
        duplicates: bool,
        rows: Range<usize>,
    ) -> Self {
        let (bytes, rows) = (answers.payload_bytes(rows.clone()).unwrap_or_default(), rows.len());
        let text_bytes = if job.family.is_embedding() { 0 } else { bytes };
        Self {
            job,
            prompts: answers.prompts(),
            field_names: answers.field_names(),
            fields: FieldColumns::new(types, rows),
            duplicates,
            status: StatusColumns::default(),
            response: StringBuilder::with_capacity(rows, text_bytes),
            embedding: job.family.is_embedding().then(|| ListBuilder::new(Float32Builder::new())),
            error: StringBuilder::new(),
            stop_reason: StringBuilder::with_capacity(rows, rows * 16),
            input_tokens: UInt64Builder::with_capacity(rows),
            output_tokens: UInt64Builder::with_capacity(rows),
            attempts: UInt32Builder::with_capacity(rows),
            model_id: StringBuilder::with_capacity(rows, rows * 32),
            prompt_id: StringBuilder::new(),
        }
    }

    /// Appends the outcome of row `number`, and counts it.
    pub(super) fn push(&mut self, answers: &Answers<'_>, number: usize, counts: &mut ChunkCounts) {
        let Some(row) = answers.rows.get(number) else { return };
        counts.rows += 1;
        counts.retried += u64::from(row.attempts > 1);
        counts.unanswered += u64::from(answers.begins_record_to_send(number));
        self.attempts.append_value(row.attempts);
        if self.prompts.named {
            self.prompt_id.append_option(self.prompts.id(row.prompt));
        }
        let error = match &row.outcome {
            Outcome::Replied(reply) => self.answer(answers, reply, (number, row.prompt), counts).map(Cow::Owned),
            outcome => {
                self.no_answer();
                Some(match outcome {
                    Outcome::Missing if self.duplicates => Cow::Owned(RowErrorCode::DuplicateUnanswered.into()),
                    Outcome::Failed(error) => Cow::Owned(RowError::from(&**error)),
                    Outcome::NotSent(error) | Outcome::NoneShared(error) => Cow::Borrowed(&**error),
                    Outcome::Missing | Outcome::Replied(_) => answers.missing(row),
                })
            }
        };
        if self.job.prefix.is_some() {
            self.status.push(error.as_ref().map(|error| error.reason.code));
        }
        match error {
            Some(error) => {
                counts.count_failed(&error.reason);
                self.error.append_value(error.to_string());
            }
            None => {
                counts.answered += 1;
                self.error.append_null();
            }
        }
    }

    fn no_answer(&mut self) {
        self.response.append_null();
        self.embedding.iter_mut().for_each(ListBuilder::append_null);
        self.stop_reason.append_null();
        self.input_tokens.append_null();
        self.output_tokens.append_null();
        self.model_id.append_null();
        self.fields.push(None);
    }

    /// Appends a reply; returns the reason if it does not count as an answer.
    fn answer(
        &mut self,
        answers: &Answers<'_>,
        reply: &StoredReply,
        (row, prompt): (usize, u16),
        counts: &mut ChunkCounts,
    ) -> Option<RowError> {
        let prefill = answers.prefill(row, prompt);
        if self.duplicates {
            // It costs nothing, since the row that it equals was sent.
            self.input_tokens.append_option(reply.input_tokens.map(|_| 0));
            self.output_tokens.append_option(reply.output_tokens.map(|_| 0));
            let (input, output) = (reply.input_tokens.unwrap_or(0), reply.output_tokens.unwrap_or(0));
            counts.add_saved(Tokens { input, output });
        } else {
            self.input_tokens.append_option(reply.input_tokens);
            self.output_tokens.append_option(reply.output_tokens);
        }
        let stop_reason = answers.stop_reason(reply);
        self.stop_reason.append_option(stop_reason);
        self.model_id.append_option(answers.models.get(reply.model));
        match answers.text(reply) {
            Some(text) if prefill.is_empty() => self.response.append_value(text),
            // The model continues the prefill: together they are the answer.
            Some(text) => self.response.append_value(format!("{prefill}{text}")),
            None => self.response.append_null(),
        }
        let embedding = answers.embedding(reply);
        if let Some(column) = &mut self.embedding {
            column.values().append_slice(embedding.unwrap_or_default());
            column.append(embedding.is_some());
        }
        match &reply.fields {
            Fields::Found(found) => {
                let FoundFields { values, changed, corrected, .. } = &**found;
                let changed = changed.iter().filter_map(|field| self.prompts.changeable(prompt, *field));
                let corrected = corrected.iter().filter_map(|field| self.prompts.fields.get(*field));
                for field in changed.chain(corrected.map(String::as_str)) {
                    counts.count_changed(field);
                }
                self.fields.push(Some(values));
            }
            Fields::Cells(first) => {
                self.fields.push_cells(answers.cells_from(*first), answers.text(reply).unwrap_or_default());
            }
            Fields::None | Fields::Unparsed(_) | Fields::NotListed(_) => self.fields.push(None),
        }
        let failure = answers.failure(reply);
        counts.repaired += u64::from(failure.is_none() && reply.is_repaired());
        if failure.is_none()
            && let Some(warning) = answers.warning(reply, prompt)
        {
            *counts.warnings.entry(warning.to_owned()).or_default() += 1;
        }
        failure
    }

    /// Returns the columns with their names, in the order of the output.
    pub(super) fn finish(mut self) -> Vec<(String, ArrayRef)> {
        let payload: (&str, ArrayRef) = match &mut self.embedding {
            Some(embedding) => (EMBEDDING, Arc::new(embedding.finish())),
            None => (RESPONSE, Arc::new(self.response.finish())),
        };
        let field_names = self.field_names;
        let fields = field_names.iter().map(String::as_str).zip(self.fields.finish());
        let metadata: Vec<(&str, ArrayRef)> =
            metadata(self.job.prefix.is_some()).into_iter().map(|name| (name, self.finished(name))).collect();
        let prompt_id: Option<(&str, ArrayRef)> =
            self.prompts.named.then(|| (PROMPT_ID, Arc::new(self.prompt_id.finish()) as ArrayRef));
        let columns = std::iter::once(payload).chain(fields).chain(metadata).chain(prompt_id);
        columns.map(|(name, column)| (prefixed(self.job.prefix, name), column)).collect()
    }

    /// Returns the column of this name, which must be one of [`metadata`].
    fn finished(&mut self, name: &str) -> ArrayRef {
        match name {
            STATUS => self.status.status(),
            VALIDATION_PASSED => self.status.validation_passed(),
            PARSE_STATUS => self.status.parse_status(),
            STOP_REASON => Arc::new(self.stop_reason.finish()),
            INPUT_TOKENS => Arc::new(self.input_tokens.finish()),
            OUTPUT_TOKENS => Arc::new(self.output_tokens.finish()),
            ATTEMPTS => Arc::new(self.attempts.finish()),
            MODEL_ID => Arc::new(self.model_id.finish()),
            _ => Arc::new(self.error.finish()),
        }
    }
}
