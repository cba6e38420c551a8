//! `{"config_s3_uri": "s3://bucket/key"}`: an execution input that stands for the JSON in that object, for what is too
//! large to be handed over directly.

use crate::error::EngineError;
use aws_sdk_s3::Client;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bedrock_batch_domain::problem::{Problem, listed};
use bedrock_batch_domain::s3_uri::S3Uri;
use serde_json::{Map, Value};

/// The field that names the object.
pub const CONFIG_S3_URI: &str = "config_s3_uri";
/// The largest input that is taken directly: an execution's state holds 256 KiB, and more than the input has to fit.
pub const MAX_DIRECT_BYTES: usize = 200 * 1024;
/// The largest object.
pub const MAX_OBJECT_BYTES: usize = 5_000_000;

/// The input that `input` stands for: the JSON in the object that it names, or `input` itself. `readable` are the
/// buckets that the stack may read.
///
/// # Errors
/// `InvalidInput` if a direct input is too large, other fields stand beside `config_s3_uri`, or there is no JSON object
/// of a reasonable size; else as S3 fails.
pub async fn resolve_config(s3: &Client, readable: &[&str], input: Value) -> Result<Value, EngineError> {
    let Some(uri) = config_uri(&input, readable)? else { return Ok(input) };
    let text = read(s3, &uri).await?;
    Ok(parse(&uri, &text)?)
}

/// The object that `input` names; `None` if it is an input itself.
fn config_uri(input: &Value, readable: &[&str]) -> Result<Option<S3Uri>, Problem> {
    let named = |object: &Map<String, Value>| object.get(CONFIG_S3_URI).filter(|value| !value.is_null()).cloned();
    let Some(value) = input.as_object().and_then(named) else {
        let bytes = input.to_string().len();
        if bytes <= MAX_DIRECT_BYTES {
            return Ok(None);
        }
        let rule = format!("has {bytes} bytes, and at most {MAX_DIRECT_BYTES} (200 KiB) can be handed over directly");
        let remedy = format!("put it into S3 and start with {{\"{CONFIG_S3_URI}\": \"s3://bucket/key\"}} in its place");
        return Err(Problem::without_value("the execution input", rule).remedy(remedy));
    };
    let beside = input.as_object().into_iter().flatten();
    let beside: Vec<&str> = beside
        .filter(|(name, value)| !value.is_null() && *name != CONFIG_S3_URI && *name != "$schema")
        .map(|(name, _)| name.as_str())
        .collect();
    if !beside.is_empty() {
        let rule = format!("stands for the whole input, and beside it there are {}", listed(&beside));
        return Err(Problem::without_value(CONFIG_S3_URI, rule).remedy("move them into the object, or leave it out"));
    }
    let Some(text) = value.as_str() else { return Err(Problem::new(CONFIG_S3_URI, &value, "must be a text")) };
    let uri = S3Uri::parse(text).map_err(|rule| Problem::new(CONFIG_S3_URI, text, rule))?;
    if uri.key.is_empty() || uri.key.ends_with('/') {
        let rule = "must name one object, and names a prefix";
        return Err(Problem::new(CONFIG_S3_URI, text, rule));
    }
    if !readable.contains(&uri.bucket.as_str()) {
        let rule = format!("the stack may read the buckets {} only", readable.join(", "));
        let remedy = "copy the object, or add the bucket to the context key `inputBuckets` and deploy";
        return Err(Problem::new(CONFIG_S3_URI, text, rule).remedy(remedy));
    }
    Ok(Some(uri))
}

async fn read(s3: &Client, uri: &S3Uri) -> Result<Vec<u8>, EngineError> {
    let object = match s3.get_object().bucket(&uri.bucket).key(&uri.key).send().await {
        Ok(object) => object,
        Err(error) => {
            let status = error.raw_response().map(|response| response.status().as_u16());
            let rule = match (status, error.code()) {
                (_, Some("NoSuchBucket")) => "this bucket does not exist",
                (Some(404), _) => "this object does not exist",
                (Some(403), _) => "the stack may not read there",
                (Some(301), _) => "this bucket is in another region",
                _ => return Err(EngineError::from_aws(format!("cannot read {uri}"), &error)),
            };
            return Err(Problem::new(CONFIG_S3_URI, uri, rule).remedy("upload it, or correct the address").into());
        }
    };
    within_limit(uri, object.body).await
}

