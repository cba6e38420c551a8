//! S3, DynamoDB and Bedrock's runtime in this process, as far as invoke needs them. The `case` of a record determines the
//! response.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Request that a model received.
#[derive(Debug, Clone)]
pub(crate) struct ModelRequest {
    pub(crate) at: Instant,
    pub(crate) model: String,
    pub(crate) operation: String,
    pub(crate) record: String,
    pub(crate) is_signed: bool,
    pub(crate) body: Vec<u8>,
}

#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) objects: BTreeMap<String, Vec<u8>>,
    pub(crate) items: BTreeMap<String, Value>,
    /// Names, expressions and values of updates.
    pub(crate) updates: Vec<(String, String, Value)>,
    pub(crate) requests: Vec<ModelRequest>,
    pub(crate) in_flight: usize,
    pub(crate) most_in_flight: usize,
    /// Number of listings.
    pub(crate) listings: usize,
    /// If true, the job table does not respond.
    pub(crate) table_hangs: bool,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Aws(Arc<Mutex<World>>);

impl Aws {
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    /// Starts the server and returns its URL.
    pub(crate) async fn serve(&self) -> String {
        crate::test_stack::serve(Router::new().fallback(answer).with_state(self.clone())).await
    }
}

async fn answer(State(aws): State<Aws>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(target) = headers.get("x-amz-target") {
        if aws.world().table_hangs {
            std::future::pending::<()>().await;
        }
        return dynamodb(&aws, target.to_str().unwrap(), &body);
    }
    if uri.path().starts_with("/model/") {
        return bedrock(&aws, &uri, &headers, &body).await;
    }
    s3(&aws, &method, &uri, &headers, &body)
}

