//! The core of preprocess: rows in, chunk files out, one pass, flat memory.
//!
//! Per batch of rows, all lines are rendered side by side into one buffer; the [`Chunker`] then says, some lines late,
//! where each goes. As soon as it has spoken for a whole batch, runs of rows of one chunk are written with one call
//! each, lines and rows alike.

use super::asked_rows::AskedRows;
use super::chunk_files::ChunkFiles;
use super::columns::with_row_errors;
use super::duplicates::{Apart, DuplicateFiles, Seen};
use super::held_batch::{HeldBatch, Positions};
use crate::error::EngineError;
use crate::objects::{ClosableWrite, ObjectSink};
use crate::rows::cell_text::as_text;
use arrow_array::{Array, BooleanArray, RecordBatch, StringArray};
use arrow_schema::SchemaRef;
use arrow_select::filter::filter_record_batch;
use bedrock_batch_domain::chunk_plan::{ChunkLimits, Chunker, Placed};
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::model::{ImagePart, RecordWriter};
use bedrock_batch_domain::row_error::{Reason, RowError, RowErrorCode};
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

/// What to write, and within which limits.
#[derive(Debug)]
pub struct ChunkJob<'a> {
    /// Where files go.
    pub layout: &'a Layout,
    /// What a record looks like, by the number of its prompt.
    pub records: &'a [RecordWriter],
    /// Limits of a chunk.
    pub limits: ChunkLimits,
    /// Bytes of a line; longer ones are not sent.
    pub max_record_bytes: u64,
    /// How many rows there are.
    pub rows: u64,
    /// Whether rows with the same model input are asked once.
    pub deduplicate: bool,
    /// How many of the rows yield a line, where that is known.
    pub lines: Option<u64>,
}

/// What was written.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Written {
    /// Records of each chunk.
    pub chunks: Vec<u32>,
    /// Rows that were read.
    pub rows: u64,
    /// Rows that lie in the rows files without a record, by reason.
    pub rejected: BTreeMap<Reason, u64>,
    /// Rows left out because the most chunks were full.
    pub over_max_chunks: u64,
    /// Null or empty cells in columns that the prompt shows.
    pub empty_cells: u64,
    /// The position of each chunk's first row.
    pub first_rows: Vec<u64>,
    /// Rows of each file of rows that lie apart: duplicates, and rows that are not asked where a chunk would have too many
    /// of them.
    pub duplicates: Vec<u32>,
    /// Duplicates.
    pub same: u64,
    /// Rows that were not remembered, so that their duplicates are asked too.
    pub forgotten: u64,
}

impl Written {
    /// Whether the records are too few for a batch job, and would be enough with the duplicates, which are not the most
    /// of them.
    pub(super) fn too_few_without_duplicates(&self, least: u32) -> bool {
        let least = u64::from(least);
        let records: u64 = self.chunks.iter().map(|records| u64::from(*records)).sum();
        records < least && records + self.same >= least && self.same <= records
    }
}

/// Rows without a record that a chunk has at the most, about: they wait in memory for the record that they go along with,
/// and a chunk is joined in memory. More of them go into files of their own.
const MOST_NOT_ASKED: usize = 10_000;

/// Takes rows (all of one schema) and writes their chunks.
///
/// # Errors
/// `InvalidInput` for bad rows or ids; else as reading and writing fail.
pub fn write_chunks<S: ObjectSink>(
    job: &ChunkJob<'_>,
    rows: impl Iterator<Item = Result<AskedRows, EngineError>>,
    sink: &S,
) -> Result<Written, EngineError> {
    let mut writing = Writing::new(job, sink);
    for rows in rows {
        writing.take(&rows?)?;
    }
    writing.finish()
}

struct Writing<'a, S: ObjectSink> {
    job: &'a ChunkJob<'a>,
    sink: &'a S,
    chunker: Option<Chunker>,
    held: VecDeque<HeldBatch>,
    open: Option<(u32, ChunkFiles<S::Writer>)>,
    /// Where the latest line went; rows without a line go along with it.
    last: Option<Placed>,
    seen: Option<Seen>,
    duplicates: DuplicateFiles<'a, S>,
    /// Rows without a record since the latest chunk began.
    not_asked: usize,
    written: Written,
}

impl<'a, S: ObjectSink> Writing<'a, S> {
    fn new(job: &'a ChunkJob<'a>, sink: &'a S) -> Self {
        Self {
            job,
            sink,
            chunker: Some(Chunker::new(job.limits, job.lines.unwrap_or(job.rows))),
            held: VecDeque::new(),
            open: None,
            last: None,
            seen: job.deduplicate.then(|| Seen::for_rows(job.rows)),
            duplicates: DuplicateFiles::new(job, sink),
            not_asked: 0,
            written: Written::default(),
        }
    }

