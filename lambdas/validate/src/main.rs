//! Lambda `validate`: see [`bedrock_batch_engine::validate`].

use bedrock_batch_domain::input::StackLimits;
use bedrock_batch_engine::job_table::JobTable;
use bedrock_batch_engine::preprocess::Preprocessor;
use bedrock_batch_engine::templates::{load_models, load_prompts};
use bedrock_batch_engine::validate::{ValidateInput, Validator};
use bedrock_batch_lambda_host::{log_as_json, optional, required, serve};
use lambda_runtime::Error;
use std::path::PathBuf;
use std::sync::Arc;

#[tokio::main]
async fn main() -> Result<(), Error> {
    log_as_json();
    let config = bedrock_batch_aws::sdk_config().await;
    // Templates and overrides lie beside the binary.
    let folder = PathBuf::from(required::<String>("LAMBDA_TASK_ROOT")?);
    let input_buckets: String = optional("INPUT_BUCKETS")?.unwrap_or_default();
    let preprocessor = Preprocessor {
        s3: bedrock_batch_aws::s3_client(&config),
        step_functions: aws_sdk_sfn::Client::new(&config),
        bucket: required("BUCKET_NAME")?,
        region: required("AWS_REGION")?,
        jobs: JobTable::new(aws_sdk_dynamodb::Client::new(&config), required("TASK_TABLE_NAME")?),
        task_table: required("TASK_TABLE_NAME")?,
        input_buckets: input_buckets.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        stack: StackLimits {
            max_total_records: optional("MAX_TOTAL_RECORDS")?,
            max_records_per_job: required("MAX_RECORDS_PER_JOB")?,
            max_concurrent_jobs: required("MAX_CONCURRENT_JOBS")?,
        },
        prompts: load_prompts(&folder.join("prompt-templates"))?,
        models: load_models(&folder.join("model-overrides.toml"))?,
    };
    let validator =
        Arc::new(Validator { preprocessor: Arc::new(preprocessor), download_links: required("DOWNLOAD_LINKS")? });
    serve(move |input: ValidateInput| {
        let validator = Arc::clone(&validator);
        async move { validator.run(input).await }
    })
    .await
}
