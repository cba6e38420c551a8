//! Construction of the preprocessor, for the functions that inspect inputs.

use crate::{environment, optional, required};
use aws_config::SdkConfig;
use bedrock_batch_domain::input::StackLimits;
use bedrock_batch_engine::job_table::JobTable;
use bedrock_batch_engine::preprocess::Preprocessor;
use bedrock_batch_engine::templates::{load_models, load_prompts};
use lambda_runtime::Error;
use std::path::PathBuf;

/// Creates the preprocessor from this function's environment and from the templates and overrides next to its binary.
///
/// # Errors
/// Returns an error with the name of the environment variable or file if one is missing or invalid.
pub fn preprocessor(config: &SdkConfig) -> Result<Preprocessor, Error> {
    let folder = PathBuf::from(required::<String>(environment::LAMBDA_TASK_ROOT)?);
    let input_buckets: String = optional(environment::INPUT_BUCKETS)?.unwrap_or_default();
    Ok(Preprocessor {
        s3: bedrock_batch_aws::s3_client(config),
        step_functions: aws_sdk_sfn::Client::new(config),
        bucket: required(environment::BUCKET_NAME)?,
        region: required(environment::AWS_REGION)?,
        jobs: JobTable::new(aws_sdk_dynamodb::Client::new(config), required(environment::TASK_TABLE_NAME)?),
        task_table: required(environment::TASK_TABLE_NAME)?,
        input_buckets: input_buckets.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        stack: StackLimits {
            max_total_records: optional(environment::MAX_TOTAL_RECORDS)?,
            max_records_per_job: required(environment::MAX_RECORDS_PER_JOB)?,
            max_concurrent_jobs: required(environment::MAX_CONCURRENT_JOBS)?,
        },
        prompts: load_prompts(&folder.join("prompt-templates"))?,
        models: load_models(&folder.join("model-overrides.toml"))?,
    })
}
