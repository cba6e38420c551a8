//! DynamoDB, Bedrock's control plane, Step Functions and S3 in this process, as far as sweeps over many jobs need them.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard};

pub(crate) const RUN: &str = "r";
pub(crate) const OWNER: &str = "arn:aws:states:eu-west-1:123456789012:execution:o:r";

/// Job of the table. Items are written when they are read, so that a table of any size takes little memory.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) name: String,
    pub(crate) execution: String,
    pub(crate) has_arn: bool,
    /// Status in the table.
    pub(crate) status: &'static str,
    /// Time of the last update. An open job is in the index of open jobs.
    pub(crate) updated: Option<String>,
    /// If true, its item cannot be read.
    pub(crate) is_corrupt: bool,
    /// Counts of its chunk, as JSON; shared, since there are many.
    pub(crate) counts: Option<Arc<str>>,
}

impl Job {
    pub(crate) fn new(number: usize) -> Self {
        Self {
            name: format!("p-{number:06}-x"),
            execution: OWNER.to_owned(),
            has_arn: true,
            status: "InProgress",
            updated: Some(format!("2026-01-01T00:00:00.{number:06}Z")),
            is_corrupt: false,
            counts: None,
        }
    }

    /// Returns its identifier at Bedrock.
    pub(crate) fn id(number: usize) -> String {
        format!("job{number:09}")
    }

