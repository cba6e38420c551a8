//! Writer of Parquet that adds columns to those of another file, which are not decoded.

use super::encoded_columns::EncodedColumns;
use super::parquet_write::{parquet_error, properties};
use crate::error::EngineError;
use arrow_array::ArrayRef;
use arrow_schema::{FieldRef, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::file::reader::ChunkReader;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnDescPtr;
use std::io::Write;

/// Parquet file whose first columns are taken over from another file, and whose row groups are those of that file.
pub struct ExtendedParquetFile<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    factory: ArrowRowGroupWriterFactory,
    /// Descriptions of the leaves that are taken over.
    taken: Vec<ColumnDescPtr>,
    /// Fields of the columns that are added.
    added: Vec<FieldRef>,
    /// Writers of the leaves that are added to the row group.
    leaves: Vec<ArrowColumnWriter>,
    /// Number of complete row groups.
    groups: usize,
}

impl<W: Write + Send> ExtendedParquetFile<W> {
    /// Creates a file. The first columns of `schema` are those of `source`, under the names that they have here.
    ///
    /// # Errors
    /// Returns an error if writing fails or a column's type has no Parquet form.
    pub fn create<R: ChunkReader + 'static>(
        output: W,
        schema: SchemaRef,
        source: &EncodedColumns<R>,
    ) -> Result<Self, EngineError> {
        let added = schema.fields().iter().skip(source.schema().fields().len()).cloned().collect();
        let writer = ArrowWriter::try_new(output, schema, Some(properties())).map_err(parquet_error)?;
        let (writer, factory) = writer.into_serialized_writer().map_err(parquet_error)?;
        let taken = writer.schema_descr().columns().iter().take(source.leaf_count()).cloned().collect();
        Ok(Self { writer, factory, taken, added, leaves: Vec::new(), groups: 0 })
    }

    /// Appends rows of the columns that are added to the current row group.
    ///
    /// # Errors
    /// Returns an error if the columns do not have the types of the schema.
    pub fn write(&mut self, added: &[ArrayRef]) -> Result<(), EngineError> {
        if self.leaves.is_empty() {
            let mut leaves = self.factory.create_column_writers(self.groups).map_err(parquet_error)?;
            self.leaves = leaves.split_off(self.taken.len().min(leaves.len()));
        }
        let mut leaves = self.leaves.iter_mut();
        for (field, column) in self.added.iter().zip(added) {
            for (leaf, writer) in compute_leaves(field, column).map_err(parquet_error)?.iter().zip(&mut leaves) {
                writer.write(leaf).map_err(parquet_error)?;
            }
        }
        Ok(())
    }

    /// Completes the current row group with the columns of `source`, of which it must be the next row group.
    ///
    /// # Errors
    /// Returns an error if reading or writing fails, or if the rows are not as many as those of the source.
    pub fn end_group<R: ChunkReader + 'static>(&mut self, source: &EncodedColumns<R>) -> Result<(), EngineError> {
        let mut group = self.writer.next_row_group().map_err(parquet_error)?;
        source.append(self.groups, &self.taken, &mut group)?;
        for leaf in self.leaves.drain(..) {
            let appended = leaf.close().and_then(|column| column.append_to_row_group(&mut group));
            appended.map_err(parquet_error)?;
        }
        group.close().map_err(parquet_error)?;
        self.groups += 1;
        Ok(())
    }

    /// Writes the footer and returns the output.
    ///
    /// # Errors
    /// Returns an error if writing fails.
    pub fn finish(self) -> Result<W, EngineError> {
        self.writer.into_inner().map_err(parquet_error)
    }
}
