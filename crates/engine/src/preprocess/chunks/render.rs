//! Rendering of prompted rows to lines, one record per row that is sent, with detection of duplicates.

use super::ChunkWriteSpec;
use super::duplicate_index::{Digest96, DuplicateIndex, DuplicateOf};
use super::rendered::{Rendered, RequestsOfBatch};
use super::requests::Requests;
use super::set_aside::SetAside;
use crate::error::EngineError;
use crate::images::FetchedImage;
use crate::preprocess::prompting::PromptedRows;
use crate::records::{RowCells, cells_of};
use crate::rows::BATCH_BYTES;
use bedrock_batch_domain::model::ImagePart;
use bedrock_batch_domain::row_error::{RowError, RowErrorCode};

/// Approximate maximum number of rows without a record per chunk, since such rows are held in memory until the next record
/// is placed, and a chunk is joined in memory. Further ones are set aside.
const MAX_NOT_SENT: usize = 10_000;

/// Maximum number of bytes of batches whose last rows wait for further ones: rows have columns that no prompt shows.
const MAX_WAITING_BYTES: usize = 8 * BATCH_BYTES;

/// Renderer of consecutive batches, which remembers rows to find duplicates.
pub(super) struct Renderer<'a> {
    spec: &'a ChunkWriteSpec<'a>,
    pub(super) index: Option<DuplicateIndex>,
    /// Number of rows without a record since the latest chunk began.
    not_sent: usize,
    /// Number of rows that were read.
    pub(super) rows: u64,
    /// Number of null or empty cells in columns that the prompt inserts.
    pub(super) empty_cells: u64,
    /// Number of cells that are no number, in columns of floating-point numbers that the prompt inserts.
    pub(super) not_a_number: u64,
    /// Number of times that no calendar has, in columns that the prompt inserts.
    pub(super) not_representable: u64,
    /// Number of images that are sent and that viewers turn.
    pub(super) turned_images: u64,
    /// Number of images that are sent and have several frames.
    pub(super) animated_images: u64,
    /// Number of duplicates that were found.
    pub(super) duplicates: u64,
    /// Requests of several rows; `None` in a run without any.
    requests: Option<Requests<'a>>,
    /// Number of bytes of the batches whose rows wait for further ones.
    waiting_bytes: usize,
    /// Number of bytes of the latest batch's lines.
    line_bytes: usize,
}

/// Row of a batch with its prompt.
#[derive(Clone, Copy)]
struct RowToRender<'b> {
    batch: &'b PromptedRows,
    row: usize,
    prompt: usize,
    cells: &'b RowCells,
}

impl<'a> Renderer<'a> {
    pub(super) fn new(spec: &'a ChunkWriteSpec<'a>, max_block: u32) -> Self {
        let index = spec.deduplicate.then(|| DuplicateIndex::for_rows(spec.rows));
        let requests = Requests::of(spec, max_block);
        Self {
            spec,
            index,
            not_sent: 0,
            rows: 0,
            empty_cells: 0,
            not_a_number: 0,
            not_representable: 0,
            turned_images: 0,
            animated_images: 0,
            duplicates: 0,
            requests,
            waiting_bytes: 0,
            line_bytes: 0,
        }
    }

    /// Resets the number of rows without a record at the beginning of a chunk.
    pub(super) fn chunk_began(&mut self) {
        self.not_sent = 0;
    }

    /// Renders the lines of a batch. In a run with requests of several rows, the last rows of the batch before may come first,
    /// and the last ones of this batch may wait for the next.
    pub(super) fn render(&mut self, batch: &PromptedRows) -> Result<Rendered, EngineError> {
        let columns = self.spec.records.iter().map(|records| cells_of(records, &batch.rows));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let rows = batch.rows.num_rows();
        let mut rendered = Rendered {
            // Batches are about as long as each other.
            lines: Vec::with_capacity(self.line_bytes),
            ends: Vec::with_capacity(rows),
            not_sent: Vec::with_capacity(rows),
            requests: self.requests.as_ref().map(|_| RequestsOfBatch::default()),
            ..Rendered::default()
        };
        for row in 0..rows {
            match batch.prompt_of(row) {
                Ok(prompt) => {
                    let row = RowToRender { batch, row, prompt, cells: &columns[prompt] };
                    self.render_row(row, &mut rendered);
                }
                Err(why) if batch.may_be_set_aside && self.not_sent >= MAX_NOT_SENT => {
                    rendered.set_aside.push((row, SetAside::NotSent(why.clone())));
                }
                Err(why) => {
                    self.not_sent += 1;
                    self.end_row(why.clone(), &mut rendered);
                }
            }
        }
        self.rows += rows as u64;
        self.limit_waiting(batch, &mut rendered);
        self.line_bytes = rendered.lines.len();
        Ok(rendered)
    }

