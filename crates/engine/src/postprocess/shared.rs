//! Answers that duplicates in other chunks wait for. The join of the chunk whose rows were sent writes them, and the joins
//! of the files of duplicates read them.

use super::answers::{Answers, Fields, KeptPayload, Outcome, Row, StoredReply, number_of};
use crate::error::EngineError;
use crate::objects::{ClosableWrite, ObjectSink};
use bedrock_batch_domain::row_error::RowError;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io::Write;

/// Answer, as a line of a file of shared answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct SharedAnswer {
    record_id: String,
    attempts: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    embedding: Option<Vec<f32>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    model_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stop_reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    input_tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    output_tokens: Option<u64>,
    /// If true, the list that it is an element of was nearly JSON, and was repaired.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    in_repaired_list: bool,
    /// Reason why there is no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    none: Option<SharedError>,
}

/// Reason in its stored format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum SharedError {
    Coded(RowError),
    /// Format of versions without codes: the text of `error`, and the words that it is counted by.
    InWords(String, String),
}

impl SharedError {
    fn row_error(&self) -> RowError {
        match self {
            Self::Coded(error) => error.clone(),
            Self::InWords(text, words) => RowError::uncoded(text, words),
        }
    }
}

/// Writes the answers of the rows `wanted` as the object `key`.
pub(super) fn write_shared<S: ObjectSink>(
    answers: &Answers<'_>,
    wanted: &[String],
    sink: &S,
    key: &str,
) -> Result<(), EngineError> {
    let mut file = sink.create(key)?;
    for id in wanted {
        let Some(row) = answers.row(id).and_then(|row| answers.rows.get(row)) else { continue };
        serde_json::to_writer(&mut file, &shared(answers, id, row)).map_err(std::io::Error::from)?;
        file.write_all(b"\n")?;
    }
    file.close()?;
    Ok(())
}

fn shared(answers: &Answers<'_>, id: &str, row: &Row) -> SharedAnswer {
    let mut answer = SharedAnswer { record_id: id.to_owned(), attempts: row.attempts, ..SharedAnswer::default() };
    let none = |error: RowError| Some(SharedError::Coded(error));
    match &row.outcome {
        Outcome::Missing => answer.none = none(answers.missing(row).into_owned()),
        Outcome::Failed(error) => answer.none = none(RowError::from(&**error)),
        Outcome::NotSent(error) | Outcome::NoneShared(error) => answer.none = none(RowError::clone(error)),
        Outcome::Replied(StoredReply { fields: Fields::NotListed(why), .. }) => {
            answer.none = none(RowError::from(&**why));
        }
        Outcome::Replied(kept) => {
            answer.text = answers.text(kept).map(str::to_owned);
            answer.embedding = answers.embedding(kept).map(<[f32]>::to_vec);
            answer.model_id = answers.models.get(kept.model).cloned();
            answer.stop_reason = answers.stop_reason(kept).map(str::to_owned);
            answer.input_tokens = kept.input_tokens;
            answer.output_tokens = kept.output_tokens;
            answer.in_repaired_list = kept.in_repaired_list;
        }
    }
    answer
}

/// Assigns a shared answer to all rows that wait for it. `rows_of` contains duplicates by the id of the row that was sent
/// in their place.
pub(super) fn take_shared(answers: &mut Answers<'_>, rows_of: &HashMap<Box<str>, Vec<usize>>, line: &[u8]) -> bool {
    let Ok(answer) = serde_json::from_slice::<SharedAnswer>(line) else { return false };
    let Some(rows) = rows_of.get(answer.record_id.as_str()) else { return true };
    // One copy in memory for all rows that share it.
    let payload = match (&answer.text, &answer.embedding) {
        (Some(text), _) => answers.keep_text(text),
        (None, Some(embedding)) => answers.keep_embedding(embedding),
        (None, None) => KeptPayload::None,
    };
    // Rows that equal each other have the same prompt and the same beginning of their answers.
    let first = rows.first().copied().unwrap_or(usize::MAX);
    let prompt = answers.rows.get(first).map_or(0, |row| row.prompt);
    let fields = match &answer.text {
        Some(text) => answers.fields_of((first, prompt), text, answer.stop_reason.as_deref()),
        None => Fields::None,
    };
    let stop_reason = answer.stop_reason.as_deref().map(|reason| number_of(&mut answers.stop_reasons, reason));
    let model = number_of(&mut answers.models, answer.model_id.as_deref().unwrap_or_default());
    for row in rows {
        let Some(row) = answers.rows.get_mut(*row) else { continue };
        row.attempts = answer.attempts;
        row.outcome = match &answer.none {
            Some(none) => Outcome::NoneShared(Box::new(none.row_error())),
            None => Outcome::Replied(StoredReply {
                payload: payload.clone(),
                stop_reason,
                input_tokens: answer.input_tokens,
                output_tokens: answer.output_tokens,
                model,
                in_repaired_list: answer.in_repaired_list,
                fields: fields.clone(),
            }),
        };
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use bedrock_batch_domain::row_error::RowErrorCode;

    #[test]
    fn reasons_are_read_with_and_without_codes() {
        let read = |none: &str| {
            let line = format!(r#"{{"record_id": "r1", "attempts": 1, "none": {none}}}"#);
            serde_json::from_str::<SharedAnswer>(&line).unwrap().none.unwrap().row_error()
        };
        let old = read(r#"["the model refused the record: 400: bad", "refused by the model (400)"]"#);
        let refused = RowError::new(RowErrorCode::ModelRefused, "400: bad").qualified("400");
        assert_eq!((old.to_string(), old.reason.words()), (refused.to_string(), refused.reason.words()));
        assert_eq!(read(&serde_json::to_string(&SharedError::Coded(refused.clone())).unwrap()), refused);
    }
}
