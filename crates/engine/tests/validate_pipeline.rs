//! The first step of a pipeline, with an S3 server in this process: refused pipelines, and written files.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::invoke_aws::Aws;
use crate::test_stack::{deployment, inputs};
use bedrock_batch_domain::pipeline::is_stage_input;
use bedrock_batch_domain::prompt::PromptLibrary;
use bedrock_batch_engine::EngineError;
use bedrock_batch_engine::deployment::Deployment;
use bedrock_batch_engine::preprocess::StartInput;
use bedrock_batch_engine::validate::{ValidPipeline, ValidateInput, Validator};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const MODEL: &str = "us.anthropic.claude-haiku-4-5-20251001-v1:0";

struct Stack {
    aws: Aws,
    validator: Validator,
}

fn library() -> PromptLibrary {
    let mut library = PromptLibrary::default();
    let fields = "[output_schema]\ntype = \"json\"\nfields = { mood = \"$.mood\" }";
    library.add("mood", &format!("description = \"d\"\ntemplate = \"{{text}}\"\n{fields}")).unwrap();
    library.add("reply", "description = \"d\"\ntemplate = \"{letter} {mood}\"").unwrap();
    library
}

impl Stack {
    async fn new() -> Self {
        let aws = Aws::default();
        let deployment = Deployment { output_buckets: vec!["reports".to_owned()], ..deployment(library()) };
        let validator =
            Validator { inputs: inputs(aws.serve().await), deployment: Arc::new(deployment), download_links: false };
        let stack = Self { aws, validator };
        stack.put("inputs/letters.csv", b"id,text\n1,hello\n");
        stack
    }

    fn put(&self, key: &str, body: &[u8]) {
        self.aws.world().objects.insert(key.to_owned(), body.to_vec());
    }

    fn written(&self) -> BTreeMap<String, Vec<u8>> {
        let world = self.aws.world();
        let ours = world.objects.iter().filter(|(key, _)| key.starts_with("runs/"));
        ours.map(|(key, body)| (key.clone(), body.clone())).collect()
    }

    async fn validate(&self, name: &str, started_at: &str, input: Value) -> Result<ValidPipeline, EngineError> {
        let start = StartInput {
            execution_name: name.to_owned(),
            execution_arn: format!("arn:aws:states:eu-west-1:1:execution:bedrock-pipeline-orchestrator-1:{name}")
                .parse()
                .unwrap(),
            started_at: started_at.to_owned(),
            input,
        };
        self.validator.run(ValidateInput::Pipeline(start)).await
    }

    /// Returns the problems of the pipeline, in order, and checks that nothing was written.
    async fn refused(&self, input: Value) -> Vec<String> {
        let before = self.written();
        let error = self.validate("letters", "t", input).await.unwrap_err();
        let problems = error.into_problems().unwrap();
        assert_eq!(self.written(), before);
        problems.as_slice().iter().map(ToString::to_string).collect()
    }
}

fn pipeline() -> Value {
    json!({"pipeline_name": "letters", "stages": [
        {"stage_name": "read", "input_s3_uri": "s3://our-bucket/inputs/letters.csv", "job_name_prefix": "read",
            "model_id": MODEL, "prompt_id": "mood", "output_formats": ["csv"]},
        {"stage_name": "write", "use_previous_output": true, "job_name_prefix": "write", "model_id": MODEL,
            "prompt_id": "reply", "column_mappings": {"letter": "text"}, "output_formats": ["csv"]},
    ]})
}

fn with(changes: &[(&str, Value)]) -> Value {
    let mut pipeline = pipeline();
    for (pointer, value) in changes {
        let (object, field) = pointer.rsplit_once('/').unwrap();
        pipeline.pointer_mut(object).unwrap()[field] = value.clone();
    }
    pipeline
}

fn own_prompt(template: &str) -> Value {
    let schema = json!({"type": "json", "fields": [["tone", "$.tone"], ["mood", "$.mood"]]});
    json!({"description": "d", "template": template, "output_schema": schema})
}

