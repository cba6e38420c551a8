//! Random access to an object in S3.

use super::ObjectMeta;
use super::block_reader::{BlockReader, RangeSource};
use super::stream_reader::changed_or_failed;
use super::whole_body::{ReadFailure, read_whole};
use crate::error::EngineError;
use aws_sdk_s3::Client;
use bytes::Bytes;
use std::ops::Range;
use tokio::runtime::Handle;

/// Reader of an object with random access. To be used on a blocking thread.
pub type ObjectRangeReader = BlockReader<ObjectRange>;

/// Object whose bytes can be fetched from any position.
#[derive(Debug)]
pub struct ObjectRange {
    client: Client,
    object: ObjectMeta,
}

impl BlockReader<ObjectRange> {
    /// Creates a reader of `object`; sends no request.
    pub fn new(runtime: &Handle, client: &Client, object: &ObjectMeta) -> Self {
        Self::of(runtime, ObjectRange { client: client.clone(), object: object.clone() })
    }
}

impl RangeSource for ObjectRange {
    fn bytes(&self) -> u64 {
        self.object.bytes
    }

    fn name(&self) -> String {
        self.object.uri.to_string()
    }

    async fn fetch(&self, range: Range<u64>) -> Result<Bytes, EngineError> {
        let uri = &self.object.uri;
        let get = self.client.get_object().bucket(&uri.bucket).key(&uri.key).if_match(&self.object.etag);
        let get = get.range(format!("bytes={}-{}", range.start, range.end.saturating_sub(1)));
        read_whole(get).await.map_err(|failure| match failure {
            ReadFailure::Refused(error) => changed_or_failed(&self.object, &error),
            ReadFailure::Broke(error) => EngineError::transient(format!("reading {uri} broke")).caused_by(error),
        })
    }
}
