//! Columns that answers add, built batch by batch.

use super::answers::{Answers, Fields, FoundFields, Outcome, StoredReply};
use super::field_columns::FieldColumns;
use super::join_job::JoinJob;
use super::prompts_read::PromptsRead;
use super::status_columns::StatusColumns;
use crate::error::EngineError;
use arrow_array::builder::{Float32Builder, ListBuilder, StringBuilder, UInt32Builder, UInt64Builder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use bedrock_batch_domain::columns::{
    ATTEMPTS, Column, EMBEDDING, INPUT_TOKENS, MODEL_ID, OUTPUT_TOKENS, PARSE_STATUS, PROMPT_ID, RESPONSE, STATUS,
    STOP_REASON, VALIDATION_PASSED, metadata, names_beside, prefixed,
};
use bedrock_batch_domain::extract::ColumnType;
use bedrock_batch_domain::row_error::{RowError, RowErrorCode};
use bedrock_batch_domain::summary::{ChunkCounts, Tokens};
use std::borrow::Cow;
use std::collections::HashMap;
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
    embedding: ListBuilder<Float32Builder>,
    error: StringBuilder,
    stop_reason: StringBuilder,
    input_tokens: UInt64Builder,
    output_tokens: UInt64Builder,
    attempts: UInt32Builder,
    model_id: StringBuilder,
    prompt_id: StringBuilder,
}

impl<'a> AnswerColumns<'a> {
    /// Creates empty columns for this number of rows; those of the prompt's fields get these types.
    pub(super) fn new(
        job: &'a JoinJob<'a>,
        answers: &Answers<'a>,
        types: &[ColumnType],
        duplicates: bool,
        rows: usize,
    ) -> Self {
        Self {
            job,
            prompts: answers.prompts(),
            field_names: answers.field_names(),
            fields: FieldColumns::new(types),
            duplicates,
            status: StatusColumns::default(),
            response: StringBuilder::with_capacity(rows, rows * 64),
            embedding: ListBuilder::new(Float32Builder::new()),
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
        self.embedding.append_null();
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
        self.embedding.values().append_slice(embedding.unwrap_or_default());
        self.embedding.append(embedding.is_some());
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

    /// Appends these columns to the input's rows; older columns with the same names are prefixed with their origin.
    ///
    /// # Errors
    /// Returns an error if there are not as many rows as outcomes.
    pub(super) fn join(mut self, rows: &RecordBatch, known: &[Column]) -> Result<RecordBatch, EngineError> {
        let payload: (&str, ArrayRef) = if self.job.family.is_embedding() {
            (EMBEDDING, Arc::new(self.embedding.finish()))
        } else {
            (RESPONSE, Arc::new(self.response.finish()))
        };
        let field_names = self.field_names;
        let fields = field_names.iter().map(String::as_str).zip(self.fields.finish());
        let metadata: Vec<(&str, ArrayRef)> =
            metadata(self.job.prefix.is_some()).into_iter().map(|name| (name, self.finished(name))).collect();
        let prompt_id: Option<(&str, ArrayRef)> =
            self.prompts.named.then(|| (PROMPT_ID, Arc::new(self.prompt_id.finish()) as ArrayRef));
        let added = std::iter::once(payload).chain(fields).chain(metadata).chain(prompt_id);
        let added: Vec<(String, ArrayRef)> =
            added.map(|(name, column)| (prefixed(self.job.prefix, name), column)).collect();
        let existing = rows.schema();
        // There may be thousands of columns.
        let known: HashMap<&str, &Column> = known.iter().rev().map(|column| (column.name.as_str(), column)).collect();
        let existing = existing.fields().iter().map(|field| {
            let column = known.get(field.name().as_str()).copied();
            column.cloned().unwrap_or_else(|| Column::of_input(field.name()))
        });
        let existing: Vec<Column> = existing.collect();
        let added_names: Vec<&str> = added.iter().map(|(name, _)| name.as_str()).collect();
        let names = names_beside(&existing, &added_names);
        let mut fields: Vec<Field> = rows
            .schema()
            .fields()
            .iter()
            .zip(names)
            .map(|(field, name)| field.as_ref().clone().with_name(name))
            .collect();
        let mut columns = rows.columns().to_vec();
        for (name, column) in added {
            let data_type: DataType = column.data_type().clone();
            fields.push(Field::new(name, data_type, true));
            columns.push(column);
        }
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
            .map_err(|error| EngineError::internal("answers do not fit their rows").caused_by(error))
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