#[tokio::test]
async fn prompts_of_a_pipeline_are_frozen_for_its_stages() {
    let stack = Stack::new().await;
    let input = with(&[
        ("/prompts", json!({"mood": own_prompt("{text}"), "new": own_prompt("{text}")})),
        ("/stages/1/prompt_id", json!(null)),
        ("/stages/1/prompt", own_prompt("{letter} {tone}")),
    ]);
    stack.validate("letters", "2026-11-20T13:05:07.000Z", input).await.unwrap();
    let written = stack.written();
    let frozen: PromptLibrary = serde_json::from_slice(&written["runs/letters/prompts.json"]).unwrap();
    assert_eq!(frozen.names().collect::<Vec<_>>(), ["mood", "new", "reply"]);
    let fields = &frozen.prompts["mood"].output_schema.as_ref().unwrap().fields;
    assert_eq!(fields.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["tone", "mood"]);
    assert_eq!(frozen.replaced.iter().collect::<Vec<_>>(), ["mood"], "the summaries of the stages count it");
    let second: Value = serde_json::from_slice(&written["runs/letters/stages/1.json"]).unwrap();
    assert_eq!(second["prompt"], own_prompt("{letter} {tone}"));
}

#[tokio::test]
async fn mistakes_in_prompts_of_a_pipeline_are_reported_with_all_others() {
    let stack = Stack::new().await;
    let problems = stack
        .refused(with(&[
            ("/prompts", json!({"mood": own_prompt("{"), "r": {"description": "d", "expansion_rule": true, "prompts": ["rep"]}})),
            ("/stages/0/max_num_jobs", json!(0)),
            ("/stages/1/prompt_id", json!(null)),
            ("/stages/1/prompt", json!({"description": "d", "template": "{\"mood\": 1}", "output_schema": {"type": "json", "fields": {"x": "x"}}})),
        ]))
        .await;
    let fields: Vec<&str> = problems.iter().filter_map(|problem| problem.split([' ', ':']).next()).collect();
    let expected = [
        "prompts.mood.template",
        "stages[0].max_num_jobs",
        "stages[1].prompt.template",
        "stages[1].prompt.output_schema.fields.x",
        "prompts.r.prompts",
    ];
    assert_eq!(fields, expected, "{problems:?}");
}

#[tokio::test]
async fn references_of_all_stages_are_checked_before_anything_is_submitted() {
    let stack = Stack::new().await;
    stack.put("codes.csv", b"Code\nA01\n");
    let prompt = |source: &str| {
        let mut prompt = own_prompt("{text} {reference.codes}");
        prompt["allowed_values"] = json!({"mood": source});
        prompt
    };
    let with_codes = |source: &str, uri: &str| {
        with(&[
            ("/stages/0/prompt_id", json!(null)),
            ("/stages/0/prompt", prompt(source)),
            ("/stages/0/reference", json!({"codes": "s3://our-bucket/codes.csv"})),
            ("/stages/1/reference", json!({"codes": uri})),
        ])
    };
    let problems = stack.refused(with_codes("reference.codes.Mood", "s3://our-bucket/missing.csv")).await;
    assert_eq!(problems.len(), 3, "{problems:?}");
    let expected = [
        "stages[1].reference.codes is `s3://our-bucket/missing.csv`: this object does not exist",
        "stages[0], prompt `prompt`, allowed_values.mood is `reference.codes.Mood`: this reference does not have the column `Mood`",
        "stages[1].reference.codes is `s3://our-bucket/missing.csv`: is not used by any prompt of this run",
    ];
    for (problem, expected) in problems.iter().zip(expected) {
        assert!(problem.starts_with(expected), "{problems:?}");
    }
    let mut valid = with_codes("reference.codes.Code", "");
    valid["stages"][1]["reference"] = json!(null);
    stack.validate("letters", "2026-11-20T13:05:07.000Z", valid).await.unwrap();
    let first: Value = serde_json::from_slice(&stack.written()["runs/letters/stages/0.json"]).unwrap();
    assert_eq!(first["reference"], json!({"codes": "s3://our-bucket/codes.csv"}));
}

#[test]
fn fields_of_a_prompt_are_read_from_the_payload_in_their_order() {
    let payload = r#"{"action": "pipeline", "execution_name": "n", "started_at": "t",
        "execution_arn": "arn:aws:states:eu-west-1:123456789012:execution:pipelines:n",
        "input": {"stages": [{"prompt": {"output_schema": {"fields": {"z": "$.z", "a": "$.a"}}}}]}}"#;
    let ValidateInput::Pipeline(start) = serde_json::from_str(payload).unwrap();
    let fields = start.input.pointer("/stages/0/prompt/output_schema/fields");
    assert_eq!(fields, Some(&json!([["z", "$.z"], ["a", "$.a"]])));
}

