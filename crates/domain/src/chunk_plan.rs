//! Assignment of rows to jobs.
//!
//! A run knows the number of its rows before it writes the first one, so the sizes are evened out: 2,050 rows at 1,000
//! per job become 684 + 683 + 683, and no chunk falls below Bedrock's minimum. Not known in advance are the number of
//! bytes of each line, and which rows yield no line at all. So [`Chunker`] holds the latest lines back: it places a line
//! only when `min_records` more have followed, and a last chunk that would be too small takes over lines from the one
//! before.

use crate::problem::Problem;
use std::collections::VecDeque;

/// The limits of a chunk, all kept at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkLimits {
    /// Minimum number of records.
    pub min_records: u32,
    /// Maximum number of records.
    pub max_records: u32,
    /// Maximum number of bytes, including line feeds.
    pub max_bytes: u64,
    /// Maximum number of chunks; further lines are left over.
    pub max_chunks: Option<u32>,
    /// If true, a last chunk below the minimum may remain, because it can be sent on demand.
    pub small_last: bool,
}

impl ChunkLimits {
    /// Checks that `records` lines can be divided into chunks of `min_records` to `max_records`.
    ///
    /// # Errors
    /// Returns a problem with its remedy if they cannot.
    pub fn check(&self, records: u64) -> Result<(), Problem> {
        let (least, most) = (u64::from(self.min_records), u64::from(self.max_records));
        if most < least {
            let rule = format!("must be at least {least}, this model's minimum per batch job");
            return Err(Problem::new("max_records_per_job", most, rule));
        }
        if !self.small_last && records < least {
            let rule =
                format!("has {records} rows to send, but this model requires at least {least} records per batch job");
            let remedy = "add rows, or use processing_mode `auto`, which sends them on demand";
            return Err(Problem::without_value("the input", rule).remedy(remedy));
        }
        if !self.small_last && records.div_ceil(most) * least > records {
            let rule = format!("{records} rows cannot be divided into jobs of {least} to {most} records");
            let enough = (2 * least - 1).min(records);
            let remedy = format!("raise it to {enough} or more");
            return Err(Problem::new("max_records_per_job", most, rule).remedy(remedy));
        }
        Ok(())
    }
}

/// Place of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    /// In this chunk. Chunks are filled one after the other: once chunk 3 has its first line, chunk 2 gets no more.
    Chunk(u32),
    /// In none: `max_chunks` are full.
    OverMaxChunks,
    /// In none: too few lines are left for a chunk of their own, and no other chunk has room for them.
    TooFewLeft,
}

/// Places lines into chunks, with a delay.
#[derive(Debug)]
pub struct Chunker {
    limits: ChunkLimits,
    /// Number of rows still to come, each of which may yield a line.
    rows_ahead: u64,
    /// The chunk of the latest line.
    current: Chunk,
    /// Number of records of the previous chunk; 0 if there is none.
    records_before: u32,
    bytes_before: u64,
    /// Places of the latest lines, which are not returned yet; oldest first.
    held: VecDeque<Held>,
    full: bool,
}

#[derive(Debug, Clone, Copy)]
struct Chunk {
    index: u32,
    records: u32,
    bytes: u64,
    /// Number of records that it should get, so that all chunks have about the same size.
    target: u32,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    placed: Placed,
    bytes: u64,
}

impl Chunker {
    /// Creates a chunker for up to `rows` lines.
    pub fn new(limits: ChunkLimits, rows: u64) -> Self {
        Self {
            limits,
            rows_ahead: rows,
            current: Chunk { index: 0, records: 0, bytes: 0, target: even_share(limits, rows) },
            records_before: 0,
            bytes_before: 0,
            held: VecDeque::with_capacity(limits.min_records as usize + 1),
            full: false,
        }
    }

    /// Returns true if a last chunk below the minimum may have to be left over. It can always take over lines from the one
    /// before if a chunk may hold twice the minimum (minus one); otherwise the exact number of lines has to be known.
    pub fn needs_exact_count(limits: ChunkLimits) -> bool {
        u64::from(limits.max_records) + 1 < 2 * u64::from(limits.min_records)
    }

    /// Returns the maximum number of bytes of a line, with which a chunk always reaches its minimum number of records.
    pub fn max_line_bytes(limits: ChunkLimits) -> u64 {
        limits.max_bytes / u64::from(limits.min_records.max(1))
    }

    /// Skips the next row, which yields no line.
    pub fn skip_row(&mut self) {
        self.rows_ahead = self.rows_ahead.saturating_sub(1);
    }

