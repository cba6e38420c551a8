//! Rows whose whole model input is that of an earlier row: asked once, answered for all.
//!
//! Such rows get no record. They go into rows files of their own, with the id and the position of the row that is asked
//! in their place, and are joined when all others have their answers. Where a chunk would have very many rows that are not
//! asked at all, those go there too.

use super::columns::{batch_of, with_row_errors};
use super::write_chunks::ChunkJob;
use crate::error::EngineError;
use crate::objects::{ClosableWrite, ObjectSink};
use crate::rows::parquet_write::{ParquetFile, Readers};
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray, UInt64Array};
use arrow_schema::{DataType, Field};
use bedrock_batch_domain::columns::{RECORD_ID, SAME_AS, SAME_AS_ROW};
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::record_id::PositionId;
use bedrock_batch_domain::row_error::RowError;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::Arc;

/// Different rows that are remembered, some 25 bytes each (and the ids, where they are the user's own): what bounds the
/// memory. Rows that come later are compared with these only.
const MOST_REMEMBERED: usize = 3_600_000;

/// The beginning of the SHA-256 of the cells that a prompt shows: that two different rows share it is less likely, over
/// all that are remembered, than 1 in 10^15.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digest96([u32; 3]);

impl Hash for Digest96 {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from(self.0[0]) << 32 | u64::from(self.0[1]));
    }
}

/// Takes a part of a digest as it is: it is as even as any hash of it.
#[derive(Debug, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The first rows of each model input.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// By a digest of what the record depends on, the number of the row among the first ones.
    first: HashMap<Digest96, u32, BuildHasherDefault<AsItIs>>,
    positions: Vec<u32>,
    /// The user's own ids; empty where ids follow from positions.
    ids: Vec<Box<str>>,
    /// Of which of them there are duplicates.
    wanted: Vec<bool>,
    /// Rows that could not be remembered.
    pub(super) forgotten: u64,
}

/// The row that is asked in another's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Same {
    position: u64,
    id: Box<str>,
}

/// Why a row lies apart.
#[derive(Debug, Clone)]
pub(super) enum Apart {
    /// Another row is asked in its place.
    Same(Same),
    /// It is not asked.
    NotAsked(RowError),
}

impl Seen {
    /// Room for so many rows: a table that grows would be filled again and again, and be there twice meanwhile.
    pub(super) fn for_rows(rows: u64) -> Self {
        let room = usize::try_from(rows).unwrap_or(usize::MAX).min(MOST_REMEMBERED);
        Self {
            first: HashMap::with_capacity_and_hasher(room, BuildHasherDefault::default()),
            positions: Vec::with_capacity(room),
            wanted: Vec::with_capacity(room),
            ..Self::default()
        }
    }

    /// Looks a row up by all that its record depends on: prompt, cells that it shows, image. `None`: it is the first of its kind.
    pub(super) fn find<'a>(&mut self, parts: impl Iterator<Item = &'a [u8]>) -> Result<Same, Digest96> {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let digest = hash.finalize();
        let word = |at: usize| u32::from_le_bytes([digest[at], digest[at + 1], digest[at + 2], digest[at + 3]]);
        let key = Digest96([word(0), word(4), word(8)]);
        let Some(number) = self.first.get(&key).map(|number| *number as usize) else { return Err(key) };
        self.wanted[number] = true;
        let position = u64::from(self.positions[number]);
        let id = self.ids.get(number).cloned().unwrap_or_else(|| PositionId(position).to_string().into());
        Ok(Same { position, id })
    }

    /// Remembers a row that has a record. `own_id`: its id, if ids are the user's own.
    pub(super) fn remember(&mut self, key: Digest96, position: u64, own_id: Option<&str>) {
        match u32::try_from(position) {
            Ok(position) if self.positions.len() < MOST_REMEMBERED => {
                // The length is bounded far below.
                self.first.insert(key, u32::try_from(self.positions.len()).unwrap_or(u32::MAX));
                self.positions.push(position);
                self.wanted.push(false);
                self.ids.extend(own_id.map(Box::from));
            }
            _ => self.forgotten += 1,
        }
    }

    /// By chunk, the ids of its rows whose answers duplicates wait for. `first_rows`: the position of each chunk's first
    /// row.
    pub(super) fn wanted_by_chunk(&self, first_rows: &[u64]) -> BTreeMap<u32, Vec<Box<str>>> {
        let mut by_chunk: BTreeMap<u32, Vec<Box<str>>> = BTreeMap::new();
        let wanted = self.wanted.iter().enumerate().filter(|(_, wanted)| **wanted);
        for (number, _) in wanted {
            let position = u64::from(self.positions[number]);
            let Some(chunk) = chunk_of(first_rows, position) else { continue };
            let id = self.ids.get(number).cloned();
            by_chunk.entry(chunk).or_default().push(id.unwrap_or_else(|| PositionId(position).to_string().into()));
        }
        by_chunk
    }
}

