//! S3, DynamoDB, Bedrock and Step Functions in this process, as adversarial as their documentation allows: Bedrock
//! forgets idempotency tokens, accepts two jobs of one name and lists new jobs late.

mod bedrock;
pub(crate) mod dice;
mod expression;
pub(crate) mod gate;
mod s3;

pub(crate) use bedrock::Job;

use aws_sdk_s3::config::{AppName, RequestChecksumCalculation};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use bedrock_batch_engine::invoke::Invoker;
use bedrock_batch_engine::job_table::JobTable;
use bedrock_batch_engine::objects::Bucket;
use bedrock_batch_engine::settle::Settler;
use dice::Dice;
use expression::{Item, meets, update};
use gate::{Decision, Gate};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

/// Configuration of a client that makes one attempt, for the function with this number.
macro_rules! config {
    ($sdk:ident, $url:expr, $number:expr) => {
        $sdk::Config::builder()
            .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
            .region(aws_sdk_s3::config::Region::new("eu-west-1"))
            .credentials_provider(aws_sdk_s3::config::Credentials::new("a", "s", None, None, "test"))
            .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .app_name(app_name($number))
            .endpoint_url($url)
            .build()
    };
}

fn app_name(number: Option<usize>) -> AppName {
    AppName::new(number.map_or_else(|| "ungated".to_owned(), |number| format!("function-{number}"))).unwrap()
}

/// Name of the bucket of the stack.
pub(crate) const BUCKET: &str = "own";

/// State of the services.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) items: BTreeMap<String, Item>,
    pub(crate) jobs: Vec<Job>,
    pub(crate) is_quota_used_up: bool,
    /// If set, the maximum number of jobs that are not over.
    pub(crate) job_quota: Option<usize>,
    /// Code and message with which Bedrock refuses to create jobs.
    pub(crate) refuses_jobs: Option<(&'static str, &'static str)>,
    /// If true, jobs that are stopped run on.
    pub(crate) ignores_stops: bool,
    /// If true, Bedrock accepts no batch jobs of the model.
    pub(crate) has_no_batch: bool,
    pub(crate) objects: BTreeMap<String, Vec<u8>>,
    /// Decides the fates of records, and how far the indexes of the table are behind.
    pub(crate) dice: Dice,
    /// If set, one of so many texts is always refused.
    pub(crate) hopeless: Option<usize>,
    /// Number of answers to each text.
    pub(crate) paid: BTreeMap<String, u32>,
    /// Items as the indexes show them.
    index: BTreeMap<String, Item>,
    /// Executions that are still running.
    pub(crate) running: BTreeSet<String>,
    /// Tokens that were answered, with the error name of a failure.
    pub(crate) answered: BTreeMap<String, Option<String>>,
    /// Numbers of requests by operation.
    pub(crate) calls: BTreeMap<String, u32>,
}

impl World {
    /// Lets time pass: Bedrock forgets all tokens, and shows all jobs.
    pub(crate) fn pass_time(&mut self) {
        for job in &mut self.jobs {
            (job.is_remembered, job.is_listed) = (false, true);
        }
    }

    pub(crate) fn attribute(&self, item: &str, attribute: &str) -> Option<String> {
        self.items.get(item)?.get(attribute)?["S"].as_str().map(str::to_owned)
    }
}

/// The services.
#[derive(Debug, Clone, Default)]
pub(crate) struct Services {
    world: Arc<Mutex<World>>,
    url: String,
    gate: Option<Gate>,
}

