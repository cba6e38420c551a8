//! Objects whose names do not say whether they are images: their first bytes do.

use crate::error::EngineError;
use crate::objects::ObjectMeta;
use aws_sdk_s3::Client;
use bedrock_batch_domain::image::looks_like_image;

/// Number of bytes by which formats are recognized.
pub const FIRST_BYTES: u64 = 1024;
/// Number of objects that are looked at concurrently.
const CONCURRENCY: usize = 32;

/// Returns for each object whether it begins like an image, in their order. One that cannot be read is taken for one, so that its
/// row has the reason.
///
/// # Errors
/// Returns an error if an S3 request fails transiently.
pub(super) async fn are_images(client: &Client, objects: &[ObjectMeta]) -> Result<Vec<bool>, EngineError> {
    let mut found = Vec::with_capacity(objects.len());
    for objects in objects.chunks(CONCURRENCY) {
        let looked = objects.iter().map(|object| {
            let (client, object) = (client.clone(), object.clone());
            tokio::spawn(async move { is_image(&client, &object).await })
        });
        for looked in looked.collect::<Vec<_>>() {
            found.push(looked.await.map_err(|error| EngineError::died("looking at an object", error))??);
        }
    }
    Ok(found)
}

async fn is_image(client: &Client, object: &ObjectMeta) -> Result<bool, EngineError> {
    if object.bytes == 0 {
        return Ok(false);
    }
    let range = format!("bytes=0-{}", FIRST_BYTES.min(object.bytes) - 1);
    let request = client.get_object().bucket(&object.uri.bucket).key(&object.uri.key).range(range);
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(error) => {
            let is_refused = error.raw_response().is_some_and(|answer| (400..500).contains(&answer.status().as_u16()));
            let failed = || EngineError::from_aws(format!("cannot read {}", object.uri), &error);
            return if is_refused { Ok(true) } else { Err(failed()) };
        }
    };
    let bytes = answer.body.collect().await;
    let bytes = bytes.map_err(|error| EngineError::transient(format!("reading {} broke: {error}", object.uri)))?;
    Ok(looks_like_image(&bytes.into_bytes()))
}
