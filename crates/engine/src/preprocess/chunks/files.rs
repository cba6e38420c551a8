//! The two files of a chunk, which are written together.

use crate::error::EngineError;
use crate::objects::{ClosableWrite, ObjectSink};
use crate::rows::parquet_write::ParquetFile;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bedrock_batch_domain::layout::Layout;

/// Chunk whose files are open.
pub(super) struct ChunkFiles<W: ClosableWrite> {
    records: W,
    rows: ParquetFile<W>,
    /// Number of written lines.
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
        let rows = ParquetFile::create(sink.create(&layout.rows_key(index))?, schema)?;
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