    /// Adds the line of the next row, of at most [`Chunker::max_line_bytes`]. Returns the place of the oldest line that is
    /// held back, once enough lines have followed it.
    pub fn push(&mut self, line_bytes: u64) -> Option<Placed> {
        let placed = self.place(line_bytes);
        self.rows_ahead = self.rows_ahead.saturating_sub(1);
        self.held.push_back(Held { placed, bytes: line_bytes });
        if self.held.len() <= self.limits.min_records as usize {
            return None;
        }
        self.held.pop_front().map(|held| held.placed)
    }

    fn place(&mut self, line_bytes: u64) -> Placed {
        if self.full {
            return Placed::OverMaxChunks;
        }
        let over_bytes = self.current.bytes.saturating_add(line_bytes) > self.limits.max_bytes;
        if self.current.records > 0 && (self.current.records >= self.current.target || over_bytes) {
            let next = self.current.index + 1;
            if self.limits.max_chunks.is_some_and(|max| next >= max) {
                self.full = true;
                return Placed::OverMaxChunks;
            }
            self.records_before = self.current.records;
            self.bytes_before = self.current.bytes;
            self.current =
                Chunk { index: next, records: 0, bytes: 0, target: even_share(self.limits, self.rows_ahead) };
        }
        self.current.records += 1;
        self.current.bytes = self.current.bytes.saturating_add(line_bytes);
        Placed::Chunk(self.current.index)
    }

    /// Returns the places of the lines that are still held back, oldest first.
    ///
    /// A last chunk below the minimum takes over lines from the end of the one before, or is merged into it. If limits are
    /// too narrow for both (or it is the only chunk), its lines are left over, or stay where they are with
    /// [`ChunkLimits::small_last`].
    pub fn finish(mut self) -> Vec<Placed> {
        let (records, least) = (self.current.records, self.limits.min_records);
        if records > 0 && records < least {
            self.fix_last_chunk();
        }
        self.held.into_iter().map(|held| held.placed).collect()
    }

    /// Enlarges or dissolves a last chunk that is too small. All of its lines are still held back, since they are fewer
    /// than the minimum.
    fn fix_last_chunk(&mut self) {
        let last = Placed::Chunk(self.current.index);
        let wanted = self.limits.min_records - self.current.records;
        let Some(first) = self.held.iter().position(|held| held.placed == last) else { return };
        let own = first..first + self.current.records as usize;
        let Some(before) = self.current.index.checked_sub(1).map(Placed::Chunk) else {
            if !self.limits.small_last {
                self.move_lines(own, Placed::TooFewLeft);
            }
            return;
        };
        let joined = self.records_before + self.current.records;
        let joined_bytes = self.bytes_before.saturating_add(self.current.bytes);
        let taken = first.saturating_sub(wanted as usize)..first;
        let taken_bytes: u64 = self.held.range(taken.clone()).map(|held| held.bytes).sum();
        if joined >= 2 * self.limits.min_records && self.current.bytes + taken_bytes <= self.limits.max_bytes {
            self.move_lines(taken, last);
        } else if joined <= self.limits.max_records && joined_bytes <= self.limits.max_bytes {
            self.move_lines(own, before);
        } else if !self.limits.small_last {
            self.move_lines(own, Placed::TooFewLeft);
        }
    }

    fn move_lines(&mut self, lines: std::ops::Range<usize>, to: Placed) {
        self.held.range_mut(lines).for_each(|held| held.placed = to);
    }
}

/// Returns the even share of `rows` in as few chunks as possible.
fn even_share(limits: ChunkLimits, rows: u64) -> u32 {
    let chunks = rows.div_ceil(u64::from(limits.max_records.max(1))).max(1);
    let share = u32::try_from(rows.div_ceil(chunks)).unwrap_or(u32::MAX);
    share.max(limits.min_records).min(limits.max_records).max(1)
}

