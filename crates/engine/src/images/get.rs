//! Retrieval of one image from S3.

use super::address_hint::of_missing;
use crate::error::{EngineError, chain};
use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bedrock_batch_domain::image::{ImageLimits, ImageProblem, ImageTraits, MediaType, inspect};
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::row_error::{RowError, RowErrorCode as Code};
use bedrock_batch_domain::s3_uri::S3Uri;
use sha2::{Digest, Sha256};
use std::fmt::Display;

/// Maximum number of retries if the connection breaks while an image is read. Errors returned by S3 are retried by the SDK.
const MAX_BREAKS: u32 = 4;

/// Image in the form that records contain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedImage {
    /// Media type, determined from the bytes.
    pub media_type: MediaType,
    /// Bytes in base64.
    pub base64: String,
    /// SHA-256 of the bytes.
    pub digest: [u8; 32],
    /// Properties of which a model may see something else than people do.
    pub traits: ImageTraits,
}

/// Returns the image at `uri`, or the reason why the row has none. With `etag`, the image must have this one.
pub(super) async fn get(
    client: &Client,
    uri: &S3Uri,
    etag: Option<&str>,
    limits: &ImageLimits,
) -> Result<Result<FetchedImage, RowError>, EngineError> {
    let mut breaks = 0;
    loop {
        let bytes = match read(client, uri, etag, limits).await? {
            Read::All(bytes) => bytes,
            Read::None(reason) => return Ok(Err(reason)),
            Read::Broke(_) if breaks < MAX_BREAKS => {
                breaks += 1;
                continue;
            }
            Read::Broke(why) => return Err(EngineError::transient(format!("reading {uri} broke: {why}"))),
        };
        return Ok(encoded(uri, &bytes, limits));
    }
}

/// Returns the image that these bytes are, or the reason why the row has none. `name` is that of the image in messages.
pub(super) fn encoded(name: &impl Display, bytes: &[u8], limits: &ImageLimits) -> Result<FetchedImage, RowError> {
    if bytes.len() as u64 > limits.max_bytes {
        let problem = ImageProblem::TooManyBytes { bytes: bytes.len() as u64, max: limits.max_bytes };
        return Err(unusable(name, &problem));
    }
    let media_type = inspect(bytes, limits).map_err(|problem| unusable(name, &problem))?;
    let traits = ImageTraits::of(bytes, media_type);
    Ok(FetchedImage { media_type, base64: STANDARD.encode(bytes), digest: Sha256::digest(bytes).into(), traits })
}

/// Result of reading an object.
enum Read {
    All(Vec<u8>),
    None(RowError),
    Broke(String),
}

async fn read(client: &Client, uri: &S3Uri, etag: Option<&str>, limits: &ImageLimits) -> Result<Read, EngineError> {
    let request = client.get_object().bucket(&uri.bucket).key(&uri.key).set_if_match(etag.map(str::to_owned));
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(error) => {
            return match refusal(uri, &error) {
                Some(reason) => Ok(Read::None(reason)),
                None => Err(EngineError::from_aws(format!("cannot read the image {uri}"), &error)),
            };
        }
    };
    let too_many = |bytes: u64| {
        let problem = ImageProblem::TooManyBytes { bytes, max: limits.max_bytes };
        Read::None(unusable(uri, &problem))
    };
    // Checked before the bytes are read, so that they need not be.
    let announced = answer.content_length().and_then(|length| u64::try_from(length).ok()).unwrap_or(0);
    if announced > limits.max_bytes {
        return Ok(too_many(announced));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(announced).unwrap_or(0));
    let mut body = answer.body;
    while let Some(piece) = body.next().await {
        match piece {
            Ok(piece) => bytes.extend_from_slice(&piece),
            Err(error) => return Ok(Read::Broke(chain(&error))),
        }
        if bytes.len() as u64 > limits.max_bytes {
            return Ok(too_many(bytes.len() as u64));
        }
    }
    Ok(Read::All(bytes))
}

/// Returns the reason for a row whose image exists but cannot be used.
fn unusable(name: &impl Display, problem: &ImageProblem) -> RowError {
    RowError::new(problem.code(), format!("{name}: {problem}"))
}

/// Returns the reason if the error concerns only this object: a retry would not help, and other rows are not affected.
fn refusal(uri: &S3Uri, error: &SdkError<GetObjectError>) -> Option<RowError> {
    let status = error.raw_response()?.status().as_u16();
    let code = error.code().unwrap_or_default();
    let (code, rule, remedy) = match (status, code) {
        (404, "NoSuchBucket") => (Code::ImageMissing, "this bucket does not exist", "correct the address"),
        (404, _) => (Code::ImageMissing, "there is no such object", "upload it, or correct the address"),
        (412, _) => (
            Code::ImageMissing,
            "was overwritten before it was read",
            "upload the older image again under another name; the newer one starts an execution of its own",
        ),
        (403, "AccessDenied" | "AllAccessDisabled" | "") => (
            Code::ImageAccessDenied,
            "S3 denies access, or there is no such object",
            "let the stack's functions read it (and decrypt it, if it is encrypted), or correct the address",
        ),
        (403, "InvalidObjectState") => (Code::ImageArchived, "is archived", "restore it"),
        (301, _) | (400, "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException") => {
            (Code::ImageInOtherRegion, "this bucket is in another region", "copy the image")
        }
        (400, "InvalidURI" | "KeyTooLongError") => (Code::ImageAddressInvalid, "S3 takes no such key", "correct it"),
        (400 | 403, code) if code.starts_with("KMS.") => {
            (Code::ImageAccessDenied, "its encryption key cannot be used", "enable the key, or upload the image anew")
        }
        _ => return None,
    };
    // Without the right to list a bucket, an object that does not exist is denied.
    let hint = of_missing(&uri.key).filter(|_| matches!(status, 403 | 404));
    let remedy = hint.map_or_else(|| remedy.to_owned(), |hint| format!("{remedy}; {hint}"));
    Some(RowError::new(code, Problem::new("the image", uri, rule).remedy(remedy).to_string()))
}
