//! Reader of the lines of a job's `.jsonl.out`.
//!
//! A line is `{"recordId", "modelInput", "modelOutput"}` or has `error` in place of `modelOutput`. Nothing about it is
//! trusted: it may be cut off, huge, of another shape, or repeat a record.

use crate::json_fields::{FieldReader, NextField};
use crate::json_scanner::JsonScanner;
use crate::model::lenient;
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

/// Mark at the beginning of a text in UTF-8, which some programs write.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
/// Code of an error that has none.
const UNKNOWN_CODE: &str = "unknown";
/// Maximum length of a code that rows are counted by: longer ones may contain any text.
const MAX_CODE_BYTES: usize = 60;
/// Client errors (4xx) that are transient nevertheless: timeouts, conflicts, too many requests.
const TRANSIENT_CODES: [u16; 5] = [408, 409, 424, 425, 429];
/// Names by which AWS and Anthropic refuse a request itself, without `Exception` or `Error`, in lower case letters. All other
/// names are transient, or unknown: sending such a record again costs nothing if it is refused again.
const PERMANENT_NAMES: [&str; 9] = [
    "accessdenied",
    "authentication",
    "badrequest",
    "invalidrequest",
    "notfound",
    "permission",
    "requesttoolarge",
    "resourcenotfound",
    "validation",
];

impl RecordError {
    /// Returns true if sending the record again would change nothing, because the model refuses the request itself. That
    /// is the case for client errors (4xx) except transient ones, unless Bedrock reports that the record may be retried.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Refused { retryable: Some(true), .. } | Self::Nothing | Self::UnknownFormat => false,
            Self::Refused { code, .. } => match status_of(code) {
                Some(status) => (400..500).contains(&status) && !TRANSIENT_CODES.contains(&status),
                None => PERMANENT_NAMES.contains(&name_of(code).as_str()),
            },
        }
    }
}

/// Returns the HTTP status that a code is or begins with: `400`, `400 Bad Request`.
fn status_of(code: &str) -> Option<u16> {
    let status = code.trim().split(|char: char| !char.is_ascii_alphanumeric()).next()?;
    status.parse().ok().filter(|status| (100..600).contains(status))
}

/// Returns the name of an error in lower case letters, without what all names share: `validation` for
/// `com.amazonaws.bedrock#ValidationException`, `invalidrequest` for `invalid_request_error`.
fn name_of(code: &str) -> String {
    let name = code.rsplit('#').next().unwrap_or_default();
    let letters = name.chars().filter(char::is_ascii_alphabetic).map(|char| char.to_ascii_lowercase());
    let letters: String = letters.take(MAX_CODE_BYTES).collect();
    ["exception", "error"].iter().find_map(|end| letters.strip_suffix(end)).unwrap_or(&letters).to_owned()
}

impl From<&RecordError> for RowError {
    fn from(error: &RecordError) -> Self {
        match error {
            RecordError::Refused { code, message, .. } => {
                // Rows are not counted by free text: only by numbers and by names like `ValidationException`.
                let is_name =
                    code.len() <= MAX_CODE_BYTES && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
                let qualifier =
                    if code.len() <= 4 || (is_name && code != UNKNOWN_CODE) { code.clone() } else { String::new() };
                Self::new(RowErrorCode::ModelRefused, format!("{code}: {message}")).qualified(qualifier)
            }
            RecordError::Nothing => RowErrorCode::EmptyOutputLine.into(),
            RecordError::UnknownFormat => RowErrorCode::UnknownAnswerFormat.into(),
        }
    }
}

/// Returns a line without the byte order mark that it may begin with.
pub fn without_mark(line: &[u8]) -> &[u8] {
    line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line)
}

/// Reads one line.
///
/// # Errors
/// Returns an error if the line is not a JSON object with a `recordId`: it cannot be attributed to any row.
pub fn read_line(family: Family, line: &[u8]) -> Result<AnswerLine<'_>, serde_json::Error> {
    use crate::model::outputs::{AnthropicOutput, ConverseOutput, TitanMultimodalOutput, TitanTextOutput};
    match family {
        Family::AnthropicMessages => read_as::<AnthropicOutput<'_>>(family, line),
        Family::Nova | Family::Converse => read_as::<ConverseOutput<'_>>(family, line),
        Family::TitanTextEmbeddings => read_as::<TitanTextOutput>(family, line),
        Family::TitanMultimodalEmbeddings => read_as::<TitanMultimodalOutput>(family, line),
    }
}

fn read_as<'a, O: Deserialize<'a> + ModelOutput<'a>>(
    family: Family,
    line: &'a [u8],
) -> Result<AnswerLine<'a>, serde_json::Error> {
    let line = without_mark(line);
    let Some(fields) = read_fields::<O>(line) else {
        return Err(serde::de::Error::custom("not a JSON object"));
    };
    // Only the values that are used are parsed, which also checks that they are UTF-8.
    let record_id = text(fields.record_id.unwrap_or(b"null"))?;
    let there = |value: Option<&'a [u8]>| value.filter(|value| *value != b"null");
    let outcome = match (fields.output, there(fields.error)) {
        (_, Some(error)) => Err(refused(&lenient::parsed(error).unwrap_or_default())),
        (Some(OutputField::Usual(reply)), None) => Ok(reply),
        (Some(OutputField::Parsed(output, written)), None) => match output.refusal() {
            Some(message) => Err(RecordError::Refused { code: UNKNOWN_CODE.to_owned(), message, retryable: None }),
            None => match output.reply() {
                reply if reply.payload.is_some() => Ok(reply),
                // The answer may be where the types of the family do not look.
                _ => lenient::reply_in(family, written).ok_or(RecordError::UnknownFormat),
            },
        },
        (Some(OutputField::OtherShape(written)), None) => {
            lenient::reply_in(family, written).ok_or(RecordError::UnknownFormat)
        }
        (Some(OutputField::Null) | None, None) => Err(RecordError::Nothing),
    };
    let model_id = there(fields.model_id).and_then(|id| text(id).ok());
    Ok(AnswerLine { record_id, outcome, model_id })
}