/// Returns the chunk that contains the row at `position`; `first_rows` are the positions of the chunks' first rows.
pub fn chunk_of(first_rows: &[u64], position: u64) -> Option<u32> {
    let chunk = first_rows.partition_point(|first| *first <= position).checked_sub(1)?;
    u32::try_from(chunk).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn limits(min: u32, max: u32, max_bytes: u64) -> ChunkLimits {
        ChunkLimits { min_records: min, max_records: max, max_bytes, max_chunks: None, small_last: false }
    }

    /// Returns the places of the lines of these rows; `None` is a row without a line.
    fn placed(limits: ChunkLimits, rows: &[Option<u64>]) -> Vec<Placed> {
        let mut chunker = Chunker::new(limits, rows.len() as u64);
        let mut out = Vec::new();
        for row in rows {
            match row {
                Some(bytes) => out.extend(chunker.push(*bytes)),
                None => chunker.skip_row(),
            }
        }
        out.extend(chunker.finish());
        out
    }

    fn sizes(placed: &[Placed]) -> Vec<usize> {
        let mut sizes = Vec::new();
        for p in placed {
            if let Placed::Chunk(index) = p {
                sizes.resize(sizes.len().max(*index as usize + 1), 0);
                sizes[*index as usize] += 1;
            }
        }
        sizes
    }

    #[rstest]
    #[case(2050, &[684, 683, 683])]
    #[case(1000, &[1000])]
    #[case(1001, &[501, 500])]
    #[case(100, &[100])]
    fn sizes_are_evened_out(#[case] rows: usize, #[case] expected: &[usize]) {
        assert_eq!(sizes(&placed(limits(100, 1000, 1_000_000), &vec![Some(10); rows])), expected);
    }

    #[test]
    fn rows_without_a_line_leave_no_chunk_under_the_minimum() {
        let mut rows = vec![Some(10); 2050];
        rows[1400..2040].fill(None);
        let sizes = sizes(&placed(limits(100, 1000, 1_000_000), &rows));
        assert_eq!(sizes.iter().sum::<usize>(), 1410);
        assert!(sizes.iter().all(|n| (100..=1000).contains(n)), "{sizes:?}");
    }

    #[test]
    fn lines_beyond_the_maximum_number_of_chunks_are_left_over() {
        let limits = ChunkLimits { max_chunks: Some(2), ..limits(1, 10, 1_000) };
        let placed = placed(limits, &[Some(100); 30]);
        assert_eq!(sizes(&placed), [10, 10]);
        assert_eq!(placed.iter().filter(|p| **p == Placed::OverMaxChunks).count(), 10);
    }

    #[rstest]
    #[case(99, 1000, "at least 100 records per batch job")]
    #[case(170, 150, "raise it to 170 or more")]
    #[case(5000, 99, "must be at least 100")]
    #[case(2000, 102, "")]
    fn impossible_limits_are_reported_in_advance(#[case] rows: u64, #[case] max: u32, #[case] expected: &str) {
        let message = limits(100, max, 1_000_000).check(rows).err().map(|p| p.to_string()).unwrap_or_default();
        assert!(message.contains(expected) && message.is_empty() == expected.is_empty(), "{message}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn every_line_is_in_exactly_one_chunk_and_all_limits_are_kept(
            min in 1u32..12, wider in 0u32..30, max_bytes in 200u64..2_000, max_chunks in prop::option::of(1u32..5),
            rows in prop::collection::vec(prop::option::weighted(0.8, 1u64..1_000), 0..300), small_last in any::<bool>(),
        ) {
            let limits = ChunkLimits { min_records: min, max_records: min + wider, max_bytes, max_chunks, small_last };
            let longest = Chunker::max_line_bytes(limits);
            let rows: Vec<Option<u64>> = rows.into_iter().map(|row| row.map(|bytes| bytes.min(longest))).collect();
            let lines: Vec<u64> = rows.iter().flatten().copied().collect();
            let placed = placed(limits, &rows);
            prop_assert_eq!(placed.len(), lines.len(), "each line is placed once");
            let mut chunks: Vec<(u32, u64)> = Vec::new();
            let mut left_over = 0u64;
            for (place, bytes) in placed.iter().zip(&lines) {
                match place {
                    Placed::OverMaxChunks | Placed::TooFewLeft => left_over += 1,
                    Placed::Chunk(index) => {
                        prop_assert_eq!(left_over, 0, "nothing is placed after a line that is left over");
                        let index = *index as usize;
                        prop_assert!(index == chunks.len() || index + 1 == chunks.len(), "one chunk after the other");
                        chunks.resize(index + 1, (0, 0));
                        chunks[index].0 += 1;
                        chunks[index].1 += bytes;
                    }
                }
            }
            for (number, (records, bytes)) in chunks.iter().enumerate() {
                let may_be_small = small_last && number + 1 == chunks.len();
                prop_assert!(may_be_small || *records >= min, "{} records", records);
                prop_assert!(*records <= min + wider, "{} records", records);
                prop_assert!(*bytes <= max_bytes);
            }
            let wide = wider + 1 >= min && longest.saturating_mul(2) * u64::from(min) <= max_bytes;
            if max_chunks.is_none() && small_last {
                prop_assert_eq!(left_over, 0, "a small chunk takes what is left");
            }
            if max_chunks.is_none() && wide {
                prop_assert!(left_over == 0 || (lines.len() as u64) < u64::from(min), "lines are left over only in need");
            }
        }

        #[test]
        fn equal_lines_make_chunks_of_almost_one_size(rows in 100u64..20_000, max in 199u32..3_000) {
            let limits = limits(100, max, u64::MAX);
            prop_assert!(limits.check(rows).is_ok());
            let sizes = sizes(&placed(limits, &vec![Some(1); usize::try_from(rows).unwrap()]));
            let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
            prop_assert!(most - least <= 1, "{:?}", sizes);
            prop_assert_eq!(sizes.len() as u64, rows.div_ceil(u64::from(max)));
        }
    }
}
