//! Requests to the function URL (payload format 2.0), as far as they are read.

use serde_json::Value;

/// Request for a link. It has no `Debug`, because its token is a secret.
#[derive(Clone)]
pub struct LinkRequest {
    method: String,
    file_name: String,
    token: Option<String>,
}

impl LinkRequest {
    /// Reads any event; missing fields are empty.
    pub fn read(event: &Value) -> Self {
        let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
        let token = text("/queryStringParameters/token").or_else(|| {
            let pairs = text("/rawQueryString").unwrap_or_default().split('&');
            pairs.filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == "token").map(|(_, value)| value)
        });
        let path = text("/rawPath").unwrap_or_default();
        Self {
            method: text("/requestContext/http/method").unwrap_or_default().to_owned(),
            file_name: path.rsplit('/').next().unwrap_or_default().to_owned(),
            token: token.map(str::to_owned),
        }
    }

    pub(super) fn is_get(&self) -> bool {
        self.method == "GET"
    }

    /// Returns the last part of the path.
    pub(super) fn file_name(&self) -> &str {
        &self.file_name
    }

    pub(super) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_request_is_read_with_or_without_parsed_parameters() {
        let mut event = json!({"version": "2.0", "routeKey": "$default", "rawPath": "/0000.parquet",
            "rawQueryString": "a=b&token=v1.a.b", "headers": {"host": "x"},
            "queryStringParameters": {"a": "b", "token": "v1.a.b"},
            "requestContext": {"http": {"method": "GET", "path": "/0000.parquet"}}, "isBase64Encoded": false});
        for _ in 0..2 {
            let request = LinkRequest::read(&event);
            assert!(request.is_get());
            assert_eq!((request.file_name(), request.token()), ("0000.parquet", Some("v1.a.b")));
            event.as_object_mut().unwrap().remove("queryStringParameters");
        }
    }

    #[test]
    fn other_methods_are_not_get() {
        for method in ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "get", ""] {
            let event = json!({"requestContext": {"http": {"method": method}}});
            assert!(!LinkRequest::read(&event).is_get(), "{method}");
        }
    }
}
