//! Reader of the lines of a job's `.jsonl.out`.
//!
//! A line is `{"recordId", "modelInput", "modelOutput"}` or has `error` in place of `modelOutput`. Nothing about it is
//! trusted: it may be cut off, huge, of another shape, or repeat a record.

use crate::json_fields::{FieldReader, NextField};
use crate::json_scanner::JsonScanner;
use crate::model::{BorrowedText, Family, ModelOutput, Reply};
use crate::row_error::{RowError, RowErrorCode};
use serde::Deserialize;
use serde_json::Value;
use std::borrow::Cow;

/// One line, parsed.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerLine<'a> {
    /// Id of the record that it answers.
    pub record_id: Cow<'a, str>,
    /// The model's reply, or the reason why there is none.
    pub outcome: Result<Reply<'a>, RecordError>,
    /// The model that was invoked, if the line names it: lines of the on-demand lane do.
    pub model_id: Option<Cow<'a, str>>,
}

/// Reason why a record has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordError {
    /// Bedrock reports an error in the line.
    Refused {
        /// Bedrock's error code, e.g. 400.
        code: String,
        /// Bedrock's message.
        message: String,
        /// True if the record may be sent again, false if not; `None` if Bedrock does not report it.
        retryable: Option<bool>,
    },
    /// The line has neither an answer nor an error.
    Nothing,
    /// `modelOutput` does not have the shape of its model family.
    UnknownFormat,
}

/// Client errors (4xx) that are transient nevertheless: timeouts, conflicts, too many requests.
const TRANSIENT_CODES: [u16; 5] = [408, 409, 424, 425, 429];

impl RecordError {
    /// Returns true if sending the record again would change nothing, because the model refuses the request itself. That
    /// is the case for client errors (4xx) except transient ones, unless Bedrock reports that the record may be retried.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Refused { retryable: Some(true), .. } | Self::Nothing | Self::UnknownFormat => false,
            Self::Refused { code, .. } => {
                code.parse::<u16>().is_ok_and(|code| (400..500).contains(&code) && !TRANSIENT_CODES.contains(&code))
            }
        }
    }
}

impl From<&RecordError> for RowError {
    fn from(error: &RecordError) -> Self {
        match error {
            RecordError::Refused { code, message, .. } => {
                // Longer codes may contain any text, and rows are not counted by free text.
                let number = if code.len() <= 4 { code.clone() } else { String::new() };
                Self::new(RowErrorCode::ModelRefused, format!("{code}: {message}")).qualified(number)
            }
            RecordError::Nothing => RowErrorCode::EmptyOutputLine.into(),
            RecordError::UnknownFormat => RowErrorCode::UnknownAnswerFormat.into(),
        }
    }
}

/// Reads one line.
///
/// # Errors
/// Returns an error if the line is not a JSON object with a `recordId`: it cannot be attributed to any row.
pub fn read_line(family: Family, line: &[u8]) -> Result<AnswerLine<'_>, serde_json::Error> {
    use crate::model::outputs::{AnthropicOutput, ConverseOutput, TitanMultimodalOutput, TitanTextOutput};
    match family {
        Family::AnthropicMessages => read_as::<AnthropicOutput<'_>>(line),
        Family::Nova | Family::Converse => read_as::<ConverseOutput<'_>>(line),
        Family::TitanTextEmbeddings => read_as::<TitanTextOutput>(line),
        Family::TitanMultimodalEmbeddings => read_as::<TitanMultimodalOutput>(line),
    }
}

fn read_as<'a, O: Deserialize<'a> + ModelOutput<'a>>(line: &'a [u8]) -> Result<AnswerLine<'a>, serde_json::Error> {
    let Some(fields) = read_fields::<O>(line) else {
        return Err(serde::de::Error::custom("not a JSON object"));
    };
    // Only the values that are used are parsed, which also checks that they are UTF-8.
    let record_id = text(fields.record_id.unwrap_or(b"null"))?;
    let there = |value: Option<&'a [u8]>| value.filter(|value| *value != b"null");
    let outcome = match (fields.output, there(fields.error)) {
        (_, Some(error)) => Err(refused(&serde_json::from_slice(error).unwrap_or_default())),
        (Some(OutputField::Usual(reply)), None) => Ok(reply),
        (Some(OutputField::Parsed(output)), None) => match output.refusal() {
            Some(message) => Err(RecordError::Refused { code: "unknown".to_owned(), message, retryable: None }),
            None => Ok(output.reply()),
        },
        (Some(OutputField::UnknownFormat), None) => Err(RecordError::UnknownFormat),
        (Some(OutputField::Null) | None, None) => Err(RecordError::Nothing),
    };
    let model_id = there(fields.model_id).and_then(|id| text(id).ok());
    Ok(AnswerLine { record_id, outcome, model_id })
}

