//! Reasons that were stored as text, before there were codes.

use super::{RowError, RowErrorCode};

/// Prefix of the text for a row without a record.
pub(super) const NOT_SENT: &str = "not sent: ";

impl RowError {
    /// Parses `not sent: <words>: <detail>`, the text for a row without a record in a rows file without codes. The name of a
    /// stage is assumed to end at the first colon, since the text does not delimit it.
    pub fn from_text(text: &str) -> Self {
        let coded = RowErrorCode::ALL.into_iter().find_map(|code| {
            let without_detail = Self::from(code).to_string();
            let rest = text.strip_prefix(&without_detail).filter(|_| without_detail.starts_with(NOT_SENT))?;
            if code == RowErrorCode::FailedInEarlierStage {
                let (stage, error) = rest.split_once(": ")?;
                return (!error.is_empty()).then(|| Self::failed_in_stage(stage, error));
            }
            match rest.strip_prefix(": ") {
                Some("") => None,
                Some(detail) => Some(Self::new(code, detail)),
                None => rest.is_empty().then(|| code.into()),
            }
        });
        let words = || text.split(": ").nth(1).unwrap_or("not sent");
        coded.unwrap_or_else(|| Self::uncoded(text, words()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Reason;
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn texts_of_rows_files_without_codes_are_read() {
        let codes = RowErrorCode::ALL.into_iter().filter(|code| *code != RowErrorCode::FailedInEarlierStage);
        let mut read = 0;
        for code in codes {
            for error in [RowError::from(code), RowError::new(code, "a: b")] {
                if error.to_string().starts_with(NOT_SENT) {
                    assert_eq!(RowError::from_text(&error.to_string()), error);
                    read += 1;
                }
            }
        }
        assert_eq!(read, 2 * 20, "all codes of rows without a record");
        let failed = RowError::failed_in_stage("classify", "lost: for good");
        assert_eq!(RowError::from_text(&failed.to_string()), failed);
    }

    #[test]
    fn an_unknown_text_keeps_its_text_and_its_words() {
        let error = RowError::from_text("not sent: on strike: until noon");
        assert_eq!(error.reason.code, RowErrorCode::Unknown);
        assert_eq!(
            (error.to_string().as_str(), error.reason.words().as_ref()),
            ("not sent: on strike: until noon", "on strike")
        );
    }

    #[test]
    fn codes_have_stable_names_and_later_ones_are_read() {
        let error = RowError::new(RowErrorCode::ModelRefused, "400: bad").qualified("400");
        let stored = json!({"code": "model_refused", "qualifier": "400", "detail": "400: bad"});
        assert_eq!(serde_json::to_value(&error).unwrap(), stored);
        let reason: Reason = serde_json::from_value(json!({"code": "of_a_later_version"})).unwrap();
        assert_eq!(reason.code, RowErrorCode::Unknown);
    }

    #[test]
    fn every_code_is_documented() {
        let page = include_str!("../../../../docs/execution-input.md");
        for code in RowErrorCode::ALL {
            let name = serde_json::to_value(code).unwrap();
            let name = name.as_str().unwrap();
            assert!(page.contains(&format!("`{name}`")), "docs/execution-input.md does not name `{name}`");
        }
    }

    proptest! {
        #[test]
        fn what_is_stored_is_read(code in prop::sample::select(RowErrorCode::ALL.to_vec()), qualifier in ".*", detail in ".*") {
            let error = RowError::new(code, detail).qualified(qualifier);
            let stored = serde_json::to_string(&error).unwrap();
            prop_assert_eq!(serde_json::from_str::<RowError>(&stored).unwrap(), error);
        }

        #[test]
        fn the_text_of_a_rows_file_never_changes(text in "(not sent: )?[a-z :]{0,60}") {
            prop_assert_eq!(RowError::from_text(&text).to_string(), text);
        }
    }
}
