//! Settings of a function: its environment variables.

use aws_config::SdkConfig;
use bedrock_batch_engine::objects::Bucket;
use lambda_runtime::Error;
use std::str::FromStr;

/// Reads an environment variable that the deployment must set.
///
/// # Errors
/// Returns an error with the name of the variable if it is missing or cannot be parsed.
pub fn required<T: FromStr>(name: &str) -> Result<T, Error> {
    optional(name)?.ok_or_else(|| format!("the environment variable {name} is missing: deploy the stack again").into())
}

/// Reads an environment variable that may be missing or empty.
///
/// # Errors
/// Returns an error with the name of the variable if it cannot be parsed.
pub fn optional<T: FromStr>(name: &str) -> Result<Option<T>, Error> {
    let value = std::env::var(name).unwrap_or_default();
    if value.is_empty() {
        return Ok(None);
    }
    let parsed = value.parse().map_err(|_| format!("the environment variable {name} has no valid value: `{value}`"))?;
    Ok(Some(parsed))
}

/// Returns the stack's bucket, which the environment names.
///
/// # Errors
/// Returns an error if the variable is missing.
pub fn bucket(config: &SdkConfig) -> Result<Bucket, Error> {
    Ok(Bucket::new(bedrock_batch_aws::s3_client(config), required::<String>("BUCKET_NAME")?))
}
