//! Lambda `job-status`: handles Bedrock's "Batch Inference Job State Change" events. See [`bedrock_batch_engine::settle`].

use bedrock_batch_domain::ids::{JobArn, JobName};
use bedrock_batch_engine::job_table::JobTable;
use bedrock_batch_engine::settle::Settler;
use bedrock_batch_lambda_host::{environment, log_as_json, required, serve};
use lambda_runtime::Error;
use serde::Deserialize;

/// The fields of an event that are read. An event is only a hint that a job may have changed: its other fields are neither
/// needed nor trusted (its times, for example, are not RFC 3339).
#[derive(Debug, Deserialize)]
struct StateChange {
    detail: Detail,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    batch_job_name: JobName,
    #[serde(default)]
    batch_job_arn: Option<JobArn>,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    log_as_json();
    let config = bedrock_batch_aws::sdk_config().await;
    let settler = Settler {
        jobs: JobTable::new(aws_sdk_dynamodb::Client::new(&config), required(environment::TASK_TABLE_NAME)?),
        bedrock: aws_sdk_bedrock::Client::new(&bedrock_batch_aws::bedrock_config(&config)),
        step_functions: aws_sdk_sfn::Client::new(&config),
    };
    serve(move |event: StateChange| {
        let settler = settler.clone();
        async move {
            settler.settle(&event.detail.batch_job_name, event.detail.batch_job_arn.as_ref()).await?;
            Ok(())
        }
    })
    .await
}
