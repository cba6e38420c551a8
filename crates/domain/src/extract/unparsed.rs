//! Reasons why an answer has no fields.

use crate::row_error::{RowError, RowErrorCode};

/// Reason why an answer has no fields. The text is for humans; it may name keys of the answer, never its values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unparsed {
    /// The answer contains no JSON object or array.
    #[error("there is no JSON in the answer")]
    NoJson,
    /// The model stopped at its token limit before the fields were complete.
    #[error("the answer was cut off at the token limit; raise `max_tokens`")]
    CutOff,
    /// A JSON value begins but does not end, although the model ended the answer itself.
    #[error("the JSON in the answer does not end")]
    Unended,
    /// The part that resembles JSON is invalid.
    #[error("the JSON in the answer is broken at line {line}, column {column}")]
    Broken {
        /// Line of the answer, from 1.
        line: usize,
        /// Character within that line, from 1.
        column: usize,
    },
    /// The JSON has so many or so deeply nested values that the paths of the fields would take too long.
    #[error("the JSON in the answer has too many or too deeply nested values for the JSONPaths of `output_schema`")]
    TooComplex,
    /// The answer contains JSON, but no field's path matches in it.
    #[error("the JSON in the answer has none of the fields of `output_schema`")]
    NoFields,
    /// The answer contains JSON, but no property of the response model.
    #[error("the JSON in the answer has none of the properties of `response_schema`")]
    NoProperties,
    /// No field's pattern matches.
    #[error("no pattern of `output_schema` matches the answer")]
    NoMatch,
    /// The JSON value does not match `response_schema`.
    #[error("the answer does not match `response_schema` at {path}: {rule}")]
    Mismatch {
        /// Location in the JSON value: `/items/0`, or `the top`.
        path: String,
        /// Rule that is broken there.
        rule: String,
    },
    /// A field has a value that is not one of those that it is held to.
    #[error("the field `{field}` of the answer has a value that is not in `{origin}`")]
    NotAllowed {
        /// Name of the field.
        field: String,
        /// Origin of the allowed values: `reference.name.column`.
        origin: String,
    },
    /// The embedding has another length than the one that was requested.
    #[error("the embedding has {found} numbers: must have {wanted}")]
    EmbeddingLength {
        /// Length of the embedding.
        found: usize,
        /// Length that was requested.
        wanted: usize,
    },
    /// A number of the embedding is beyond the range of 32-bit floats.
    #[error("the embedding has a number that no 32-bit float holds")]
    EmbeddingRange,
}

impl From<&Unparsed> for RowError {
    fn from(unparsed: &Unparsed) -> Self {
        let code = match unparsed {
            Unparsed::NoJson => RowErrorCode::NoJson,
            Unparsed::CutOff => RowErrorCode::AnswerCutOff,
            Unparsed::Unended => RowErrorCode::JsonUnended,
            Unparsed::Broken { .. } => RowErrorCode::JsonBroken,
            Unparsed::NoFields | Unparsed::NoProperties => RowErrorCode::NoFields,
            Unparsed::TooComplex => RowErrorCode::AnswerTooComplex,
            Unparsed::NoMatch => RowErrorCode::NoPatternMatch,
            Unparsed::Mismatch { .. } => RowErrorCode::SchemaMismatch,
            Unparsed::NotAllowed { .. } => RowErrorCode::ValueNotAllowed,
            Unparsed::EmbeddingLength { .. } | Unparsed::EmbeddingRange => RowErrorCode::EmbeddingInvalid,
        };
        Self::new(code, unparsed.to_string())
    }
}

impl Unparsed {
    /// Returns the reason for JSON that is broken at this byte of `text`.
    pub(super) fn broken_at(text: &str, at: usize) -> Self {
        let before = text.get(..at).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        Self::Broken { line: before.matches('\n').count() + 1, column: line.chars().count() + 1 }
    }

    /// Converts the position from `part` to `whole`, of which `part` is the end.
    pub(super) fn further_down(self, whole: &str, part: &str) -> Self {
        let Self::Broken { line, column } = self else { return self };
        let before = &whole[..whole.len() - part.len()];
        let last_line = before.rsplit('\n').next().unwrap_or_default();
        let column = if line == 1 { column + last_line.chars().count() } else { column };
        Self::Broken { line: line + before.matches('\n').count(), column }
    }
}
