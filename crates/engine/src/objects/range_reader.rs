//! Random access to an object, for Parquet. It is read in blocks, of which the latest are cached, so that memory is
//! independent of the size of the file's row groups.

use super::ObjectMeta;
use super::stream_reader::changed_or_failed;
use crate::error::EngineError;
use aws_sdk_s3::Client;
use bytes::{Buf, Bytes};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Handle;

/// Size of a block.
const BLOCK_BYTES: u64 = 2 * 1024 * 1024;
/// Number of cached blocks: one per column is needed, and files with more columns are read more slowly.
const CACHED_BLOCKS: usize = 24;

/// Reader of an object with random access. To be used on a blocking thread.
#[derive(Debug, Clone)]
pub struct ObjectRangeReader {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    runtime: Handle,
    client: Client,
    object: ObjectMeta,
    /// Number and content of cached blocks, the most recently used last.
    blocks: Mutex<VecDeque<(u64, Bytes)>>,
}

impl ObjectRangeReader {
    /// Creates a reader of `object`; sends no request.
    pub fn new(runtime: &Handle, client: &Client, object: &ObjectMeta) -> Self {
        let shared = Shared {
            runtime: runtime.clone(),
            client: client.clone(),
            object: object.clone(),
            blocks: Mutex::new(VecDeque::new()),
        };
        Self { shared: Arc::new(shared) }
    }
}

impl Shared {
    /// Returns the block that contains `at`, from there to its end.
    fn from(&self, at: u64) -> io::Result<Bytes> {
        let number = at / BLOCK_BYTES;
        let block = {
            let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
            let kept = blocks.iter().position(|(kept, _)| *kept == number).and_then(|place| blocks.remove(place));
            let block = match kept {
                Some((_, block)) => block,
                None => self.runtime.block_on(self.fetch(number))?,
            };
            if blocks.len() >= CACHED_BLOCKS {
                blocks.pop_front();
            }
            blocks.push_back((number, block.clone()));
            block
        };
        let offset = usize::try_from(at % BLOCK_BYTES).unwrap_or(usize::MAX).min(block.len());
        Ok(block.slice(offset..))
    }

    async fn fetch(&self, number: u64) -> Result<Bytes, EngineError> {
        let first = number * BLOCK_BYTES;
        let last = (first + BLOCK_BYTES).min(self.object.bytes).saturating_sub(1);
        let uri = &self.object.uri;
        let get = self.client.get_object().bucket(&uri.bucket).key(&uri.key).if_match(&self.object.etag);
        let answer = get.range(format!("bytes={first}-{last}")).send().await;
        let answer = answer.map_err(|error| changed_or_failed(&self.object, &error))?;
        let body = answer.body.collect().await;
        let body = body.map_err(|error| EngineError::transient(format!("reading {uri} broke")).caused_by(error))?;
        Ok(body.into_bytes())
    }
}

impl Length for ObjectRangeReader {
    fn len(&self) -> u64 {
        self.shared.object.bytes
    }
}

impl ChunkReader for ObjectRangeReader {
    type T = ChunkRead;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        Ok(ChunkRead { shared: Arc::clone(&self.shared), at: start, current: Bytes::new() })
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let block = self.shared.from(start).map_err(ParquetError::from)?;
        if block.len() >= length {
            return Ok(block.slice(..length));
        }
        let mut bytes = Vec::with_capacity(length);
        self.get_read(start)?.take(length as u64).read_to_end(&mut bytes)?;
        if bytes.len() < length {
            return Err(ParquetError::EOF(format!("{} ends within a page", self.shared.object.uri)));
        }
        Ok(bytes.into())
    }
}

/// Reader of an object from a certain position.
#[derive(Debug)]
pub struct ChunkRead {
    shared: Arc<Shared>,
    at: u64,
    current: Bytes,
}

impl Read for ChunkRead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.current.is_empty() {
            if self.at >= self.shared.object.bytes {
                return Ok(0);
            }
            self.current = self.shared.from(self.at)?;
        }
        let length = buffer.len().min(self.current.len());
        self.current.copy_to_slice(&mut buffer[..length]);
        self.at += length as u64;
        Ok(length)
    }
}