/// Reads a JSON text.
fn text(json: &[u8]) -> Result<Cow<'_, str>, serde_json::Error> {
    let usual = JsonScanner::new(json).and_then(|mut scanner| {
        let text = scanner.text()?;
        (scanner.position() == json.len()).then_some(text)
    });
    usual.map_or_else(|| serde_json::from_slice::<BorrowedText<'_>>(json).map(|text| text.0), Ok)
}

/// Fields of a line, the first of each name.
struct LineFields<'a, O> {
    record_id: Option<&'a [u8]>,
    error: Option<&'a [u8]>,
    model_id: Option<&'a [u8]>,
    output: Option<OutputField<'a, O>>,
}

enum OutputField<'a, O> {
    Null,
    Usual(Reply<'a>),
    Parsed(O),
    UnknownFormat,
}

/// Reads the fields of a line; returns `None` if it is not an object. The output is parsed at once: most of it is text with
/// escapes, which takes as long to delimit as to parse.
fn read_fields<'a, O: Deserialize<'a> + ModelOutput<'a>>(line: &'a [u8]) -> Option<LineFields<'a, O>> {
    let mut fields = LineFields { record_id: None, error: None, model_id: None, output: None };
    let mut reader = FieldReader::new(line)?;
    while let NextField::Named(name) = reader.next_field()? {
        if name == b"modelOutput" && fields.output.is_none() {
            if let Some((reply, length)) = O::read_usual(reader.remainder()) {
                reader.advance(length);
                fields.output = Some(OutputField::Usual(reply));
                continue;
            }
            let mut values = serde_json::Deserializer::from_slice(reader.remainder()).into_iter::<O>();
            fields.output = Some(match values.next() {
                Some(Ok(output)) => {
                    reader.advance(values.byte_offset());
                    OutputField::Parsed(output)
                }
                _ if reader.skip_value()? == b"null" => OutputField::Null,
                _ => OutputField::UnknownFormat,
            });
            continue;
        }
        let value = reader.skip_value()?;
        let field = match name {
            b"recordId" => &mut fields.record_id,
            b"error" => &mut fields.error,
            b"modelId" => &mut fields.model_id,
            _ => continue,
        };
        field.get_or_insert(value);
    }
    Some(fields)
}

