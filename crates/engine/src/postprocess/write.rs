//! Writing of rows with their answers.

use super::answers::Answers;
use super::files::{OutputFile, create_files};
use super::join_job::JoinJob;
use super::output::AnswerColumns;
use crate::error::EngineError;
use crate::objects::{ClosableWrite, ObjectSink};
use crate::rows::BATCH_ROWS;
use crate::rows::encoded_columns::EncodedColumns;
use crate::rows::parquet_extend::ExtendedParquetFile;
use crate::rows::parquet_read::ParquetRows;
use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{ArrowError, Field, Fields, Schema, SchemaRef};
use bedrock_batch_domain::columns::{Column, INTERNAL, RECORD_ID, names_beside};
use bedrock_batch_domain::extract::{ColumnType, FieldKinds};
use bedrock_batch_domain::input::OutputFormat;
use bedrock_batch_domain::record_id::RecordId;
use bedrock_batch_domain::summary::ChunkCounts;
use parquet::file::reader::ChunkReader;
use std::collections::HashMap;
use std::sync::Arc;

/// Maximum size of the answers to the rows of a row group that is taken over from the rows file: they are encoded in memory, while
/// other row groups end when they are large.
const MAX_GROUP_BYTES: usize = 32 << 20;

/// Rows of a join with their answers, for the columns of outputs.
struct AnsweredRows<'a> {
    job: &'a JoinJob<'a>,
    answers: &'a Answers<'a>,
    types: Vec<ColumnType>,
    /// If true, the rows equal rows that were sent.
    are_duplicates: bool,
    /// Number of rows whose columns were created.
    done: usize,
}

/// Columns that answers add, with their names.
type AddedColumns = Vec<(String, ArrayRef)>;

/// Writes the rows of the file `rows` with their answers, and counts them.
pub(super) fn write<R, S>(
    job: &JoinJob<'_>,
    rows: &R,
    rows_name: &str,
    answers: &Answers<'_>,
    are_duplicates: bool,
    counts: &mut ChunkCounts,
    sink: &S,
) -> Result<(), EngineError>
where
    R: ChunkReader + Clone + 'static,
    S: ObjectSink,
{
    (counts.kinds, counts.values) = answers.kinds();
    let own = || counts.kinds.iter().map(FieldKinds::column_type).collect();
    // A prompt's fields do not change within a run, so there are as many types as fields.
    let types: Vec<ColumnType> =
        job.types.filter(|types| types.len() == counts.kinds.len()).map_or_else(own, <[ColumnType]>::to_vec);
    let mut answered = AnsweredRows { job, answers, types, are_duplicates, done: 0 };
    match columns_to_take_over(job, rows, rows_name, answers)? {
        Some((columns, key)) => answered.write_beside(&columns, sink.create(key)?, counts)?,
        None => answered.write_all(rows, rows_name, counts, sink)?,
    }
    counts.types = answered.types;
    Ok(())
}

