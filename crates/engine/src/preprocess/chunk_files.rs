//! The two files of a chunk, being written side by side.

use crate::error::EngineError;
use crate::objects::{ClosableWrite, ObjectSink};
use crate::rows::parquet_write::{ParquetFile, Readers};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bedrock_batch_domain::layout::Layout;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

/// A chunk whose files are open.
pub(super) struct ChunkFiles<W: ClosableWrite> {
    records: W,
    rows: ParquetFile<W>,
    /// Lines written.
    pub(super) count: u32,
}

impl<W: ClosableWrite> ChunkFiles<W> {
    pub(super) fn create<S: ObjectSink<Writer = W>>(
        sink: &S,
        layout: &Layout,
        index: u32,
        schema: SchemaRef,
    ) -> Result<Self, EngineError> {
        let records = sink.create(&layout.records_key(index))?;
        let rows = ParquetFile::create(sink.create(&layout.rows_key(index))?, schema, Readers::Internal)?;
        Ok(Self { records, rows, count: 0 })
    }

    pub(super) fn write(&mut self, lines: &[u8], line_count: u32, rows: &RecordBatch) -> Result<(), EngineError> {
        self.records.write_all(lines)?;
        self.count += line_count;
        self.rows.write(rows)
    }

    pub(super) fn close(self) -> Result<u32, EngineError> {
        self.records.close()?;
        self.rows.finish()?.close()?;
        Ok(self.count)
    }
}

/// A folder in place of a bucket, for benchmarks and tests.
#[derive(Debug, Clone)]
pub struct FolderSink {
    /// The folder; keys are paths below it.
    pub folder: PathBuf,
}

/// A file that takes its name only when it is closed.
#[derive(Debug)]
pub struct FolderFile {
    file: BufWriter<File>,
    unfinished: PathBuf,
    finished: PathBuf,
}

impl ObjectSink for FolderSink {
    type Writer = FolderFile;

    fn create(&self, key: &str) -> io::Result<FolderFile> {
        let finished = self.folder.join(key);
        if let Some(parent) = finished.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let unfinished = self.folder.join(format!("{key}.unfinished"));
        let file = BufWriter::with_capacity(256 * 1024, File::create(&unfinished)?);
        Ok(FolderFile { file, unfinished, finished })
    }
}

impl Write for FolderFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl ClosableWrite for FolderFile {
    fn close(mut self) -> io::Result<()> {
        self.file.flush()?;
        std::fs::rename(&self.unfinished, &self.finished)
    }
}
