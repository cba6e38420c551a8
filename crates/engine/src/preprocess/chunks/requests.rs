//! Requests of several rows: rows with the same prompt share one.
//!
//! Rows with different prompts alternate, so that the requests that are open at the same time form a block, whose lines
//! stay in one chunk. A block ends when it would need one more request than it may have, or when it is as large as a batch
//! of rows may be; how rows come in batches does not matter. With a single prompt, a block is one request of consecutive
//! rows.

use super::ChunkWriteSpec;
use super::held_batch::Block;
use super::rendered::Rendered;
use crate::rows::{BATCH_BYTES, BATCH_ROWS};
use bedrock_batch_domain::model::RecordWriter;
use bedrock_batch_domain::record_id::RequestId;
use bedrock_batch_domain::row_error::RowError;

/// Requests of a run.
pub(super) struct Requests<'a> {
    writers: &'a [RecordWriter],
    max_bytes: u64,
    /// Maximum number of requests per block.
    max_block: usize,
    /// Number of the next request.
    next: u64,
    /// Text of a row that was rendered by itself.
    scratch: Vec<u8>,
    /// Texts of earlier requests, whose memory is used again.
    unused_texts: Vec<Vec<u8>>,
    block: OpenBlock,
}

/// Block to which rows are added.
struct OpenBlock {
    rows: Vec<BlockRow>,
    requests: Vec<Request>,
    /// Number of bytes of the rows' texts.
    bytes: usize,
    /// For each prompt, the request that accepts its next row.
    open: Vec<Option<usize>>,
}

/// Row of a block that stays in its chunk.
enum BlockRow {
    /// It is the first row of this request, whose line it has.
    First(usize),
    /// It is another row of this request.
    Other(usize),
    /// It is not sent.
    NotSent(RowError),
}

struct Request {
    prompt: usize,
    /// Id of the first row.
    first: String,
    rows: usize,
    /// Texts of the rows.
    text: Vec<u8>,
}

impl Request {
    fn id(&self, rows: usize) -> RequestId<'_> {
        RequestId { first: &self.first, rows }
    }
}

impl<'a> Requests<'a> {
    /// Returns the requests of a run, unless all its records have one row each.
    pub(super) fn of(spec: &ChunkWriteSpec<'a>, max_block: u32) -> Option<Self> {
        let writers = spec.records;
        writers.iter().any(RecordWriter::has_rows_part).then(|| Self {
            writers,
            max_bytes: spec.max_record_bytes,
            max_block: max_block.max(1) as usize,
            next: 0,
            scratch: Vec::new(),
            unused_texts: Vec::new(),
            block: OpenBlock::new(writers.len()),
        })
    }

    /// Returns the number of rows whose block is not complete.
    pub(super) fn open_rows(&self) -> usize {
        self.block.rows.len()
    }

    /// Adds a row to the open request of its prompt, or to a new one, or returns the number of bytes of its own request if that
    /// is too long. A complete block is written to `rendered`.
    pub(super) fn add<'t>(
        &mut self,
        prompt: usize,
        id: &str,
        cell: impl Fn(usize) -> &'t str,
        rendered: &mut Rendered,
    ) -> Result<(), u64> {
        let open = self.block.open[prompt];
        let extended = open.and_then(|number| Some((number, self.extend(number, id, &cell)?)));
        if let Some((number, bytes)) = extended {
            self.push_row(BlockRow::Other(number), bytes, rendered);
            return Ok(());
        }
        let writers = self.writers;
        let writer = &writers[prompt];
        self.scratch.clear();
        writer.push_row(&mut self.scratch, 1, &cell);
        let bytes = writer.request_bytes(RequestId { first: id, rows: 1 }, self.scratch.len()) as u64;
        if bytes > self.max_bytes {
            return Err(bytes);
        }
        if self.block.requests.len() >= self.max_block {
            self.close(rendered);
        }
        let number = self.block.requests.len();
        let mut text = self.unused_texts.pop().unwrap_or_default();
        text.clear();
        text.extend_from_slice(&self.scratch);
        let bytes = text.len();
        self.block.requests.push(Request { prompt, first: id.to_owned(), rows: 1, text });
        self.block.open[prompt] = Some(number);
        self.push_row(BlockRow::First(number), bytes, rendered);
        Ok(())
    }

    /// Adds a row without a record.
    pub(super) fn add_without_record(&mut self, why: RowError, rendered: &mut Rendered) {
        self.push_row(BlockRow::NotSent(why), 0, rendered);
    }

    /// Adds a row to the block, which ends if it is large now: its rows are in memory.
    fn push_row(&mut self, row: BlockRow, bytes: usize, rendered: &mut Rendered) {
        self.block.rows.push(row);
        self.block.bytes += bytes;
        let is_large = self.block.rows.len() >= BATCH_ROWS || self.block.bytes >= BATCH_BYTES;
        // Rows before the first request wait for nothing.
        if is_large || self.block.requests.is_empty() {
            self.close(rendered);
        }
    }

    /// Adds the row `id` to a request, and returns the number of bytes of its text; returns `None` if the request has no room.
    /// The row must fit into a request by itself too, since it may be sent again without the others.
    fn extend<'t>(&mut self, number: usize, id: &str, cell: impl Fn(usize) -> &'t str) -> Option<usize> {
        let request = &mut self.block.requests[number];
        let writer = &self.writers[request.prompt];
        let rows = request.rows + 1;
        if rows > writer.max_rows() {
            return None;
        }
        let before = request.text.len();
        writer.push_row(&mut request.text, rows, cell);
        let bytes = writer.request_bytes(request.id(rows), request.text.len());
        let own = request.text.len() - before;
        // Its text is longer here than by itself: it has a separator, and a number of at least as many digits.
        let alone = writer.request_bytes(RequestId { first: id, rows: 1 }, own);
        if bytes.max(alone) as u64 > self.max_bytes {
            request.text.truncate(before);
            return None;
        }
        request.rows = rows;
        Some(own)
    }

    /// Writes the rows and lines of the block, and opens another one. Each line is that of its request's first row.
    pub(super) fn close(&mut self, rendered: &mut Rendered) {
        let begin = rendered.lines.len();
        let mut of_batch = rendered.requests.take().unwrap_or_default();
        for row in self.block.rows.drain(..) {
            let (request, not_sent) = match row {
                BlockRow::First(number) => {
                    let request = &self.block.requests[number];
                    let writer = &self.writers[request.prompt];
                    writer.push_request(&mut rendered.lines, request.id(request.rows), &request.text);
                    (Some(number), None)
                }
                BlockRow::Other(number) => (Some(number), None),
                BlockRow::NotSent(why) => (None, Some(why)),
            };
            of_batch.of_rows.push(request.map(|number| self.next + number as u64));
            rendered.end_row(not_sent);
        }
        self.next += self.block.requests.len() as u64;
        // Rows without a record alone are a block without lines, which is not placed.
        if !self.block.requests.is_empty() {
            let records = u32::try_from(self.block.requests.len()).unwrap_or(u32::MAX);
            of_batch.blocks.push(Block { records, bytes: (rendered.lines.len() - begin) as u64 });
        }
        rendered.requests = Some(of_batch);
        self.unused_texts.extend(self.block.requests.drain(..).map(|request| request.text));
        self.block.bytes = 0;
        self.block.open.fill(None);
    }
}

impl OpenBlock {
    fn new(prompts: usize) -> Self {
        Self { rows: Vec::new(), requests: Vec::new(), bytes: 0, open: vec![None; prompts] }
    }
}

#[cfg(test)]
mod tests;
