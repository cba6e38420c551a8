//! A source of Parquet bytes that keeps the error of a failed read. The reader of batches passes errors on as text, in which
//! their kind would be lost: a denied read would be retried, and a fault of the network taken for damaged data.

use super::parquet_guard::PageBudget;
use super::parquet_write::of_the_stream;
use crate::error::EngineError;
use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

/// The first error of a source, once there is one.
#[derive(Debug, Clone, Default)]
pub(super) struct SourceFailure(Arc<Mutex<Option<EngineError>>>);

impl SourceFailure {
    /// Takes the error out.
    pub(super) fn take(&self) -> Option<EngineError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn keep(&self, error: EngineError) -> &'static str {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        "the source cannot be read"
    }

    fn keep_parquet(&self, error: ParquetError) -> ParquetError {
        match of_the_stream(error) {
            Ok(own) => ParquetError::General(self.keep(own).to_owned()),
            Err(of_parquet) => of_parquet,
        }
    }

    fn keep_io(&self, error: io::Error) -> io::Error {
        // `read_exact` and its like read on after this one.
        if error.kind() == io::ErrorKind::Interrupted { error } else { io::Error::other(self.keep(error.into())) }
    }
}

/// The source; clones share it.
#[derive(Debug)]
pub(super) struct WatchedSource<R> {
    source: Arc<R>,
    failure: SourceFailure,
    /// Memory of the pages that are read.
    budget: Option<Arc<PageBudget>>,
}

impl<R> Clone for WatchedSource<R> {
    fn clone(&self) -> Self {
        Self { source: Arc::clone(&self.source), failure: self.failure.clone(), budget: self.budget.clone() }
    }
}

impl<R> WatchedSource<R> {
    pub(super) fn new(source: R, failure: &SourceFailure) -> Self {
        Self { source: Arc::new(source), failure: failure.clone(), budget: None }
    }

    /// Lets the budget count each page before it is read.
    pub(super) fn within(self, budget: &Arc<PageBudget>) -> Self {
        Self { budget: Some(Arc::clone(budget)), ..self }
    }
}

impl<R: ChunkReader> Length for WatchedSource<R> {
    fn len(&self) -> u64 {
        self.source.len()
    }
}

impl<R: ChunkReader> ChunkReader for WatchedSource<R> {
    type T = WatchedRead<R::T>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        if let Some(budget) = &self.budget {
            budget.page_at(start, &*self.source).map_err(|error| self.failure.keep_parquet(error))?;
        }
        let read = self.source.get_read(start).map_err(|error| self.failure.keep_parquet(error))?;
        Ok(WatchedRead { read, failure: self.failure.clone() })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        self.source.get_bytes(start, length).map_err(|error| self.failure.keep_parquet(error))
    }
}

/// The source from some place on.
#[derive(Debug)]
pub(super) struct WatchedRead<T> {
    read: T,
    failure: SourceFailure,
}

impl<T: Read> Read for WatchedRead<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read.read(buffer).map_err(|error| self.failure.keep_io(error))
    }
}