    fn take(&mut self, batch: &AskedRows) -> Result<(), EngineError> {
        let rendered = self.render(batch)?;
        let rows = rendered.ends.len();
        let lengths: Vec<usize> = (0..rows).map(|row| rendered.line_range(row..row + 1).len()).collect();
        // Duplicates yield no line either.
        (rows..batch.rows.num_rows()).for_each(|_| self.skip_row());
        self.written.rows += batch.rows.num_rows() as u64;
        self.held.push_back(rendered);
        for length in lengths {
            if length == 0 {
                self.skip_row();
            } else if let Some(placed) = self.chunker.as_mut().and_then(|chunker| chunker.push(length as u64)) {
                self.place_next_line(placed);
            }
        }
        self.write_placed_batches()
    }

    /// A row yields no line; where lines are counted instead of rows, that is known already.
    fn skip_row(&mut self) {
        if self.job.lines.is_none() {
            self.chunker.iter_mut().for_each(Chunker::skip_row);
        }
    }

    /// Renders all lines of a batch, and takes the duplicates out of it.
    fn render(&mut self, batch: &AskedRows) -> Result<HeldBatch, EngineError> {
        let job = self.job;
        let columns = job.records.iter().map(|records| cells_of(records, &batch.rows));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let first = self.written.rows;
        let all = batch.rows.num_rows();
        let mut lines = Vec::new();
        let mut ends = Vec::with_capacity(all);
        let mut not_sent = Vec::with_capacity(all);
        let mut apart: Vec<(usize, Apart)> = Vec::new();
        for row in 0..all {
            let asked = batch.ask(row).map(|prompt| (prompt, &job.records[prompt], &columns[prompt]));
            let (prompt, records, columns) = match asked {
                Ok(asked) => asked,
                Err(why) if batch.may_lie_apart && self.not_asked >= MOST_NOT_ASKED => {
                    apart.push((row, Apart::NotAsked(why.clone())));
                    continue;
                }
                Err(why) => {
                    self.not_asked += 1;
                    not_sent.push(Some(why.clone()));
                    ends.push(lines.len());
                    continue;
                }
            };
            let cells = || columns.iter().map(|column| cell(column, row));
            let image = batch.image(row);
            self.written.empty_cells += cells().filter(|cell| cell.is_empty()).count() as u64;
            let mut key = None;
            if let Some(seen) = &mut self.seen {
                let prompt = (prompt as u64).to_le_bytes();
                let digest = image.map_or([].as_slice(), |image| image.digest.as_slice());
                let parts = cells().map(str::as_bytes).chain([prompt.as_slice(), digest]);
                match seen.find(parts) {
                    Ok(found) => {
                        self.written.same += 1;
                        apart.push((row, Apart::Same(found)));
                        continue;
                    }
                    Err(new) => key = Some(new),
                }
            }
            let begin = lines.len();
            // The cell of a null is the empty text.
            let part = image.map(|image| ImagePart { media_type: image.media_type, base64: &image.base64 });
            records.push_line(&mut lines, batch.ids.value(row), |column| cell(&columns[column], row), part);
            let length = (lines.len() - begin) as u64;
            if length > job.max_record_bytes {
                lines.truncate(begin);
                let most = job.max_record_bytes;
                let detail = format!("{length} bytes, and at most {most} fit");
                not_sent.push(Some(RowError::new(RowErrorCode::RecordTooLarge, detail)));
            } else {
                not_sent.push(None);
                if let (Some(seen), Some(key)) = (&mut self.seen, key) {
                    seen.remember(key, first + row as u64, batch.own_ids.then(|| batch.ids.value(row)));
                }
            }
            ends.push(lines.len());
        }
        let (rows, positions) = self.without(batch.rows.clone(), apart, first)?;
        let placed = Vec::with_capacity(rows.num_rows());
        Ok(HeldBatch { rows, lines, ends, not_sent, placed, positions })
    }

    /// The rows without those that lie apart, which are written at once.
    fn without(
        &mut self,
        rows: RecordBatch,
        apart: Vec<(usize, Apart)>,
        first: u64,
    ) -> Result<(RecordBatch, Positions), EngineError> {
        if apart.is_empty() {
            return Ok((rows, Positions::From(first)));
        }
        let mut is_first = vec![true; rows.num_rows()];
        for (row, why) in &apart {
            is_first[*row] = false;
            if let Apart::NotAsked(why) = why {
                *self.written.rejected.entry(why.reason.clone()).or_default() += 1;
            }
        }
        let positions = (first..).zip(&is_first).filter(|(_, is_first)| **is_first).map(|(position, _)| position);
        let positions = Positions::Each(positions.collect());
        let duplicates: BooleanArray = is_first.iter().map(|is_first| Some(!is_first)).collect();
        let is_first: BooleanArray = is_first.into_iter().map(Some).collect();
        let filtered = |wanted: &BooleanArray| {
            filter_record_batch(&rows, wanted)
                .map_err(|error| EngineError::internal("cannot filter the rows").caused_by(error))
        };
        let apart: Vec<Apart> = apart.into_iter().map(|(_, apart)| apart).collect();
        self.duplicates.write(&filtered(&duplicates)?, &apart)?;
        Ok((filtered(&is_first)?, positions))
    }

