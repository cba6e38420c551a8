//! A bucket in memory.

use bedrock_batch_engine::objects::{ClosableWrite, ObjectSink};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex};

/// A bucket.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bucket(Arc<Mutex<BTreeMap<String, Bytes>>>);

pub(crate) struct Object(Bucket, String, Vec<u8>);

impl ObjectSink for Bucket {
    type Writer = Object;
    fn create(&self, key: &str) -> std::io::Result<Object> {
        Ok(Object(self.clone(), key.to_owned(), Vec::new()))
    }
}

impl Write for Object {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.2.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl ClosableWrite for Object {
    fn close(self) -> std::io::Result<()> {
        self.0.0.lock().unwrap().insert(self.1, self.2.into());
        Ok(())
    }
}

impl Bucket {
    /// The object of this key.
    pub(crate) fn get(&self, key: &str) -> Bytes {
        self.find(key).unwrap_or_else(|| panic!("{key} is not there"))
    }

    /// The object of this key, if there is one.
    pub(crate) fn find(&self, key: &str) -> Option<Bytes> {
        self.0.lock().unwrap().get(key).cloned()
    }
}
