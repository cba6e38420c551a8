//! Rendering of prompted rows to lines, one record per row that is sent, with detection of duplicates.

use super::ChunkWriteSpec;
use super::duplicate_index::{Digest96, DuplicateIndex, DuplicateOf};
use super::set_aside::SetAside;
use crate::error::EngineError;
use crate::images::FetchedImage;
use crate::preprocess::prompting::PromptedRows;
use crate::rows::cell_text::as_text;
use arrow_array::{Array, RecordBatch, StringArray};
use bedrock_batch_domain::model::{ImagePart, RecordWriter};
use bedrock_batch_domain::row_error::{RowError, RowErrorCode};

/// Approximate maximum number of rows without a record per chunk, since such rows are held in memory until the next record
/// is placed, and a chunk is joined in memory. Further ones are set aside.
const MAX_NOT_SENT: usize = 10_000;

/// Lines of a batch, and the rows that are set aside.
#[derive(Debug, Default)]
pub(super) struct Rendered {
    /// All lines of the batch, one after the other.
    pub(super) lines: Vec<u8>,
    /// End of the line of each row that stays; a row without a line ends with the previous row.
    pub(super) ends: Vec<usize>,
    /// For each row that stays, the reason why it has no line, if it has none.
    pub(super) not_sent: Vec<Option<RowError>>,
    /// Rows that are set aside, by their number in the batch.
    pub(super) set_aside: Vec<(usize, SetAside)>,
}

impl Rendered {
    /// Ends a row, with the line that was written last or without one.
    fn end_row(&mut self, not_sent: Option<RowError>) {
        self.ends.push(self.lines.len());
        self.not_sent.push(not_sent);
    }
}

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
    /// Number of duplicates that were found.
    pub(super) duplicates: u64,
}

impl<'a> Renderer<'a> {
    pub(super) fn new(spec: &'a ChunkWriteSpec<'a>) -> Self {
        let index = spec.deduplicate.then(|| DuplicateIndex::for_rows(spec.rows));
        Self { spec, index, not_sent: 0, rows: 0, empty_cells: 0, duplicates: 0 }
    }

    /// Resets the number of rows without a record at the beginning of a chunk.
    pub(super) fn chunk_began(&mut self) {
        self.not_sent = 0;
    }

    /// Renders all lines of a batch.
    pub(super) fn render(&mut self, batch: &PromptedRows) -> Result<Rendered, EngineError> {
        let columns = self.spec.records.iter().map(|records| cells_of(records, &batch.rows));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let rows = batch.rows.num_rows();
        let mut rendered =
            Rendered { ends: Vec::with_capacity(rows), not_sent: Vec::with_capacity(rows), ..Rendered::default() };
        for row in 0..rows {
            match batch.prompt_of(row) {
                Ok(prompt) => self.render_row(batch, row, (prompt, &columns[prompt]), &mut rendered),
                Err(why) if batch.may_be_set_aside && self.not_sent >= MAX_NOT_SENT => {
                    rendered.set_aside.push((row, SetAside::NotSent(why.clone())));
                }
                Err(why) => {
                    self.not_sent += 1;
                    rendered.end_row(Some(why.clone()));
                }
            }
        }
        self.rows += rows as u64;
        Ok(rendered)
    }

    fn render_row(
        &mut self,
        batch: &PromptedRows,
        row: usize,
        (prompt, columns): (usize, &[StringArray]),
        rendered: &mut Rendered,
    ) {
        let cells = || columns.iter().map(|column| cell(column, row));
        let image = batch.image(row);
        self.empty_cells += cells().filter(|cell| cell.is_empty()).count() as u64;
        let key = match self.earlier(prompt, cells(), image) {
            Some(Ok(earlier)) => {
                self.duplicates += 1;
                rendered.set_aside.push((row, SetAside::Duplicate(earlier)));
                return;
            }
            Some(Err(key)) => Some(key),
            None => None,
        };
        let begin = rendered.lines.len();
        // A null cell is the empty text.
        let part = image.map(|image| ImagePart { media_type: image.media_type, base64: &image.base64 });
        let (id, records) = (batch.ids.value(row), &self.spec.records[prompt]);
        records.push_line(&mut rendered.lines, id, |column| cell(&columns[column], row), part);
        let length = (rendered.lines.len() - begin) as u64;
        let maximum = self.spec.max_record_bytes;
        if length > maximum {
            rendered.lines.truncate(begin);
            let detail = format!("{length} bytes, and at most {maximum} fit");
            rendered.end_row(Some(RowError::new(RowErrorCode::RecordTooLarge, detail)));
            return;
        }
        rendered.end_row(None);
        if let (Some(index), Some(key)) = (&mut self.index, key) {
            index.remember(key, self.rows + row as u64, batch.own_ids.then_some(id));
        }
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
}

/// Returns the columns that a prompt inserts, as texts.
fn cells_of(records: &RecordWriter, rows: &RecordBatch) -> Result<Vec<StringArray>, EngineError> {
    let columns = records.columns().iter().map(|name| {
        let column = rows.column_by_name(name);
        let column = column.ok_or_else(|| {
            EngineError::internal(format!("the rows lack the column `{name}`, which the prompt shows"))
        })?;
        as_text(column)
    });
    columns.collect()
}

fn cell(column: &StringArray, row: usize) -> &str {
    if column.is_null(row) { "" } else { column.value(row) }
}
