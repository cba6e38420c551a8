//! Distribution of the unanswered records to the files of new jobs.

use crate::error::EngineError;
use crate::objects::{ClosableWrite, ObjectSink};
use bedrock_batch_domain::chunk_plan::{ChunkLimits, Chunker, Placed};
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::plan::Parts;
use std::collections::VecDeque;
use std::io::Write;

/// Files of new jobs, which are written one after the other.
pub struct PassFiles<'a, S: ObjectSink> {
    sink: &'a S,
    layout: &'a Layout,
    first: u32,
    limits: ChunkLimits,
    chunker: Chunker,
    /// Lines whose place has not been determined.
    held: VecDeque<(u32, Vec<u8>)>,
    open: Option<(u32, S::Writer)>,
    parts: Vec<Parts>,
}

impl<'a, S: ObjectSink> PassFiles<'a, S> {
    /// Creates the files of jobs numbered from `first`, within `limits`, for this number of records.
    pub fn new(sink: &'a S, layout: &'a Layout, first: u32, limits: ChunkLimits, records: u64) -> Self {
        let (held, parts) = (VecDeque::new(), Vec::new());
        Self { sink, layout, first, limits, chunker: Chunker::new(limits, records), held, open: None, parts }
    }

    /// Adds the next record of `chunk`, with its line feed. Chunks must be added one after the other.
    ///
    /// # Errors
    /// Returns an error if a file cannot be written.
    pub fn take(&mut self, chunk: u32, line: &[u8]) -> Result<(), EngineError> {
        self.held.push_back((chunk, line.to_vec()));
        match self.chunker.push(line.len() as u64) {
            Some(placed) => self.write_oldest(placed),
            None => Ok(()),
        }
    }

    fn write_oldest(&mut self, placed: Placed) -> Result<(), EngineError> {
        let Some((chunk, line)) = self.held.pop_front() else { return Ok(()) };
        // Lines without a place are not sent again: their rows keep their reasons.
        let Placed::Chunk(job) = placed else { return Ok(()) };
        if self.open.as_ref().is_none_or(|(open, _)| *open != job) {
            self.close()?;
            self.parts.push(Parts::new());
        }
        let (_, file) = match self.open.take() {
            Some(open) => self.open.insert(open),
            None => self.open.insert((job, self.sink.create(&self.layout.records_key(self.first + job))?)),
        };
        file.write_all(&line)?;
        let Some(parts) = self.parts.last_mut() else { return Ok(()) };
        match parts.last_mut() {
            Some((last, records)) if *last == chunk => *records += 1,
            _ => parts.push((chunk, 1)),
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), EngineError> {
        if let Some((_, file)) = self.open.take() {
            file.close()?;
        }
        Ok(())
    }

    /// Returns the rows of each job. Records without a job (too few, or too large to fit together) are omitted.
    ///
    /// # Errors
    /// Returns an error if a file cannot be written.
    pub fn finish(mut self) -> Result<Vec<Parts>, EngineError> {
        let chunker = std::mem::replace(&mut self.chunker, Chunker::new(self.limits, 0));
        for placed in chunker.finish() {
            self.write_oldest(placed)?;
        }
        self.close()?;
        Ok(self.parts)
    }
}
