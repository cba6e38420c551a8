//! Random access to a file, for Parquet. It is read in blocks, of which the latest are cached, so that memory is independent
//! of the size of the file's row groups. It does depend on the size of the pages, which are held whole beside the blocks: one per
//! column that is read, compressed and decompressed.

use crate::error::EngineError;
use bytes::{Buf, Bytes};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Handle;

/// Size of a block.
const BLOCK_BYTES: u64 = 2 * 1024 * 1024;
/// Number of cached blocks: one per column is needed, and files with more columns are read more slowly.
const CACHED_BLOCKS: usize = 24;

/// File whose bytes can be fetched from any position.
pub trait RangeSource: fmt::Debug + Send + Sync + 'static {
    /// Size of the file.
    fn bytes(&self) -> u64;

    /// Name of the file, for messages.
    fn name(&self) -> String;

    /// Fetches all bytes of `range`, which lies within the file.
    fn fetch(&self, range: Range<u64>) -> impl Future<Output = Result<Bytes, EngineError>> + Send;
}

/// Reader of a file with random access. To be used on a blocking thread.
#[derive(Debug)]
pub struct BlockReader<S> {
    shared: Arc<Shared<S>>,
}

/// Clones share the blocks.
impl<S> Clone for BlockReader<S> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

#[derive(Debug)]
struct Shared<S> {
    runtime: Handle,
    source: S,
    /// Number and content of cached blocks, the most recently used last.
    blocks: Mutex<VecDeque<(u64, Bytes)>>,
}

impl<S: RangeSource> BlockReader<S> {
    /// Creates a reader of `source`; sends no request.
    pub fn of(runtime: &Handle, source: S) -> Self {
        let shared = Shared { runtime: runtime.clone(), source, blocks: Mutex::new(VecDeque::new()) };
        Self { shared: Arc::new(shared) }
    }
}

impl<S: RangeSource> Shared<S> {
    /// Returns the block that contains `at`, from there to its end.
    fn from(&self, at: u64) -> io::Result<Bytes> {
        if at >= self.source.bytes() {
            // A damaged file may name a position behind its end.
            return Ok(Bytes::new());
        }
        let number = at / BLOCK_BYTES;
        let block = {
            let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
            let kept = blocks.iter().position(|(kept, _)| *kept == number).and_then(|place| blocks.remove(place));
            let block = match kept {
                Some((_, block)) => block,
                None => {
                    let first = number * BLOCK_BYTES;
                    let range = first..(first + BLOCK_BYTES).min(self.source.bytes());
                    self.runtime.block_on(self.source.fetch(range))?
                }
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
}

impl<S: RangeSource> Length for BlockReader<S> {
    fn len(&self) -> u64 {
        self.shared.source.bytes()
    }
}

impl<S: RangeSource> ChunkReader for BlockReader<S> {
    type T = ChunkRead<S>;

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
            return Err(ParquetError::EOF(format!("{} ends within a page", self.shared.source.name())));
        }
        Ok(bytes.into())
    }
}

/// Reader of a file from a certain position.
#[derive(Debug)]
pub struct ChunkRead<S> {
    shared: Arc<Shared<S>>,
    at: u64,
    current: Bytes,
}

impl<S: RangeSource> Read for ChunkRead<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.current.is_empty() {
            if self.at >= self.shared.source.bytes() {
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
