//! Preprocess and validate with one bucket, and a job table that agrees to everything.

pub(crate) use super::test_stack::BUCKET;

use super::s3_server::S3Server;
use super::test_stack::{deployment, inputs, preprocessor, start_of};
use bedrock_batch_domain::plan::Plan;
use bedrock_batch_domain::prompt::PromptLibrary;
use bedrock_batch_engine::EngineError;
use bedrock_batch_engine::deployment::Deployment;
use bedrock_batch_engine::model_lookup::ModelLookup;
use bedrock_batch_engine::objects::Bucket;
use bedrock_batch_engine::preprocess::{Preprocessor, StartInput};
use bedrock_batch_engine::validate::{ValidPipeline, ValidateInput, Validator};
use serde_json::{Value, json};
use std::sync::Arc;

/// Rows of most starts.
pub(crate) const ROWS: &str = "inputs/rows.csv";
pub(crate) const MODEL: &str = "us.anthropic.claude-haiku-4-5-20251001-v1:0";

pub(crate) struct Stack {
    pub(crate) s3: S3Server,
    pub(crate) bucket: Bucket,
    preprocessor: Preprocessor,
    validator: Validator,
}

impl Stack {
    pub(crate) async fn new() -> Self {
        Self::over(S3Server::default(), ModelLookup::default()).await
    }

    /// Creates a stack over existing objects, with what Bedrock says about models.
    pub(crate) async fn over(s3: S3Server, lookup: ModelLookup) -> Self {
        let inputs = inputs(s3.serve().await);
        let bucket = inputs.bucket.clone();
        let deployment = Arc::new(Deployment { lookup, ..deployment(PromptLibrary::default()) });
        let validator =
            Validator { inputs: inputs.clone(), deployment: Arc::clone(&deployment), download_links: false };
        let preprocessor = preprocessor(inputs, deployment).await;
        Self { s3, bucket, preprocessor, validator }
    }

    /// Creates a stack that has [`ROWS`].
    pub(crate) async fn with_rows() -> Self {
        let stack = Self::new().await;
        stack.put(ROWS, b"text\nhello\n");
        stack
    }

    pub(crate) fn put(&self, key: &str, body: &[u8]) {
        self.s3.put(BUCKET, key, body);
    }

    pub(crate) fn object(&self, key: &str) -> Option<Vec<u8>> {
        self.s3.world().objects.get(&(BUCKET.to_owned(), key.to_owned())).cloned()
    }

    /// Starts a run, and returns its plan.
    pub(crate) async fn run(&self, name: &str, input: Value) -> Result<Plan, EngineError> {
        Box::pin(self.preprocessor.run(&start("batch", name, input))).await?;
        Ok(serde_json::from_slice(&self.object(&format!("runs/{name}/plan.json")).unwrap()).unwrap())
    }

    pub(crate) async fn pipeline(&self, name: &str, input: Value) -> Result<ValidPipeline, EngineError> {
        self.validator.run(ValidateInput::Pipeline(start("pipeline", name, input))).await
    }

    /// Returns the only problem of a start, and checks that it has written nothing.
    pub(crate) async fn refused(&self, name: &str, input: Value) -> String {
        let before = self.s3.world().objects.clone();
        let error = match input.get("stages") {
            Some(_) => self.pipeline(name, input).await.unwrap_err(),
            None => self.run(name, input).await.unwrap_err(),
        };
        assert_eq!(self.s3.world().objects, before);
        let problems = error.into_problems().unwrap();
        assert_eq!(problems.as_slice().len(), 1, "{problems}");
        problems.to_string()
    }
}

pub(crate) fn start(kind: &str, name: &str, input: Value) -> StartInput {
    let execution_arn = format!("arn:aws:states:eu-west-1:1:execution:bedrock-{kind}-orchestrator-1:{name}");
    StartInput { execution_arn: execution_arn.parse().unwrap(), ..start_of(name, input) }
}

/// Input of a run over the rows at `key`, with these fields besides.
pub(crate) fn run_over(key: &str, more: &Value) -> Value {
    let mut input = json!({"s3_uri": format!("s3://{BUCKET}/{key}"), "job_name_prefix": "p", "model_id": MODEL,
        "processing_mode": "realtime", "prompt": {"description": "d", "template": "{text}"}});
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input
}

/// Pipeline of one stage with these fields.
pub(crate) fn pipeline_over(key: &str, more: &Value) -> Value {
    let mut stage = run_over(key, more);
    let uri = stage.as_object_mut().unwrap().remove("s3_uri").unwrap();
    (stage["input_s3_uri"], stage["stage_name"]) = (uri, json!("only"));
    json!({"pipeline_name": "p", "stages": [stage]})
}
