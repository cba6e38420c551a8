//! Generated prompts that inputs name by their addresses, with an S3 server in this process.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::s3_server::S3Server;
use crate::test_stack::{BUCKET, deployment, inputs, preprocessor, start_of};
use bedrock_batch_domain::plan::Plan;
use bedrock_batch_domain::prompt::PromptLibrary;
use bedrock_batch_engine::EngineError;
use bedrock_batch_engine::preprocess::Preprocessor;
use bedrock_batch_engine::validate::{ValidateInput, Validator};
use rstest::rstest;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

const MODEL: &str = "us.anthropic.claude-haiku-4-5-20251001-v1:0";
const ROWS: usize = 100;
/// As other generators write it: with single braces.
const PROMPTS: &str = r#"{"system_prompt": "You classify {tickets}.", "input_placeholders": ["input_data"],
    "user_prompt_template": "Read: {input_data}\nAnswer: {\"topic\": {\"name\": \"x\"}}"}"#;
const NEWER: &str = "schema/validation_schema_20261130_083109.json";

struct Stack {
    s3: S3Server,
    preprocessor: Preprocessor,
    validator: Validator,
}

impl Stack {
    /// A stack with 100 rows, a prompt and two schemas.
    async fn new() -> Self {
        let s3 = S3Server::default();
        let (inputs, deployment) = (inputs(s3.serve().await), Arc::new(deployment(PromptLibrary::default())));
        let preprocessor = preprocessor(inputs.clone(), Arc::clone(&deployment)).await;
        let stack = Self { s3, preprocessor, validator: Validator { inputs, deployment, download_links: false } };
        let mut rows = "id,input_text\n".to_owned();
        for row in 0..ROWS {
            writeln!(rows, "{row},text {row}").unwrap();
        }
        stack.s3.put("lake", "rows.csv", rows.as_bytes());
        stack.s3.put("lake", "templates/prompts.json", PROMPTS.as_bytes());
        stack.put_schema("schema/validation_schema_20261129_235959.json", "old");
        stack.put_schema(NEWER, "topic");
        stack
    }

    fn put_schema(&self, key: &str, field: &str) {
        let schema = json!({"type": "object", "properties": {field: {"type": "object"}}, "required": [field],
            "processing_config": {"format_type": "structured_json"}});
        self.s3.put("lake", key, schema.to_string().as_bytes());
    }

    async fn start(&self, more: &Value) -> Result<Plan, EngineError> {
        Box::pin(self.preprocessor.run(&start_of("tickets", with(run(), more)))).await?;
        Ok(serde_json::from_slice(&self.written()["runs/tickets/plan.json"]).unwrap())
    }

    /// Returns the problems of a run, in order, and checks that nothing was written.
    async fn refused(&self, more: &Value) -> Vec<String> {
        let error = self.start(more).await.unwrap_err();
        assert!(self.written().is_empty());
        error.into_problems().unwrap().as_slice().iter().map(ToString::to_string).collect()
    }

    /// Returns the objects of the stack's bucket by key.
    fn written(&self) -> BTreeMap<String, Vec<u8>> {
        let world = self.s3.world();
        let ours = world.objects.iter().filter(|((bucket, _), _)| bucket == BUCKET);
        ours.map(|((_, key), body)| (key.clone(), body.clone())).collect()
    }
}

fn run() -> Value {
    json!({"s3_uri": "s3://lake/rows.csv", "job_name_prefix": "tickets", "model_id": MODEL,
        "prompt_templates": "s3://lake/templates/", "validation_schema": "s3://lake/schema/"})
}

fn with(mut input: Value, more: &Value) -> Value {
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input
}

