//! In-memory bucket of the model.

use bedrock_batch_engine::objects::{MemorySink, MemoryWriter, ObjectSink};
use bytes::Bytes;

/// Sink whose objects must exist when they are read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bucket(MemorySink);

impl ObjectSink for Bucket {
    type Writer = MemoryWriter;

    fn create(&self, key: &str) -> std::io::Result<MemoryWriter> {
        self.0.create(key)
    }
}

impl Bucket {
    /// Returns the object with this key.
    pub(crate) fn get(&self, key: &str) -> Bytes {
        self.find(key).unwrap_or_else(|| panic!("{key} does not exist"))
    }

    /// Returns the object with this key, if it exists.
    pub(crate) fn find(&self, key: &str) -> Option<Bytes> {
        self.0.get(key)
    }
}