    fn item(&self, number: usize) -> String {
        let Self { name, execution, status, .. } = self;
        let round = if self.is_corrupt { r#""round":{"S":"no number"},"# } else { r#""round":{"N":"0"},"# };
        let mut item = format!(
            r#"{{"job_name":{{"S":"{name}"}},"run_id":{{"S":"{RUN}"}},"job_index":{{"N":"{number}"}},"model_id":{{"S":"m"}},"records":{{"N":"100"}},
            {round}"lane":{{"S":"batch"}},"execution_arn":{{"S":"{execution}"}},"may_fall_back":{{"BOOL":false}},
            "task_token":{{"S":"token of {name}"}},"status":{{"S":"{status}"}}"#
        );
        if self.has_arn {
            let id = Self::id(number);
            let _ = write!(
                item,
                r#","job_arn":{{"S":"arn:aws:bedrock:us-east-1:123456789012:model-invocation-job/{id}"}}"#
            );
        }
        if let Some(updated) = &self.updated {
            let _ = write!(item, r#","open":{{"S":"1"}},"updated_at":{{"S":"{updated}"}}"#);
        }
        if let Some(counts) = &self.counts {
            let _ = write!(item, r#","counts":{{"S":{}}}"#, json!(counts));
        }
        item + "}"
    }
}

#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) jobs: Vec<Job>,
    /// Owner of the run, and true if it was stopped; `None` if there is no item.
    pub(crate) run: Option<(String, bool)>,
    /// Executions that run.
    pub(crate) running: BTreeSet<String>,
    /// Execution that acquires the run when Step Functions is first asked about another one.
    pub(crate) acquires: Option<String>,
    /// Names of the jobs that Bedrock has, by identifier.
    pub(crate) at_bedrock: BTreeMap<String, String>,
    pub(crate) stopped: Vec<String>,
    /// Execution that acquires the run when the first job is stopped.
    pub(crate) acquires_after_stop: Option<String>,
    /// Expiry of the items of jobs that were updated, by name, in seconds since 1970.
    pub(crate) expiries: BTreeMap<String, i64>,
    /// Jobs whose check was noted, in order.
    pub(crate) checked: Vec<String>,
    pub(crate) listings: usize,
    /// If true, Bedrock does not respond.
    pub(crate) bedrock_hangs: bool,
    pub(crate) objects: BTreeMap<String, Vec<u8>>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Server(Arc<Mutex<World>>);

impl Server {
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    /// Starts the server and returns its URL.
    pub(crate) async fn serve(&self) -> String {
        crate::test_stack::serve(Router::new().fallback(answer).with_state(self.clone())).await
    }
}

async fn answer(State(server): State<Server>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(target) = headers.get("x-amz-target") {
        let request = serde_json::from_slice(&body).unwrap();
        let mut world = server.world();
        return match target.to_str().unwrap().rsplit('.').next().unwrap() {
            "Query" => query(&world, &request),
            "GetItem" => get_item(&world, &request),
            "UpdateItem" => update_item(&mut world, &request),
            "DescribeExecution" => describe_execution(&mut world, &request),
            _ => respond(200, "{}"),
        };
    }
    if uri.path().starts_with("/model-invocation-job") {
        if server.world().bedrock_hangs {
            std::future::pending::<()>().await;
        }
        return bedrock(&mut server.world(), &method, uri.path());
    }
    let key = uri.path().trim_start_matches('/').split_once('/').map_or("", |(_, key)| key).to_owned();
    let mut world = server.world();
    if method == Method::PUT {
        world.objects.insert(key, body.to_vec());
        return respond(200, "");
    }
    world.objects.get(&key).map_or_else(|| respond(404, ""), |object| respond(200, object.clone()))
}

fn respond(status: u16, body: impl Into<Body>) -> Response {
    let response = Response::builder().status(StatusCode::from_u16(status).unwrap());
    response.header("content-type", "application/x-amz-json-1.0").body(body.into()).unwrap()
}

fn refuse(name: &str) -> Response {
    respond(400, json!({"__type": name, "message": "no"}).to_string())
}

/// Answers a query in pages of 1 MB, or of the given number of items.
fn query(world: &World, request: &Value) -> Response {
    let values = &request["ExpressionAttributeValues"];
    let mut numbers: Vec<usize> = (0..world.jobs.len()).collect();
    if request["IndexName"] == "open-index" {
        let before = values[":before"]["S"].as_str().unwrap();
        let updated = |number: &usize| world.jobs[*number].updated.as_deref();
        numbers.retain(|number| updated(number).is_some_and(|updated| updated < before));
        numbers.sort_by_key(|number| world.jobs[*number].updated.clone());
        if let Some(after) = request["ExclusiveStartKey"]["updated_at"]["S"].as_str() {
            numbers.retain(|number| updated(number) > Some(after));
        }
    } else if let Some(after) = request["ExclusiveStartKey"]["job_index"]["N"].as_str() {
        let after: usize = after.parse().unwrap();
        numbers.drain(..=after);
    }
    let limit = usize::try_from(request["Limit"].as_u64().unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    let counts_only = request["Select"] == "COUNT";
    let (mut items, mut count, mut bytes) = (Vec::new(), 0, 0);
    for number in &numbers {
        if count == limit || bytes > 1_000_000 {
            break;
        }
        let item = world.jobs[*number].item(*number);
        (count, bytes) = (count + 1, bytes + item.len());
        if !counts_only {
            items.push(item);
        }
    }
    let last = match numbers.get(count.wrapping_sub(1)).filter(|_| count < numbers.len()) {
        Some(last) => {
            let Job { name, updated, .. } = &world.jobs[*last];
            let mut key = json!({"job_name": {"S": name}, "job_index": {"N": last.to_string()}});
            if let Some(updated) = updated {
                key["updated_at"] = json!({"S": updated});
            }
            format!(r#","LastEvaluatedKey":{key}"#)
        }
        None => String::new(),
    };
    respond(200, format!(r#"{{"Count":{count},"Items":[{}]{last}}}"#, items.join(",")))
}

fn get_item(world: &World, request: &Value) -> Response {
    let name = request["Key"]["job_name"]["S"].as_str().unwrap();
    if name.starts_with("run/") {
        let item = |(owner, stopped): &(String, bool)| json!({"Item": {"job_name": {"S": name}, "execution_arn": {"S": owner}, "stopped": {"BOOL": stopped}}});
        return respond(200, world.run.as_ref().map_or(json!({}), item).to_string());
    }
    match world.jobs.iter().position(|job| job.name == name) {
        Some(number) => respond(200, format!(r#"{{"Item":{}}}"#, world.jobs[number].item(number))),
        None => respond(200, "{}"),
    }
}

fn update_item(world: &mut World, request: &Value) -> Response {
    let name = request["Key"]["job_name"]["S"].as_str().unwrap();
    let expression = request["UpdateExpression"].as_str().unwrap();
    let values = &request["ExpressionAttributeValues"];
    if expression.contains("stopped = :yes") {
        let by = values[":execution"]["S"].as_str().unwrap();
        return match &mut world.run {
            Some((owner, stopped)) if owner == by => {
                *stopped = true;
                respond(200, "{}")
            }
            _ => refuse("ConditionalCheckFailedException"),
        };
    }
    let Some(job) = world.jobs.iter_mut().find(|job| job.name == name) else {
        return refuse("ConditionalCheckFailedException");
    };
    if expression.contains("REMOVE #open") {
        job.updated = None;
    } else if let (Some(updated), Some(time)) = (&mut job.updated, values[":updated_at"]["S"].as_str()) {
        time.clone_into(updated);
    }
    world.expiries.insert(name.to_owned(), values[":expires_at"]["N"].as_str().unwrap().parse().unwrap());
    if expression.contains("checked_at") {
        world.checked.push(name.to_owned());
    }
    respond(200, "{}")
}

fn describe_execution(world: &mut World, request: &Value) -> Response {
    let arn = request["executionArn"].as_str().unwrap().to_owned();
    if let Some(next) = world.acquires.take_if(|next| *next != arn) {
        world.running.insert(next.clone());
        world.run = Some((next, false));
        return respond(
            200,
            json!({"executionArn": arn, "stateMachineArn": "s", "status": "ABORTED", "startDate": 0}).to_string(),
        );
    }
    let status = if world.running.contains(&arn) { "RUNNING" } else { "ABORTED" };
    respond(200, json!({"executionArn": arn, "stateMachineArn": "s", "status": status, "startDate": 0}).to_string())
}

fn bedrock(world: &mut World, method: &Method, path: &str) -> Response {
    if path == "/model-invocation-jobs" {
        world.listings += 1;
        let listed = world.at_bedrock.iter().map(|(id, name)| described(id, name, "InProgress"));
        return respond(200, json!({"invocationJobSummaries": listed.collect::<Vec<_>>()}).to_string());
    }
    let is_stop = *method == Method::POST;
    let id = path.trim_end_matches("/stop").rsplit(['/', '%']).next().unwrap();
    // The last part of an ARN, whose separators are escaped.
    let id = id.trim_start_matches("2F").to_owned();
    if is_stop {
        world.stopped.push(id);
        if let Some(next) = world.acquires_after_stop.take() {
            world.run = Some((next, false));
        }
        return respond(200, "{}");
    }
    let status = if world.stopped.contains(&id) { "Stopped" } else { "InProgress" };
    respond(200, described(&id, "any", status).to_string())
}

fn described(id: &str, name: &str, status: &str) -> Value {
    let arn = format!("arn:aws:bedrock:us-east-1:123456789012:model-invocation-job/{id}");
    let data = |kind: &str| json!({kind: {"s3Uri": "s3://b/k"}});
    json!({"jobArn": arn, "jobName": name, "modelId": "m", "roleArn": "r", "status": status,
        "submitTime": "2026-01-01T00:00:00Z", "jobExpirationTime": "2999-01-01T00:00:00Z", "inputDataConfig": data("s3InputDataConfig"),
        "outputDataConfig": data("s3OutputDataConfig")})
}
