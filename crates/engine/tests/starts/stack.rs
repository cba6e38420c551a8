//! Preprocess and validate with one bucket, and a job table that agrees to everything.

use super::s3_server::S3Server;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region, RequestChecksumCalculation};
use axum::http::HeaderMap;
use bedrock_batch_domain::input::StackLimits;
use bedrock_batch_domain::model::ModelTable;
use bedrock_batch_domain::plan::Plan;
use bedrock_batch_domain::prompt::PromptLibrary;
use bedrock_batch_engine::EngineError;
use bedrock_batch_engine::deployment::Deployment;
use bedrock_batch_engine::hub::Hub;
use bedrock_batch_engine::job_table::JobTable;
use bedrock_batch_engine::objects::Bucket;
use bedrock_batch_engine::preprocess::{InputReader, Preprocessor, StartInput};
use bedrock_batch_engine::validate::{ValidPipeline, ValidateInput, Validator};
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) const BUCKET: &str = "our-bucket";
pub(crate) const MODEL: &str = "anthropic.claude-3-haiku-20240307-v1:0";

pub(crate) struct Stack {
    pub(crate) s3: S3Server,
    pub(crate) bucket: Bucket,
    preprocessor: Preprocessor,
    validator: Validator,
}

impl Stack {
    pub(crate) async fn new() -> Self {
        let s3 = S3Server::default();
        let (credentials, region) = (Credentials::new("a", "b", None, None, "test"), Region::new("us-east-1"));
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .endpoint_url(s3.serve().await)
            .region(region.clone())
            .credentials_provider(credentials.clone())
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .force_path_style(true);
        let table = axum::Router::new().fallback(|_: HeaderMap| async { "{}" });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dynamodb = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .endpoint_url(format!("http://{}", listener.local_addr().unwrap()))
            .region(region)
            .credentials_provider(credentials);
        tokio::spawn(async move { axum::serve(listener, table).await });
        let bucket = Bucket::new(aws_sdk_s3::Client::from_conf(config.build()), BUCKET);
        let deployment = Arc::new(Deployment {
            region: "us-east-1".to_owned(),
            limits: StackLimits { max_total_records: None, max_records_per_job: 1000, max_concurrent_jobs: 5 },
            prompts: PromptLibrary::default(),
            models: ModelTable::with_overrides("").unwrap(),
            output_buckets: Vec::new(),
        });
        let inputs = InputReader {
            bucket: bucket.clone(),
            input_buckets: vec!["lake".to_owned()],
            input_prefixes: Vec::new(),
            hub: Hub::default(),
        };
        let jobs = JobTable::new(aws_sdk_dynamodb::Client::from_conf(dynamodb.build()), "t".to_owned());
        let preprocessor = Preprocessor { inputs: inputs.clone(), deployment: Arc::clone(&deployment), jobs };
        let validator = Validator { inputs, deployment, download_links: false };
        Self { s3, bucket, preprocessor, validator }
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
    StartInput {
        execution_name: name.to_owned(),
        execution_arn: format!("arn:aws:states:eu-west-1:1:execution:bedrock-{kind}-orchestrator-1:{name}")
            .parse()
            .unwrap(),
        started_at: "2026-11-20T13:05:07.000Z".to_owned(),
        input,
    }
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
