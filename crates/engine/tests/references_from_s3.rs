//! Reference data of a run, with an S3 server in this process: read when the run starts, rendered, frozen, or refused.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::s3_server::{S3Server, etag};
use crate::test_stack::{BUCKET, deployment, inputs, preprocessor, start_of};
use bedrock_batch_domain::plan::Plan;
use bedrock_batch_domain::prompt::PromptLibrary;
use bedrock_batch_engine::EngineError;
use bedrock_batch_engine::preprocess::Preprocessor;
use serde_json::{Value, json};
use std::sync::Arc;

const CODES: &[u8] = b"\xef\xbb\xbfCode,Term\r\nA01,\"Leak, {slow}\"\r\n";
const RULES: &[u8] = b"[\n  {\"z\": \"first\", \"a\": 1}\n]\n";

struct Stack {
    s3: S3Server,
    preprocessor: Preprocessor,
}

/// Preprocess with a bucket and a table in this process.
async fn stack() -> Stack {
    let s3 = S3Server::default();
    let inputs = inputs(s3.serve().await);
    let preprocessor = preprocessor(inputs, Arc::new(deployment(PromptLibrary::default()))).await;
    s3.put(BUCKET, "inputs/rows.csv", b"text\nhello {reference.codes}\nbye\n");
    s3.put(BUCKET, "inputs/codes.csv", CODES);
    s3.put("lake", "rules.json", RULES);
    Stack { s3, preprocessor }
}

fn input() -> Value {
    json!({"s3_uri": "s3://our-bucket/inputs/rows.csv", "job_name_prefix": "p", "processing_mode": "realtime",
        "model_id": "us.anthropic.claude-haiku-4-5-20251001-v1:0",
        "reference": {"codes": "s3://our-bucket/inputs/codes.csv", "rules": "s3://lake/rules.json"},
        "inference": {"system_prompt": "Rules: {reference.rules}"},
        "prompt": {"description": "d", "template": "{text}\n{reference.codes}|{reference.codes}", "system": "{\"x\": {reference.codes}}",
            "output_schema": {"type": "json", "fields": {"code": "$.code"}}, "allowed_values": {"code": "reference.codes.Code"}}})
}

impl Stack {
    async fn start(&self, input: Value) -> Result<Plan, EngineError> {
        Box::pin(self.preprocessor.run(&start_of("r", input))).await?;
        Ok(serde_json::from_slice(&self.object("runs/r/plan.json")).unwrap())
    }

    /// Returns the problems of an input, and checks that nothing was written.
    async fn refused(&self, input: Value) -> Vec<String> {
        let before = self.s3.world().objects.clone();
        let problems = self.start(input).await.unwrap_err().into_problems().unwrap();
        assert_eq!(self.s3.world().objects, before);
        problems.as_slice().iter().map(ToString::to_string).collect()
    }