impl Services {
    /// Starts the services. With a gate, each request of a client with a number waits for a decision.
    pub(crate) async fn start(gate: Option<Gate>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let services = Self { world: Arc::default(), url, gate };
        let app = Router::new().fallback(respond).with_state(services.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        services
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// Returns the bucket of the stack, whose requests pass the gate under this number, or at once.
    pub(crate) fn bucket(&self, number: Option<usize>) -> Bucket {
        let config = config!(aws_sdk_s3, &self.url, number);
        let config = config.to_builder().force_path_style(true);
        let config = config.request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
        Bucket::new(aws_sdk_s3::Client::from_conf(config.build()), BUCKET)
    }

    /// Returns an invoker whose requests are performed at once.
    pub(crate) fn invoker(&self) -> Invoker {
        let bedrock =
            aws_sdk_bedrockruntime::Client::from_conf(config!(aws_sdk_bedrockruntime, &self.url, None::<usize>));
        Invoker { bucket: self.bucket(None), jobs: self.settler(None).jobs, bedrock }
    }

    /// Returns a settler whose requests pass the gate under this number, or at once.
    pub(crate) fn settler(&self, number: Option<usize>) -> Settler {
        let url = &self.url;
        Settler {
            jobs: JobTable::new(
                aws_sdk_dynamodb::Client::from_conf(config!(aws_sdk_dynamodb, url, number)),
                "t".to_owned(),
            ),
            bedrock: aws_sdk_bedrock::Client::from_conf(config!(aws_sdk_bedrock, url, number)),
            step_functions: aws_sdk_sfn::Client::from_conf(config!(aws_sdk_sfn, url, number)),
        }
    }
}

/// Returns the number of the function that sent a request, if its requests pass the gate.
fn function(headers: &HeaderMap) -> Option<usize> {
    let agent = headers.get("x-amz-user-agent")?.to_str().unwrap();
    agent.split_once("app/function-")?.1.split(' ').next()?.parse().ok()
}

async fn respond(
    State(services): State<Services>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path().trim_start_matches('/');
    let target = headers.get("x-amz-target").map(|target| target.to_str().unwrap().to_owned());
    let request = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let decision = match (&services.gate, function(&headers)) {
        (Some(gate), Some(number)) => gate.pass(number).await,
        _ => Decision::Perform,
    };
    if decision == Decision::DieBefore {
        return std::future::pending().await;
    }
    let query = uri.query().unwrap_or_default();
    if let Some(key) = path.strip_prefix(BUCKET) {
        let key = key.trim_start_matches('/');
        let answer = s3::answer(&mut services.world(), &method, (key, query), &headers, &body);
        return if decision == Decision::DieAfter { std::future::pending().await } else { answer };
    }
    let (status, answer) = match &target {
        Some(target) => json_protocol(&mut services.world(), target, &request),
        None if path.starts_with("model/") => bedrock::invoke(&mut services.world(), &request),
        None => bedrock::control(&mut services.world(), &method, path, query, &request),
    };
    if decision == Decision::DieAfter {
        return std::future::pending().await;
    }
    let error = answer["__type"].as_str().unwrap_or_default().to_owned();
    let headers = [("content-type", "application/json".to_owned()), ("x-amzn-errortype", error)];
    (StatusCode::from_u16(status).unwrap(), headers, answer.to_string()).into_response()
}

/// DynamoDB and Step Functions.
fn json_protocol(world: &mut World, target: &str, request: &Value) -> (u16, Value) {
    let operation = target.rsplit('.').next().unwrap();
    *world.calls.entry(operation.to_owned()).or_default() += 1;
    let key = |item: &Value| item["job_name"]["S"].as_str().unwrap().to_owned();
    match operation {
        "GetItem" => (200, world.items.get(&key(&request["Key"])).map_or(json!({}), |item| json!({"Item": item}))),
        "PutItem" | "UpdateItem" => {
            let key = key(&request[if operation == "PutItem" { "Item" } else { "Key" }]);
            let condition = request["ConditionExpression"].as_str().unwrap();
            if !meets(world.items.get(&key), condition, request) {
                return (400, json!({"__type": "ConditionalCheckFailedException", "message": "no"}));
            }
            if operation == "PutItem" {
                world.items.insert(key, request["Item"].as_object().unwrap().clone());
                return (200, json!({}));
            }
            let item = world.items.entry(key.clone()).or_default();
            item.insert("job_name".to_owned(), json!({"S": key}));
            let old = update(item, request["UpdateExpression"].as_str().unwrap(), request);
            (200, json!({"Attributes": old}))
        }
        "Query" => {
            let (attribute, wanted) = match request["IndexName"].as_str().unwrap() {
                "open-index" => ("open", &request["ExpressionAttributeValues"][":open"]),
                _ => ("run_id", &request["ExpressionAttributeValues"][":run"]),
            };
            // Indexes are eventually consistent.
            if !world.dice.bad_luck(4) {
                world.index = world.items.clone();
            }
            let found: Vec<&Item> = world.index.values().filter(|item| item.get(attribute) == Some(wanted)).collect();
            (200, json!({"Items": found, "Count": found.len()}))
        }
        "SendTaskSuccess" | "SendTaskFailure" => {
            let error = request["error"].as_str().map(str::to_owned);
            // The first answer counts.
            world.answered.entry(request["taskToken"].as_str().unwrap().to_owned()).or_insert(error);
            (200, json!({}))
        }
        "SendTaskHeartbeat" => (200, json!({})),
        "DescribeExecution" => {
            let arn = request["executionArn"].as_str().unwrap();
            let status = if world.running.contains(arn) { "RUNNING" } else { "ABORTED" };
            (200, json!({"executionArn": arn, "stateMachineArn": "m", "status": status, "startDate": 0}))
        }
        other => panic!("{other} is not known"),
    }
}
