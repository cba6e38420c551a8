//! Lambda `trigger`: handles "Object Created" events of uploads under `trigger/`, from a queue or directly. See [`bedrock_batch_engine::trigger`].

mod event;

use bedrock_batch_domain::input::RunCaps;
use bedrock_batch_engine::job_table::JobTable;
use bedrock_batch_engine::mailer::Mailer;
use bedrock_batch_engine::trigger::{Trigger, Triggered, UploadQueue, load_configs};
use bedrock_batch_lambda_host::{bucket, environment, log_as_json, optional, required, serve};
use event::{object_created, queued_events};
use lambda_runtime::Error;
use serde::Serialize;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;

/// Response of the function: what came of an event, or of each message of a batch.
#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    One(Triggered),
    OfMessages(Vec<Triggered>),
}

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
        takes_inputs: required(environment::UPLOADED_INPUTS)?,
        caps: RunCaps {
            max_records_total: optional(environment::UPLOAD_MAX_TOTAL_RECORDS)?,
            max_cost_usd: optional(environment::UPLOAD_MAX_COST_USD)?,
        },
        jobs: JobTable::new(aws_sdk_dynamodb::Client::new(&config), required(environment::TASK_TABLE_NAME)?),
        queue: UploadQueue {
            sqs: aws_sdk_sqs::Client::new(&config),
            url: required(environment::UPLOAD_QUEUE_URL)?,
            retry_seconds: required(environment::UPLOAD_RETRY_SECONDS)?,
            max_executions: required(environment::MAX_UPLOAD_EXECUTIONS)?,
        },
    });
    serve(move |event: Value| {
        let trigger = Arc::clone(&trigger);
        async move {
            let Some(messages) = queued_events(&event) else {
                let text = event.to_string();
                return Ok(Answer::One(trigger.handle(object_created(event), &text).await?));
            };
            let mut triggered = Vec::with_capacity(messages.len());
            for message in messages {
                let created = serde_json::from_str(&message).ok().and_then(object_created);
                triggered.push(trigger.handle(created, &message).await?);
            }
            Ok(Answer::OfMessages(triggered))
        }
    })
    .await
}
