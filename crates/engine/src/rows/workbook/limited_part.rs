//! An unpacked part of a workbook as a stream that ends with an error if it is too large, or if one event of its XML is: a reader of
//! events would hold all of it in memory.

use std::cell::Cell;
use std::io::{self, Read};

/// Maximum size of a tag, a comment or a text between tags.
const MAX_EVENT_BYTES: u64 = 1 << 20;

/// Sizes so far, which the stream measures and its reader looks at.
#[derive(Debug)]
pub(super) struct PartSize {
    event: Cell<u64>,
    part: Cell<u64>,
    /// Maximum size of the part.
    max_part: Cell<u64>,
    is_exceeded: Cell<bool>,
}

impl PartSize {
    pub(super) fn new(max_part: u64) -> Self {
        Self { event: Cell::new(0), part: Cell::new(0), max_part: Cell::new(max_part), is_exceeded: Cell::new(false) }
    }

    /// Begins an event. What the reader has read ahead counts for the next one only when it reads on.
    pub(super) fn event_begins(&self) {
        self.event.set(0);
    }

    /// Sets another maximum size.
    pub(super) fn allow(&self, max_part: u64) {
        self.max_part.set(max_part);
    }

    /// Returns the size of what was read.
    pub(super) fn bytes(&self) -> u64 {
        self.part.get()
    }

    /// Returns true if the part was not read to its end because it is too large.
    pub(super) fn is_exceeded(&self) -> bool {
        self.is_exceeded.get()
    }
}

/// The stream.
pub(super) struct LimitedPart<'a, R> {
    input: R,
    size: &'a PartSize,
}

impl<'a, R> LimitedPart<'a, R> {
    pub(super) fn new(input: R, size: &'a PartSize) -> Self {
        Self { input, size }
    }
}

impl<R: Read> Read for LimitedPart<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.size;
        if size.event.get() > MAX_EVENT_BYTES || size.part.get() > size.max_part.get() {
            size.is_exceeded.set(true);
            return Err(io::Error::other("a part of the workbook is too large"));
        }
        let read = self.input.read(buffer)?;
        size.event.set(size.event.get() + read as u64);
        size.part.set(size.part.get() + read as u64);
        Ok(read)
    }
}
