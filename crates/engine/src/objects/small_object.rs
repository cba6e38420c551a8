//! Reading of an object that a request names, and that is small enough to be held in memory.

use crate::error::EngineError;
use aws_sdk_s3::Client;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::s3_uri::S3Uri;

/// Content of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmallObject {
    /// Content.
    pub bytes: Vec<u8>,
    /// `ETag` including its quotes.
    pub etag: String,
}

/// Reads the object `uri`, which `field` names.
///
/// # Errors
/// Returns `InvalidInput` if the object does not exist, may not be read or has more than `max_bytes`, and another error if the S3
/// request fails.
pub async fn read_small(client: &Client, field: &str, uri: &S3Uri, max_bytes: u64) -> Result<SmallObject, EngineError> {
    let object = match client.get_object().bucket(&uri.bucket).key(&uri.key).send().await {
        Ok(object) => object,
        Err(error) => {
            let status = error.raw_response().map(|response| response.status().as_u16());
            let (rule, remedy) = match (status, error.code()) {
                (_, Some("NoSuchBucket")) => ("this bucket does not exist", "check its name"),
                (_, Some("InvalidObjectState")) => ("this object is archived", "restore it first"),
                (Some(404), _) => ("this object does not exist", "upload it, or correct the address"),
                (Some(403), _) => (
                    "the stack may not read this object, or its encryption key",
                    "allow it, upload the object to the stack's bucket, or correct the address",
                ),
                (Some(301), _) => ("this bucket is in another region", "copy the object"),
                _ => return Err(EngineError::from_aws(format!("cannot read {uri}"), &error)),
            };
            return Err(Problem::new(field, uri, rule).remedy(remedy).into());
        }
    };
    let too_large = |bytes: u64| {
        let rule = format!("has {bytes} bytes or more, but at most {max_bytes} are allowed");
        Problem::new(field, uri, rule).remedy("shorten it")
    };
    // What is too large is not read.
    if let Some(bytes) = object.content_length().and_then(|bytes| u64::try_from(bytes).ok()).filter(|n| *n > max_bytes)
    {
        return Err(too_large(bytes).into());
    }
    let etag = object.e_tag().unwrap_or_default().to_owned();
    let (mut body, mut bytes) = (object.body, Vec::new());
    while let Some(part) = body.next().await {
        let part = part.map_err(|error| EngineError::transient(format!("cannot read {uri}")).caused_by(error))?;
        bytes.extend_from_slice(&part);
        if bytes.len() as u64 > max_bytes {
            return Err(too_large(bytes.len() as u64).into());
        }
    }
    Ok(SmallObject { bytes, etag })
}
