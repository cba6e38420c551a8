//! Lambda `submit`: see [`bedrock_batch_engine::submit`].

use bedrock_batch_engine::job_table::JobTable;
use bedrock_batch_engine::settle::Settler;
use bedrock_batch_engine::submit::{JobSettings, SubmitInput, Submitter};
use bedrock_batch_lambda_host::{environment, log_as_json, names, optional, required, serve};
use lambda_runtime::Error;

#[tokio::main]
async fn main() -> Result<(), Error> {
    log_as_json();
    let config = bedrock_batch_aws::sdk_config().await;
    let submitter = Submitter {
        settler: Settler {
            jobs: JobTable::new(aws_sdk_dynamodb::Client::new(&config), required(environment::TASK_TABLE_NAME)?),
            bedrock: aws_sdk_bedrock::Client::new(&bedrock_batch_aws::bedrock_config(&config)),
            step_functions: aws_sdk_sfn::Client::new(&config),
        },
        role_arn: required(environment::BEDROCK_ROLE_ARN)?,
        timeout_hours: required(environment::JOB_TIMEOUT_HOURS)?,
        job_settings: JobSettings {
            output_key_arn: optional(environment::JOB_OUTPUT_KEY_ARN)?,
            subnet_ids: names(environment::JOB_SUBNET_IDS)?,
            security_group_ids: names(environment::JOB_SECURITY_GROUP_IDS)?,
            tags: optional(environment::JOB_TAGS)?.unwrap_or_default(),
        },
    };
    serve(move |input: SubmitInput| {
        let submitter = submitter.clone();
        async move { submitter.run(&input).await }
    })
    .await
}
