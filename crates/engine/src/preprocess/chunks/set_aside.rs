//! Rows in separate files: duplicates, and rows that are not sent if a chunk would have too many of them.

use super::ChunkWriteSpec;
use super::duplicate_index::DuplicateOf;
use super::held_batch::Positions;
use crate::error::EngineError;
use crate::objects::{ClosableWrite, ObjectSink};
use crate::preprocess::own_columns::{batch_of, with_row_errors};
use crate::rows::parquet_write::ParquetFile;
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, StringArray, UInt64Array};
use arrow_schema::{DataType, Field};
use arrow_select::filter::filter_record_batch;
use bedrock_batch_domain::columns::{RECORD_ID, SAME_AS, SAME_AS_ROW};
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::row_error::RowError;
use std::sync::Arc;

/// Reason why a row is set aside.
#[derive(Debug, Clone)]
pub(super) enum SetAside {
    /// Another row is sent in its place.
    Duplicate(DuplicateOf),
    /// It is not sent.
    NotSent(RowError),
}

/// Batch without the rows that were set aside, and these rows.
pub(super) struct Split {
    /// Rows that stay in their chunk, with their positions in the input.
    pub(super) kept: RecordBatch,
    pub(super) positions: Positions,
    /// Rows that were set aside.
    pub(super) aside: Option<RecordBatch>,
}

/// Splits off the rows with these numbers. `first` is the position of the batch's first row in the input.
pub(super) fn split_off(rows: RecordBatch, aside: &[usize], first: u64) -> Result<Split, EngineError> {
    if aside.is_empty() {
        return Ok(Split { kept: rows, positions: Positions::From(first), aside: None });
    }
    let mut is_kept = vec![true; rows.num_rows()];
    for row in aside {
        is_kept[*row] = false;
    }
    let positions = (first..).zip(&is_kept).filter(|(_, is_kept)| **is_kept).map(|(position, _)| position);
    let positions = Positions::Each(positions.collect());
    let filtered = |wanted: BooleanArray| {
        filter_record_batch(&rows, &wanted)
            .map_err(|error| EngineError::internal("cannot filter the rows").caused_by(error))
    };
    let set_aside = filtered(is_kept.iter().map(|is_kept| Some(!is_kept)).collect())?;
    let kept = filtered(is_kept.into_iter().map(Some).collect())?;
    Ok(Split { kept, positions, aside: Some(set_aside) })
}

/// Writer of the files of rows that were set aside.
pub(super) struct SetAsideFiles<'a, S: ObjectSink> {
    sink: &'a S,
    layout: &'a Layout,
    max_rows: u32,
    open: Option<(u32, ParquetFile<S::Writer>)>,
    /// Number of rows of each file.
    pub(super) files: Vec<u32>,
}

impl<'a, S: ObjectSink> SetAsideFiles<'a, S> {
    pub(super) fn new(spec: &ChunkWriteSpec<'a>, sink: &'a S) -> Self {
        Self { sink, layout: spec.layout, max_rows: spec.limits.max_records.max(1), open: None, files: Vec::new() }
    }

    /// Writes `rows` (with their ids), each with its reason in `reasons`.
    pub(super) fn write(&mut self, rows: &RecordBatch, reasons: &[SetAside]) -> Result<(), EngineError> {
        let rows = with_reasons(rows, reasons)?;
        let mut begin = 0;
        while begin < rows.num_rows() {
            let (written, file) = match self.open.take() {
                Some(open) => self.open.insert(open),
                None => {
                    let index = u32::try_from(self.files.len());
                    let index = index.map_err(|_| EngineError::internal("there are too many files of duplicates"))?;
                    let writer = self.sink.create(&self.layout.duplicate_rows_key(index))?;
                    self.open.insert((0, ParquetFile::create(writer, rows.schema())?))
                }
            };
            let room = self.max_rows - *written;
            let length = u32::try_from(rows.num_rows() - begin).map_or(room, |left| left.min(room));
            file.write(&rows.slice(begin, length as usize))?;
            *written += length;
            begin += length as usize;
            if *written >= self.max_rows {
                self.close()?;
            }
        }
        Ok(())
    }

    /// Completes the file that is open.
    pub(super) fn close(&mut self) -> Result<(), EngineError> {
        if let Some((rows, file)) = self.open.take() {
            file.finish()?.close()?;
            self.files.push(rows);
        }
        Ok(())
    }
}

/// Adds the columns that name the row sent in place of each row, or the reason why it is not sent.
fn with_reasons(rows: &RecordBatch, reasons: &[SetAside]) -> Result<RecordBatch, EngineError> {
    let why = reasons.iter().map(|reason| match reason {
        SetAside::Duplicate(_) => None,
        SetAside::NotSent(why) => Some(why),
    });
    let rows = with_row_errors(rows, why)?;
    let mut fields: Vec<Field> = rows.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
    fields.push(Field::new(SAME_AS, DataType::Utf8, true));
    fields.push(Field::new(SAME_AS_ROW, DataType::UInt64, true));
    let same = || {
        reasons.iter().map(|reason| match reason {
            SetAside::Duplicate(same) => Some(same),
            SetAside::NotSent(_) => None,
        })
    };
    let ids: StringArray = same().map(|same| same.map(|same| same.id.as_ref())).collect();
    let positions: UInt64Array = same().map(|same| same.map(|same| same.position)).collect();
    let mut columns = rows.columns().to_vec();
    columns.push(Arc::new(ids) as ArrayRef);
    columns.push(Arc::new(positions));
    debug_assert!(rows.column_by_name(RECORD_ID).is_some_and(|ids| ids.len() == reasons.len()));
    batch_of(fields, columns)
}
