//! Objects in memory, for tests.

use super::{ClosableWrite, ObjectSink};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// Memory in place of a bucket; clones share their objects.
#[derive(Debug, Clone, Default)]
pub struct MemorySink {
    objects: Arc<Mutex<BTreeMap<String, Bytes>>>,
}

impl MemorySink {
    /// Returns the object `key`, if it was completed.
    pub fn get(&self, key: &str) -> Option<Bytes> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }
}

/// Object that is still being written.
#[derive(Debug)]
pub struct MemoryWriter {
    sink: MemorySink,
    key: String,
    bytes: Vec<u8>,
}

impl ObjectSink for MemorySink {
    type Writer = MemoryWriter;

    fn create(&self, key: &str) -> io::Result<MemoryWriter> {
        Ok(MemoryWriter { sink: self.clone(), key: key.to_owned(), bytes: Vec::new() })
    }
}

impl Write for MemoryWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl ClosableWrite for MemoryWriter {
    fn close(self) -> io::Result<()> {
        let mut objects = self.sink.objects.lock().unwrap_or_else(PoisonError::into_inner);
        objects.insert(self.key, self.bytes.into());
        Ok(())
    }
}