/// Returns the columns of the rows file, and the key of the only output, if that takes them over as they are encoded.
fn columns_to_take_over<'j, R>(
    job: &JoinJob<'j>,
    rows: &R,
    rows_name: &str,
    answers: &Answers<'_>,
) -> Result<Option<(EncodedColumns<R>, &'j str)>, EngineError>
where
    R: ChunkReader + Clone + 'static,
{
    let [(OutputFormat::Parquet, key)] = job.outputs else { return Ok(None) };
    if job.strip_suffix {
        return Ok(None);
    }
    let columns = EncodedColumns::open_of_run(rows.clone(), rows_name, |name| !INTERNAL.contains(&name))?;
    let Some(columns) = columns else { return Ok(None) };
    let mut begin = 0;
    for rows in columns.group_rows() {
        let end = begin + rows;
        if answers.payload_bytes(begin..end).is_none_or(|bytes| bytes > MAX_GROUP_BYTES) {
            return Ok(None);
        }
        begin = end;
    }
    Ok((begin > 0 && begin == answers.rows.len()).then_some((columns, key.as_str())))
}

impl AnsweredRows<'_> {
    /// Returns the answers to the next rows.
    fn next_columns(&mut self, rows: usize, counts: &mut ChunkCounts) -> AddedColumns {
        let rows = self.done..self.done + rows;
        let mut columns = AnswerColumns::new(self.job, self.answers, &self.types, self.are_duplicates, rows.clone());
        self.done = rows.end;
        for row in rows {
            columns.push(self.answers, row, counts);
        }
        columns.finish()
    }

    /// Writes a Parquet file of these columns, as they are encoded, and the answers to their rows.
    fn write_beside<R, W>(
        &mut self,
        columns: &EncodedColumns<R>,
        output: W,
        counts: &mut ChunkCounts,
    ) -> Result<(), EngineError>
    where
        R: ChunkReader + 'static,
        W: ClosableWrite,
    {
        // Without any row, the names and types of the columns are the same.
        let none = self.next_columns(0, counts);
        let schema = output_schema(columns.schema().fields(), &none, self.job.columns);
        let mut file = ExtendedParquetFile::create(output, schema, columns)?;
        for rows in columns.group_rows() {
            for begin in (0..rows).step_by(BATCH_ROWS) {
                let added = self.next_columns(BATCH_ROWS.min(rows - begin), counts);
                let added: Vec<ArrayRef> = added.into_iter().map(|(_, column)| column).collect();
                file.write(&added)?;
            }
            file.end_group(columns)?;
        }
        Ok(file.finish()?.close()?)
    }

    /// Writes files of all formats.
    fn write_all<R, S>(
        &mut self,
        rows: &R,
        rows_name: &str,
        counts: &mut ChunkCounts,
        sink: &S,
    ) -> Result<(), EngineError>
    where
        R: ChunkReader + Clone + 'static,
        S: ObjectSink,
    {
        let mut outputs: Option<(SchemaRef, Vec<OutputFile<S::Writer>>)> = None;
        for batch in ParquetRows::open_of_run(rows.clone(), rows_name, None)? {
            let batch = without_internal(&batch?)?;
            let batch = if self.job.strip_suffix { without_suffixes(&batch)? } else { batch };
            let added = self.next_columns(batch.num_rows(), counts);
            let (schema, files) = match &mut outputs {
                Some(outputs) => outputs,
                None => {
                    let schema = output_schema(batch.schema().fields(), &added, self.job.columns);
                    let files = create_files(self.job.outputs, self.job.csv, &schema, sink)?;
                    outputs.insert((schema, files))
                }
            };
            let columns = batch.columns().iter().cloned().chain(added.into_iter().map(|(_, column)| column));
            let answered = RecordBatch::try_new(Arc::clone(schema), columns.collect())
                .map_err(|error| EngineError::internal("answers do not fit their rows").caused_by(error))?;
            for file in files {
                file.write(&answered)?;
            }
        }
        let files = outputs.map(|(_, files)| files).unwrap_or_default();
        counts.guarded_cells = files.iter().map(OutputFile::guarded_cells).sum();
        files.into_iter().try_for_each(OutputFile::close)
    }
}

/// Returns the schema of an output: the columns of the rows, of which those that are named like an added one are prefixed with their
/// origin, and the columns that answers add.
fn output_schema(existing: &Fields, added: &AddedColumns, known: &[Column]) -> SchemaRef {
    // There may be thousands of columns.
    let known: HashMap<&str, &Column> = known.iter().rev().map(|column| (column.name.as_str(), column)).collect();
    let columns = existing.iter().map(|field| {
        let column = known.get(field.name().as_str()).copied();
        column.cloned().unwrap_or_else(|| Column::of_input(field.name()))
    });
    let columns: Vec<Column> = columns.collect();
    let added_names: Vec<&str> = added.iter().map(|(name, _)| name.as_str()).collect();
    let names = names_beside(&columns, &added_names);
    let existing = existing.iter().zip(names).map(|(field, name)| field.as_ref().clone().with_name(name));
    let added = added.iter().map(|(name, column)| Field::new(name, column.data_type().clone(), true));
    Arc::new(Schema::new(existing.chain(added).collect::<Vec<_>>()))
}

/// Returns the rows with the ids that they have in the input, without the number of the prompt at the end.
fn without_suffixes(batch: &RecordBatch) -> Result<RecordBatch, EngineError> {
    let schema = batch.schema();
    let Some((at, ids)) =
        schema.index_of(RECORD_ID).ok().and_then(|at| Some((at, batch.column(at).as_string_opt::<i32>()?)))
    else {
        return Ok(batch.clone());
    };
    let stripped: StringArray = ids.iter().map(|id| id.map(|id| RecordId::parse(id).row)).collect();
    let mut columns = batch.columns().to_vec();
    columns[at] = Arc::new(stripped);
    RecordBatch::try_new(schema, columns).map_err(cannot_remove)
}

fn without_internal(batch: &RecordBatch) -> Result<RecordBatch, EngineError> {
    let schema = batch.schema();
    let kept = schema.fields().iter().enumerate().filter(|(_, field)| !INTERNAL.contains(&field.name().as_str()));
    let kept: Vec<usize> = kept.map(|(at, _)| at).collect();
    batch.project(&kept).map_err(cannot_remove)
}

fn cannot_remove(error: ArrowError) -> EngineError {
    EngineError::internal("cannot remove the internal columns").caused_by(error)
}

#[cfg(test)]
mod tests;