/// `{"errorCode": 400, "errorMessage": "…"}`, read leniently: the code may be a text, and fields may be missing or unknown.
fn refused(error: &Value) -> RecordError {
    let text = |field: &str| match error.get(field) {
        Some(Value::String(text)) => text.clone(),
        Some(other) if !other.is_null() => other.to_string(),
        _ => String::new(),
    };
    let code = text("errorCode");
    let flag = |field: &str| error.get(field).and_then(Value::as_bool);
    RecordError::Refused {
        code: if code.is_empty() { "unknown".into() } else { code },
        message: text("errorMessage"),
        // A record that expired was not processed.
        retryable: if flag("expired") == Some(true) { Some(true) } else { flag("retryable") },
    }
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
        let reply = read_line(family, line.as_bytes()).unwrap().outcome.unwrap();
        assert_eq!(reply.payload, Some(ReplyPayload::Text("Hel\nlo!".into())));
        assert_eq!((reply.input_tokens, reply.output_tokens), (Some(12), Some(4)));
        assert_eq!(reply.stop_reason.as_deref(), Some("end_turn"));
    }

    #[rstest]
    #[case(Family::AnthropicMessages, r#"{"usage":{"input_tokens":2,"output_tokens":4,"cache_read_input_tokens":10,"cache_creation_input_tokens":5}}"#)]
    #[case(Family::Nova, r#"{"usage":{"inputTokens":2,"outputTokens":4,"totalTokens":6,"cacheReadInputTokenCount":10,"cacheWriteInputTokenCount":5}}"#)]
    #[case(Family::Converse, r#"{"usage":{"inputTokens":2,"outputTokens":4,"totalTokens":21,"cacheReadInputTokens":10,"cacheWriteInputTokens":5}}"#)]
    fn cached_tokens_are_input_tokens(#[case] family: Family, #[case] output: &str) {
        let line = format!(r#"{{"recordId":"r1","modelOutput":{output}}}"#);
        let reply = read_line(family, line.as_bytes()).unwrap().outcome.unwrap();
        assert_eq!((reply.input_tokens, reply.output_tokens), (Some(17), Some(4)));
        assert_eq!((reply.cached.read, reply.cached.written), (10, 5));
    }

    #[rstest]
    #[case(Family::TitanTextEmbeddings, r#"{"embedding":[0.5,-1e-3],"inputTextTokenCount":3}"#)]
    #[case(Family::TitanMultimodalEmbeddings, r#"{"embedding":[0.5,-1e-3],"inputTextTokenCount":3,"message":null}"#)]
    fn embeddings_are_read(#[case] family: Family, #[case] output: &str) {
        let line = format!(r#"{{"recordId":"r1","modelOutput":{output}}}"#);
        let reply = read_line(family, line.as_bytes()).unwrap().outcome.unwrap();
        assert_eq!(reply.payload, Some(ReplyPayload::Embedding(vec![0.5, -0.001])));
        assert_eq!(reply.input_tokens, Some(3));
    }

    #[test]
    fn a_message_in_place_of_an_embedding_is_an_error() {
        let line = r#"{"recordId":"r1","modelOutput":{"embedding":null,"message":"image too large"}}"#;
        let error = read_line(Family::TitanMultimodalEmbeddings, line.as_bytes()).unwrap().outcome.unwrap_err();
        let text = RowError::from(&error).to_string();
        assert_eq!(text, "the model refused the record: unknown: image too large");
        assert!(!error.is_permanent());
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
        let answer = read_line(Family::AnthropicMessages, line.as_bytes()).unwrap();
        assert_eq!(answer.record_id, "r1");
        assert_eq!(RowError::from(&answer.outcome.unwrap_err()).to_string(), expected);
    }

    #[rstest]
    #[case(r#"{"errorCode":400}"#, true)]
    #[case(r#"{"errorCode":"403"}"#, true)]
    #[case(r#"{"errorCode":400,"retryable":true}"#, false)]
    #[case(r#"{"errorCode":400,"expired":true}"#, false)]
    #[case(r#"{"errorCode":429,"retryable":false}"#, false)]
    #[case(r#"{"errorCode":500,"retryable":false}"#, false)]
    #[case(r#"{"errorCode":"odd"}"#, false)]
    fn only_refusals_by_the_model_are_permanent(#[case] error: &str, #[case] permanent: bool) {
        assert_eq!(refused(&serde_json::from_str(error).unwrap()).is_permanent(), permanent);
        assert!(!RecordError::Nothing.is_permanent() && !RecordError::UnknownFormat.is_permanent());
    }

    #[rstest]
    #[case::null_first(
        r#"{"recordId":"r","modelOutput":null,"modelOutput":{"content":[]}}"#,
        Some(Err(RecordError::Nothing))
    )]
    #[case::twice(r#"{"recordId":"r","modelOutput":{"stop_reason":"a"} , "modelOutput":7}"#, Some(Ok("a")))]
    #[case::other_shape(
        r#"{"modelOutput":{"content":[{"type":"text","text":7},"}"]},"recordId":"r"}"#,
        Some(Err(RecordError::UnknownFormat))
    )]
    #[case::text(r#"{"modelOutput":"}","recordId":"r"}"#, Some(Err(RecordError::UnknownFormat)))]
    #[case::cut_off(r#"{"recordId":"r","modelOutput":{"stop_reason":"a"}"#, None)]
    #[case::more_after_it(r#"{"recordId":"r","modelOutput":{"stop_reason":"a"}]}"#, None)]
    #[case::after_the_object(r#"{"recordId":"r","modelOutput":{}} x"#, None)]
    fn the_first_output_counts_if_the_line_is_whole(
        #[case] line: &str,
        #[case] expected: Option<Result<&str, RecordError>>,
    ) {
        let answer = read_line(Family::AnthropicMessages, line.as_bytes()).ok();
        let found = answer.map(|answer| answer.outcome.map(|reply| reply.stop_reason.unwrap_or_default().into_owned()));
        assert_eq!(found, expected.map(|expected| expected.map(str::to_owned)));
    }

    #[test]
    fn a_refusal_has_no_payload() {
        let line = r#"{"recordId":"r","modelOutput":{"content":[],"stop_reason":"refusal"}}"#;
        let reply = read_line(Family::AnthropicMessages, line.as_bytes()).unwrap().outcome.unwrap();
        assert_eq!((reply.payload, reply.stop_reason.as_deref()), (None, Some("refusal")));
    }

    #[test]
    fn deeply_nested_lines_do_not_exhaust_the_stack() {
        for deep in ["[".repeat(1_000_000), "{\"a\":".repeat(1_000_000)] {
            for key in ["modelInput", "modelOutput", "error"] {
                let _ = read_line(Family::Nova, format!("{{\"recordId\":\"r\",\"{key}\":{deep}").as_bytes());
            }
        }
    }

    proptest! {
        #[test]
        fn no_line_makes_the_parser_panic(line in any::<String>(), cut in 0usize..260, noise in 0usize..260) {
            for family in [
                Family::AnthropicMessages,
                Family::Nova,
                Family::TitanTextEmbeddings,
                Family::TitanMultimodalEmbeddings,
                Family::Converse,
            ] {
                let _ = read_line(family, line.as_bytes());
                let _ = read_line(family, &ANTHROPIC.as_bytes()[..cut.min(ANTHROPIC.len())]);
                let mut damaged = ANTHROPIC.to_owned();
                damaged.insert_str(noise.min(damaged.len()), "}\"");
                let _ = read_line(family, damaged.as_bytes());
            }
        }
    }
}