fn respond(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Response {
    let mut response = Response::builder().status(StatusCode::from_u16(status).unwrap());
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(body.into()).unwrap()
}

fn s3(aws: &Aws, method: &Method, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Response {
    let mut world = aws.world();
    let key = uri.path().trim_start_matches('/').split_once('/').map_or("", |(_, key)| key);
    if let Some(query) = uri.query().filter(|query| query.contains("list-type=2")) {
        world.listings += 1;
        let prefix = query.split('&').find_map(|field| field.strip_prefix("prefix=")).unwrap_or("").replace("%2F", "/");
        let contents: Vec<String> = world
            .objects
            .iter()
            .filter(|(key, _)| key.starts_with(&prefix))
            .map(|(key, body)| {
                format!("<Contents><Key>{key}</Key><Size>{}</Size><ETag>e</ETag></Contents>", body.len())
            })
            .collect();
        let xml = format!("<ListBucketResult><IsTruncated>false</IsTruncated>{}</ListBucketResult>", contents.concat());
        return respond(200, &[("content-type", "application/xml")], xml);
    }
    if method == Method::PUT {
        if headers.contains_key("if-none-match") && world.objects.contains_key(key) {
            return respond(412, &[], "<Error><Code>PreconditionFailed</Code></Error>");
        }
        world.objects.insert(key.to_owned(), body.to_vec());
        return respond(200, &[("etag", "e")], "");
    }
    match world.objects.get(key) {
        Some(object) if method == Method::HEAD => {
            respond(200, &[("etag", "e"), ("content-length", &object.len().to_string())], "")
        }
        Some(object) => respond(200, &[("etag", "e")], object.clone()),
        None => respond(404, &[], "<Error><Code>NoSuchKey</Code></Error>"),
    }
}

fn dynamodb(aws: &Aws, target: &str, body: &Bytes) -> Response {
    let mut world = aws.world();
    let request: Value = serde_json::from_slice(body).unwrap();
    let name = |item: &Value| item["job_name"]["S"].as_str().unwrap().to_owned();
    let answer = match target.rsplit('.').next().unwrap() {
        "GetItem" => world.items.get(&name(&request["Key"])).map_or(json!({}), |item| json!({"Item": item})),
        _ => {
            let expression = request["UpdateExpression"].as_str().unwrap().to_owned();
            let values = request["ExpressionAttributeValues"].clone();
            let key = name(&request["Key"]);
            if let Some(problem) = mistyped_index_key(&expression, &values) {
                let error = json!({"__type": "com.amazon.coral.validate#ValidationException", "message": problem});
                return respond(400, &[("content-type", "application/x-amz-json-1.0")], error.to_string());
            }
            let first_time = request["ConditionExpression"].as_str().is_some_and(|c| c.contains("not_exists(lane)"));
            if first_time && world.items.contains_key(&key) {
                let error = json!({"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"});
                return respond(400, &[("content-type", "application/x-amz-json-1.0")], error.to_string());
            }
            if first_time {
                let mut item = json!({"job_name": {"S": key}});
                for pair in expression.trim_start_matches("SET ").split(", ") {
                    let (field, value) = pair.split_once(" = ").unwrap();
                    item[field] = values[value].clone();
                }
                world.items.insert(key.clone(), item);
            }
            world.updates.push((key, expression, values));
            json!({})
        }
    };
    respond(200, &[("content-type", "application/x-amz-json-1.0")], answer.to_string())
}

/// Returns the error of an update that gives the sort key of the open index, a text, another type.
fn mistyped_index_key(expression: &str, values: &Value) -> Option<String> {
    let (_, assigned) = expression.split_once("updated_at = ")?;
    let value = &values[assigned.split([',', ' ']).next()?];
    value["S"].is_null().then(|| format!("Type mismatch for Index Key updated_at Expected: S Actual: {value}"))
}

async fn bedrock(aws: &Aws, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Response {
    let mut path = uri.path().split('/').skip(2);
    let (model, operation) = (path.next().unwrap().replace("%3A", ":"), path.next().unwrap().to_owned());
    let input: Value = serde_json::from_slice(body).unwrap();
    let text = |field: &str| input[field].as_str().unwrap_or_default().to_owned();
    let (case, record) = (text("case"), text("record"));
    let attempt = {
        let mut world = aws.world();
        world.in_flight += 1;
        world.most_in_flight = world.most_in_flight.max(world.in_flight);
        let attempt = world.requests.iter().filter(|request| request.record == record).count();
        let is_signed = crate::signature::is_right(uri.path(), headers, body);
        let body = body.to_vec();
        world.requests.push(ModelRequest {
            at: Instant::now(),
            model: model.clone(),
            operation,
            record,
            is_signed,
            body,
        });
        attempt
    };
    let refuse = |status, name: &str, more: &[(&str, &str)], message: &str| {
        let headers = [&[("content-type", "application/json"), ("x-amzn-errortype", name)], more].concat();
        respond(status, &headers, json!({"message": message}).to_string())
    };
    let reply = |body: String| respond(200, &[("content-type", "application/json")], body);
    let response = match case.as_str() {
        _ if model.starts_with("denied") => {
            refuse(403, "AccessDeniedException", &[], "You don't have access to the model with the specified model ID.")
        }
        _ if model.starts_with("uncached") && String::from_utf8_lossy(body).contains("cache_control") => {
            let message = "You invoked an unsupported model or your request did not allow prompt caching.";
            refuse(403, "AccessDeniedException", &[], message)
        }
        _ if model.starts_with("profile-only") => {
            let message = "Invocation of model ID m with on-demand throughput isn\u{2019}t supported.";
            refuse(400, "ValidationException", &[], message)
        }
        "throttled" if attempt == 0 => refuse(429, "ThrottlingException", &[("retry-after", "2")], "Too many requests"),
        "broken" => refuse(503, "ServiceUnavailableException", &[], "out of order"),
        "invalid" => refuse(400, "ValidationException", &[], "messages: at least one message is required"),
        "text" => reply("hello".to_owned()),
        "silent" => std::future::pending().await,
        "hangs the table" => {
            aws.world().table_hangs = true;
            reply(json!({"text": "x".repeat(5_000_000)}).to_string())
        }
        "stops the run" => {
            aws.world().items.get_mut("run/r").unwrap()["stopped"] = json!({"BOOL": true});
            reply(json!({"text": "x".repeat(5_000_000)}).to_string())
        }
        _ => {
            tokio::time::sleep(Duration::from_millis(input["millis"].as_u64().unwrap_or(20))).await;
            reply(json!({"answers": input["record"], "pretty": [1, 2]}).to_string().replace(',', ",\n"))
        }
    };
    aws.world().in_flight -= 1;
    response
}