/// The chunk that the row at `position` is in; `first_rows` are the positions of the chunks' first rows.
pub fn chunk_of(first_rows: &[u64], position: u64) -> Option<u32> {
    let chunk = first_rows.partition_point(|first| *first <= position).checked_sub(1)?;
    u32::try_from(chunk).ok()
}

/// Writes the files of duplicates.
pub(super) struct DuplicateFiles<'a, S: ObjectSink> {
    sink: &'a S,
    layout: &'a Layout,
    most_rows: u32,
    open: Option<(u32, ParquetFile<S::Writer>)>,
    /// Rows of each file.
    pub(super) files: Vec<u32>,
}

impl<'a, S: ObjectSink> DuplicateFiles<'a, S> {
    pub(super) fn new(job: &ChunkJob<'a>, sink: &'a S) -> Self {
        Self { sink, layout: job.layout, most_rows: job.limits.max_records.max(1), open: None, files: Vec::new() }
    }

    /// Writes `rows` (with their ids), each for the reason in `apart`.
    pub(super) fn write(&mut self, rows: &RecordBatch, apart: &[Apart]) -> Result<(), EngineError> {
        let rows = with_reasons(rows, apart)?;
        let mut begin = 0;
        while begin < rows.num_rows() {
            let (written, file) = match self.open.take() {
                Some(open) => self.open.insert(open),
                None => {
                    let index = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
                    let writer = self.sink.create(&self.layout.duplicate_rows_key(index))?;
                    self.open.insert((0, ParquetFile::create(writer, rows.schema(), Readers::Internal)?))
                }
            };
            let room = (self.most_rows - *written) as usize;
            let length = room.min(rows.num_rows() - begin);
            file.write(&rows.slice(begin, length))?;
            *written += u32::try_from(length).unwrap_or(u32::MAX);
            begin += length;
            if *written >= self.most_rows {
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

/// The rows, sent by nobody, with the columns that say which rows are asked in their place, or why none is.
fn with_reasons(rows: &RecordBatch, apart: &[Apart]) -> Result<RecordBatch, EngineError> {
    let why = apart.iter().map(|apart| match apart {
        Apart::Same(_) => None,
        Apart::NotAsked(why) => Some(why),
    });
    let rows = with_row_errors(rows, why)?;
    let mut fields: Vec<Field> = rows.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
    fields.push(Field::new(SAME_AS, DataType::Utf8, true));
    fields.push(Field::new(SAME_AS_ROW, DataType::UInt64, true));
    let same = || {
        apart.iter().map(|apart| match apart {
            Apart::Same(same) => Some(same),
            Apart::NotAsked(_) => None,
        })
    };
    let ids: StringArray = same().map(|same| same.map(|same| same.id.as_ref())).collect();
    let positions: UInt64Array = same().map(|same| same.map(|same| same.position)).collect();
    let mut columns = rows.columns().to_vec();
    columns.push(Arc::new(ids) as ArrayRef);
    columns.push(Arc::new(positions));
    debug_assert!(rows.column_by_name(RECORD_ID).is_some_and(|ids| ids.len() == apart.len()));
    batch_of(fields, columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_compared_one_by_one() {
        let mut seen = Seen::default();
        let key = seen.find(["ab", "c"].map(str::as_bytes).into_iter()).unwrap_err();
        seen.remember(key, 7, None);
        assert!(seen.find(["a", "bc"].map(str::as_bytes).into_iter()).is_err());
        assert!(seen.find([b"abc".as_slice()].into_iter()).is_err());
        let same = seen.find(["ab", "c"].map(str::as_bytes).into_iter()).unwrap();
        assert_eq!((same.position, same.id.as_ref()), (7, "r000000007"));
    }

    #[test]
    fn chunks_learn_which_of_their_answers_are_wanted() {
        let mut seen = Seen::default();
        for (position, cell) in [(0, "a"), (5, "b"), (9, "c")] {
            let key = seen.find([str::as_bytes(cell)].into_iter()).unwrap_err();
            seen.remember(key, position, Some(&format!("id-{cell}")));
        }
        seen.find([b"a".as_slice()].into_iter()).unwrap();
        seen.find([b"c".as_slice()].into_iter()).unwrap();
        let wanted = seen.wanted_by_chunk(&[0, 5]);
        assert_eq!(wanted, BTreeMap::from([(0, vec!["id-a".into()]), (1, vec!["id-c".into()])]));
    }
}
