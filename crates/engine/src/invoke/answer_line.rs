//! Lines of the output, in the format of a batch job's `.jsonl.out`, with the model that was invoked.

use super::records::Record;
use serde::Serialize;
use serde_json::value::RawValue;

/// Reason why a record has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RecordFailure {
    /// HTTP status.
    pub(super) error_code: u16,
    /// Message of Bedrock.
    pub(super) error_message: String,
    /// True if the failure may be transient.
    pub(super) retryable: bool,
}

/// Answer of a model: a JSON object on one line.
#[derive(Debug)]
pub(super) struct Answer(Box<RawValue>);

impl Answer {
    /// Validates the body of an answer.
    pub(super) fn read(mut body: Vec<u8>) -> Result<Self, RecordFailure> {
        // A line feed within JSON is always whitespace: within a text it would be escaped.
        body.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
        let value = String::from_utf8(body).ok().and_then(|text| RawValue::from_string(text).ok());
        value.filter(|value| value.get().trim_start().starts_with('{')).map(Self).ok_or_else(|| RecordFailure {
            error_code: 500,
            error_message: "the model's answer is not valid JSON".to_owned(),
            retryable: true,
        })
    }
}

/// Writes one line.
pub(super) fn write(
    out: &mut Vec<u8>,
    record: &Record,
    model_id: &str,
    outcome: &Result<Answer, RecordFailure>,
) -> serde_json::Result<()> {
    out.extend_from_slice(b"{\"recordId\":");
    serde_json::to_writer(&mut *out, &record.id)?;
    out.extend_from_slice(b",\"modelInput\":");
    out.extend_from_slice(record.model_input());
    match outcome {
        Ok(Answer(answer)) => {
            out.extend_from_slice(b",\"modelOutput\":");
            out.extend_from_slice(answer.get().as_bytes());
        }
        Err(failure) => {
            out.extend_from_slice(b",\"error\":");
            serde_json::to_writer(&mut *out, failure)?;
        }
    }
    out.extend_from_slice(b",\"modelId\":");
    serde_json::to_writer(&mut *out, model_id)?;
    out.extend_from_slice(b"}\n");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bedrock_batch_domain::answer::{RecordError, read_line};
    use bedrock_batch_domain::model::{Family, ReplyPayload};
    use bedrock_batch_domain::record_line::split_line;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    fn line(id: &str, input: &str, outcome: &Result<Answer, RecordFailure>) -> Vec<u8> {
        let record = json!({"recordId": id, "modelInput": {"messages": [input]}}).to_string();
        let record = Record::read(record.into_bytes(), None).unwrap();
        let mut out = Vec::new();
        write(&mut out, &record, "us.m", outcome).unwrap();
        out
    }

    proptest! {
        #[test]
        fn written_lines_are_read_like_those_of_a_batch_job(id in any::<String>(), input in any::<String>(), text in any::<String>(), pretty: bool) {
            let body = json!({"content": [{"type": "text", "text": text}], "usage": {"input_tokens": 1, "output_tokens": 2}});
            let body = if pretty { serde_json::to_vec_pretty(&body) } else { serde_json::to_vec(&body) };
            let written = line(&id, &input, &Answer::read(body.unwrap()));
            prop_assert_eq!(written.iter().position(|byte| *byte == b'\n'), Some(written.len() - 1), "one line");
            let read = read_line(Family::AnthropicMessages, &written[..written.len() - 1]).unwrap();
            prop_assert_eq!(&read.record_id, &id);
            prop_assert_eq!(read.model_id.as_deref(), Some("us.m"));
            prop_assert_eq!(read.outcome.unwrap().payload, Some(ReplyPayload::Text(text.into())));
            prop_assert_eq!(split_line(&written).unwrap().0, id);
        }
    }

    #[test]
    fn a_failure_takes_the_place_of_the_answer() {
        let failure = RecordFailure { error_code: 400, error_message: "too \"long\"".to_owned(), retryable: false };
        let written = line("r1", "x", &Err(failure));
        let error = read_line(Family::Nova, &written).unwrap().outcome.unwrap_err();
        assert!(error.is_permanent());
        let expected =
            RecordError::Refused { code: "400".into(), message: "too \"long\"".into(), retryable: Some(false) };
        assert_eq!(error, expected);
    }

    #[rstest]
    #[case("")]
    #[case("[1]")]
    #[case("\"text\"")]
    #[case("{\"a\":")]
    #[case("<html>")]
    fn a_body_that_is_not_an_object_is_a_retryable_failure(#[case] body: &str) {
        let failure = Answer::read(body.as_bytes().to_vec()).unwrap_err();
        assert_eq!((failure.error_code, failure.retryable), (500, true));
    }
}
