//! The stack's bucket: JSON objects, listings and uploads by key. Errors name the object by its address.

use super::whole_body::{ReadFailure, read_whole};
use super::{ObjectMeta, Uploads, head, list};
use crate::error::{AwsOperation, EngineError};
use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bedrock_batch_domain::links::{file_name, percent_encoded};
use bedrock_batch_domain::s3_uri::S3Uri;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio::runtime::Handle;

/// Bucket, with the client to access it.
#[derive(Debug, Clone)]
pub struct Bucket {
    client: Client,
    name: String,
}

impl Bucket {
    /// Creates the bucket `name`; sends no request.
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into() }
    }

    /// Returns the name of the bucket.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the client, for readers of single objects and for other buckets.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Returns the address of the object `key`.
    pub fn uri(&self, key: impl Into<String>) -> S3Uri {
        S3Uri::new(&self.name, key)
    }

    /// Reads the JSON object `key`.
    ///
    /// # Errors
    /// Returns an error if the object cannot be read; returns `Corrupt` if it is missing, or not the JSON of a `T`.
    pub async fn get_json<T: DeserializeOwned>(&self, key: &str) -> Result<T, EngineError> {
        self.get(key).await?.map_err(|missing| self.failed("read", key, &missing))
    }

    /// Reads the JSON object `key`; returns `None` if it does not exist.
    ///
    /// # Errors
    /// Returns an error if the object cannot be read; returns `Corrupt` if it is not the JSON of a `T`.
    pub async fn find_json<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, EngineError> {
        Ok(self.get(key).await?.ok())
    }

    /// Writes `value` as the JSON object `key`.
    ///
    /// # Errors
    /// Returns an error if S3 refuses the object.
    pub async fn put_json(&self, key: &str, value: &(impl Serialize + ?Sized)) -> Result<(), EngineError> {
        let put = self.json_upload(key, value)?.send().await;
        put.map_err(|error| self.failed("write", key, &error))?;
        Ok(())
    }

    /// Writes `value` as the JSON object `key`, or returns false if that exists.
    ///
    /// # Errors
    /// Returns an error if S3 refuses the object for another reason.
    pub async fn create_json(&self, key: &str, value: &(impl Serialize + ?Sized)) -> Result<bool, EngineError> {
        match self.json_upload(key, value)?.if_none_match("*").send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.raw_response().map(|response| response.status().as_u16()) {
                Some(412) => Ok(false),
                // Another upload of this key, at the same time: it may succeed or not.
                Some(409) => {
                    let context = format!("{} is being written by another request", self.uri(key));
                    Err(EngineError::transient(context).caused_by(error))
                }
                _ => Err(self.failed("write", key, &error)),
            },
        }
    }

    fn json_upload(&self, key: &str, value: &(impl Serialize + ?Sized)) -> Result<PutObjectFluentBuilder, EngineError> {
        let body = serde_json::to_vec(value).map_err(|error| {
            EngineError::internal(format!("cannot write {} as JSON", self.uri(key))).caused_by(error)
        })?;
        let put = self.client.put_object().bucket(&self.name).key(key).content_type("application/json");
        Ok(put.body(body.into()))
    }

    /// Returns size and version of the object `key`, or `None` if it does not exist.
    ///
    /// # Errors
    /// Returns an error if the object cannot be read.
    pub async fn head(&self, key: &str) -> Result<Option<ObjectMeta>, EngineError> {
        head(&self.client, &self.uri(key)).await
    }

    /// Returns true if the object `key` exists.
    ///
    /// # Errors
    /// Returns an error if the object cannot be read.
    pub async fn contains(&self, key: &str) -> Result<bool, EngineError> {
        Ok(self.head(key).await?.is_some())
    }

    /// Returns true if a listing contains the object `key`, which needs no permission to read it.
    ///
    /// # Errors
    /// Returns an error if the bucket cannot be listed.
    pub async fn is_listed(&self, key: &str) -> Result<bool, EngineError> {
        let listed = self.client.list_objects_v2().bucket(&self.name).prefix(key).max_keys(1).send().await;
        let listed = listed.map_err(|error| self.failed("list", key, &error))?;
        // Keys that begin with this one come after it.
        Ok(listed.contents().first().and_then(|object| object.key()) == Some(key))
    }

    /// Returns all objects whose keys begin with `prefix`, in the order of their keys.
    ///
    /// # Errors
    /// Returns an error if the bucket cannot be listed.
    pub async fn list(&self, prefix: &str) -> Result<Vec<ObjectMeta>, EngineError> {
        list(&self.client, &self.uri(prefix)).await
    }

    /// Starts a set of uploads to this bucket.
    pub fn uploads(&self, runtime: &Handle) -> Uploads {
        Uploads::new(runtime, &self.client, &self.name)
    }

    /// Creates a URL that gives access to the object `key` for this time without credentials; browsers save it under the
    /// file's name.
    ///
    /// # Errors
    /// Returns an error if there are no credentials to sign with.
    pub async fn presign(&self, key: &str, valid_for: Duration) -> Result<String, EngineError> {
        let config = self.presigning(key, valid_for)?;
        let disposition = format!("attachment; filename=\"{}\"", percent_encoded(file_name(key)));
        let get = self.client.get_object().bucket(&self.name).key(key).response_content_disposition(disposition);
        let presigned = get.presigned(config).await.map_err(|error| self.failed("sign a link to", key, &error))?;
        Ok(presigned.uri().to_owned())
    }

    /// Creates a URL that gives access to the headers of the object `key` alone, for a request with the method HEAD.
    ///
    /// # Errors
    /// Returns an error if there are no credentials to sign with.
    pub async fn presign_head(&self, key: &str, valid_for: Duration) -> Result<String, EngineError> {
        let head = self.client.head_object().bucket(&self.name).key(key);
        let presigned = head.presigned(self.presigning(key, valid_for)?).await;
        Ok(presigned.map_err(|error| self.failed("sign a link to", key, &error))?.uri().to_owned())
    }

    fn presigning(&self, key: &str, valid_for: Duration) -> Result<PresigningConfig, EngineError> {
        let config = PresigningConfig::expires_in(valid_for);
        config
            .map_err(|error| EngineError::internal(format!("cannot sign a link to {}", self.uri(key))).caused_by(error))
    }

    /// Returns the parsed object `key`, or the response of S3 that it does not exist.
    async fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Result<T, Missing>, EngineError> {
        let body = match read_whole(self.client.get_object().bucket(&self.name).key(key)).await {
            Ok(body) => body,
            Err(ReadFailure::Refused(error)) if is_missing(&error) => return Ok(Err(*error)),
            Err(ReadFailure::Refused(error)) => return Err(self.failed("read", key, &error)),
            Err(ReadFailure::Broke(error)) => {
                return Err(EngineError::transient(format!("cannot read {}", self.uri(key))).caused_by(error));
            }
        };
        let value = serde_json::from_slice(&body);
        value.map(Ok).map_err(|error| {
            EngineError::corrupt(format!("{} is not what was written there", self.uri(key))).caused_by(error)
        })
    }

    fn failed<E: AwsOperation>(&self, verb: &str, key: &str, error: &SdkError<E>) -> EngineError {
        EngineError::from_aws(format!("cannot {verb} {}", self.uri(key)), error)
    }
}

type Missing = SdkError<GetObjectError>;

/// Returns true if the object is missing; a missing bucket is an error of its own.
fn is_missing(error: &Missing) -> bool {
    let status = error.raw_response().map(|response| response.status().as_u16());
    status == Some(404) && error.code() != Some("NoSuchBucket")
}
