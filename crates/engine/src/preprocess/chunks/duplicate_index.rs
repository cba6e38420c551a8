//! Index of rows by their model inputs: rows with the same input are sent once, and all of them get the answer.
//!
//! Duplicates get no record. They are set aside with the id and the position of the row that is sent in their place, and are
//! joined when all other rows have their answers.

use crate::preprocess::row_hash::RowHasher;
use bedrock_batch_domain::chunk_plan::chunk_of;
use bedrock_batch_domain::record_id::PositionId;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// Maximum number of different rows that are remembered, which limits memory: about 25 bytes each, and the ids if they are
/// the user's own. Later rows are only compared with these.
const MAX_REMEMBERED: usize = 3_600_000;

/// The beginning of the hash of the cells that a prompt inserts. The probability that any two different remembered rows share it
/// is less than 1 in 10^15.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digest96([u32; 3]);

impl Digest96 {
    #[expect(clippy::cast_possible_truncation, reason = "the hash is cut into halves of its words")]
    fn of((high, low): (u64, u64)) -> Self {
        Self([(high >> 32) as u32, high as u32, low as u32])
    }
}

impl Hash for Digest96 {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from(self.0[0]) << 32 | u64::from(self.0[1]));
    }
}

/// Hasher that returns a part of a digest unchanged, since it is already evenly distributed.
#[derive(Debug, Default)]
struct IdentityHasher(u64);

impl Hasher for IdentityHasher {
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

/// First row with each model input.
#[derive(Debug, Default)]
pub(super) struct DuplicateIndex {
    /// Number of the row among the first ones, by a digest of everything that the record depends on.
    first: HashMap<Digest96, u32, BuildHasherDefault<IdentityHasher>>,
    positions: Vec<u32>,
    /// The user's own ids; empty if ids follow from positions.
    ids: Vec<Box<str>>,
    /// For each of the first rows, true if there are duplicates.
    wanted: Vec<bool>,
    hasher: RowHasher,
    /// Number of rows that could not be remembered.
    pub(super) forgotten: u64,
}

/// Row that is sent in place of a duplicate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DuplicateOf {
    pub(super) position: u64,
    pub(super) id: Box<str>,
}

impl DuplicateIndex {
    /// Creates an index with capacity for this number of rows: a growing table would be copied repeatedly, and temporarily
    /// exist twice.
    pub(super) fn for_rows(rows: u64) -> Self {
        let room = usize::try_from(rows).unwrap_or(usize::MAX).min(MAX_REMEMBERED);
        Self {
            first: HashMap::with_capacity_and_hasher(room, BuildHasherDefault::default()),
            positions: Vec::with_capacity(room),
            wanted: Vec::with_capacity(room),
            ..Self::default()
        }
    }

    /// Looks up a row by everything that its record depends on: prompt, inserted cells, image. If it is the first with this
    /// input, returns the key by which to remember it.
    pub(super) fn find<'a>(&mut self, parts: impl Iterator<Item = &'a [u8]>) -> Result<DuplicateOf, Digest96> {
        let key = Digest96::of(self.hasher.hash(parts));
        let Some(number) = self.first.get(&key).map(|number| *number as usize) else { return Err(key) };
        self.wanted[number] = true;
        let position = u64::from(self.positions[number]);
        let id = self.ids.get(number).cloned().unwrap_or_else(|| PositionId(position).to_string().into());
        Ok(DuplicateOf { position, id })
    }

    /// Remembers a row that has a record. `own_id` is its id, if ids are the user's own.
    pub(super) fn remember(&mut self, key: Digest96, position: u64, own_id: Option<&str>) {
        match u32::try_from(position) {
            Ok(position) if self.positions.len() < MAX_REMEMBERED => {
                #[expect(clippy::expect_used, reason = "bounded one line above")]
                let number = u32::try_from(self.positions.len()).expect("MAX_REMEMBERED is far below u32::MAX");
                self.first.insert(key, number);
                self.positions.push(position);
                self.wanted.push(false);
                self.ids.extend(own_id.map(Box::from));
            }
            _ => self.forgotten += 1,
        }
    }

    /// Returns, by chunk, the ids of the rows whose answers duplicates wait for. `first_rows` are the positions of the chunks'
    /// first rows.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_compared_one_by_one() {
        let mut index = DuplicateIndex::default();
        let key = index.find(["ab", "c"].map(str::as_bytes).into_iter()).unwrap_err();
        index.remember(key, 7, None);
        assert!(index.find(["a", "bc"].map(str::as_bytes).into_iter()).is_err());
        assert!(index.find([b"abc".as_slice()].into_iter()).is_err());
        let same = index.find(["ab", "c"].map(str::as_bytes).into_iter()).unwrap();
        assert_eq!((same.position, same.id.as_ref()), (7, "r000000007"));
    }

    #[test]
    fn answers_that_duplicates_wait_for_are_listed_by_chunk() {
        let mut index = DuplicateIndex::default();
        for (position, cell) in [(0, "a"), (5, "b"), (9, "c")] {
            let key = index.find([str::as_bytes(cell)].into_iter()).unwrap_err();
            index.remember(key, position, Some(&format!("id-{cell}")));
        }
        index.find([b"a".as_slice()].into_iter()).unwrap();
        index.find([b"c".as_slice()].into_iter()).unwrap();
        let wanted = index.wanted_by_chunk(&[0, 5]);
        assert_eq!(wanted, BTreeMap::from([(0, vec!["id-a".into()]), (1, vec!["id-c".into()])]));
    }
}