#[test]
fn the_input_names_the_action() {
    let arn = "arn:aws:states:eu-west-1:1:execution:bedrock-pipeline-orchestrator-1:n";
    let payload =
        json!({"action": "pipeline", "execution_name": "n", "execution_arn": arn, "started_at": "t", "input": {}});
    let ValidateInput::Pipeline(start) = serde_json::from_value(payload).unwrap();
    assert_eq!(start.execution_name, "n");
}

#[tokio::test]
async fn a_valid_pipeline_is_frozen_with_the_inputs_of_its_stages() {
    let stack = Stack::new().await;
    let valid = stack.validate("letters", "2026-11-20T13:05:07.000Z", pipeline()).await.unwrap();
    let written: BTreeMap<String, Value> =
        stack.written().iter().map(|(key, body)| (key.clone(), serde_json::from_slice(body).unwrap())).collect();
    let keys: Vec<&str> = written.keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "runs/letters/claim.json",
            "runs/letters/pipeline.json",
            "runs/letters/prompts.json",
            "runs/letters/stages/0.json",
            "runs/letters/stages/1.json"
        ]
    );
    let prompts: PromptLibrary = serde_json::from_value(written["runs/letters/prompts.json"].clone()).unwrap();
    assert_eq!(prompts, library(), "stages use the prompts that were checked, whatever is deployed meanwhile");

    let answer = serde_json::to_value(&valid).unwrap();
    let fields: Vec<&String> = answer.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["bucket", "execution_arn", "pipeline_run_id", "stages", "started_at"]);
    let second = &answer["stages"][1];
    assert_eq!((second["index"].as_u64(), second["stage_name"].as_str()), (Some(1), Some("write")));
    assert_eq!(second["input"], json!({"config_s3_uri": "s3://our-bucket/runs/letters/stages/1.json"}));
    assert!(is_stage_input(&second["input"].to_string()), "the end of its run is told by the pipeline");

    let first_run = answer["stages"][0]["execution_name"].as_str().unwrap();
    assert_eq!(
        written["runs/letters/stages/0.json"],
        json!({"s3_uri": "s3://our-bucket/inputs/letters.csv", "job_name_prefix": "read", "model_id": MODEL,
            "prompt_id": "mood", "output_formats": ["parquet", "csv"]})
    );
    assert_eq!(
        written["runs/letters/stages/1.json"],
        json!({"previous_run": {"run_id": first_run, "stage_name": "read"}, "job_name_prefix": "write",
            "model_id": MODEL, "prompt_id": "reply", "column_mappings": {"letter": "text"}, "output_formats": ["csv"]})
    );
    let frozen = &written["runs/letters/pipeline.json"];
    assert_eq!(frozen["presigned_url_expiry_days"], 7);
    assert_eq!(
        frozen["stages"][0],
        json!({"stage_name": "read", "run_id": first_run, "execution_name": first_run, "job_name_prefix": "read",
            "model_id": MODEL})
    );
}

#[tokio::test]
async fn a_repetition_changes_nothing_and_another_execution_of_the_name_is_refused() {
    let stack = Stack::new().await;
    let first = stack.validate("letters", "t", pipeline()).await.unwrap();
    let written = stack.written();
    assert_eq!(stack.validate("letters", "t", pipeline()).await.unwrap(), first);
    assert_eq!(stack.written(), written);
    let later = stack.validate("letters", "u", pipeline()).await.unwrap_err().to_string();
    assert!(later.starts_with("the execution's name is `letters`: an earlier pipeline had this name"), "{later}");
    assert_eq!(stack.written(), written);
}

#[tokio::test]
async fn a_pipeline_cannot_have_the_name_of_a_run() {
    let stack = Stack::new().await;
    stack.put("runs/letters/plan.json", b"{}");
    let problems = stack.refused(pipeline()).await;
    assert!(problems[0].contains("an earlier run had this name"), "{problems:?}");
}

#[tokio::test]
async fn all_problems_are_reported_at_once_and_nothing_is_written() {
    let stack = Stack::new().await;
    let changes = [
        ("/presigned_url_expiry_days", json!(30)),
        ("/stages/0/input_s3_uri", json!("s3://our-bucket/inputs/nothing.csv")),
        ("/stages/1/stage_name", json!("read")),
        ("/stages/1/prompt_id", json!("replyy")),
    ];
    let problems = stack.refused(with(&changes)).await;
    let fields: Vec<&str> = problems.iter().filter_map(|problem| problem.split(' ').next()).collect();
    let expected =
        ["presigned_url_expiry_days", "stages[1].stage_name", "stages[0].input_s3_uri", "stages[1].prompt_id"];
    assert_eq!(fields, expected, "{problems:?}");
}

