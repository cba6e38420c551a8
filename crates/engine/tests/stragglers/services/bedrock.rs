//! Bedrock's control plane and runtime, which promise no more than AWS documents.

use super::World;
use super::s3::find;
use axum::http::Method;
use bedrock_batch_domain::ids::JobName;
use serde_json::{Value, json};

/// Time at which jobs expire unless a test says otherwise.
const NEVER: &str = "2999-01-01T00:00:00Z";

/// Job at Bedrock.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) token: String,
    pub(crate) status: String,
    pub(crate) message: Option<String>,
    pub(crate) expires: String,
    /// If true, a repeated token still finds it.
    pub(crate) is_remembered: bool,
    /// If true, listings show it.
    pub(crate) is_listed: bool,
    /// Addresses of its records and of its output.
    pub(crate) input: String,
    pub(crate) output: String,
}

impl Job {
    /// Creates a job that listings show, while a repeated token does not find it.
    pub(crate) fn forgotten(id: &str, name: &JobName, token: &str, status: &str) -> Self {
        Self {
            arn: format!("arn:aws:bedrock:eu-west-1:1:model-invocation-job/{id}"),
            name: name.to_string(),
            token: token.to_owned(),
            status: status.to_owned(),
            message: None,
            expires: NEVER.to_owned(),
            is_remembered: false,
            is_listed: true,
            input: String::new(),
            output: String::new(),
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.status != "InProgress"
    }
}

pub(super) fn control(world: &mut World, method: &Method, path: &str, query: &str, request: &Value) -> (u16, Value) {
    let path = path.replace("%3A", ":").replace("%2F", "/");
    let text = |field: &str| request[field].as_str().unwrap_or_default().to_owned();
    let operation = match (method.as_str(), path.as_str()) {
        ("POST", "model-invocation-job") => "Create",
        ("GET", "model-invocation-jobs") => "List",
        ("POST", _) => "Stop",
        _ => "Get",
    };
    *world.calls.entry(operation.to_owned()).or_default() += 1;
    match (method.as_str(), path.as_str()) {
        ("POST", "model-invocation-job") => {
            let (name, token) = (text("jobName"), text("clientRequestToken"));
            if let Some(known) = world.jobs.iter().find(|job| job.is_remembered && job.token == token) {
                return (200, json!({"jobArn": known.arn}));
            }
            let open = world.jobs.iter().filter(|job| !job.is_over()).count();
            if world.is_quota_used_up || world.job_quota.is_some_and(|quota| open >= quota) {
                *world.calls.entry("Refused".to_owned()).or_default() += 1;
                return refused("ServiceQuotaExceededException", "too many jobs");
            }
            if let Some((kind, message)) = world.refuses_jobs {
                return refused(kind, message);
            }
            if world.has_no_batch {
                return refused("ValidationException", "Model m does not support batch inference.");
            }
            let arn = format!("arn:aws:bedrock:eu-west-1:1:model-invocation-job/{:012}", world.jobs.len());
            let status = "InProgress".to_owned();
            let input =
                request["inputDataConfig"]["s3InputDataConfig"]["s3Uri"].as_str().unwrap_or_default().to_owned();
            let output =
                request["outputDataConfig"]["s3OutputDataConfig"]["s3Uri"].as_str().unwrap_or_default().to_owned();
            let (is_remembered, is_listed, message) = (true, false, None);
            world.jobs.push(Job {
                arn: arn.clone(),
                name,
                token,
                status,
                message,
                expires: NEVER.to_owned(),
                is_remembered,
                is_listed,
                input,
                output,
            });
            (200, json!({"jobArn": arn}))
        }
        ("GET", "model-invocation-jobs") => {
            let is_wanted = |job: &&Job| job.is_listed && query.contains(&format!("nameContains={}", job.name));
            let found: Vec<Value> = world.jobs.iter().filter(is_wanted).map(described).collect();
            // Every page but the last one is empty, which AWS does not exclude.
            let answer = if query.contains("nextToken") {
                json!({"invocationJobSummaries": found})
            } else {
                json!({"invocationJobSummaries": [], "nextToken": "n"})
            };
            (200, answer)
        }
        ("POST", stop) if stop.ends_with("/stop") => {
            let job = world.jobs.iter().position(|job| stop.contains(&job.arn)).unwrap();
            if !world.jobs[job].is_over() && !world.ignores_stops {
                world.end_job(job, "Stopped");
            }
            (200, json!({}))
        }
        ("GET", get) => {
            let job = world.jobs.iter().find(|job| get.ends_with(&job.arn)).unwrap();
            (200, described(job))
        }
        other => panic!("{other:?} is not known"),
    }
}

fn described(job: &Job) -> Value {
    let mut described = json!({
        "jobArn": job.arn, "jobName": job.name, "clientRequestToken": job.token, "status": job.status, "modelId": "m",
        "roleArn": "r", "submitTime": "2026-11-30T12:00:00Z", "jobExpirationTime": job.expires,
        "inputDataConfig": {"s3InputDataConfig": {"s3Uri": "s3://b/i"}},
        "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": "s3://b/o"}},
    });
    if let Some(message) = &job.message {
        described["message"] = json!(message);
    }
    described
}

