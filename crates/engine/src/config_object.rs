//! `{"config_s3_uri": "s3://bucket/key"}`: an execution input that refers to the JSON in an object, for inputs that are too
//! large to be passed directly.

use crate::error::EngineError;
use crate::objects::{check_bucket, read_small};
use aws_sdk_s3::Client;
use bedrock_batch_domain::input::parse_input;
use bedrock_batch_domain::problem::{Problem, listed};
use bedrock_batch_domain::s3_uri::S3Uri;
use serde_json::{Map, Value};

/// Field that names the object.
pub const CONFIG_S3_URI: &str = "config_s3_uri";
/// Maximum size of an input that is passed directly: the state of an execution is limited to 256 KiB, and the input is only
/// a part of it.
pub const MAX_DIRECT_BYTES: usize = 200 * 1024;
/// Maximum size of the object.
pub const MAX_OBJECT_BYTES: usize = 5_000_000;

/// Returns the JSON in the object that `input` names, or `input` itself. `readable` are the buckets that the stack may
/// read.
///
/// # Errors
/// Returns `InvalidInput` if a direct input is too large, if there are other fields than `config_s3_uri`, or if the object
/// is missing, too large or not a JSON object; returns another error if the S3 request fails.
pub async fn resolve_config(s3: &Client, readable: &[&str], input: Value) -> Result<Value, EngineError> {
    let Some(uri) = config_uri(&input, readable)? else { return Ok(input) };
    let object = read_small(s3, CONFIG_S3_URI, &uri, MAX_OBJECT_BYTES as u64).await?;
    Ok(parse(&uri, &object.bytes)?)
}

/// Returns the object that `input` names, or `None` if it is the input itself.
fn config_uri(input: &Value, readable: &[&str]) -> Result<Option<S3Uri>, Problem> {
    let named = |object: &Map<String, Value>| object.get(CONFIG_S3_URI).filter(|value| !value.is_null()).cloned();
    let Some(value) = input.as_object().and_then(named) else {
        let bytes = input.to_string().len();
        if bytes <= MAX_DIRECT_BYTES {
            return Ok(None);
        }
        let rule = format!("has {bytes} bytes, and at most {MAX_DIRECT_BYTES} (200 KiB) can be passed directly");
        let remedy = format!("put it into S3 and start with {{\"{CONFIG_S3_URI}\": \"s3://bucket/key\"}} in its place");
        return Err(Problem::without_value("the execution input", rule).remedy(remedy));
    };
    let others = input.as_object().into_iter().flatten();
    let others: Vec<&str> = others
        .filter(|(name, value)| !value.is_null() && *name != CONFIG_S3_URI && *name != "$schema")
        .map(|(name, _)| name.as_str())
        .collect();
    if !others.is_empty() {
        let rule = format!("must be the only field, but there are also {}", listed(&others));
        return Err(Problem::without_value(CONFIG_S3_URI, rule).remedy("move them into the object, or leave it out"));
    }
    let Some(text) = value.as_str() else { return Err(Problem::new(CONFIG_S3_URI, &value, "must be a text")) };
    let uri = S3Uri::parse(text).map_err(|rule| Problem::new(CONFIG_S3_URI, text, rule))?;
    if uri.key.is_empty() || uri.key.ends_with('/') {
        let rule = "must name an object, not a prefix";
        return Err(Problem::new(CONFIG_S3_URI, text, rule));
    }
    check_bucket(CONFIG_S3_URI, &uri, readable)?;
    Ok(Some(uri))
}

