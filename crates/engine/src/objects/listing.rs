//! Listing of objects.

use crate::error::{AwsOperation, EngineError};
use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;
use aws_smithy_types::DateTime;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::s3_uri::S3Uri;

/// Existing object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectMeta {
    /// Address of the object.
    pub uri: S3Uri,
    /// Size in bytes.
    pub bytes: u64,
    /// `ETag` including its quotes, which a later read requires.
    pub etag: String,
    /// Time of the last modification in seconds; 0 if S3 does not report it.
    pub modified: i64,
}

impl ObjectMeta {
    /// Creates the description from the response of S3. Size and `ETag` must be present: without them, the object could be
    /// read incorrectly.
    fn new(
        uri: S3Uri,
        bytes: Option<i64>,
        etag: Option<&str>,
        modified: Option<&DateTime>,
    ) -> Result<Self, EngineError> {
        match (bytes.map(u64::try_from), etag) {
            (Some(Ok(bytes)), Some(etag)) => {
                Ok(Self { uri, bytes, etag: etag.to_owned(), modified: modified.map_or(0, DateTime::secs) })
            }
            _ => Err(EngineError::internal(format!("S3 returned no size or no ETag for {uri}"))),
        }
    }
}

/// Returns the object at `uri`, if it exists.
///
/// # Errors
/// Returns `InvalidInput` if it may not be read, and another error if the S3 request fails.
pub async fn head(client: &Client, uri: &S3Uri) -> Result<Option<ObjectMeta>, EngineError> {
    match client.head_object().bucket(&uri.bucket).key(&uri.key).send().await {
        Ok(object) => {
            ObjectMeta::new(uri.clone(), object.content_length(), object.e_tag(), object.last_modified()).map(Some)
        }
        Err(error) if error.as_service_error().is_some_and(|e| e.is_not_found()) => Ok(None),
        Err(error) => Err(refused(uri, &error)),
    }
}

/// Returns all objects whose keys begin with `prefix.key`, in the order of their keys.
///
/// # Errors
/// Returns `InvalidInput` if the bucket does not exist or may not be read, and another error if the S3 request fails.
pub async fn list(client: &Client, prefix: &S3Uri) -> Result<Vec<ObjectMeta>, EngineError> {
    let mut pages = Pages::new(client, prefix);
    let mut found = Vec::new();
    while let Some(page) = pages.next().await? {
        found.extend(page);
    }
    Ok(found)
}

/// Listing page by page, for prefixes with any number of objects.
#[derive(Debug)]
pub struct Pages {
    client: Client,
    prefix: S3Uri,
    /// Continuation token; `None` before the first page.
    token: Option<String>,
    is_over: bool,
}

impl Pages {
    /// Creates a listing of the objects whose keys begin with `prefix.key`; sends no request.
    pub fn new(client: &Client, prefix: &S3Uri) -> Self {
        Self { client: client.clone(), prefix: prefix.clone(), token: None, is_over: false }
    }

    /// Returns the next page of at most 1,000 objects, in the order of their keys.
    ///
    /// # Errors
    /// Returns an error like [`list`].
    pub async fn next(&mut self) -> Result<Option<Vec<ObjectMeta>>, EngineError> {
        if self.is_over {
            return Ok(None);
        }
        let prefix = &self.prefix;
        let ask = self.client.list_objects_v2().bucket(&prefix.bucket).prefix(&prefix.key);
        let page = ask.set_continuation_token(self.token.take()).send().await;
        let page = page.map_err(|error| refused(prefix, &error))?;
        let found = page.contents().iter().map(|object| {
            let key = object
                .key()
                .ok_or_else(|| EngineError::internal(format!("S3 lists an object without a key at {prefix}")));
            let uri = S3Uri::new(&prefix.bucket, key?);
            ObjectMeta::new(uri, object.size(), object.e_tag(), object.last_modified())
        });
        let found = found.collect::<Result<_, _>>()?;
        self.token = page.next_continuation_token;
        self.is_over = self.token.is_none();
        Ok(Some(found))
    }
}

fn refused<E: AwsOperation>(uri: &S3Uri, error: &SdkError<E>) -> EngineError {
    let status = error.raw_response().map(|response| response.status().as_u16());
    match (status, error.code()) {
        _ if Layout::is_internal(&uri.key) => EngineError::from_aws(format!("cannot access {uri}"), error),
        (_, Some("NoSuchBucket")) => {
            Problem::new("s3_uri", uri, "this bucket does not exist").remedy("check its name").into()
        }
        (Some(403), _) => Problem::new("s3_uri", uri, "the stack may not read this address")
            .remedy("add the bucket to the context key `inputBuckets` and deploy, or copy the data")
            .into(),
        (Some(301), _) => Problem::new("s3_uri", uri, "this bucket is in another region").into(),
        _ => EngineError::from_aws(format!("cannot access {uri}"), error),
    }
}
