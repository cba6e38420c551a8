//! Inputs and the rules that they are checked against, for the functions that read them.

use crate::environment;
use crate::settings::{bucket, names, optional, required};
use aws_config::SdkConfig;
use bedrock_batch_domain::input::StackLimits;
use bedrock_batch_domain::job::JobLimits;
use bedrock_batch_domain::s3_uri::S3Uri;
use bedrock_batch_engine::deployment::Deployment;
use bedrock_batch_engine::hub::{Endpoint, Hub, TokenSecret};
use bedrock_batch_engine::model_lookup::ModelLookup;
use bedrock_batch_engine::preprocess::InputReader;
use bedrock_batch_engine::templates::{load_models, load_prompts};
use lambda_runtime::Error;
use std::path::PathBuf;

/// The reader of the inputs that this function may read.
///
/// # Errors
/// Returns an error with the name of the environment variable if one is missing or invalid.
pub fn input_reader(config: &SdkConfig) -> Result<InputReader, Error> {
    let endpoint: Endpoint = optional(environment::HF_ENDPOINT)?.unwrap_or_default();
    let secret: Option<String> = optional(environment::HUGGING_FACE_TOKEN_SECRET)?;
    let token = secret.map(|secret| TokenSecret::new(aws_sdk_secretsmanager::Client::new(config), secret));
    let bucket = bucket(config)?;
    let prefix = |text: &String| {
        if !text.starts_with("s3://") {
            return Ok(bucket.uri(text));
        }
        S3Uri::parse(text).map_err(|rule| format!("{}: `{text}` {rule}", environment::INPUT_PREFIXES))
    };
    let input_prefixes = names(environment::INPUT_PREFIXES)?.iter().map(prefix).collect::<Result<_, _>>()?;
    Ok(InputReader {
        bucket,
        input_buckets: names(environment::INPUT_BUCKETS)?,
        input_prefixes,
        hub: Hub::new(endpoint, token),
    })
}

/// Returns the limits from this function's environment, with the templates and overrides in the directory of its binary.
///
/// # Errors
/// Returns an error with the name of the environment variable or file if one is missing or invalid.
pub fn deployment(config: &SdkConfig) -> Result<Deployment, Error> {
    let jobs =
        JobLimits { per_run: optional(environment::MAX_CONCURRENT_JOBS)?, quota: optional(environment::JOB_QUOTA)? };
    let folder = PathBuf::from(required::<String>(environment::LAMBDA_TASK_ROOT)?);
    Ok(Deployment {
        region: required(environment::AWS_REGION)?,
        limits: StackLimits {
            max_total_records: optional(environment::MAX_TOTAL_RECORDS)?,
            max_records_per_job: optional(environment::MAX_RECORDS_PER_JOB)?,
            max_concurrent_jobs: jobs.concurrent_jobs(None),
        },
        jobs,
        prompts: load_prompts(&folder.join("prompt-templates"))?,
        models: load_models(&folder.join("model-overrides.toml"))?,
        lookup: ModelLookup::new(aws_sdk_bedrock::Client::new(&bedrock_batch_aws::bedrock_config(config))),
        output_buckets: names(environment::OUTPUT_BUCKETS)?,
    })
}
