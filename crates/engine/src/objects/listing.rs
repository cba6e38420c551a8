//! Which objects there are.

use crate::error::EngineError;
use aws_sdk_s3::Client;
use aws_sdk_s3::types::Object;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::s3_uri::S3Uri;

/// An object that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
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
pub async fn head(client: &Client, uri: &S3Uri) -> Result<Option<Found>, EngineError> {
    match client.head_object().bucket(&uri.bucket).key(&uri.key).send().await {
        Ok(object) => Ok(Some(Found {
            uri: uri.clone(),
            bytes: object.content_length().and_then(|n| u64::try_from(n).ok()).unwrap_or(0),
            etag: object.e_tag().unwrap_or_default().to_owned(),
        })),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_not_found()) => Ok(None),
        Err(error) => Err(refused(uri, error.raw_response().map(|r| r.status().as_u16()), &error)),
    }
}

/// All objects whose keys begin with `prefix.key`, in the order of their keys.
///
/// # Errors
/// `InvalidInput` if the bucket does not exist or may not be read; else as S3 fails.
pub async fn list(client: &Client, prefix: &S3Uri) -> Result<Vec<Found>, EngineError> {
    let mut pages = client.list_objects_v2().bucket(&prefix.bucket).prefix(&prefix.key).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| refused(prefix, error.raw_response().map(|r| r.status().as_u16()), &error))?;
        found.extend(found_in(prefix, page.contents()));
    }
    Ok(found)
}

/// The first 1,000 objects whose keys begin with `prefix.key`.
///
/// # Errors
/// As [`list`].
pub async fn list_first(client: &Client, prefix: &S3Uri) -> Result<Vec<Found>, EngineError> {
    let page = client.list_objects_v2().bucket(&prefix.bucket).prefix(&prefix.key).send().await;
    let page = page.map_err(|error| refused(prefix, error.raw_response().map(|r| r.status().as_u16()), &error))?;
    Ok(found_in(prefix, page.contents()))
}

fn found_in(prefix: &S3Uri, objects: &[Object]) -> Vec<Found> {
    let found = objects.iter().map(|object| Found {
        uri: S3Uri::new(&prefix.bucket, object.key().unwrap_or_default()),
        bytes: object.size().and_then(|n| u64::try_from(n).ok()).unwrap_or(0),
        etag: object.e_tag().unwrap_or_default().to_owned(),
    });
    found.collect()
}

fn refused<E: ProvideErrorMetadata + std::error::Error>(uri: &S3Uri, status: Option<u16>, error: &E) -> EngineError {
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
