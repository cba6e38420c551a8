//! Requests of several rows: rows with the same prompt share one.
//!
//! Rows with different prompts alternate, so that the requests that are open at the same time form a block, whose lines
//! stay in one chunk. A block ends when it would need one more request than it may have, or with its batch. With a single
//! prompt, a block is one request of consecutive rows.

use super::ChunkWriteSpec;
use super::held_batch::Block;
use super::rendered::{Rendered, RequestsOfBatch};
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
}

/// Block to which rows are added.
pub(super) struct OpenBlock {
    rows: Vec<BlockRow>,
    requests: Vec<Request>,
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
        })
    }

    /// Returns an empty block.
    pub(super) fn open_block(&self) -> OpenBlock {
        OpenBlock { rows: Vec::new(), requests: Vec::new(), open: vec![None; self.writers.len()] }
    }

    /// Adds a row to the open request of its prompt, or to a new one, or returns the number of bytes of its own request if that
    /// is too long. A complete block is written to `rendered`.
    pub(super) fn add<'t>(
        &mut self,
        block: &mut OpenBlock,
        prompt: usize,
        id: &str,
        cell: impl Fn(usize) -> &'t str,
        rendered: &mut Rendered,
    ) -> Result<(), u64> {
        if let Some(number) = block.open[prompt]
            && self.extend(&mut block.requests[number], id, &cell)
        {
            block.rows.push(BlockRow::Other(number));
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
        if block.requests.len() >= self.max_block {
            let complete = std::mem::replace(block, self.open_block());
            self.close(complete, rendered);
        }
        let number = block.requests.len();
        let text = self.scratch.clone();
        block.requests.push(Request { prompt, first: id.to_owned(), rows: 1, text });
        block.rows.push(BlockRow::First(number));
        block.open[prompt] = Some(number);
        Ok(())
    }

    /// Adds the row `id` to a request; returns false if the request has no room. The row must fit into a request by itself too,
    /// since it may be sent again without the others.
    fn extend<'t>(&self, request: &mut Request, id: &str, cell: impl Fn(usize) -> &'t str) -> bool {
        let writer = &self.writers[request.prompt];
        let rows = request.rows + 1;
        if rows > writer.max_rows() {
            return false;
        }
        let before = request.text.len();
        writer.push_row(&mut request.text, rows, cell);
        let bytes = writer.request_bytes(request.id(rows), request.text.len());
        // Its text is longer here than by itself: it has a separator, and a number of at least as many digits.
        let alone = writer.request_bytes(RequestId { first: id, rows: 1 }, request.text.len() - before);
        if bytes.max(alone) as u64 > self.max_bytes {
            request.text.truncate(before);
            return false;
        }
        request.rows = rows;
        true
    }

    /// Writes the rows and lines of a block. Each line is that of its request's first row.
    pub(super) fn close(&mut self, block: OpenBlock, rendered: &mut Rendered) {
        let begin = rendered.lines.len();
        let mut of_rows = Vec::with_capacity(block.rows.len());
        for row in block.rows {
            let (request, not_sent) = match row {
                BlockRow::First(number) => {
                    let request = &block.requests[number];
                    let writer = &self.writers[request.prompt];
                    writer.push_request(&mut rendered.lines, request.id(request.rows), &request.text);
                    (Some(number), None)
                }
                BlockRow::Other(number) => (Some(number), None),
                BlockRow::NotSent(why) => (None, Some(why)),
            };
            of_rows.push(request.map(|number| self.next + number as u64));
            rendered.end_row(not_sent);
        }
        self.next += block.requests.len() as u64;
        let requests = rendered.requests.get_or_insert_with(RequestsOfBatch::default);
        requests.of_rows.append(&mut of_rows);
        // A batch without any line has a block without records, which is not placed.
        if !block.requests.is_empty() {
            let records = u32::try_from(block.requests.len()).unwrap_or(u32::MAX);
            requests.blocks.push(Block { records, bytes: (rendered.lines.len() - begin) as u64 });
        }
    }
}

impl OpenBlock {
    /// Adds a row without a record.
    pub(super) fn add_without_record(&mut self, why: RowError) {
        self.rows.push(BlockRow::NotSent(why));
    }
}

#[cfg(test)]
mod tests;
