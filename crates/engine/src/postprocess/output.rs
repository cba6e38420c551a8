//! The columns that answers add, built a batch at a time.

use super::answers::{Answers, Kept, KeptPayload, Outcome};
use crate::error::EngineError;
use arrow_array::builder::{Float32Builder, ListBuilder, StringBuilder, UInt64Builder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use bedrock_batch_domain::columns::{
    EMBEDDING, ERROR, INPUT_TOKENS, OUTPUT_TOKENS, RESPONSE, STOP_REASON, names_beside,
};
use bedrock_batch_domain::model::Family;
use bedrock_batch_domain::summary::JobCounts;
use std::sync::Arc;

const NO_TEXT: &str = "the model returned no answer";

/// The answer columns of some rows.
pub(super) struct AnswerColumns<'a> {
    family: Family,
    prefill: &'a str,
    missing: &'a str,
    missing_reason: &'a str,
    response: StringBuilder,
    embedding: ListBuilder<Float32Builder>,
    error: StringBuilder,
    stop_reason: StringBuilder,
    input_tokens: UInt64Builder,
    output_tokens: UInt64Builder,
}

impl<'a> AnswerColumns<'a> {
    /// Empty columns. `missing`: what `error` says of rows for which nothing came; `missing_reason`: its name for
    /// counting.
    pub(super) fn new(
        family: Family,
        prefill: &'a str,
        missing: &'a str,
        missing_reason: &'a str,
        rows: usize,
    ) -> Self {
        Self {
            family,
            prefill,
            missing,
            missing_reason,
            response: StringBuilder::with_capacity(rows, rows * 64),
            embedding: ListBuilder::new(Float32Builder::new()),
            error: StringBuilder::new(),
            stop_reason: StringBuilder::with_capacity(rows, rows * 16),
            input_tokens: UInt64Builder::with_capacity(rows),
            output_tokens: UInt64Builder::with_capacity(rows),
        }
    }

    /// Appends the outcome of row `row`, and counts it.
    pub(super) fn push(&mut self, answers: &Answers, row: usize, counts: &mut JobCounts) {
        counts.rows += 1;
        let mut fail = |reason: &str| *counts.failed.entry(reason.to_owned()).or_default() += 1;
        match answers.outcomes.get(row).unwrap_or(&Outcome::Missing) {
            Outcome::Missing => {
                fail(self.missing_reason);
                self.no_answer(self.missing);
            }
            Outcome::NotSent(why) => {
                // `not sent: <reason>: <details>`; the reason is ours and short.
                fail(why.split(": ").nth(1).unwrap_or("not sent"));
                self.no_answer(why);
            }
            Outcome::Failed(error) => {
                fail(&error.reason());
                self.no_answer(&error.to_string());
            }
            Outcome::Replied(reply) => {
                counts.input_tokens += reply.input_tokens.unwrap_or(0);
                counts.output_tokens += reply.output_tokens.unwrap_or(0);
                if self.answer(answers, reply) {
                    counts.answered += 1;
                } else {
                    fail(NO_TEXT);
                }
            }
        }
    }

    fn no_answer(&mut self, error: &str) {
        self.response.append_null();
        self.embedding.append_null();
        self.error.append_value(error);
        self.stop_reason.append_null();
        self.input_tokens.append_null();
        self.output_tokens.append_null();
    }

    /// Whether there is something to show for the reply.
    fn answer(&mut self, answers: &Answers, reply: &Kept) -> bool {
        self.input_tokens.append_option(reply.input_tokens);
        self.output_tokens.append_option(reply.output_tokens);
        let stop_reason = reply.stop_reason.and_then(|number| answers.stop_reasons.get(number)).map(String::as_str);
        self.stop_reason.append_option(stop_reason);
        let answered = match &reply.payload {
            KeptPayload::Text(range) => {
                let text = answers.texts.get(range.clone()).unwrap_or_default();
                if self.prefill.is_empty() {
                    self.response.append_value(text);
                } else {
                    // The model goes on after the prefill: together they are the answer.
                    self.response.append_value(format!("{}{text}", self.prefill));
                }
                self.embedding.append_null();
                true
            }
            KeptPayload::Embedding(range) => {
                self.response.append_null();
                self.embedding.values().append_slice(answers.floats.get(range.clone()).unwrap_or_default());
                self.embedding.append(true);
                true
            }
            KeptPayload::None => {
                self.response.append_null();
                self.embedding.append_null();
                false
            }
        };
        if answered {
            self.error.append_null();
        } else {
            self.error.append_value(format!("{NO_TEXT} (stop_reason {})", stop_reason.unwrap_or("not given")));
        }
        answered
    }

    /// The input's rows with these columns behind them; input columns of the same names get `input_` in front.
    ///
    /// # Errors
    /// If there are not as many rows as outcomes.
    pub(super) fn join(mut self, rows: &RecordBatch) -> Result<RecordBatch, EngineError> {
        let tokens = |mut column: UInt64Builder| Arc::new(column.finish()) as ArrayRef;
        let payload: (&str, ArrayRef) = if self.family.is_embedding() {
            (EMBEDDING, Arc::new(self.embedding.finish()))
        } else {
            (RESPONSE, Arc::new(self.response.finish()))
        };
        let added: Vec<(&str, ArrayRef)> = vec![
            payload,
            (ERROR, Arc::new(self.error.finish())),
            (STOP_REASON, Arc::new(self.stop_reason.finish())),
            (INPUT_TOKENS, tokens(self.input_tokens)),
            (OUTPUT_TOKENS, tokens(self.output_tokens)),
        ];
        let existing: Vec<String> = rows.schema().fields().iter().map(|field| field.name().clone()).collect();
        let added_names: Vec<&str> = added.iter().map(|(name, _)| *name).collect();
        let names = names_beside(&existing, &added_names, "input");
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
            .map_err(|error| EngineError::Transient(format!("answers do not fit their rows: {error}")))
    }
}