#[tokio::test]
async fn columns_are_read_from_the_input() {
    let stack = Stack::new().await;
    stack.put("inputs/letters.csv", b"id,letter\n1,hello\n");
    let problems = stack.refused(pipeline()).await;
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].starts_with("stages[0], column `text`: the prompt `mood` needs this column"), "{problems:?}");
    assert!(problems[1].starts_with("stages[1].column_mappings.letter is `text`: this column does not exist"));
    let renamed = with(&[("/stages/0/column_mappings", json!({"text": "letter"}))]);
    stack.validate("renamed", "t", renamed).await.unwrap();
}

#[tokio::test]
async fn inputs_of_later_stages_are_checked_too() {
    let stack = Stack::new().await;
    let other =
        |uri: &str| with(&[("/stages/1/use_previous_output", json!(false)), ("/stages/1/input_s3_uri", json!(uri))]);
    let problems = stack.refused(other("s3://lake/nothing.csv")).await;
    assert!(problems[0].starts_with("stages[1].input_s3_uri is `s3://lake/nothing.csv`: this object does not exist"));
    let problems = stack.refused(other("s3://their-bucket/a.csv")).await;
    assert!(problems[0].contains("the stack may read the buckets our-bucket, lake only"), "{problems:?}");
}

#[tokio::test]
async fn folders_that_the_stack_cannot_write_to_are_refused() {
    let stack = Stack::new().await;
    let folders = [("/stages/0/output_uri", "s3://theirs/a/"), ("/stages/1/output_uri", "s3://our-bucket/trigger/")];
    let problems = stack.refused(with(&folders.map(|(field, folder)| (field, json!(folder))))).await;
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].starts_with(
        "stages[0].output_uri is `s3://theirs/a/`: the stack may write to the buckets our-bucket, reports only"
    ));
    assert!(problems[1].starts_with("stages[1].output_uri is `s3://our-bucket/trigger/`: `trigger/` in the bucket"));
    let problems = stack.refused(with(&[("/stages/1/output_uri", json!("s3://reports/a/"))])).await;
    assert!(
        problems[0].starts_with("stages[1].output_uri is `s3://reports/a/`: this bucket does not exist"),
        "{problems:?}"
    );
    stack.validate("letters", "t", with(&[("/stages/1/output_uri", json!("s3://our-bucket/answers/"))])).await.unwrap();
}

#[tokio::test]
async fn an_empty_prefix_of_images_is_refused() {
    let stack = Stack::new().await;
    let images =
        with(&[("/stages/0/input_s3_uri", json!("s3://our-bucket/photos/")), ("/stages/0/input_type", json!("image"))]);
    let problems = stack.refused(images).await;
    assert!(
        problems[0].starts_with("stages[0].input_s3_uri is `s3://our-bucket/photos/`: this object does not exist"),
        "{problems:?}"
    );
}

#[tokio::test]
async fn a_pipeline_may_be_read_from_s3() {
    let stack = Stack::new().await;
    let named = |key: &str| json!({"config_s3_uri": format!("s3://our-bucket/{key}")});
    stack.put("inputs/pipeline.json", pipeline().to_string().as_bytes());
    let valid = stack.validate("letters", "t", named("inputs/pipeline.json")).await.unwrap();
    assert_eq!(valid.stages.len(), 2);
    stack.put("inputs/broken.json", b"{\"pipeline_name\": \"a\",}");
    for (key, expected) in [
        ("inputs/broken.json", "this object is not valid JSON: trailing comma at line 1 column 23"),
        ("inputs/nothing.json", "this object does not exist"),
    ] {
        let error = stack.validate("others", "t", named(key)).await.unwrap_err().to_string();
        assert!(error.starts_with("config_s3_uri is `s3://our-bucket/inputs/") && error.contains(expected), "{error}");
    }
    let large = with(&[("/pipeline_name", json!("x".repeat(210_000)))]);
    let problems = Stack::new().await.refused(large).await;
    assert!(problems[0].contains("start with {\"config_s3_uri\": "), "{problems:?}");
}
