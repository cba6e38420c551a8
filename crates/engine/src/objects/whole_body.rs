//! Reading of whole bodies. The SDK repeats requests that fail, but not bodies that break off or stall.

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStreamError;
use bytes::Bytes;

/// Maximum number of attempts.
const MAX_ATTEMPTS: u32 = 3;

/// Failure to read an object.
#[derive(Debug)]
pub(super) enum ReadFailure {
    /// There was no response, or one without the object.
    Refused(Box<SdkError<GetObjectError>>),
    /// The body broke off on every attempt.
    Broke(ByteStreamError),
}

/// Sends `get` and reads the body of the response, again if it breaks off.
pub(super) async fn read_whole(get: GetObjectFluentBuilder) -> Result<Bytes, ReadFailure> {
    let mut attempts = 1;
    loop {
        // Boxed: the future of a request is large, and that of a reader contains it.
        let object = Box::pin(get.clone().send()).await.map_err(|error| ReadFailure::Refused(Box::new(error)))?;
        match object.body.collect().await {
            Ok(body) => return Ok(body.into_bytes()),
            Err(error) if attempts >= MAX_ATTEMPTS => return Err(ReadFailure::Broke(error)),
            Err(_) => attempts += 1,
        }
    }
}
