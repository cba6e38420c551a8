//! Requests and responses of the function URL (payload format 2.0).

use aws_lambda_events::http::HeaderMap;
use aws_lambda_events::http::header::{HeaderName, HeaderValue};
use aws_lambda_events::lambda_function_urls::{LambdaFunctionUrlRequest, LambdaFunctionUrlResponse};
use bedrock_batch_engine::download::{LinkAnswer, LinkRequest};
use serde_json::Value;

/// Reads the request of any event. A field that is missing is empty, and so is everything of an invalid event.
pub(crate) fn link_request(mut event: Value) -> LinkRequest {
    // Headers are not needed, and a browser may send some that the type would not take.
    if let Some(event) = event.as_object_mut() {
        event.remove("headers");
    }
    let request: LambdaFunctionUrlRequest = serde_json::from_value(event).unwrap_or_default();
    let mut parameters = request.query_string_parameters;
    let token = parameters.remove("token").or_else(|| {
        let query = request.raw_query_string.unwrap_or_default();
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(name, _)| *name == "token").map(|(_, value)| value.to_owned())
    });
    let method = request.request_context.http.method.unwrap_or_default();
    LinkRequest::new(&method, &request.raw_path.unwrap_or_default(), token)
}

/// Returns the response of the function URL.
pub(crate) fn response(answer: LinkAnswer) -> LambdaFunctionUrlResponse {
    let mut response = LambdaFunctionUrlResponse::default();
    response.status_code = answer.status.into();
    response.headers = answer.headers.into_iter().map(|(name, value)| header(name, &value)).collect::<HeaderMap>();
    response.body = Some(answer.body);
    response
}

fn header(name: &'static str, value: &str) -> (HeaderName, HeaderValue) {
    #[expect(clippy::expect_used, reason = "answers have fixed values and presigned URLs, which are ASCII")]
    let value = HeaderValue::from_str(value).expect("header values of answers are visible ASCII");
    (HeaderName::from_static(name), value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;
    use std::collections::BTreeMap;

    fn event() -> Value {
        json!({"version": "2.0", "routeKey": "$default", "rawPath": "/0000.parquet",
            "rawQueryString": "a=b&token=v1.a.b", "cookies": ["a=b"], "headers": {"host": "x"},
            "queryStringParameters": {"a": "b", "token": "v1.a.b"},
            "requestContext": {"accountId": "anonymous", "apiId": "i", "domainName": "i.lambda-url.eu-west-1.on.aws",
                "domainPrefix": "i", "http": {"method": "GET", "path": "/0000.parquet", "protocol": "HTTP/1.1",
                    "sourceIp": "192.0.2.1", "userAgent": "Mozilla/5.0"},
                "requestId": "r", "routeKey": "$default", "stage": "$default", "time": "27/Nov/2026:16:17:00 +0000",
                "timeEpoch": 1_795_796_220_000_i64},
            "isBase64Encoded": false})
    }

    fn is_whole(event: Value) -> bool {
        link_request(event) == LinkRequest::new("GET", "/0000.parquet", Some("v1.a.b".to_owned()))
    }

    #[test]
    fn a_request_is_read_with_or_without_parsed_parameters() {
        let mut event = event();
        assert!(is_whole(event.clone()));
        event["queryStringParameters"] = json!(null);
        assert!(is_whole(event.clone()));
        event.as_object_mut().unwrap().remove("queryStringParameters");
        assert!(is_whole(event));
    }

    #[rstest]
    #[case::no_text(json!({"user-agent": 7}))]
    #[case::not_ascii(json!({"x-name": "Größe", "referer": "https://example.com/ü\n"}))]
    #[case::no_name(json!({"": "x", "a b": "c"}))]
    #[case::no_object(json!("x"))]
    fn odd_headers_change_nothing(#[case] headers: Value) {
        let mut event = event();
        event["headers"] = headers;
        assert!(is_whole(event));
    }

    #[test]
    fn an_invalid_event_is_an_empty_request() {
        for event in [json!({}), json!(null), json!({"queryStringParameters": {"token": "v1.a.b"}}), json!([1])] {
            assert!(link_request(event.clone()) == LinkRequest::new("", "", None), "{event}");
        }
    }

    #[test]
    fn a_response_has_status_headers_and_body() {
        let headers =
            BTreeMap::from([("location", "https://s3/x".to_owned()), ("cache-control", "no-store".to_owned())]);
        let answer = LinkAnswer { status: 302, headers, body: String::new() };
        let expected = json!({"statusCode": 302, "body": "", "isBase64Encoded": false, "cookies": [],
            "headers": {"location": "https://s3/x", "cache-control": "no-store"}});
        assert_eq!(serde_json::to_value(response(answer)).unwrap(), expected);
    }

    proptest! {
        #[test]
        fn no_event_panics(text in "[\\[\\]{}\":,a-z0-9 ]{0,60}") {
            let event: Value = serde_json::from_str(&text).unwrap_or(Value::String(text));
            prop_assert!(link_request(event) == LinkRequest::new("", "", None));
        }
    }
}