    /// The oldest line without a place gets it. Rows without a line before it go where the line before them went, and
    /// those before the first line of all where that one goes: a chunk never begins without a line.
    fn place_next_line(&mut self, placed: Placed) {
        for batch in self.held.iter_mut().filter(|batch| batch.placed.len() < batch.ends.len()) {
            while batch.placed.len() < batch.ends.len() {
                if batch.has_line(batch.placed.len()) {
                    batch.placed.push(placed);
                    self.last = Some(placed);
                    return;
                }
                batch.placed.push(self.last.unwrap_or(placed));
            }
        }
    }

    fn write_placed_batches(&mut self) -> Result<(), EngineError> {
        while self.held.front().is_some_and(|batch| batch.placed.len() == batch.ends.len()) {
            if let Some(batch) = self.held.pop_front() {
                self.write_batch(batch)?;
            }
        }
        Ok(())
    }

    /// Writes a batch whose rows are all placed, one run of rows of the same place after the other.
    fn write_batch(&mut self, mut batch: HeldBatch) -> Result<(), EngineError> {
        let mut begin = 0;
        while begin < batch.placed.len() {
            let place = batch.placed[begin];
            let run = batch.placed[begin..].iter().take_while(|other| **other == place).count();
            let rows = begin..begin + run;
            match place {
                Placed::Chunk(index) => self.write_run(&batch, rows, index, true)?,
                Placed::OverMaxChunks => self.written.over_max_chunks += run as u64,
                Placed::TooFewLeft => {
                    for not_sent in &mut batch.not_sent[rows.clone()] {
                        not_sent.get_or_insert_with(|| RowErrorCode::TooFewForBatch.into());
                    }
                    // Their rows travel with the last chunk; without any chunk the run fails as a whole.
                    match self.open.as_ref().map(|(index, _)| *index) {
                        Some(index) => self.write_run(&batch, rows, index, false)?,
                        None => self.count_rejected(&batch.not_sent[rows]),
                    }
                }
            }
            begin += run;
        }
        Ok(())
    }

    fn write_run(
        &mut self,
        batch: &HeldBatch,
        rows: Range<usize>,
        index: u32,
        with_lines: bool,
    ) -> Result<(), EngineError> {
        let slice = batch.rows.slice(rows.start, rows.len());
        let why = &batch.not_sent[rows.clone()];
        self.count_rejected(why);
        let slice = with_row_errors(&slice, why.iter().map(Option::as_ref))?;
        let files = self.files_of(index, slice.schema(), batch.positions.of(rows.start))?;
        if with_lines {
            let lines = rows.clone().filter(|row| batch.has_line(*row)).count();
            files.write(&batch.lines[batch.line_range(rows)], u32::try_from(lines).unwrap_or(u32::MAX), &slice)
        } else {
            files.write(&[], 0, &slice)
        }
    }

    fn count_rejected(&mut self, rows: &[Option<RowError>]) {
        for not_sent in rows.iter().flatten() {
            *self.written.rejected.entry(not_sent.reason.clone()).or_default() += 1;
        }
    }

    fn files_of(
        &mut self,
        index: u32,
        schema: SchemaRef,
        position: u64,
    ) -> Result<&mut ChunkFiles<S::Writer>, EngineError> {
        if self.open.as_ref().is_none_or(|(open, _)| *open != index) {
            self.close_chunk()?;
        }
        let (_, files) = match self.open.take() {
            Some(open) => self.open.insert(open),
            None => {
                self.not_asked = 0;
                self.written.first_rows.push(position);
                self.open.insert((index, ChunkFiles::create(self.sink, self.job.layout, index, schema)?))
            }
        };
        Ok(files)
    }

    fn close_chunk(&mut self) -> Result<(), EngineError> {
        if let Some((_, files)) = self.open.take() {
            self.written.chunks.push(files.close()?);
        }
        Ok(())
    }

    /// Nothing more comes: everything that is open is closed, and what duplicates wait for is written down.
    fn finish(mut self) -> Result<Written, EngineError> {
        let rest = self.chunker.take().map(Chunker::finish).unwrap_or_default();
        for placed in rest {
            self.place_next_line(placed);
        }
        // Rows without a line after the last line; if there was none, there is no chunk for them.
        let place = self.last.unwrap_or(Placed::TooFewLeft);
        for batch in &mut self.held {
            batch.placed.resize(batch.ends.len(), place);
        }
        self.write_placed_batches()?;
        self.close_chunk()?;
        self.duplicates.close()?;
        self.written.duplicates = std::mem::take(&mut self.duplicates.files);
        if let Some(seen) = &self.seen {
            self.written.forgotten = seen.forgotten;
            for (chunk, ids) in seen.wanted_by_chunk(&self.written.first_rows) {
                let mut file = self.sink.create(&self.job.layout.wanted_key(chunk))?;
                serde_json::to_writer(&mut file, &ids).map_err(std::io::Error::from)?;
                file.close()?;
            }
        }
        Ok(self.written)
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
