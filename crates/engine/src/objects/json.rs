//! Small JSON objects.

use crate::error::EngineError;
use aws_sdk_s3::Client;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Writes `value` as JSON.
///
/// # Errors
/// When S3 refuses.
pub async fn put_json(client: &Client, bucket: &str, key: &str, value: &impl Serialize) -> Result<(), EngineError> {
    let body = serde_json::to_vec(value)
        .map_err(|error| EngineError::internal(format!("cannot write {key} as JSON")).caused_by(error))?;
    let put = client.put_object().bucket(bucket).key(key).content_type("application/json").body(body.into());
    put.send().await.map_err(|error| EngineError::from_aws(format!("cannot write s3://{bucket}/{key}"), &error))?;
    Ok(())
}

/// Reads a JSON object of ours.
///
/// # Errors
/// When S3 refuses, or the object is not what was written there.
pub async fn get_json<T: DeserializeOwned>(client: &Client, bucket: &str, key: &str) -> Result<T, EngineError> {
    let what = || format!("cannot read s3://{bucket}/{key}");
    let object = client.get_object().bucket(bucket).key(key).send().await;
    let object = object.map_err(|error| EngineError::from_aws(what(), &error))?;
    let body = object.body.collect().await.map_err(|error| EngineError::transient(what()).caused_by(error))?;
    serde_json::from_slice(&body.into_bytes()).map_err(|error| {
        EngineError::corrupt(format!("s3://{bucket}/{key} is not what was written there")).caused_by(error)
    })
}
