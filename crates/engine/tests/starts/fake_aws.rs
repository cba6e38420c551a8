//! The services besides S3 that trigger, notify and download use, as far as the tests here need them.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

#[derive(Debug, Default)]
pub(crate) struct World {
    /// Status of each execution, by ARN.
    pub(crate) executions: BTreeMap<String, String>,
    /// Inputs of executions, by ARN.
    pub(crate) inputs: BTreeMap<String, Value>,
    /// Events that went back to the queue.
    pub(crate) queue: Vec<String>,
    /// The item with the slots.
    slots: Option<Value>,
    /// Number of emails.
    pub(crate) emails: usize,
    /// Value of the secret, and the number of requests for it.
    pub(crate) secret: (String, usize),
}

#[derive(Debug, Clone, Default)]
pub(crate) struct FakeAws(Arc<Mutex<World>>);

impl FakeAws {
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    /// Starts the server and returns its URL.
    pub(crate) async fn serve(&self) -> String {
        let handler =
            |State(aws): State<FakeAws>, headers: HeaderMap, body: Bytes| async move { answer(&aws, &headers, &body) };
        crate::test_stack::serve(Router::new().fallback(handler).with_state(self.clone())).await
    }
}

fn answer(aws: &FakeAws, headers: &HeaderMap, body: &Bytes) -> Response {
    let mut world = aws.world();
    let Some(target) = headers.get("x-amz-target").and_then(|target| target.to_str().ok()) else {
        world.emails += 1;
        return "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"
            .into_response();
    };
    let request: Value = serde_json::from_slice(body).unwrap();
    let text = |field: &str| request[field].as_str().unwrap().to_owned();
    let answered = match target.rsplit('.').next().unwrap() {
        "DescribeExecution" => match world.executions.get(&text("executionArn")) {
            Some(status) => {
                Ok(json!({"executionArn": request["executionArn"], "stateMachineArn": "m", "status": status,
                "startDate": 1_700_000_000}))
            }
            None => Err("ExecutionDoesNotExist"),
        },
        "StartExecution" => {
            let arn = format!("{}:{}", text("stateMachineArn").replace(":stateMachine:", ":execution:"), text("name"));
            if world.executions.contains_key(&arn) {
                Err("ExecutionAlreadyExists")
            } else {
                world.inputs.insert(arn.clone(), serde_json::from_str(&text("input")).unwrap());
                world.executions.insert(arn.clone(), "RUNNING".to_owned());
                Ok(json!({"executionArn": arn, "startDate": 1_700_000_000}))
            }
        }
        "SendMessage" => {
            world.queue.push(text("MessageBody"));
            Ok(json!({"MessageId": "1"}))
        }
        "GetItem" => Ok(world.slots.as_ref().map_or(json!({}), |item| json!({"Item": item}))),
        "PutItem" => {
            let read = &request["ExpressionAttributeValues"][":read"];
            if world.slots.as_ref().is_some_and(|item| item["version"] != *read) {
                Err("ConditionalCheckFailedException")
            } else {
                world.slots = Some(request["Item"].clone());
                Ok(json!({}))
            }
        }
        "GetSecretValue" => {
            world.secret.1 += 1;
            Ok(json!({"SecretString": world.secret.0}))
        }
        _ => Err("UnknownOperationException"),
    };
    match answered {
        Ok(value) => ([("content-type", "application/x-amz-json-1.0")], value.to_string()).into_response(),
        Err(code) => {
            let body = json!({"__type": code, "message": "told to"}).to_string();
            (StatusCode::BAD_REQUEST, [("content-type", "application/x-amz-json-1.0")], body).into_response()
        }
    }
}

/// Creates the configuration of a client of these services; each service has a type of its own.
macro_rules! client {
    ($service:ident, $endpoint:expr) => {
        $service::Client::from_conf(
            $service::Config::builder()
                .behavior_version($service::config::BehaviorVersion::latest())
                .http_client(aws_smithy_http_client::Builder::new().build_http())
                .endpoint_url($endpoint)
                .region($service::config::Region::new("us-east-1"))
                .credentials_provider($crate::test_stack::credentials())
                .build(),
        )
    };
}
pub(crate) use client;