    /// Renders the lines of the rows that wait for further ones, if their batches need much memory.
    fn limit_waiting(&mut self, batch: &PromptedRows, rendered: &mut Rendered) {
        let Some(requests) = &mut self.requests else { return };
        let before = if requests.open_rows() > batch.rows.num_rows() { self.waiting_bytes } else { 0 };
        self.waiting_bytes = before + batch.rows.get_array_memory_size();
        if self.waiting_bytes > MAX_WAITING_BYTES && requests.open_rows() > 0 {
            requests.close(rendered);
        }
    }

    /// Renders the lines of the rows that wait for further ones, if there are any.
    pub(super) fn finish(&mut self) -> Option<Rendered> {
        let requests = self.requests.as_mut().filter(|requests| requests.open_rows() > 0)?;
        let mut rendered = Rendered::default();
        requests.close(&mut rendered);
        Some(rendered)
    }

    fn render_row(&mut self, row: RowToRender<'_>, rendered: &mut Rendered) {
        let RowToRender { batch, row: number, prompt, cells } = row;
        let image = batch.image(number);
        self.empty_cells += cells.of_row(number).filter(|cell| cell.is_empty()).count() as u64;
        self.not_a_number += cells.not_a_number(number) as u64;
        self.not_representable += cells.not_representable(number) as u64;
        let key = match self.earlier(prompt, cells.of_row(number), image) {
            Some(Ok(earlier)) => {
                self.duplicates += 1;
                rendered.set_aside.push((number, SetAside::Duplicate(earlier)));
                return;
            }
            Some(Err(key)) => Some(key),
            None => None,
        };
        let id = batch.ids.value(number);
        let written = match &mut self.requests {
            Some(requests) => requests.add(prompt, id, |column| cells.cell(column, number), rendered),
            None => self.render_line(row, rendered),
        };
        match written {
            Err(length) => {
                let detail = format!("{length} bytes, and at most {} fit", self.spec.max_record_bytes);
                self.end_row(RowError::new(RowErrorCode::RecordTooLarge, detail), rendered);
            }
            Ok(()) => {
                let traits = image.map(|image| image.traits).unwrap_or_default();
                self.turned_images += u64::from(traits.is_turned);
                self.animated_images += u64::from(traits.is_animated);
                if let (Some(index), Some(key)) = (&mut self.index, key) {
                    index.remember(key, self.rows + number as u64, batch.own_ids.then_some(id));
                }
            }
        }
    }

    /// Renders the line of a row, or returns its length if it is too long.
    fn render_line(&self, row: RowToRender<'_>, rendered: &mut Rendered) -> Result<(), u64> {
        let RowToRender { batch, row, prompt, cells } = row;
        let begin = rendered.lines.len();
        let image = batch.image(row);
        let part = image.map(|image| ImagePart { media_type: image.media_type, base64: &image.base64 });
        let (id, records) = (batch.ids.value(row), &self.spec.records[prompt]);
        records.push_line(&mut rendered.lines, id, |column| cells.cell(column, row), part);
        let length = (rendered.lines.len() - begin) as u64;
        if length > self.spec.max_record_bytes {
            rendered.lines.truncate(begin);
            return Err(length);
        }
        rendered.end_row(None);
        Ok(())
    }

    /// Returns the earlier row with this model input, or the key by which to remember this one; `None` if duplicates are sent
    /// too.
    fn earlier<'t>(
        &mut self,
        prompt: usize,
        cells: impl Iterator<Item = &'t str>,
        image: Option<&'t FetchedImage>,
    ) -> Option<Result<DuplicateOf, Digest96>> {
        let index = self.index.as_mut()?;
        let prompt = (prompt as u64).to_le_bytes();
        let digest = image.map_or([].as_slice(), |image| image.digest.as_slice());
        Some(index.find(cells.map(|cell| cell.as_bytes()).chain([prompt.as_slice(), digest])))
    }

    /// Ends a row without a record.
    fn end_row(&mut self, why: RowError, rendered: &mut Rendered) {
        match &mut self.requests {
            Some(requests) => requests.add_without_record(why, rendered),
            None => rendered.end_row(Some(why)),
        }
    }
}
