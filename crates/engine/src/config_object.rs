//! `{"config_s3_uri": "s3://bucket/key"}`: an execution input that refers to the JSON in an object, for inputs that are too
//! large to be passed directly.

use crate::error::EngineError;
use crate::objects::read_small;
use aws_sdk_s3::Client;
use bedrock_batch_domain::input::{MAX_COST_USD, MAX_RECORDS_TOTAL, RunCaps, is_same_etag, overwritten, parse_input};
use bedrock_batch_domain::pipeline::pipeline_of_stage;
use bedrock_batch_domain::problem::{Problem, listed};
use bedrock_batch_domain::readable::ReadableInputs;
use bedrock_batch_domain::s3_uri::S3Uri;
use serde_json::{Map, Value};

/// Field that names the object.
pub const CONFIG_S3_URI: &str = "config_s3_uri";
/// Field for the `ETag` that the object must have.
pub const CONFIG_S3_ETAG: &str = "config_s3_etag";
/// Maximum size of an input that is passed directly: the state of an execution is limited to 256 KiB, and the input is only
/// a part of it.
pub const MAX_DIRECT_BYTES: usize = 200 * 1024;
/// Maximum size of the object.
pub const MAX_OBJECT_BYTES: usize = 5_000_000;

/// Fields beside the address: none of them says what to do, which is in the object.
const OTHER_FIELDS: [&str; 5] = ["$schema", CONFIG_S3_URI, CONFIG_S3_ETAG, MAX_RECORDS_TOTAL, MAX_COST_USD];

/// Returns the JSON in the object that `input` names, or `input` itself. `readable` are the places that it may be in. Limits beside
/// the address lower those in the object.
///
/// # Errors
/// Returns `InvalidInput` if a direct input is too large, if there are other fields beside the address and its `ETag`, or if
/// the object is missing, too large, not a JSON object or has another `ETag`; returns another error if the S3 request fails.
pub async fn resolve_config(s3: &Client, readable: &ReadableInputs<'_>, input: Value) -> Result<Value, EngineError> {
    let Some((uri, etag)) = config_object(&input, readable)? else { return Ok(input) };
    let caps = caps_beside(&input)?;
    let object = read_small(s3, CONFIG_S3_URI, &uri, MAX_OBJECT_BYTES as u64).await?;
    if etag.is_some_and(|etag| !is_same_etag(&etag, &object.etag)) {
        return Err(overwritten(CONFIG_S3_URI, &uri).into());
    }
    let mut resolved = parse(&uri, &object.bytes)?;
    if let Some(resolved) = resolved.as_object_mut() {
        caps.apply(resolved);
    }
    Ok(resolved)
}

/// Returns the limits beside the address of an object.
fn caps_beside(input: &Value) -> Result<RunCaps, Problem> {
    let given = |field: &str| input.get(field).filter(|value| !value.is_null());
    let wrong = |field: &str, value: &Value| Problem::new(field, value, "must be a positive number");
    let records = given(MAX_RECORDS_TOTAL);
    let cost = given(MAX_COST_USD);
    Ok(RunCaps {
        max_records_total: records
            .map(|value| value.as_u64().filter(|max| *max > 0).ok_or_else(|| wrong(MAX_RECORDS_TOTAL, value)))
            .transpose()?,
        max_cost_usd: cost
            .map(|value| value.as_f64().filter(|max| *max > 0.0).ok_or_else(|| wrong(MAX_COST_USD, value)))
            .transpose()?,
    })
}

