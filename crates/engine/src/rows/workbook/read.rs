//! Second pass over a workbook: its rows as Arrow batches.

use super::container::read_container;
use super::problems::no_header;
use super::sheet::Workbook;
use super::table::{TableRow, each_table_row};
use crate::error::EngineError;
use crate::rows::csv_columns::ColumnBuilder;
use crate::rows::csv_infer::{CellType, ColumnTypes};
use crate::rows::{BATCH_BYTES, BATCH_ROWS};
use arrow_array::RecordBatch;
use arrow_schema::{Field, Schema, SchemaRef};
use bytes::Bytes;
use std::io::Read;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Memory of a cell beside its text.
const CELL_BYTES: usize = 16;

/// Iterator over a workbook as batches. Cells are text, unless types are given.
pub struct WorkbookRows {
    messages: Receiver<Message>,
    schema: SchemaRef,
}

/// What the thread that reads a workbook sends: first the schema, then batches.
enum Message {
    Schema(SchemaRef),
    Batch(RecordBatch),
    Failure(EngineError),
}

impl WorkbookRows {
    /// Opens a workbook to read a sheet, by default the first one that is not hidden.
    ///
    /// # Errors
    /// Returns `InvalidInput` if the file is not a workbook or has no header, and an error if reading fails.
    pub fn open(
        input: impl Read,
        file: &str,
        sheet: Option<&str>,
        types: Option<&ColumnTypes>,
    ) -> Result<Self, EngineError> {
        let bytes = read_container(input, file)?.ok_or_else(|| no_header(file, sheet.unwrap_or_default()))?;
        let (sender, messages) = sync_channel(1);
        let (file, sheet, types) = (file.to_owned(), sheet.map(str::to_owned), types.cloned());
        // The reader of cells borrows the workbook, so that no iterator can hold both. A batch waits until it is taken, and the
        // thread ends when nothing takes it.
        let read = move || {
            if let Err(error) = send_rows(bytes, &file, sheet.as_deref(), types.as_ref(), &sender) {
                // No one is left to tell if the receiver is gone.
                let _: Result<(), _> = sender.send(Message::Failure(error));
            }
        };
        thread::Builder::new().name("workbook".to_owned()).spawn(read)?;
        match messages.recv() {
            Ok(Message::Schema(schema)) => Ok(Self { messages, schema }),
            Ok(Message::Failure(error)) => Err(error),
            Ok(Message::Batch(_)) | Err(_) => Err(EngineError::internal("the reader of a workbook has no schema")),
        }
    }

    /// Returns the schema of the columns.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

impl Iterator for WorkbookRows {
    type Item = Result<RecordBatch, EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.messages.recv().ok()? {
            Message::Batch(batch) => Some(Ok(batch)),
            Message::Failure(error) => Some(Err(error)),
            // It comes once, before all others.
            Message::Schema(_) => None,
        }
    }
}

fn send_rows(
    bytes: Bytes,
    file: &str,
    sheet: Option<&str>,
    types: Option<&ColumnTypes>,
    sender: &SyncSender<Message>,
) -> Result<(), EngineError> {
    let mut workbook = Workbook::open(bytes, file, sheet)?;
    let mut batch: Option<Batch> = None;
    let header = each_table_row(&mut workbook, file, |header, row| {
        let batch = match &mut batch {
            Some(batch) => batch,
            None => {
                let new = batch.insert(Batch::new(&header.names, types));
                if sender.send(Message::Schema(Arc::clone(&new.schema))).is_err() {
                    return Ok(false);
                }
                new
            }
        };
        match row {
            TableRow::Blank => batch.push(std::iter::empty(), 0),
            TableRow::Cells(row) => batch.push(header.cells(row), row.bytes()),
        }
        Ok(!batch.is_full() || sender.send(Message::Batch(batch.take()?)).is_ok())
    })?;
    let last = match batch {
        Some(last) if last.rows == 0 => return Ok(()),
        Some(mut last) => Message::Batch(last.take()?),
        None => {
            let header = header.ok_or_else(|| no_header(file, &workbook.sheet))?;
            Message::Schema(Batch::new(&header.names, types).schema)
        }
    };
    // The receiver may be gone.
    let _: Result<(), _> = sender.send(last);
    Ok(())
}

/// Batch that grows by rows.
struct Batch {
    schema: SchemaRef,
    types: Vec<CellType>,
    columns: Vec<ColumnBuilder>,
    rows: usize,
    bytes: usize,
}

impl Batch {
    fn new(names: &[String], types: Option<&ColumnTypes>) -> Self {
        let type_of = |name: &String| types.map_or(CellType::Text, |types| types.of(name));
        let types: Vec<CellType> = names.iter().map(type_of).collect();
        let fields = names.iter().zip(&types).map(|(name, cell)| Field::new(name, cell.data_type(), true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let columns = types.iter().map(|cell| ColumnBuilder::new(*cell, 0)).collect();
        Self { schema, types, columns, rows: 0, bytes: 0 }
    }

    /// Adds a row of the cells at these places; all others are empty.
    fn push<'a>(&mut self, cells: impl Iterator<Item = (usize, &'a str)>, bytes: usize) {
        let mut cells = cells.peekable();
        for (at, column) in self.columns.iter_mut().enumerate() {
            column.push(cells.next_if(|(place, _)| *place == at).map_or("", |(_, text)| text));
        }
        self.rows += 1;
        self.bytes += bytes;
    }

    fn is_full(&self) -> bool {
        let max_rows = (BATCH_BYTES / (CELL_BYTES * self.columns.len().max(1))).clamp(1, BATCH_ROWS);
        self.rows >= max_rows || self.bytes >= BATCH_BYTES
    }

    /// Returns the rows, and begins anew.
    fn take(&mut self) -> Result<RecordBatch, EngineError> {
        let empty = self.types.iter().map(|cell| ColumnBuilder::new(*cell, self.rows)).collect();
        let columns = std::mem::replace(&mut self.columns, empty);
        (self.rows, self.bytes) = (0, 0);
        let arrays = columns.into_iter().map(ColumnBuilder::finish).collect();
        RecordBatch::try_new(Arc::clone(&self.schema), arrays)
            .map_err(|error| EngineError::internal("cannot create rows of a workbook").caused_by(error))
    }
}
