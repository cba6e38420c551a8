//! Lambda `trigger`: handles "Object Created" events of uploads under `trigger/`. See [`bedrock_batch_engine::trigger`].

mod event;

use bedrock_batch_engine::mailer::Mailer;
use bedrock_batch_engine::trigger::{Trigger, load_configs};
use bedrock_batch_lambda_host::{bucket, environment, log_as_json, required, serve};
use event::object_created;
use lambda_runtime::Error;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;

#[tokio::main]
async fn main() -> Result<(), Error> {
    log_as_json();
    let config = bedrock_batch_aws::sdk_config().await;
    // The configurations are next to the binary.
    let folder = PathBuf::from(required::<String>(environment::LAMBDA_TASK_ROOT)?);
    let trigger = Arc::new(Trigger {
        step_functions: aws_sdk_sfn::Client::new(&config),
        bucket: bucket(&config)?,
        batch_orchestrator: required(environment::BATCH_STATE_MACHINE_ARN)?,
        pipeline_orchestrator: required(environment::PIPELINE_STATE_MACHINE_ARN)?,
        mailer: Mailer { sns: aws_sdk_sns::Client::new(&config), topic_arn: required(environment::TOPIC_ARN)? },
        configs: load_configs(&folder.join("pipeline-configs"))?,
    });
    serve(move |event: Value| {
        let trigger = Arc::clone(&trigger);
        async move { trigger.handle(object_created(event)).await }
    })
    .await
}
