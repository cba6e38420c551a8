//! Settings of a function: its environment variables.

use aws_config::SdkConfig;
use bedrock_batch_domain::contract::environment::{self, Variable};
use bedrock_batch_engine::objects::Bucket;
use lambda_runtime::Error;
use std::str::FromStr;

/// Reads an environment variable that the deployment must set.
///
/// # Errors
/// Returns an error with the name of the variable if it is missing or cannot be parsed.
pub fn required<T: FromStr>(variable: Variable) -> Result<T, Error> {
    let missing = || format!("the environment variable {variable} is missing: deploy the stack again").into();
    optional(variable)?.ok_or_else(missing)
}

/// Reads an environment variable that may be missing or empty.
///
/// # Errors
/// Returns an error with the name of the variable if it cannot be parsed.
pub fn optional<T: FromStr>(variable: Variable) -> Result<Option<T>, Error> {
    let value = std::env::var(variable.name()).unwrap_or_default();
    if value.is_empty() {
        return Ok(None);
    }
    match value.parse() {
        Ok(parsed) => Ok(Some(parsed)),
        Err(_) => Err(format!("the environment variable {variable} has an invalid value: `{value}`").into()),
    }
}

/// Reads a list of names, separated by commas, which may be missing or empty.
///
/// # Errors
/// Returns an error with the name of the variable if it cannot be read.
pub fn names(variable: Variable) -> Result<Vec<String>, Error> {
    let names: String = optional(variable)?.unwrap_or_default();
    Ok(names.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

/// Returns the stack's bucket, which the environment names.
///
/// # Errors
/// Returns an error if the variable is missing.
pub fn bucket(config: &SdkConfig) -> Result<Bucket, Error> {
    Ok(Bucket::new(bedrock_batch_aws::s3_client(config), required::<String>(environment::BUCKET_NAME)?))
}
