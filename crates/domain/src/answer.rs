//! Reading the lines of a job's `.jsonl.out`.
//!
//! A line is `{"recordId", "modelInput", "modelOutput"}` or has `error` in place of `modelOutput`. Nothing about it is
//! trusted: it may be cut off, huge, of another shape, or repeat a record.

use crate::model::{Family, Reply};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// What one line says.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerLine {
    /// Whose answer it is.
    pub record_id: String,
    /// The model's reply, or why there is none.
    pub outcome: Result<Reply, RecordError>,
}

/// Why a record has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Bedrock says so in the line.
    #[error("the model refused the record: {code}: {message}")]
    Refused {
        /// Bedrock's error code, e.g. 400.
        code: String,
        /// Bedrock's message.
        message: String,
    },
    /// The line has neither an answer nor an error.
    #[error("the job's output holds neither an answer nor an error for this record")]
    Nothing,
    /// `modelOutput` does not have the shape of its model family.
    #[error("the answer does not have the format of this model's family")]
    UnknownFormat,
}

impl RecordError {
    /// A short name for counting: never any text of a record.
    pub fn reason(&self) -> String {
        match self {
            Self::Refused { code, .. } if code.len() <= 4 => format!("refused by the model ({code})"),
            Self::Refused { .. } => "refused by the model".to_owned(),
            Self::Nothing => "no answer in the job's output".to_owned(),
            Self::UnknownFormat => "answer of an unknown format".to_owned(),
        }
    }
}

/// A text borrowed from the line where it holds no escapes.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct BorrowedText<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

impl BorrowedText<'_> {
    /// All texts in order, one after the other; `None` if there is none.
    pub(crate) fn joined(texts: impl Iterator<Item = Self>) -> Option<String> {
        texts.map(|text| text.0.into_owned()).reduce(|mut all, text| {
            all.push_str(&text);
            all
        })
    }
}

/// The `modelOutput` of a family.
pub(crate) trait ModelOutput {
    /// What is read of it.
    fn reply(self) -> Reply;
}

/// A line whose `modelOutput` has the expected shape. `modelInput` is skipped without being built.
#[derive(Debug, Deserialize)]
struct Line<'a, O> {
    #[serde(borrow, rename = "recordId")]
    record_id: BorrowedText<'a>,
    #[serde(default = "Option::default", rename = "modelOutput")]
    model_output: Option<O>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

/// Reads one line.
///
/// # Errors
/// If the line is not a JSON object with a `recordId`: it cannot be given to any row.
pub fn read_line(family: Family, line: &str) -> Result<AnswerLine, serde_json::Error> {
    use crate::model::outputs::{AnthropicOutput, ConverseOutput, TitanTextOutput};
    match family {
        Family::AnthropicMessages => read_as::<AnthropicOutput<'_>>(line),
        Family::Nova | Family::Converse => read_as::<ConverseOutput<'_>>(line),
        Family::TitanTextEmbeddings => read_as::<TitanTextOutput>(line),
    }
}

fn read_as<'a, O: Deserialize<'a> + ModelOutput>(line: &'a str) -> Result<AnswerLine, serde_json::Error> {
    if let Ok(read) = serde_json::from_str::<Line<'a, O>>(line) {
        return Ok(outcome(read));
    }
    // The rare way: is it just the model's output that has another shape?
    let read = serde_json::from_str::<Line<'a, &'a RawValue>>(line)?;
    let outcome = read.error.map_or(RecordError::UnknownFormat, refused);
    Ok(AnswerLine { record_id: read.record_id.0.into_owned(), outcome: Err(outcome) })
}

fn outcome<O: ModelOutput>(line: Line<'_, O>) -> AnswerLine {
    let outcome = match (line.model_output, line.error) {
        (Some(output), None) => Ok(output.reply()),
        (_, Some(error)) => Err(refused(error)),
        (None, None) => Err(RecordError::Nothing),
    };
    AnswerLine { record_id: line.record_id.0.into_owned(), outcome }
}