    fn object(&self, key: &str) -> Vec<u8> {
        self.s3.world().objects[&(BUCKET.to_owned(), key.to_owned())].clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn references_are_rendered_once_and_frozen() {
    let stack = stack().await;
    let plan = stack.start(input()).await.unwrap();
    let codes = "Code,Term\r\nA01,\"Leak, {slow}\"\r\n";
    let frozen: Vec<(&str, &str, &str)> = plan
        .prompts
        .references
        .iter()
        .map(|reference| (reference.name.as_str(), reference.etag.as_str(), reference.text.as_str()))
        .collect();
    assert_eq!(frozen, [("codes", etag(CODES).as_str(), codes), ("rules", &etag(RULES), r#"[{"z":"first","a":1}]"#)]);
    let lines = String::from_utf8(stack.object("batch_inputs_json/p/r/0000.jsonl")).unwrap();
    let records: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(records.len(), 2);
    // Neither a reference nor a cell is read as a template.
    assert_eq!(
        records[0]["modelInput"]["messages"][0]["content"][0]["text"],
        format!("hello {{reference.codes}}\n{codes}|{codes}")
    );
    assert_eq!(
        records[1]["modelInput"]["system"],
        format!("Rules: [{{\"z\":\"first\",\"a\":1}}]\n\n{{\"x\": {codes}}}")
    );
    // 30 bytes three times and 21 once, at 4 bytes per token; 0.25 dollars per million.
    let warning = "references add about 30 input tokens to each request, about $0.00 for all of them on demand";
    assert_eq!(plan.counts.warnings, [(warning.to_owned(), 2)].into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_start_uses_the_references_as_they_were() {
    let stack = stack().await;
    let plan = stack.start(input()).await.unwrap();
    let records = stack.object("batch_inputs_json/p/r/0000.jsonl");
    stack.s3.put(BUCKET, "inputs/codes.csv", b"Code\nB02\n");
    assert_eq!(stack.start(input()).await.unwrap(), plan);
    assert_eq!(stack.object("batch_inputs_json/p/r/0000.jsonl"), records);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_problems_of_references_are_reported_at_once() {
    let stack = stack().await;
    stack.s3.put(BUCKET, "empty.txt", b" \n");
    stack.s3.put(BUCKET, "large.txt", &vec![b'x'; 4_000_001]);
    stack.s3.put(BUCKET, "header.csv", b"Code,,Term\nA,,B\n");
    stack.s3.put(BUCKET, "denied.json", b"[1]");
    stack.s3.world().faults.insert("our-bucket/denied.json".to_owned(), (403, "AccessDenied", 9));
    let mut input = input();
    let names = ["empty", "large", "header", "denied", "missing", "elsewhere"];
    let uris = [
        "our-bucket/empty.txt",
        "our-bucket/large.txt",
        "our-bucket/header.csv",
        "our-bucket/denied.json",
        "our-bucket/missing.csv",
        "their-bucket/codes.csv",
    ];
    for (name, uri) in names.iter().zip(uris) {
        input["reference"][name] = json!(format!("s3://{uri}"));
    }
    let inserted: Vec<String> = names.iter().map(|name| format!("{{reference.{name}}}")).collect();
    input["prompt"]["template"] = json!(format!("{{text}} {}", inserted.join(" ")));
    input["prompt"]["allowed_values"]["code"] = json!("reference.codes.code");
    let problems = stack.refused(input).await;
    let expected = [
        "reference.denied is `s3://our-bucket/denied.json`: the stack may not read this object, or its encryption key; allow it",
        "reference.elsewhere is `s3://their-bucket/codes.csv`: the stack may read the buckets our-bucket, lake only",
        "reference.empty is `s3://our-bucket/empty.txt`: is empty",
        "reference.header is `s3://our-bucket/header.csv`: has no name for column 2 in its first line, the header",
        "reference.large is `s3://our-bucket/large.txt`: has 4000001 bytes or more, but at most 4000000 are allowed; shorten it",
        "reference.missing is `s3://our-bucket/missing.csv`: this object does not exist; upload it, or correct the address",
        "prompt `prompt`, allowed_values.code is `reference.codes.code`: this reference does not have the column `code`",
    ];
    assert_eq!(problems.len(), expected.len(), "{problems:?}");
    for (problem, expected) in problems.iter().zip(expected) {
        assert!(problem.starts_with(expected), "{problem}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn references_over_the_context_or_the_limit_of_all_together_are_refused() {
    let stack = stack().await;
    stack.s3.put(BUCKET, "inputs/codes.csv", format!("Code\n{}\n", "x".repeat(2_100_000)).as_bytes());
    stack.s3.put("lake", "rules.json", format!("[\"{}\"]", "y".repeat(2_100_000)).as_bytes());
    let mut input = input();
    input["prompt"]["allowed_values"] = json!(null);
    let problems = stack.refused(input).await;
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(
        problems[0]
            .starts_with("reference: has 4200010 bytes, but all references of a run together may have at most 4000000"),
        "{problems:?}"
    );
    assert!(problems[1].starts_with("prompt `prompt`: inserts references of about"), "{problems:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_of_s3_is_not_a_problem_of_the_input() {
    let stack = stack().await;
    stack.s3.world().faults.insert("lake/rules.json".to_owned(), (503, "SlowDown", 99));
    let error = stack.start(input()).await.unwrap_err();
    assert!(error.is_transient(), "{error:#}");
}