/// Returns the object that `input` names, with the `ETag` that it must have, or `None` if it is the input itself.
fn config_object(input: &Value, readable: &ReadableInputs<'_>) -> Result<Option<(S3Uri, Option<String>)>, Problem> {
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
        .filter(|(name, value)| !value.is_null() && !OTHER_FIELDS.contains(&name.as_str()))
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
    // The inputs of stages are the only files of runs that an input may name.
    let is_stage = pipeline_of_stage(input).is_some_and(|(bucket, _)| bucket == readable.own);
    if let Some(problem) = readable.problem(CONFIG_S3_URI, &uri).filter(|_| !is_stage) {
        return Err(problem);
    }
    let etag = match input.get(CONFIG_S3_ETAG) {
        None | Some(Value::Null) => None,
        Some(Value::String(etag)) => Some(etag.clone()),
        Some(other) => return Err(Problem::new(CONFIG_S3_ETAG, other, "must be a text")),
    };
    Ok(Some((uri, etag)))
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

    fn object_of(input: &Value) -> Result<Option<(S3Uri, Option<String>)>, Problem> {
        let others = ["lake".to_owned()];
        config_object(input, &ReadableInputs { own: "our-bucket", others: &others, prefixes: &[] })
    }

    #[rstest]
    #[case(json!({"model_id": "m"}))]
    #[case(json!({"config_s3_uri": null, "model_id": "m"}))]
    #[case(json!(7))]
    fn a_direct_input_names_no_object(#[case] input: Value) {
        assert_eq!(object_of(&input), Ok(None));
    }

    #[test]
    fn a_direct_input_of_over_200_kib_is_referred_to_s3() {
        let of = |bytes: usize| json!({"a": "x".repeat(bytes - 8)});
        assert_eq!(object_of(&of(MAX_DIRECT_BYTES)), Ok(None));
        let problem = object_of(&of(MAX_DIRECT_BYTES + 1)).unwrap_err().to_string();
        assert!(problem.starts_with("the execution input: has 204801 bytes"), "{problem}");
        assert!(problem.contains("start with {\"config_s3_uri\": \"s3://bucket/key\"}"), "{problem}");
    }

    #[test]
    fn the_input_of_a_stage_is_read_where_validate_has_written_it() {
        let input = json!({"config_s3_uri": "s3://our-bucket/runs/p/stages/0.json"});
        assert_eq!(object_of(&input), Ok(Some((S3Uri::new("our-bucket", "runs/p/stages/0.json"), None))));
    }

    #[test]
    fn limits_beside_the_object_are_read() {
        let input = json!({"config_s3_uri": "s3://lake/a.json", "max_records_total": 5, "max_cost_usd": 1.5});
        assert!(object_of(&input).is_ok());
        let expected = RunCaps { max_records_total: Some(5), max_cost_usd: Some(1.5) };
        assert_eq!(caps_beside(&input), Ok(expected));
        for field in [MAX_RECORDS_TOTAL, MAX_COST_USD] {
            let problem = caps_beside(&json!({field: 0})).unwrap_err().to_string();
            assert_eq!(problem, format!("{field} is `0`: must be a positive number"));
        }
    }

    #[test]
    fn an_absent_field_beside_the_object_is_accepted() {
        let input = json!({"$schema": "s", "config_s3_uri": "s3://lake/a.json", "model_id": null});
        assert_eq!(object_of(&input), Ok(Some((S3Uri::new("lake", "a.json"), None))));
        let input = json!({"config_s3_uri": "s3://lake/a.json", "config_s3_etag": "e"});
        assert_eq!(object_of(&input), Ok(Some((S3Uri::new("lake", "a.json"), Some("e".to_owned())))));
    }

    #[rstest]
    #[case(json!({"config_s3_uri": 7}), "config_s3_uri is `7`: must be a text")]
    #[case(json!({"config_s3_uri": "a.json"}), "config_s3_uri is `a.json`: must look like `s3://bucket/path`")]
    #[case(json!({"config_s3_uri": "s3://lake/a/"}), "config_s3_uri is `s3://lake/a/`: must name an object")]
    #[case(json!({"config_s3_uri": "s3://our-bucket/runs/r/plan.json"}), "`runs/` in the bucket of the stack is for the files")]
    #[case(json!({"config_s3_uri": "s3://our-bucket/runs/p/stages/0.json.bak"}), "which are not inputs")]
    #[case(json!({"config_s3_uri": "s3://their-bucket/a.json"}), "the stack may read the buckets our-bucket, lake only")]
    #[case(json!({"config_s3_uri": "s3://lake/a", "config_s3_etag": 7}), "config_s3_etag is `7`: must be a text")]
    #[case(json!({"config_s3_uri": "s3://lake/a", "model_id": "m", "n": 1}), "there are also `model_id`, `n`")]
    fn an_invalid_reference_is_reported_with_its_rule(#[case] input: Value, #[case] expected: &str) {
        let problem = object_of(&input).unwrap_err().to_string();
        assert!(problem.starts_with("config_s3_") && problem.contains(expected), "{problem}");
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
