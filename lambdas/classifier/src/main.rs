//! Lambda `classifier`: starts a run that classifies medical device reports. See [`bedrock_batch_engine::classifier`].

use bedrock_batch_domain::classifier::ClassifierDefaults;
use bedrock_batch_engine::classifier::Classifier;
use bedrock_batch_lambda_host::{deployment, environment, input_reader, log_as_json, required, serve_identified};
use lambda_runtime::Error;
use serde_json::Value;
use std::sync::Arc;

#[tokio::main]
async fn main() -> Result<(), Error> {
    log_as_json();
    let config = bedrock_batch_aws::sdk_config().await;
    let classifier = Classifier {
        step_functions: aws_sdk_sfn::Client::new(&config),
        batch_orchestrator: required(environment::BATCH_STATE_MACHINE_ARN)?,
        inputs: input_reader(&config)?,
        deployment: Arc::new(deployment(&config)?),
        defaults: ClassifierDefaults {
            model_id: required(environment::DEFAULT_MODEL_ID)?,
            batch_size: required(environment::DEFAULT_BATCH_SIZE)?,
            max_workers: required(environment::DEFAULT_MAX_WORKERS)?,
            rate_limit: required(environment::DEFAULT_RATE_LIMIT)?,
        },
    };
    serve_identified(move |payload: Value, request_id: String| {
        let classifier = classifier.clone();
        async move { classifier.start(&payload, &request_id).await }
    })
    .await
}