/// `{"errorCode": 400, "errorMessage": "…"}`, leniently: the code may be a text, fields may be missing or more.
fn refused(error: &RawValue) -> RecordError {
    let value: serde_json::Value = serde_json::from_str(error.get()).unwrap_or_default();
    let text = |field: &str| match value.get(field) {
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(other) if !other.is_null() => other.to_string(),
        _ => String::new(),
    };
    let code = text("errorCode");
    RecordError::Refused { code: if code.is_empty() { "unknown".into() } else { code }, message: text("errorMessage") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ReplyPayload;
    use proptest::prelude::*;
    use rstest::rstest;

    const ANTHROPIC: &str = r#"{"recordId":"r1","modelInput":{"a":[1,"x"]},"modelOutput":{"content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"Hel\nlo"},{"type":"text","text":"!"}],"stop_reason":"end_turn","usage":{"input_tokens":12,"output_tokens":4}}}"#;
    const CONVERSE: &str = r#"{"modelInput":{},"recordId":"r1","modelOutput":{"output":{"message":{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"hm"}}},{"text":"Hel\nlo!"}]}},"stopReason":"end_turn","usage":{"inputTokens":12,"outputTokens":4,"totalTokens":16}}}"#;

    #[rstest]
    #[case(Family::AnthropicMessages, ANTHROPIC)]
    #[case(Family::Nova, CONVERSE)]
    #[case(Family::Converse, CONVERSE)]
    fn text_is_taken_by_block_type(#[case] family: Family, #[case] line: &str) {
        let reply = read_line(family, line).unwrap().outcome.unwrap();
        assert_eq!(reply.payload, Some(ReplyPayload::Text("Hel\nlo!".into())));
        assert_eq!((reply.input_tokens, reply.output_tokens), (Some(12), Some(4)));
        assert_eq!(reply.stop_reason.as_deref(), Some("end_turn"));
    }

    #[test]
    fn embeddings_are_read() {
        let line = r#"{"recordId":"r1","modelOutput":{"embedding":[0.5,-1e-3],"inputTextTokenCount":3}}"#;
        let reply = read_line(Family::TitanTextEmbeddings, line).unwrap().outcome.unwrap();
        assert_eq!(reply.payload, Some(ReplyPayload::Embedding(vec![0.5, -0.001])));
        assert_eq!(reply.input_tokens, Some(3));
    }

    #[rstest]
    #[case(
        r#"{"recordId":"r1","error":{"errorCode":400,"errorMessage":"bad","expired":false}}"#,
        "the model refused the record: 400: bad"
    )]
    #[case(r#"{"recordId":"r1","error":{"errorCode":"429"}}"#, "the model refused the record: 429: ")]
    #[case(r#"{"recordId":"r1","error":"odd"}"#, "the model refused the record: unknown: ")]
    #[case(r#"{"recordId":"r1","error":{"errorCode":1},"modelOutput":7}"#, "the model refused the record: 1: ")]
    #[case(r#"{"recordId":"r1"}"#, "the job's output holds neither an answer nor an error for this record")]
    #[case(
        r#"{"recordId":"r1","modelOutput":{"content":"text"}}"#,
        "the answer does not have the format of this model's family"
    )]
    fn a_record_without_an_answer_says_why(#[case] line: &str, #[case] expected: &str) {
        let answer = read_line(Family::AnthropicMessages, line).unwrap();
        assert_eq!(answer.record_id, "r1");
        assert_eq!(answer.outcome.unwrap_err().to_string(), expected);
    }

    #[test]
    fn a_refusal_has_no_payload() {
        let line = r#"{"recordId":"r","modelOutput":{"content":[],"stop_reason":"refusal"}}"#;
        let reply = read_line(Family::AnthropicMessages, line).unwrap().outcome.unwrap();
        assert_eq!((reply.payload, reply.stop_reason.as_deref()), (None, Some("refusal")));
    }

    proptest! {
        #[test]
        fn no_line_makes_the_parser_panic(line in any::<String>(), cut in 0usize..260, noise in 0usize..260) {
            for family in [Family::AnthropicMessages, Family::Nova, Family::TitanTextEmbeddings, Family::Converse] {
                let _ = read_line(family, &line);
                let _ = read_line(family, &ANTHROPIC[..cut.min(ANTHROPIC.len())]);
                let mut damaged = ANTHROPIC.to_owned();
                damaged.insert_str(noise.min(damaged.len()), "}\"");
                let _ = read_line(family, &damaged);
            }
        }
    }
}