impl World {
    /// Ends a job: writes the answers that belong to the status.
    pub(crate) fn end_job(&mut self, job: usize, status: &str) {
        status.clone_into(&mut self.jobs[job].status);
        let Job { arn, input, output, .. } = self.jobs[job].clone();
        let Some(records) = find(self, &input) else { return };
        let records = String::from_utf8(records).unwrap();
        let mut records: Vec<Value> = records.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        match status {
            "Completed" => {}
            "Stopped" | "PartiallyCompleted" => records.truncate(records.len() / 2),
            _ => records.clear(),
        }
        let lines: Vec<String> = records.iter().filter_map(|record| self.answer_line(record)).collect();
        if lines.is_empty() {
            return;
        }
        let (id, name) = (arn.rsplit_once('/').unwrap().1, input.rsplit_once('/').unwrap().1);
        let key = output.split_once("s3://").unwrap().1.split_once('/').unwrap().1;
        self.objects.insert(format!("{key}{id}/{name}.out"), lines.join("\n").into_bytes());
    }

    /// Returns the line of a record in the output of a job, if there is one.
    fn answer_line(&mut self, record: &Value) -> Option<String> {
        let id = &record["recordId"];
        let text = text_of(&record["modelInput"]);
        let error = |code: u16| json!({"recordId": id, "error": {"errorCode": code, "errorMessage": "no"}}).to_string();
        if self.is_hopeless(&text) {
            return Some(error(400));
        }
        match self.dice.roll(8) {
            6 => Some(error(429)),
            7 => None,
            _ => Some(json!({"recordId": id, "modelOutput": self.answer(&text)}).to_string()),
        }
    }

    /// Returns the answer to a text, which is paid for.
    fn answer(&mut self, text: &str) -> Value {
        *self.paid.entry(text.to_owned()).or_default() += 1;
        let usage = json!({"input_tokens": 1, "output_tokens": 1});
        let content = json!([{"type": "text", "text": format!("answer to {text}")}]);
        json!({"type": "message", "role": "assistant", "content": content, "stop_reason": "end_turn", "usage": usage})
    }

    /// Returns true for texts that the model always refuses.
    pub(crate) fn is_hopeless(&self, text: &str) -> bool {
        self.hopeless.is_some_and(|every| text.bytes().map(usize::from).sum::<usize>().is_multiple_of(every))
    }
}

/// `InvokeModel`.
pub(super) fn invoke(world: &mut World, request: &Value) -> (u16, Value) {
    let text = text_of(request);
    if world.is_hopeless(&text) {
        return refused("ValidationException", "messages: this cannot be answered");
    }
    (200, world.answer(&text))
}

fn text_of(input: &Value) -> String {
    let content = &input["messages"][0]["content"];
    let text = content.as_str().or_else(|| content[0]["text"].as_str()).unwrap();
    text.to_owned()
}

fn refused(kind: &str, message: &str) -> (u16, Value) {
    (400, json!({"__type": kind, "message": message}))
}