fn parse(uri: &S3Uri, text: &[u8]) -> Result<Value, Problem> {
    // Some editors begin UTF-8 with a byte order mark, which is not valid JSON.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let value = parse_input(text)
        .map_err(|error| Problem::new(CONFIG_S3_URI, uri, format!("this object is not valid JSON: {error}")))?;
    let Some(object) = value.as_object() else {
        return Err(Problem::new(CONFIG_S3_URI, uri, "the content must be a JSON object"));
    };
    if object.get(CONFIG_S3_URI).is_some_and(|value| !value.is_null()) {
        let rule = format!("this object contains another {CONFIG_S3_URI}; it must contain the input itself");
        return Err(Problem::new(CONFIG_S3_URI, uri, rule));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    const READABLE: [&str; 2] = ["our-bucket", "lake"];

    #[rstest]
    #[case(json!({"model_id": "m"}))]
    #[case(json!({"config_s3_uri": null, "model_id": "m"}))]
    #[case(json!(7))]
    fn a_direct_input_names_no_object(#[case] input: Value) {
        assert_eq!(config_uri(&input, &READABLE), Ok(None));
    }

    #[test]
    fn a_direct_input_of_over_200_kib_is_referred_to_s3() {
        let of = |bytes: usize| json!({"a": "x".repeat(bytes - 8)});
        assert_eq!(config_uri(&of(MAX_DIRECT_BYTES), &READABLE), Ok(None));
        let problem = config_uri(&of(MAX_DIRECT_BYTES + 1), &READABLE).unwrap_err().to_string();
        assert!(problem.starts_with("the execution input: has 204801 bytes"), "{problem}");
        assert!(problem.contains("start with {\"config_s3_uri\": \"s3://bucket/key\"}"), "{problem}");
    }

    #[test]
    fn an_absent_field_beside_the_object_is_accepted() {
        let input = json!({"$schema": "s", "config_s3_uri": "s3://lake/a.json", "model_id": null});
        assert_eq!(config_uri(&input, &READABLE), Ok(Some(S3Uri::new("lake", "a.json"))));
    }

    #[rstest]
    #[case(json!({"config_s3_uri": 7}), "config_s3_uri is `7`: must be a text")]
    #[case(json!({"config_s3_uri": "a.json"}), "config_s3_uri is `a.json`: must look like `s3://bucket/path`")]
    #[case(json!({"config_s3_uri": "s3://lake/a/"}), "config_s3_uri is `s3://lake/a/`: must name an object")]
    #[case(json!({"config_s3_uri": "s3://their-bucket/a.json"}), "the stack may read the buckets our-bucket, lake only")]
    #[case(json!({"config_s3_uri": "s3://lake/a", "model_id": "m", "n": 1}), "there are also `model_id`, `n`")]
    fn an_invalid_reference_is_reported_with_its_rule(#[case] input: Value, #[case] expected: &str) {
        let problem = config_uri(&input, &READABLE).unwrap_err().to_string();
        assert!(problem.starts_with("config_s3_uri") && problem.contains(expected), "{problem}");
    }

    #[rstest]
    #[case(b"{\n  \"a\": 1,\n}", "this object is not valid JSON: trailing comma at line 3 column 1")]
    #[case(b"", "this object is not valid JSON: EOF while parsing a value at line 1 column 0")]
    #[case(b"{\"a\": \"\xff\"}", "this object is not valid JSON: ")]
    #[case(b"[]", "must be a JSON object")]
    #[case(b"{\"config_s3_uri\": \"s3://lake/b\"}", "contains another config_s3_uri")]
    fn the_content_of_the_object_is_checked(#[case] text: &[u8], #[case] expected: &str) {
        let problem = parse(&S3Uri::new("lake", "a.json"), text).unwrap_err().to_string();
        assert!(problem.starts_with("config_s3_uri is `s3://lake/a.json`: "), "{problem}");
        assert!(problem.contains(expected), "{problem}");
    }

    #[test]
    fn the_order_of_the_fields_of_a_prompt_is_kept() {
        let text = br#"{"prompt": {"output_schema": {"fields": {"z": "$.z", "a": "$.a"}}}}"#;
        let fields = json!([["z", "$.z"], ["a", "$.a"]]);
        let expected = json!({"prompt": {"output_schema": {"fields": fields}}});
        assert_eq!(parse(&S3Uri::new("lake", "a.json"), text), Ok(expected));
    }

    #[test]
    fn a_byte_order_mark_is_accepted() {
        assert_eq!(parse(&S3Uri::new("lake", "a"), b"\xef\xbb\xbf{}"), Ok(json!({})));
    }
}
