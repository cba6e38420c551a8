//! Outcome of reading an answer, as runs with a prefix of their columns report it.

use super::RowErrorCode;

/// Outcome of reading an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParseStatus {
    /// The answer was read.
    Success,
    /// The answer was read and breaks a rule of the prompt, or has none of its fields.
    ValidationFailed,
    /// The answer could not be read.
    JsonFailed,
    /// There is no answer.
    Error,
}

impl ParseStatus {
    /// Returns the status of a row with this error.
    pub fn of(error: Option<RowErrorCode>) -> Self {
        match error {
            None => Self::Success,
            Some(
                RowErrorCode::SchemaMismatch
                | RowErrorCode::NoFields
                | RowErrorCode::ValueNotAllowed
                | RowErrorCode::EmbeddingInvalid
                | RowErrorCode::RowListedTwice,
            ) => Self::ValidationFailed,
            Some(
                RowErrorCode::NoJson
                | RowErrorCode::AnswerCutOff
                | RowErrorCode::JsonUnended
                | RowErrorCode::JsonBroken
                | RowErrorCode::ListUnreadable
                | RowErrorCode::AnswerTooComplex
                | RowErrorCode::NoPatternMatch,
            ) => Self::JsonFailed,
            Some(_) => Self::Error,
        }
    }

    /// Returns the name of the status in the output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::ValidationFailed => "validation_failed",
            Self::JsonFailed => "json_failed",
            Self::Error => "error",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_one_of_four_statuses() {
        let of = |status: ParseStatus| {
            let codes = RowErrorCode::ALL.into_iter().filter(|code| ParseStatus::of(Some(*code)) == status);
            codes.map(|code| serde_json::to_value(code).unwrap().as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(of(ParseStatus::Success), Vec::<String>::new());
        assert_eq!(
            of(ParseStatus::ValidationFailed),
            ["no_fields", "schema_mismatch", "value_not_allowed", "embedding_invalid", "row_listed_twice"]
        );
        let unread = [
            "no_json",
            "answer_cut_off",
            "json_unended",
            "json_broken",
            "answer_too_complex",
            "no_pattern_match",
            "list_unreadable",
        ];
        assert_eq!(of(ParseStatus::JsonFailed), unread);
        assert_eq!(
            of(ParseStatus::Error).len(),
            39,
            "a new code belongs to one of the four by decision, not by default"
        );
        assert_eq!(ParseStatus::of(None).name(), "success");
        assert_eq!(ParseStatus::of(Some(RowErrorCode::ModelRefused)).name(), "error");
    }
}
