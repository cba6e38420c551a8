//! The payload of the classifier and the execution that it starts, with S3 and Step Functions in this process.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::s3_server::S3Server;
use crate::test_stack::{credentials, deployment, inputs, serve};
use aws_sdk_s3::config::{BehaviorVersion, Region};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use bedrock_batch_domain::classifier::ClassifierDefaults;
use bedrock_batch_domain::prompt::PromptLibrary;
use bedrock_batch_engine::EngineError;
use bedrock_batch_engine::classifier::{Classifier, StartedRun};
use bedrock_batch_engine::deployment::Deployment;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

const MACHINE: &str = "arn:aws:states:us-east-1:123456789012:stateMachine:runs";

/// Executions by name, in the order of their starts.
type Executions = Arc<Mutex<Vec<(String, Value)>>>;

struct Stack {
    s3: S3Server,
    executions: Executions,
    classifier: Classifier,
}

/// Serves `StartExecution`: a name that is taken is refused.
async fn serve_step_functions(executions: Executions) -> String {
    let start = move |body: String| {
        let executions = Arc::clone(&executions);
        async move {
            let request: Value = serde_json::from_str(&body).unwrap();
            let name = request["name"].as_str().unwrap().to_owned();
            let mut executions = executions.lock().unwrap();
            let json = [("content-type", "application/x-amz-json-1.0")];
            if executions.iter().any(|(taken, _)| *taken == name) {
                let error =
                    json!({"__type": "com.amazonaws.swf.service.v2.model#ExecutionAlreadyExists", "message": "taken"});
                return (StatusCode::BAD_REQUEST, json, error.to_string()).into_response();
            }
            let arn = format!("arn:aws:states:us-east-1:123456789012:execution:runs:{name}");
            executions.push((name, serde_json::from_str(request["input"].as_str().unwrap()).unwrap()));
            (json, json!({"executionArn": arn, "startDate": 1.0}).to_string()).into_response()
        }
    };
    serve(axum::Router::new().fallback(start)).await
}

async fn stack() -> Stack {
    let (s3, executions) = (S3Server::default(), Executions::default());
    let step_functions = aws_sdk_sfn::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(serve_step_functions(Arc::clone(&executions)).await)
        .region(Region::from_static("us-east-1"))
        .credentials_provider(credentials());
    let mut prompts = PromptLibrary::default();
    let system = "system = \"{reference.imdrf}\"";
    prompts
        .add("imdrf_product_problem", &format!("description = \"d\"\n{system}\ntemplate = \"{{mdr_text}}\""))
        .unwrap();
    let deployment = Deployment { output_buckets: vec!["results".to_owned()], ..deployment(prompts) };
    let classifier = Classifier {
        step_functions: aws_sdk_sfn::Client::from_conf(step_functions.build()),
        batch_orchestrator: MACHINE.parse().unwrap(),
        inputs: inputs(s3.serve().await),
        deployment: Arc::new(deployment),
        defaults: ClassifierDefaults {
            model_id: "us.anthropic.claude-haiku-4-5-20251001-v1:0".to_owned(),
            batch_size: 50,
            max_workers: 5,
            rate_limit: 5.0,
        },
    };
    s3.put("lake", "reports.csv", b"id,mdr_text\n1,a\n");
    s3.put("our-bucket", "codes.csv", b"code\nX\n");
    s3.world().buckets.push("results".to_owned());
    Stack { s3, executions, classifier }
}

fn payload(changes: &Value) -> Value {
    let mut payload = json!({"input_bucket": "lake", "input_key": "reports.csv", "output_bucket": "results",
        "output_prefix": "out", "problem_type": "product", "imdrf_bucket": "our-bucket", "imdrf_key": "codes.csv"});
    payload.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    payload
}

impl Stack {
    async fn start(&self, changes: &Value, request_id: &str) -> Result<StartedRun, EngineError> {
        Box::pin(self.classifier.start(&payload(changes), request_id)).await
    }

    /// Returns the problems of a payload, and checks that nothing was started.
    async fn refused(&self, changes: &Value) -> Vec<String> {
        let problems = self.start(changes, "request-1").await.unwrap_err().into_problems().unwrap();
        assert!(self.executions.lock().unwrap().is_empty());
        problems.as_slice().iter().map(ToString::to_string).collect()
    }
}

#[tokio::test]
async fn a_repeated_invocation_starts_one_execution() {
    let stack = stack().await;
    let first = stack.start(&json!({}), "request-1").await.unwrap();
    assert_eq!(stack.start(&json!({}), "request-1").await.unwrap(), first);
    let (name, input) = stack.executions.lock().unwrap()[0].clone();
    assert_eq!(stack.executions.lock().unwrap().len(), 1);
    assert_eq!((first.run_id.as_str(), first.execution_arn.name()), (name.as_str(), name.as_str()));
    assert_eq!(first.output_uri, format!("s3://results/out/{name}/"));
    assert_eq!(input["processing_mode"], "realtime", "files of 50 reports are too small for batch jobs");
    assert_ne!(stack.start(&json!({}), "request-2").await.unwrap(), first);
}

#[tokio::test]
async fn problems_of_the_model_and_of_objects_are_reported_at_once_by_the_fields_of_the_payload() {
    let stack = stack().await;
    let wrong = json!({"model_id": "gpt-4", "input_key": "nothing.csv", "imdrf_key": "none.json"});
    let problems = stack.refused(&wrong).await;
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems[0].starts_with("model_id is `gpt-4`: is not a model"), "{problems:?}");
    assert!(problems[1].starts_with("input_key is `s3://lake/nothing.csv`: this object does not exist"));
    assert!(problems[2].starts_with("imdrf_key is `s3://our-bucket/none.json`: this object does not exist"));
}

#[tokio::test]
async fn an_output_bucket_that_does_not_exist_is_refused() {
    let stack = stack().await;
    stack.s3.world().buckets.clear();
    let problems = stack.refused(&json!({})).await;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(
        problems[0].starts_with("output_bucket is `s3://results/out/`: this bucket does not exist"),
        "{problems:?}"
    );
}

#[tokio::test]
async fn an_embedding_model_is_refused() {
    let problems = stack().await.refused(&json!({"model_id": "amazon.titan-embed-text-v2:0"})).await;
    assert!(
        problems.iter().any(|problem| problem.contains("an embedding model does not accept prompts")),
        "{problems:?}"
    );
}