fn pipeline() -> Value {
    let mut first = run();
    let rows = first.as_object_mut().unwrap().remove("s3_uri").unwrap();
    first["stage_name"] = json!("topic");
    first["input_s3_uri"] = rows;
    let second = json!({"stage_name": "reply", "use_previous_output": true, "job_name_prefix": "reply", "model_id": MODEL,
        "prompt_templates": "s3://lake/templates/prompts.json", "input_data_column": "topic"});
    json!({"pipeline_name": "p", "stages": [first, second]})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_sent_with_the_generated_prompt_and_the_newest_schema() {
    let stack = Stack::new().await;
    // Of a folder in the folder, and of another kind.
    stack.put_schema("schema/old/validation_schema_20270101_000000.json", "nothing");
    stack.put_schema("schema/template_metadata_20270101_000000.json", "nothing");
    let plan = stack.start(&json!({})).await.unwrap();
    let prompt = &plan.prompts.prompts[0].prompt;
    assert_eq!(
        prompt.description,
        format!("Generated: s3://lake/templates/prompts.json, with answers as in s3://lake/{NEWER}.")
    );
    let fields = &prompt.output_schema.as_ref().unwrap().fields;
    assert_eq!(fields, &[("topic".to_owned(), "$.topic".to_owned())]);
    assert_eq!(prompt.response_schema.as_ref().unwrap()["required"], json!(["topic"]));
    let lines = String::from_utf8(stack.written()["batch_inputs_json/tickets/tickets/0000.jsonl"].clone()).unwrap();
    assert_eq!(lines.lines().count(), ROWS);
    let record: Value = serde_json::from_str(lines.lines().nth(7).unwrap()).unwrap();
    assert_eq!(record["modelInput"]["system"], "You classify {tickets}.");
    let text = &record["modelInput"]["messages"][0]["content"][0]["text"];
    assert_eq!(text, "Read: text 7\nAnswer: {\"topic\": {\"name\": \"x\"}}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_start_uses_the_prompt_that_the_first_attempt_has_read() {
    let stack = Stack::new().await;
    stack.start(&json!({})).await.unwrap();
    let written = stack.written();
    stack.s3.put("lake", "templates/prompts.json", br#"{"user_prompt_template": "Something else: {input_text}"}"#);
    stack.put_schema("schema/validation_schema_20270101_000000.json", "newest");
    stack.start(&json!({})).await.unwrap();
    assert!(stack.written() == written, "all bytes are the same");
    let stored: Value = serde_json::from_slice(&written["runs/tickets/plan.json"]).unwrap();
    let expected = json!({"mode": "templates", "prompt_templates": "s3://lake/templates/",
        "validation_schema": "s3://lake/schema/", "input_data_column": "input_text"});
    assert_eq!(stored["request"]["prompt_config"], expected, "an execution that resumes the run may repeat its input");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_column_can_be_the_data() {
    let stack = Stack::new().await;
    let plan = stack.start(&json!({"input_data_column": "id"})).await.unwrap();
    assert!(plan.prompts.prompts[0].prompt.template.starts_with("Read: {id}\n"));
    let stack = Stack::new().await;
    let problems = stack.refused(&json!({"input_data_column": "Input-Text"})).await;
    let expected = "column `Input-Text`: the prompt `prompt` needs this column, which the input does not have; the input has `input_text`: write \"column_mappings\": {\"Input-Text\": \"input_text\"}; or name the column that `{input_data}` shows with `input_data_column`";
    assert_eq!(problems, [expected]);
}

#[rstest]
#[case::missing(json!({"prompt_templates": "s3://lake/nothing"}), "prompt_templates is `s3://lake/nothing/prompts.json`: this object does not exist; upload it, or correct the address")]
#[case::denied(json!({"prompt_templates": "s3://lake/denied/prompts.json"}), "prompt_templates is `s3://lake/denied/prompts.json`: the stack may not read this object")]
#[case::other_bucket(json!({"prompt_templates": "s3://their-bucket/t/"}), "prompt_templates is `s3://their-bucket/t/`: the stack may read the buckets our-bucket, lake only; copy the object, or add the bucket to the context key `inputBuckets`")]
#[case::no_json(json!({"prompt_templates": "s3://lake/rows.csv.json"}), "prompt_templates, s3://lake/rows.csv.json: is not valid JSON: expected")]
#[case::large(json!({"prompt_templates": "s3://lake/large.json"}), "prompt_templates is `s3://lake/large.json`: has 1000001 bytes or more, but at most 1000000 are allowed; shorten it")]
#[case::no_schema(json!({"validation_schema": "s3://lake/templates"}), "validation_schema is `s3://lake/templates/`: this folder contains no `validation_schema_<time>.json`; upload the schema")]
#[case::missing_schema(json!({"validation_schema": "s3://lake/schema/a.json"}), "validation_schema is `s3://lake/schema/a.json`: this object does not exist")]
#[case::schema_elsewhere(json!({"validation_schema": "s3://their-bucket/s/"}), "validation_schema is `s3://their-bucket/s/`: the stack may read the buckets our-bucket, lake only")]
#[case::wrong_schema(json!({"validation_schema": "s3://lake/templates/prompts.json"}), "validation_schema, properties of s3://lake/templates/prompts.json: is required")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_cannot_be_used_is_reported_before_anything_is_submitted(
    #[case] more: Value,
    #[case] expected: &str,
) {
    let stack = Stack::new().await;
    stack.s3.put("lake", "large.json", &vec![b' '; 1_000_001]);
    stack.s3.put("lake", "rows.csv.json", b"id,text");
    stack.s3.world().faults.insert("lake/denied/prompts.json".to_owned(), (403, "AccessDenied", 9));
    let problems = stack.refused(&more).await;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].starts_with(expected), "{problems:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn problems_of_the_files_are_reported_with_all_others() {
    let stack = Stack::new().await;
    stack.put_schema("schema/validation_schema_20270101_000000.json", "error");
    let problems = stack
        .refused(
            &json!({"prompt_templates": "s3://lake/nothing/", "model_id": "gpt-4", "s3_uri": "s3://lake/none.csv"}),
        )
        .await;
    let fields: Vec<&str> = problems.iter().filter_map(|problem| problem.split([' ', ',']).next()).collect();
    assert_eq!(fields, ["prompt_templates", "validation_schema", "model_id", "s3_uri"], "{problems:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipeline_freezes_the_generated_prompts_of_its_stages() {
    let stack = Stack::new().await;
    let validate = |input: Value| stack.validator.run(ValidateInput::Pipeline(start_of("nightly", input)));
    let valid = validate(pipeline()).await.unwrap();
    let written = stack.written();
    let stage = |index: usize| -> Value {
        serde_json::from_slice(&written[&format!("runs/nightly/stages/{index}.json")]).unwrap()
    };
    let (first, second) = (stage(0), stage(1));
    assert_eq!(first["prompt"]["output_schema"]["fields"], json!([["topic", "$.topic"]]));
    assert!(second["prompt"]["template"].as_str().unwrap().starts_with("Read: {topic}\n"));
    for stage in [&first, &second] {
        let names: Vec<&String> = stage.as_object().unwrap().keys().collect();
        assert!(names.iter().all(|name| !["prompt_templates", "validation_schema"].contains(&name.as_str())));
    }
    stack.s3.put("lake", "templates/prompts.json", b"{}");
    assert_eq!(validate(pipeline()).await.unwrap(), valid);
    assert_eq!(stack.written(), written);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn problems_of_the_files_of_stages_have_their_path() {
    let stack = Stack::new().await;
    let mut input = pipeline();
    input["stages"][0]["validation_schema"] = json!("s3://lake/templates/");
    input["stages"][1]["prompt_templates"] = json!("s3://lake/schema/validation_schema_20261129_235959.json");
    let error = stack.validator.run(ValidateInput::Pipeline(start_of("nightly", input))).await.unwrap_err();
    let problems: Vec<String> = error.into_problems().unwrap().as_slice().iter().map(ToString::to_string).collect();
    assert!(
        problems[0].starts_with("stages[0].validation_schema is `s3://lake/templates/`: this folder"),
        "{problems:?}"
    );
    let expected = "stages[1].prompt_templates, user_prompt_template of s3://lake/schema/validation";
    assert!(problems.iter().any(|problem| problem.starts_with(expected)), "{problems:?}");
    assert!(stack.written().is_empty());
}
