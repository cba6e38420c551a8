//! From prompted rows to lines: one record per row that is sent, duplicates found on the way.

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

/// Maximum number of rows without a record per chunk, about: they wait in memory for the record that they go along with,
/// and a chunk is joined in memory. More of them are set aside.
const MAX_NOT_SENT: usize = 10_000;

/// The lines of a batch, and the rows that go elsewhere.
#[derive(Debug, Default)]
pub(super) struct Rendered {
    /// All lines of the batch, one after the other.
    pub(super) lines: Vec<u8>,
    /// The end of each row's line, of the rows that stay; a row without a line ends where the one before does.
    pub(super) ends: Vec<usize>,
    /// For each row that stays, the reason that it has no line.
    pub(super) not_sent: Vec<Option<RowError>>,
    /// Rows that are set aside, by their number in the batch.
    pub(super) set_aside: Vec<(usize, SetAside)>,
}

impl Rendered {
    /// The row ends here, with the line that was written last or without one.
    fn end_row(&mut self, not_sent: Option<RowError>) {
        self.ends.push(self.lines.len());
        self.not_sent.push(not_sent);
    }
}

/// Renders batches one after the other and remembers their rows, to find duplicates.
pub(super) struct Renderer<'a> {
    spec: &'a ChunkWriteSpec<'a>,
    pub(super) index: Option<DuplicateIndex>,
    /// Rows without a record since the latest chunk began.
    not_sent: usize,
    /// Rows that were read.
    pub(super) rows: u64,
    /// Null or empty cells in columns that the prompt shows.
    pub(super) empty_cells: u64,
    /// Duplicates that were found.
    pub(super) duplicates: u64,
}

impl<'a> Renderer<'a> {
    pub(super) fn new(spec: &'a ChunkWriteSpec<'a>) -> Self {
        let index = spec.deduplicate.then(|| DuplicateIndex::for_rows(spec.rows));
        Self { spec, index, not_sent: 0, rows: 0, empty_cells: 0, duplicates: 0 }
    }

    /// A chunk began: it has room for rows without a record.
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
        // The cell of a null is the empty text.
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

    /// The earlier row with this model input, or the key to remember this one by; `None` if duplicates are sent as well.
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

/// The columns that a prompt shows, as texts.
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