/// The bytes of a body, no more of it than is taken.
async fn within_limit(uri: &S3Uri, mut body: ByteStream) -> Result<Vec<u8>, EngineError> {
    let mut text = Vec::new();
    while let Some(bytes) = body.next().await {
        let bytes = bytes.map_err(|error| EngineError::transient(format!("cannot read {uri}")).caused_by(error))?;
        text.extend_from_slice(&bytes);
        if text.len() > MAX_OBJECT_BYTES {
            let rule = format!("is larger than {MAX_OBJECT_BYTES} bytes (5 MB), the most that an input may have");
            return Err(Problem::new(CONFIG_S3_URI, uri, rule).into());
        }
    }
    Ok(text)
}

fn parse(uri: &S3Uri, text: &[u8]) -> Result<Value, Problem> {
    // Some editors begin UTF-8 with a mark that is not JSON.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let value: Value = serde_json::from_slice(text)
        .map_err(|error| Problem::new(CONFIG_S3_URI, uri, format!("this object is not valid JSON: {error}")))?;
    let Some(object) = value.as_object() else {
        return Err(Problem::new(CONFIG_S3_URI, uri, "this object must hold a JSON object"));
    };
    if object.get(CONFIG_S3_URI).is_some_and(|value| !value.is_null()) {
        let rule = format!("this object names a {CONFIG_S3_URI} itself, and must hold the input");
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
    fn a_direct_input_stands_for_itself(#[case] input: Value) {
        assert_eq!(config_uri(&input, &READABLE), Ok(None));
    }

    #[test]
    fn a_direct_input_of_over_200_kib_is_told_to_go_through_s3() {
        let of = |bytes: usize| json!({"a": "x".repeat(bytes - 8)});
        assert_eq!(config_uri(&of(MAX_DIRECT_BYTES), &READABLE), Ok(None));
        let problem = config_uri(&of(MAX_DIRECT_BYTES + 1), &READABLE).unwrap_err().to_string();
        assert!(problem.starts_with("the execution input: has 204801 bytes"), "{problem}");
        assert!(problem.contains("start with {\"config_s3_uri\": \"s3://bucket/key\"}"), "{problem}");
    }

    #[test]
    fn the_object_is_named_alone() {
        let input = json!({"$schema": "s", "config_s3_uri": "s3://lake/a.json", "model_id": null});
        assert_eq!(config_uri(&input, &READABLE), Ok(Some(S3Uri::new("lake", "a.json"))));
    }

    #[rstest]
    #[case(json!({"config_s3_uri": 7}), "config_s3_uri is `7`: must be a text")]
    #[case(json!({"config_s3_uri": "a.json"}), "config_s3_uri is `a.json`: must look like `s3://bucket/path`")]
    #[case(json!({"config_s3_uri": "s3://lake/a/"}), "config_s3_uri is `s3://lake/a/`: must name one object")]
    #[case(json!({"config_s3_uri": "s3://their-bucket/a.json"}), "the stack may read the buckets our-bucket, lake only")]
    #[case(json!({"config_s3_uri": "s3://lake/a", "model_id": "m", "n": 1}), "beside it there are `model_id`, `n`")]
    fn a_bad_name_says_what_is_wrong(#[case] input: Value, #[case] expected: &str) {
        let problem = config_uri(&input, &READABLE).unwrap_err().to_string();
        assert!(problem.starts_with("config_s3_uri") && problem.contains(expected), "{problem}");
    }

    #[rstest]
    #[case(b"{\n  \"a\": 1,\n}", "this object is not valid JSON: trailing comma at line 3 column 1")]
    #[case(b"", "this object is not valid JSON: EOF while parsing a value at line 1 column 0")]
    #[case(b"{\"a\": \"\xff\"}", "this object is not valid JSON: ")]
    #[case(b"[]", "must hold a JSON object")]
    #[case(b"{\"config_s3_uri\": \"s3://lake/b\"}", "names a config_s3_uri itself")]
    fn what_the_object_holds_is_checked(#[case] text: &[u8], #[case] expected: &str) {
        let problem = parse(&S3Uri::new("lake", "a.json"), text).unwrap_err().to_string();
        assert!(problem.starts_with("config_s3_uri is `s3://lake/a.json`: "), "{problem}");
        assert!(problem.contains(expected), "{problem}");
    }

    #[test]
    fn a_byte_order_mark_is_no_mistake() {
        assert_eq!(parse(&S3Uri::new("lake", "a"), b"\xef\xbb\xbf{}"), Ok(json!({})));
    }

    #[tokio::test]
    async fn an_object_of_over_5_mb_is_refused() {
        let uri = S3Uri::new("lake", "a.json");
        let body = ByteStream::from(vec![b' '; MAX_OBJECT_BYTES + 1]);
        let error = within_limit(&uri, body).await.unwrap_err();
        assert!(error.to_string().contains("larger than 5000000 bytes"), "{error}");
        assert!(within_limit(&uri, ByteStream::from(vec![b' '; MAX_OBJECT_BYTES])).await.is_ok());
    }
}