/// Reads a JSON text.
fn text(json: &[u8]) -> Result<Cow<'_, str>, serde_json::Error> {
    let usual = JsonScanner::of_bytes(json).and_then(|mut scanner| {
        let text = scanner.text()?;
        scanner.is_at_end().then_some(text)
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
    /// Output in the usual form of its family.
    Usual(Reply<'a>),
    /// Output of the shape of its family, and as it is written.
    Parsed(O, &'a [u8]),
    /// Output of another shape, as it is written.
    OtherShape(&'a [u8]),
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
            let written = reader.remainder();
            let mut values = serde_json::Deserializer::from_slice(written).into_iter::<O>();
            fields.output = Some(match values.next() {
                Some(Ok(output)) => {
                    let length = values.byte_offset();
                    reader.advance(length);
                    OutputField::Parsed(output, written.get(..length).unwrap_or_default())
                }
                _ => match reader.skip_value()? {
                    b"null" => OutputField::Null,
                    written => OutputField::OtherShape(written),
                },
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

/// `{"errorCode": 400, "errorMessage": "…"}`, read leniently: the code may be a text, fields may be missing or unknown, and the
/// whole may be a text, which is the message then.
fn refused(error: &Value) -> RecordError {
    let text = |field: &str| match error.get(field) {
        Some(Value::String(text)) => text.clone(),
        Some(other) if !other.is_null() => other.to_string(),
        _ => String::new(),
    };
    let code = text("errorCode");
    let flag = |field: &str| error.get(field).and_then(Value::as_bool);
    RecordError::Refused {
        code: if code.is_empty() { UNKNOWN_CODE.to_owned() } else { code },
        message: error.as_str().map_or_else(|| text("errorMessage"), str::to_owned),
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
    #[case(r#"{"recordId":"r1","error":"odd"}"#, "the model refused the record: unknown: odd")]
    #[case(
        r#"{"recordId":"r1","error":{"errorCode":400,"errorMessage":"half \ud83d"}}"#,
        "the model refused the record: 400: half \u{fffd}"
    )]
    #[case(r#"{"recordId":"r1","error":{"errorCode":1},"modelOutput":7}"#, "the model refused the record: 1: ")]
    #[case(r#"{"recordId":"r1"}"#, "the job's output holds neither an answer nor an error for this record")]
    #[case(
        r#"{"recordId":"r1","modelOutput":{"choices":[]}}"#,
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
    #[case(r#"{"errorCode":"403 Forbidden"}"#, true)]
    #[case(r#"{"errorCode":400,"retryable":true}"#, false)]
    #[case(r#"{"errorCode":400,"expired":true}"#, false)]
    #[case(r#"{"errorCode":429,"retryable":false}"#, false)]
    #[case(r#"{"errorCode":500,"retryable":false}"#, false)]
    #[case(r#"{"errorCode":"odd"}"#, false)]
    #[case(r#"{"errorCode":"400 Bad Request"}"#, true)]
    #[case(r#"{"errorCode":"4000"}"#, false)]
    #[case(r#"{"errorCode":"ValidationException"}"#, true)]
    #[case(r#"{"errorCode":"com.amazonaws.bedrockruntime#AccessDeniedException"}"#, true)]
    #[case(r#"{"errorCode":"invalid_request_error"}"#, true)]
    #[case(r#"{"errorCode":"ValidationException","retryable":true}"#, false)]
    #[case(r#"{"errorCode":"ThrottlingException"}"#, false)]
    #[case(r#"{"errorCode":"ModelTimeoutException"}"#, false)]
    #[case(r#"{"errorCode":"ModelErrorException"}"#, false)]
    #[case(r#"{"errorCode":"ServiceQuotaExceededException"}"#, false)]
    #[case(r#"{"errorCode":"ServiceUnavailableException"}"#, false)]
    #[case(r#"{"errorCode":"InternalServerException"}"#, false)]
    #[case(r#"{"errorCode":"overloaded_error"}"#, false)]
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
        r#"{"modelOutput":{"content":[{"type":"text","text":7},"}"],"stop_reason":"b"},"recordId":"r"}"#,
        Some(Ok("b"))
    )]
    #[case::no_known_member(r#"{"modelOutput":{"x":{}},"recordId":"r"}"#, Some(Err(RecordError::UnknownFormat)))]
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

    #[rstest]
    #[case::named("ValidationException", "refused by the model (ValidationException)")]
    #[case::a_number("400", "refused by the model (400)")]
    #[case::free_text("it says: secret", "refused by the model")]
    #[case::unknown("unknown", "refused by the model")]
    fn rows_are_counted_by_names_of_errors_and_not_by_free_text(#[case] code: &str, #[case] words: &str) {
        let error = RecordError::Refused { code: code.to_owned(), message: "m".to_owned(), retryable: None };
        assert_eq!(RowError::from(&error).reason.words(), words);
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
