//! Memory that the pages of a Parquet file take, counted from their headers before they are decompressed.

use super::page_header::PageHeader;
use super::unpacked_size::{is_larger, unbounded_size};
use parquet::arrow::ProjectionMask;
use parquet::basic::Compression;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::ChunkReader;
use std::io;
use std::sync::{Mutex, PoisonError};

/// Maximum memory of the pages of a batch, and of those that the next batch continues.
pub(in crate::rows) const MAX_PAGE_BYTES: u64 = 256 << 20;
/// Memory of a value of a list: itself, and its place in the list.
const LISTED_VALUE_BYTES: u64 = 16;

/// Counter of the pages that are read. Which page is read is known by its position in the file.
#[derive(Debug)]
pub(in crate::rows) struct PageBudget {
    /// Chunks of the columns that are read, in the order of their positions.
    chunks: Vec<Chunk>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct Chunk {
    start: u64,
    end: u64,
    /// Number of its column.
    leaf: usize,
    codec: Compression,
    is_list: bool,
}

#[derive(Debug, Default)]
struct State {
    batch_rows: u64,
    /// Pages of each column that are in use.
    leaves: Vec<Leaf>,
    /// Bytes of pages that are used up, but whose values are in the current batch.
    used_up: u64,
    /// If true, a page was refused because the batch would take too much memory.
    is_exceeded: bool,
}

#[derive(Debug, Default, Clone)]
struct Leaf {
    chunk: Option<u64>,
    dictionary: u64,
    page: u64,
    /// Positions of the header that was read last, and of its data: the reader opens both.
    latest: Option<(u64, u64)>,
}

impl PageBudget {
    /// Creates a counter for the columns of a projection.
    ///
    /// # Errors
    /// Returns an error if the positions of column chunks are invalid.
    pub(in crate::rows) fn new(metadata: &ParquetMetaData, columns: &ProjectionMask) -> Result<Self> {
        let schema = metadata.file_metadata().schema_descr();
        let mut chunks = Vec::new();
        for group in metadata.row_groups() {
            for (leaf, column) in group.columns().iter().enumerate().filter(|(leaf, _)| columns.leaf_included(*leaf)) {
                let start = column.dictionary_page_offset().unwrap_or_else(|| column.data_page_offset());
                let range = (u64::try_from(start), u64::try_from(column.compressed_size()));
                let (Ok(start), Ok(length)) = range else { return Err(invalid("a column has a negative position")) };
                let is_list = leaf < schema.num_columns() && schema.column(leaf).max_rep_level() > 0;
                let end = start.saturating_add(length);
                chunks.push(Chunk { start, end, leaf, codec: column.compression(), is_list });
            }
        }
        chunks.sort_by_key(|chunk| (chunk.start, chunk.end));
        // Which column a page belongs to would not be known.
        if chunks.windows(2).any(|pair| pair[1].start < pair[0].end) {
            return Err(invalid("columns overlap"));
        }
        let leaves = vec![Leaf::default(); schema.num_columns()];
        Ok(Self { chunks, state: Mutex::new(State { batch_rows: 1, leaves, ..State::default() }) })
    }

    /// Begins anew, with batches of this many rows.
    pub(in crate::rows) fn restart(&self, batch_rows: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.batch_rows = batch_rows as u64;
        state.used_up = 0;
        state.is_exceeded = false;
        state.leaves.fill(Leaf::default());
    }

    /// Returns true if the batch failed because it would take too much memory; one of fewer rows may not.
    pub(in crate::rows) fn is_exceeded(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).is_exceeded
    }

    /// Begins a batch: the values of earlier ones are no longer needed.
    pub(in crate::rows) fn batch_begins(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).used_up = 0;
    }

    /// Counts the page whose header or data is at `position`.
    ///
    /// # Errors
    /// Returns an error if the page must not be decompressed, or if the source fails.
    pub(in crate::rows) fn page_at<R: ChunkReader>(&self, position: u64, source: &R) -> Result<()> {
        let following = self.chunks.partition_point(|chunk| chunk.start <= position);
        let Some(chunk) = following.checked_sub(1).and_then(|at| self.chunks.get(at)) else { return Ok(()) };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let leaf = state.leaves.get(chunk.leaf).cloned().unwrap_or_default();
        if position >= chunk.end || leaf.latest.is_some_and(|(header, data)| [header, data].contains(&position)) {
            return Ok(());
        }
        let header = PageHeader::read(source.get_read(position)?).map_err(damaged_header)?;
        let data = position.saturating_add(header.length);
        let total = state.with_page(chunk, position, data, header);
        if total > MAX_PAGE_BYTES {
            state.is_exceeded = true;
            return Err(invalid("a batch takes too much memory"));
        }
        let is_unbounded = unbounded_size(chunk.codec, header.compressed_bytes).is_some_and(|max| max > MAX_PAGE_BYTES);
        if is_unbounded && header.is_compressed {
            let length = usize::try_from(header.compressed_bytes)?;
            let page = source.get_bytes(data, length)?;
            let prefix = usize::try_from(header.uncompressed_prefix)?;
            let declared = header.bytes.saturating_sub(header.uncompressed_prefix);
            if page.get(prefix..).is_some_and(|page| is_larger(chunk.codec, page, declared)) {
                return Err(invalid("a page is larger than its header says"));
            }
        }
        Ok(())
    }
}

impl State {
    /// Adds a page, and returns the memory of all pages.
    fn with_page(&mut self, chunk: &Chunk, position: u64, data: u64, header: PageHeader) -> u64 {
        let Some(leaf) = self.leaves.get_mut(chunk.leaf) else { return 0 };
        let of_lists = if chunk.is_list { header.values.saturating_mul(LISTED_VALUE_BYTES) } else { 0 };
        let copies = if header.shares_prefixes { self.batch_rows.max(1) } else { 1 };
        let bytes = header.bytes.saturating_mul(copies).saturating_add(of_lists);
        if leaf.chunk != Some(chunk.start) {
            self.used_up = self.used_up.saturating_add(leaf.dictionary).saturating_add(leaf.page);
            *leaf = Leaf { chunk: Some(chunk.start), ..Leaf::default() };
        }
        leaf.latest = Some((position, data));
        if header.is_dictionary {
            leaf.dictionary = leaf.dictionary.saturating_add(bytes);
        } else {
            self.used_up = self.used_up.saturating_add(std::mem::replace(&mut leaf.page, bytes));
        }
        let in_use = self.leaves.iter().map(|leaf| leaf.dictionary.saturating_add(leaf.page));
        in_use.fold(self.used_up, u64::saturating_add)
    }
}

fn damaged_header(error: io::Error) -> ParquetError {
    match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => invalid("a page header is damaged"),
        _ => error.into(),
    }
}

fn invalid(what: &str) -> ParquetError {
    ParquetError::General(what.to_owned())
}
