//! Writing of placed rows to files.

use super::carried_rows::CarriedRows;
use super::files::ChunkFiles;
use super::held_batch::HeldBatch;
use super::place::Placer;
use super::render::Renderer;
use super::rendered::Rendered;
use super::set_aside::{SetAside, SetAsideFiles, split_off};
use super::{ChunkWriteSpec, Written};
use crate::error::EngineError;
use crate::objects::{ClosableWrite, ObjectSink};
use crate::preprocess::own_columns::with_row_errors;
use crate::preprocess::prompting::PromptedRows;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bedrock_batch_domain::chunk_plan::Placed;
use bedrock_batch_domain::row_error::{RowError, RowErrorCode};
use std::mem::take;
use std::ops::Range;

/// Writes the chunks of rows, which must all have the same schema.
///
/// # Errors
/// Returns `InvalidInput` for invalid rows or ids, and an error if reading or writing fails.
pub fn write_chunks<S: ObjectSink>(
    spec: &ChunkWriteSpec<'_>,
    rows: impl Iterator<Item = Result<PromptedRows, EngineError>>,
    sink: &S,
) -> Result<Written, EngineError> {
    write_chunks_in_blocks(spec, max_block_records(spec), rows, sink)
}

/// Returns the maximum number of records of a block of lines that stay together.
pub(super) fn max_block_records(spec: &ChunkWriteSpec<'_>) -> u32 {
    spec.limits.max_block_records(spec.records.len())
}

/// Writes the chunks of rows, with blocks of up to `max_block` records in a run with requests of several rows.
pub(super) fn write_chunks_in_blocks<S: ObjectSink>(
    spec: &ChunkWriteSpec<'_>,
    max_block: u32,
    rows: impl Iterator<Item = Result<PromptedRows, EngineError>>,
    sink: &S,
) -> Result<Written, EngineError> {
    let (mut renderer, mut placer) = (Renderer::new(spec, max_block), Placer::new(spec));
    let mut writer = ChunkWriter::new(spec, sink);
    for batch in rows {
        let batch = batch?;
        let first = renderer.rows;
        let mut lines = renderer.render(&batch)?;
        let (set_aside, blocks) = (lines.set_aside.len(), lines.take_blocks());
        placer.hold(writer.set_aside(batch.rows, lines, first)?, blocks.as_deref(), set_aside);
        if writer.write_placed(&mut placer)? {
            renderer.chunk_began();
        }
    }
    if let Some(mut lines) = renderer.finish() {
        let blocks = lines.take_blocks();
        placer.hold(writer.carried.take(lines)?, blocks.as_deref(), 0);
    }
    placer.finish();
    writer.write_placed(&mut placer)?;
    writer.finish(&renderer)
}

struct ChunkWriter<'a, S: ObjectSink> {
    spec: &'a ChunkWriteSpec<'a>,
    sink: &'a S,
    open: Option<(u32, ChunkFiles<S::Writer>)>,
    aside: SetAsideFiles<'a, S>,
    carried: CarriedRows,
    written: Written,
}

impl<'a, S: ObjectSink> ChunkWriter<'a, S> {
    fn new(spec: &'a ChunkWriteSpec<'a>, sink: &'a S) -> Self {
        let (aside, carried) = (SetAsideFiles::new(spec, sink), CarriedRows::default());
        Self { spec, sink, open: None, aside, carried, written: Written::default() }
    }

    /// Writes the rows that are set aside immediately, and returns the others, as far as they are rendered. `first` is the
    /// position of the first row.
    fn set_aside(
        &mut self,
        rows: RecordBatch,
        mut rendered: Rendered,
        first: u64,
    ) -> Result<Vec<HeldBatch>, EngineError> {
        let (numbers, reasons): (Vec<usize>, Vec<SetAside>) = take(&mut rendered.set_aside).into_iter().unzip();
        for reason in &reasons {
            if let SetAside::NotSent(why) = reason {
                *self.written.rejected.entry(why.reason.clone()).or_default() += 1;
            }
        }
        let split = split_off(rows, &numbers, first)?;
        if let Some(aside) = split.aside {
            self.aside.write(&aside, &reasons)?;
        }
        self.carried.exchange(split.kept, split.positions, rendered)
    }

    /// Writes the batches whose rows all have a place. Returns true if a chunk began.
    fn write_placed(&mut self, placer: &mut Placer) -> Result<bool, EngineError> {
        let begun = self.written.first_rows.len();
        while let Some(batch) = placer.next_placed() {
            self.write_batch(batch)?;
        }
        Ok(self.written.first_rows.len() > begun)
    }

    /// Writes a batch, in sequences of rows with the same place.
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
                    // Their rows are written to the last chunk; without any chunk, the whole run fails.
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
            let lines = u32::try_from(lines).map_err(|_| EngineError::internal("a batch has too many lines"))?;
            files.write(&batch.lines[batch.line_range(rows)], lines, &slice)
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
                self.written.first_rows.push(position);
                self.open.insert((index, ChunkFiles::create(self.sink, self.spec.layout, index, schema)?))
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

    /// Closes all files, and writes the lists of rows whose answers duplicates wait for.
    fn finish(mut self, renderer: &Renderer<'_>) -> Result<Written, EngineError> {
        self.close_chunk()?;
        self.aside.close()?;
        let mut forgotten = 0;
        if let Some(index) = &renderer.index {
            forgotten = index.forgotten;
            for (chunk, ids) in index.wanted_by_chunk(&self.written.first_rows) {
                let mut file = self.sink.create(&self.spec.layout.wanted_key(chunk))?;
                serde_json::to_writer(&mut file, &ids).map_err(std::io::Error::from)?;
                file.close()?;
            }
        }
        Ok(Written {
            rows: renderer.rows,
            empty_cells: renderer.empty_cells,
            not_a_number: renderer.not_a_number,
            not_representable: renderer.not_representable,
            turned_images: renderer.turned_images,
            animated_images: renderer.animated_images,
            duplicates: self.aside.files,
            same: renderer.duplicates,
            forgotten,
            ..self.written
        })
    }
}
