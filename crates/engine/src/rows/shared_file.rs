//! Local file from which Parquet can be read repeatedly.

use bytes::Bytes;
use parquet::errors::Result;
use parquet::file::reader::{ChunkReader, Length};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

/// Open file; clones read it independently.
#[derive(Debug, Clone)]
pub struct SharedFile {
    file: Arc<File>,
}

impl SharedFile {
    /// Opens a file.
    ///
    /// # Errors
    /// Returns an error if it cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: Arc::new(File::open(path)?) })
    }
}

impl Length for SharedFile {
    fn len(&self) -> u64 {
        self.file.metadata().map_or(0, |meta| meta.len())
    }
}

impl ChunkReader for SharedFile {
    type T = BufReader<File>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        let mut file = self.file.try_clone()?;
        file.seek(SeekFrom::Start(start))?;
        Ok(BufReader::new(file))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let mut bytes = Vec::with_capacity(length);
        let mut file = self.file.try_clone()?;
        file.seek(SeekFrom::Start(start))?;
        file.take(length as u64).read_to_end(&mut bytes)?;
        Ok(bytes.into())
    }
}
