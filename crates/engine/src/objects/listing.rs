//! Which objects there are.

use crate::error::{AwsOperation, EngineError};
use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::s3_uri::S3Uri;

/// An object that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectMeta {
    /// Where.
    pub uri: S3Uri,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its `ETag`, quotes included: what a later read insists on.
    pub etag: String,
}

/// The object at `uri`, if there is one.
///
/// # Errors
/// `InvalidInput` if it may not be read; else as S3 fails.
pub async fn head(client: &Client, uri: &S3Uri) -> Result<Option<ObjectMeta>, EngineError> {
    match client.head_object().bucket(&uri.bucket).key(&uri.key).send().await {
        Ok(object) => Ok(Some(ObjectMeta {
            uri: uri.clone(),
            bytes: object.content_length().and_then(|n| u64::try_from(n).ok()).unwrap_or(0),
            etag: object.e_tag().unwrap_or_default().to_owned(),
        })),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_not_found()) => Ok(None),
        Err(error) => Err(refused(uri, &error)),
    }
}

/// All objects whose keys begin with `prefix.key`, in the order of their keys.
///
/// # Errors
/// `InvalidInput` if the bucket does not exist or may not be read; else as S3 fails.
pub async fn list(client: &Client, prefix: &S3Uri) -> Result<Vec<ObjectMeta>, EngineError> {
    let mut pages = Pages::new(client, prefix);
    let mut found = Vec::new();
    while let Some(page) = pages.next().await? {
        found.extend(page);
    }
    Ok(found)
}

/// The same objects page by page, for prefixes that may hold any number of them.
#[derive(Debug)]
pub struct Pages {
    client: Client,
    prefix: S3Uri,
    /// Where to go on; `None` before the first page.
    token: Option<String>,
    is_over: bool,
}

impl Pages {
    /// The objects whose keys begin with `prefix.key`; asks for none yet.
    pub fn new(client: &Client, prefix: &S3Uri) -> Self {
        Self { client: client.clone(), prefix: prefix.clone(), token: None, is_over: false }
    }

    /// The next page, of at most 1,000 objects, in the order of their keys.
    ///
    /// # Errors
    /// As for [`list`].
    pub async fn next(&mut self) -> Result<Option<Vec<ObjectMeta>>, EngineError> {
        if self.is_over {
            return Ok(None);
        }
        let prefix = &self.prefix;
        let ask = self.client.list_objects_v2().bucket(&prefix.bucket).prefix(&prefix.key);
        let page = ask.set_continuation_token(self.token.take()).send().await;
        let page = page.map_err(|error| refused(prefix, &error))?;
        let found = page.contents().iter().map(|object| ObjectMeta {
            uri: S3Uri::new(&prefix.bucket, object.key().unwrap_or_default()),
            bytes: object.size().and_then(|n| u64::try_from(n).ok()).unwrap_or(0),
            etag: object.e_tag().unwrap_or_default().to_owned(),
        });
        let found = found.collect();
        self.token = page.next_continuation_token;
        self.is_over = self.token.is_none();
        Ok(Some(found))
    }
}

fn refused<E: AwsOperation>(uri: &S3Uri, error: &SdkError<E>) -> EngineError {
    let status = error.raw_response().map(|response| response.status().as_u16());
    match (status, error.code()) {
        _ if Layout::is_internal(&uri.key) => EngineError::from_aws(format!("cannot look at {uri}"), error),
        (_, Some("NoSuchBucket")) => {
            Problem::new("s3_uri", uri, "this bucket does not exist").remedy("check its name").into()
        }
        (Some(403), _) => Problem::new("s3_uri", uri, "the stack may not read there")
            .remedy("add the bucket to the context key `inputBuckets` and deploy, or copy the data")
            .into(),
        (Some(301), _) => Problem::new("s3_uri", uri, "this bucket is in another region").into(),
        _ => EngineError::from_aws(format!("cannot look at {uri}"), error),
    }
}
