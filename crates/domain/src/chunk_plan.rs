//! Assignment of rows to jobs.
//!
//! A run knows the number of its rows before it writes the first one, so the sizes are evened out: 2,050 rows at 1,000
//! per job become 684 + 683 + 683, and no chunk falls below Bedrock's minimum. Not known in advance are the number of
//! bytes of each line, and which rows yield no line at all. So [`Chunker`] holds the latest lines back: it places a line
//! only when `min_records` more have followed, and a last chunk that would be too small takes over lines from the one
//! before.
//!
//! Requests of several rows, with different prompts, come in blocks of lines that stay together ([`Chunker::push_block`]),
//! since the rows of a block are in one chunk. A line by itself is a block of one.

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

/// Maximum number of records per block, however many prompts there are: a chunk ends with a block, so that large ones make
/// chunks uneven.
const MAX_BLOCK_RECORDS: u32 = 64;

impl ChunkLimits {
    /// Returns the maximum number of records per block, for rows with this number of prompts: enough that requests are seldom
    /// sent with fewer rows than they may have, and few enough that no chunk falls below its minimum.
    pub fn max_block_records(&self, prompts: usize) -> u32 {
        if prompts <= 1 || Chunker::needs_exact_count(*self) {
            return 1;
        }
        let wanted = u32::try_from(2 * prompts).unwrap_or(u32::MAX).min(MAX_BLOCK_RECORDS);
        wanted.min(self.max_records - self.min_records.min(self.max_records) + 1)
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
    /// Maximum number of lines still to come, if `rows_ahead` is an estimate.
    at_most_ahead: Option<u64>,
    /// The chunk of the latest line.
    current: Chunk,
    /// Number of records of the previous chunk; 0 if there is none.
    records_before: u32,
    bytes_before: u64,
    /// Places of the latest blocks, which are not returned yet; oldest first.
    held: VecDeque<Held>,
    /// Number of records of these blocks.
    held_records: u32,
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
    records: u32,
}

impl Chunker {
    /// Creates a chunker for up to `rows` lines.
    pub fn new(limits: ChunkLimits, rows: u64) -> Self {
        Self {
            limits,
            rows_ahead: rows,
            at_most_ahead: None,
            current: Chunk { index: 0, records: 0, bytes: 0, target: even_share(limits, rows) },
            records_before: 0,
            bytes_before: 0,
            held: VecDeque::with_capacity(limits.min_records as usize + 1),
            held_records: 0,
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
        Self::max_line_bytes_in_blocks(limits, 1)
    }

    /// Returns the same for lines in blocks of up to `records` lines.
    pub fn max_line_bytes_in_blocks(limits: ChunkLimits, records: u32) -> u64 {
        limits.max_bytes / (u64::from(limits.min_records.max(1)) + u64::from(records.max(1)) - 1)
    }

    /// Corrects the number of lines still to come, which is an estimate, and at most `at_most`.
    pub fn expect(&mut self, lines: u64, at_most: u64) {
        self.rows_ahead = lines;
        self.at_most_ahead = Some(at_most);
        if self.current.records == 0 {
            self.current.target = even_share(self.limits, lines);
        }
    }

    /// Skips the next row, which yields no line.
    pub fn skip_row(&mut self) {
        self.rows_ahead = self.rows_ahead.saturating_sub(1);
    }

    /// Adds the line of the next row, of at most [`Chunker::max_line_bytes`]. Returns the place of the oldest line that is
    /// held back, once enough lines have followed it.
    pub fn push(&mut self, line_bytes: u64) -> Option<Placed> {
        self.push_block(line_bytes, 1);
        self.pop_placed().map(|(placed, _)| placed)
    }

    /// Adds a block of lines that stay together, at most as many as [`ChunkLimits::max_block_records`], each of at most
    /// [`Chunker::max_line_bytes_in_blocks`].
    pub fn push_block(&mut self, bytes: u64, records: u32) {
        let placed = self.place(bytes, records);
        self.rows_ahead = self.rows_ahead.saturating_sub(u64::from(records));
        self.at_most_ahead = self.at_most_ahead.map(|lines| lines.saturating_sub(u64::from(records)));
        self.held.push_back(Held { placed, bytes, records });
        self.held_records += records;
    }

    /// Returns the place of the oldest block that is held back, and its number of records, once enough lines have followed it.
    pub fn pop_placed(&mut self) -> Option<(Placed, u32)> {
        let oldest = self.held.front()?.records;
        if self.held_records - oldest < self.limits.min_records {
            return None;
        }
        self.held_records -= oldest;
        self.held.pop_front().map(|held| (held.placed, held.records))
    }

    fn place(&mut self, bytes: u64, records: u32) -> Placed {
        if self.full {
            return Placed::OverMaxChunks;
        }
        let over_bytes = self.current.bytes.saturating_add(bytes) > self.limits.max_bytes;
        let over_records = self.current.records + records > self.limits.max_records;
        let is_even = self.current.records >= self.current.target && self.others_have_room();
        if self.current.records > 0 && (is_even || over_records || over_bytes) {
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
        self.current.records += records;
        self.current.bytes = self.current.bytes.saturating_add(bytes);
        Placed::Chunk(self.current.index)
    }

    /// Returns false if the current chunk has to be filled, because the estimate of the lines to come may be too low for all of
    /// them to fit into the chunks after it.
    fn others_have_room(&self) -> bool {
        let (Some(max_chunks), Some(at_most)) = (self.limits.max_chunks, self.at_most_ahead) else { return true };
        let others = max_chunks.saturating_sub(self.current.index).saturating_sub(1);
        // A block that does not fit begins the next chunk.
        let room = self.limits.max_records.saturating_sub(MAX_BLOCK_RECORDS - 1);
        at_most <= u64::from(others) * u64::from(room)
    }

    /// Returns the places of the lines that are still held back, oldest first.
    ///
    /// A last chunk below the minimum takes over lines from the end of the one before, or is merged into it. If limits are
    /// too narrow for both (or it is the only chunk), its lines are left over, or stay where they are with
    /// [`ChunkLimits::small_last`].
    pub fn finish(self) -> Vec<Placed> {
        self.finish_blocks().into_iter().map(|(placed, _)| placed).collect()
    }

    /// Returns the same for blocks, each with its number of records.
    pub fn finish_blocks(mut self) -> Vec<(Placed, u32)> {
        let (records, least) = (self.current.records, self.limits.min_records);
        if records > 0 && records < least {
            self.fix_last_chunk();
        }
        self.held.into_iter().map(|held| (held.placed, held.records)).collect()
    }

    /// Enlarges or dissolves a last chunk that is too small. All of its lines are still held back, since they are fewer
    /// than the minimum.
    fn fix_last_chunk(&mut self) {
        let last = Placed::Chunk(self.current.index);
        let wanted = self.limits.min_records - self.current.records;
        let Some(first) = self.held.iter().position(|held| held.placed == last) else { return };
        let of_last = self.held.iter().skip(first).take_while(|held| held.placed == last).count();
        let own = first..first + of_last;
        let Some(before) = self.current.index.checked_sub(1).map(Placed::Chunk) else {
            if !self.limits.small_last {
                self.move_lines(own, Placed::TooFewLeft);
            }
            return;
        };
        let joined = self.records_before + self.current.records;
        let joined_bytes = self.bytes_before.saturating_add(self.current.bytes);
        let (mut begin, mut taken, mut taken_bytes) = (first, 0, 0);
        while begin > 0 && taken < wanted {
            begin -= 1;
            taken += self.held[begin].records;
            taken_bytes += self.held[begin].bytes;
        }
        let leaves_enough = taken + self.limits.min_records <= self.records_before;
        if leaves_enough && self.current.bytes + taken_bytes <= self.limits.max_bytes {
            self.move_lines(begin..first, last);
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
mod tests;
