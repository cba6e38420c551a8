//! Rows that equal rows of other chunks, and get the answers of those rows.

use super::answers::{Answers, Reading};
use super::join::answers_for;
use super::join_job::JoinJob;
use super::shared::take_shared;
use super::write::write;
use crate::error::EngineError;
use crate::objects::ObjectSink;
use crate::rows::parquet_read::ParquetRows;
use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;
use bedrock_batch_domain::chunk_plan::chunk_of;
use bedrock_batch_domain::columns::{SAME_AS, SAME_AS_ROW};
use bedrock_batch_domain::summary::ChunkCounts;
use parquet::file::reader::ChunkReader;
use std::collections::{BTreeSet, HashMap};

/// File of duplicates whose rows wait for answers.
#[derive(Debug)]
pub struct WaitingRows<'a> {
    answers: Answers<'a>,
    /// Duplicates by the id of the row that was sent in their place.
    rows_of: HashMap<Box<str>, Vec<usize>>,
    /// Chunks of the rows that were sent.
    pub chunks: BTreeSet<u32>,
}

impl<'a> WaitingRows<'a> {
    /// Reads the rows, each with the row that was sent in its place. `first_rows` are the positions of the chunks' first
    /// rows.
    ///
    /// # Errors
    /// Returns an error if `rows` is not a file of duplicates.
    pub fn read<R: ChunkReader + Clone + 'static>(
        rows: &R,
        rows_name: &str,
        first_rows: &[u64],
        reading: Reading<'a>,
    ) -> Result<Self, EngineError> {
        let answers = answers_for(rows, rows_name, Reading { retry_on: &[], ..reading })?;
        let (mut rows_of, mut chunks) = (HashMap::<Box<str>, Vec<usize>>::new(), BTreeSet::new());
        let mut number = 0;
        let batches = ParquetRows::open_of_run(rows.clone(), rows_name, Some(&[SAME_AS, SAME_AS_ROW]))?;
        for batch in batches {
            let batch = batch?;
            let ids = batch.column_by_name(SAME_AS).and_then(|column| column.as_string_opt::<i32>());
            let positions = batch.column_by_name(SAME_AS_ROW).and_then(|c| c.as_primitive_opt::<UInt64Type>());
            let (Some(ids), Some(positions)) = (ids, positions) else {
                return Err(EngineError::corrupt(format!(
                    "{rows_name} lacks the columns `{SAME_AS}` and `{SAME_AS_ROW}` of a file of duplicates"
                )));
            };
            for (id, position) in ids.iter().zip(positions) {
                // Rows without such an id are not sent at all, and contain the reason themselves.
                if let Some(id) = id {
                    rows_of.entry(id.into()).or_default().push(number);
                }
                chunks.extend(position.and_then(|position| chunk_of(first_rows, position)));
                number += 1;
            }
        }
        Ok(Self { answers, rows_of, chunks })
    }

    /// Processes one line of a file of shared answers.
    pub fn take(&mut self, line: &[u8], counts: &mut ChunkCounts) {
        if !take_shared(&mut self.answers, &self.rows_of, line) {
            *counts.warnings.entry("unreadable shared answers".to_owned()).or_default() += 1;
        }
    }

    /// Writes the rows with their answers.
    ///
    /// # Errors
    /// Returns an error if the rows cannot be read, or the outputs not written.
    pub fn write<R: ChunkReader + Clone + 'static, S: ObjectSink>(
        &self,
        job: &JoinJob<'_>,
        rows: &R,
        rows_name: &str,
        counts: &mut ChunkCounts,
        sink: &S,
    ) -> Result<(), EngineError> {
        write(job, rows, rows_name, &self.answers, true, counts, sink)
    }
}
