//! The records of a chunk that may be sent again.

use super::answer_lines::for_each_line;
use super::join::{Joined, SingleRow};
use crate::error::EngineError;
use crate::objects::{ClosableWrite, ObjectSink};
use crate::records::{RowCells, cells_of};
use crate::rows::parquet_read::ParquetRows;
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use bedrock_batch_domain::columns::RECORD_ID;
use bedrock_batch_domain::model::RecordWriter;
use parquet::file::reader::ChunkReader;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};

/// Rows of a chunk, and the writers of their records, by which rows are sent without the other rows of their request.
#[derive(Debug)]
pub struct SingleRows<'a, R> {
    /// The rows file.
    pub rows: &'a R,
    /// Its name in messages.
    pub rows_name: &'a str,
    /// Writers of records, by the number of the prompt.
    pub writers: &'a [RecordWriter],
}

/// Writes the records of a chunk that are sent again to the object `key`: the unanswered lines of the chunk's file of records,
/// copied, then those of single rows.
///
/// # Errors
/// Returns an error if the records or rows cannot be read, or the object not written.
pub fn write_unanswered<R: ChunkReader + Clone + 'static, S: ObjectSink>(
    records: impl Read,
    joined: &Joined,
    single: &SingleRows<'_, R>,
    sink: &S,
    key: &str,
) -> Result<(), EngineError> {
    let mut file = sink.create(key)?;
    copy_lines(records, &joined.unanswered, &mut file, key)?;
    if !joined.single_rows.is_empty() {
        single.write(&joined.single_rows, &mut file)?;
    }
    file.close()?;
    Ok(())
}

/// Copies the lines of the chunk's file of records (`records`) that are `unanswered` to the object `key`.
///
/// # Errors
/// Returns an error if the records cannot be read, or the object not written.
pub fn copy_unanswered<S: ObjectSink>(
    records: impl Read,
    unanswered: &[bool],
    sink: &S,
    key: &str,
) -> Result<(), EngineError> {
    let mut file = sink.create(key)?;
    copy_lines(records, unanswered, &mut file, key)?;
    file.close()?;
    Ok(())
}

fn copy_lines(records: impl Read, unanswered: &[bool], file: &mut impl Write, key: &str) -> Result<(), EngineError> {
    let mut numbers = unanswered.iter();
    let mut written = Ok(());
    for_each_line(records, |line| {
        if numbers.next() == Some(&true) && written.is_ok() {
            written = file.write_all(line).and_then(|()| file.write_all(b"\n"));
        }
    })?;
    written?;
    if numbers.next().is_some() {
        return Err(EngineError::corrupt(format!(
            "{key} cannot be written: the chunk has fewer records than rows that have one"
        )));
    }
    Ok(())
}

impl<R: ChunkReader + Clone + 'static> SingleRows<'_, R> {
    /// Writes the records of these rows, in order, as preprocess would have written them.
    fn write(&self, rows: &[SingleRow], file: &mut impl Write) -> Result<(), EngineError> {
        let columns = self.writers.iter().flat_map(RecordWriter::columns).map(String::as_str);
        let wanted: BTreeSet<&str> = columns.chain([RECORD_ID]).collect();
        let wanted: Vec<&str> = wanted.into_iter().collect();
        let mut remaining = rows.iter().peekable();
        let (mut begin, mut lines) = (0, Vec::new());
        for batch in ParquetRows::open_of_run(self.rows.clone(), self.rows_name, Some(&wanted))? {
            let batch = batch?;
            let end = begin + batch.num_rows();
            let mut cells: BTreeMap<u16, RowCells> = BTreeMap::new();
            while let Some(single) = remaining.next_if(|single| single.row < end) {
                self.push_line(&mut lines, &batch, single.row - begin, single.prompt, &mut cells)?;
            }
            file.write_all(&lines)?;
            lines.clear();
            begin = end;
        }
        match remaining.next() {
            Some(_) => Err(EngineError::corrupt(format!("{} has fewer rows than it had", self.rows_name))),
            None => Ok(()),
        }
    }

    fn push_line(
        &self,
        lines: &mut Vec<u8>,
        batch: &RecordBatch,
        row: usize,
        prompt: u16,
        cells: &mut BTreeMap<u16, RowCells>,
    ) -> Result<(), EngineError> {
        let corrupt = |what: &str| EngineError::corrupt(format!("{} {what}", self.rows_name));
        let writer = self.writers.get(usize::from(prompt)).ok_or_else(|| corrupt("has a row of an unknown prompt"))?;
        let ids = batch.column_by_name(RECORD_ID).and_then(|ids| ids.as_string_opt::<i32>());
        let ids = ids.ok_or_else(|| corrupt("lacks the column `record_id`"))?;
        let cells = match cells.entry(prompt) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(cells_of(writer, batch)?),
        };
        writer.push_single(lines, ids.value(row), |column| cells.cell(column, row));
        Ok(())
    }
}
