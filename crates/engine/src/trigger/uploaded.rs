//! Uploads that are execution inputs themselves.

use super::Trigger;
use crate::error::EngineError;
use bedrock_batch_domain::input::{deleted, overwritten, parse_input};
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::trigger::Upload;
use serde_json::{Map, Value};

/// Maximum size of an execution input that is read from S3.
const MAX_BYTES: u64 = 5_000_000;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl Trigger {
    /// Reads the upload that an event describes.
    pub(super) async fn read(&self, upload: &Upload) -> Result<Map<String, Value>, EngineError> {
        let uri = self.bucket.uri(&upload.key);
        check_size(&upload.key, upload.size)?;
        let object = self.bucket.client().get_object().bucket(&uri.bucket).key(&uri.key);
        // The execution must not have the input of a newer upload, which has its own event.
        let etag = (!upload.etag.is_empty()).then(|| format!("\"{}\"", upload.etag.trim_matches('"')));
        let object = match object.set_if_match(etag).send().await {
            Ok(object) => object,
            Err(error) => match error.raw_response().map(|response| response.status().as_u16()) {
                Some(412) => return Err(overwritten("key", &uri).into()),
                Some(404) => return Err(deleted("key", &uri).into()),
                _ => return Err(EngineError::from_aws(format!("cannot read {uri}"), &error)),
            },
        };
        check_size(&upload.key, object.content_length().and_then(|bytes| u64::try_from(bytes).ok()))?;
        let body = object.body.collect().await;
        let body = body.map_err(|error| EngineError::transient(format!("reading {uri} failed")).caused_by(error))?;
        Ok(execution_input(&upload.key, &body.into_bytes())?)
    }
}

fn check_size(key: &str, bytes: Option<u64>) -> Result<(), Problem> {
    match bytes {
        Some(bytes) if bytes > MAX_BYTES => {
            let rule = format!("has {bytes} bytes; an execution input has at most {MAX_BYTES}");
            Err(Problem::new("key", key, rule).remedy("upload rows to trigger/<configuration>/<file>"))
        }
        _ => Ok(()),
    }
}

/// Parses the JSON object in a file; its content is validated when the execution starts.
fn execution_input(key: &str, bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
    let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let value = parse_input(text).map_err(|error| {
        let text = error.to_string();
        let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
        let rule = format!("is not valid JSON: line {}, column {}: {what}", error.line(), error.column());
        Problem::new("key", key, rule).remedy("correct it there and upload it again")
    })?;
    match value {
        Value::Object(input) => Ok(input),
        other => {
            let rule = format!("contains {}, but an execution input is a JSON object", kind(&other));
            Err(Problem::new("key", key, rule).remedy("see docs/execution-input.md"))
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn problem(text: &str) -> String {
        execution_input("trigger/a.json", text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn invalid_json_is_reported_with_its_position() {
        let text = problem("{\n  \"a\": 1,\n  oops\n}");
        assert!(
            text.starts_with(
                "key is `trigger/a.json`: is not valid JSON: line 3, column 3: key must be a string; correct it"
            ),
            "{text}"
        );
        assert!(problem("[1]").contains("contains a list, but an execution input is a JSON object"));
        assert!(problem("").contains("line 1, column 0"));
    }

    #[test]
    fn a_byte_order_mark_is_ignored() {
        assert!(execution_input("k", b"\xef\xbb\xbf{\"a\": 1}").is_ok());
    }

    #[test]
    fn inputs_over_five_megabytes_are_refused() {
        assert!(check_size("k", Some(MAX_BYTES)).is_ok() && check_size("k", None).is_ok());
        assert!(check_size("k", Some(MAX_BYTES + 1)).unwrap_err().to_string().contains("5000001 bytes"));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = execution_input("k", &bytes);
        }
    }
}
