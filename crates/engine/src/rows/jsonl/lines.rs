//! Lines of a file, one at a time and of limited length.

use super::problems::{not_utf_8, too_long};
use crate::error::EngineError;
use crate::rows::MAX_CELL_BYTES;
use crate::rows::text_file::{TextFile, TextKind};
use bedrock_batch_domain::problem::Problem;
use std::io::{BufRead, BufReader, Read};

/// Maximum size of a line. A line may consist of several cells of the maximum size.
const MAX_LINE_BYTES: usize = 2 * MAX_CELL_BYTES;
/// Size of the blocks that are read, and memory that is kept for the next line.
const BLOCK_BYTES: usize = 256 * 1024;

/// Reader of the lines of a file.
pub(super) struct Lines<R: Read> {
    text: BufReader<TextFile<R>>,
    file: String,
    encoding: &'static str,
    /// Byte at the end of each line.
    end: u8,
    line: Vec<u8>,
    /// Number of the line, from 1.
    number: u64,
    /// Number of lines that have nothing but white space.
    pub(super) blank: u64,
}

impl<R: Read> Lines<R> {
    /// Opens a file, whose name is for messages.
    ///
    /// # Errors
    /// Returns `InvalidInput` if the file is of another kind, and an error if reading fails.
    pub(super) fn open(input: R, file: &str) -> Result<Self, EngineError> {
        let text = TextFile::open(input, file, TextKind::JsonLines, None)?;
        let only_returns = text.head.contains(&b'\r') && !text.head.contains(&b'\n');
        Ok(Self {
            encoding: text.encoding,
            text: BufReader::with_capacity(BLOCK_BYTES, text),
            file: file.to_owned(),
            end: if only_returns { b'\r' } else { b'\n' },
            line: Vec::new(),
            number: 0,
            blank: 0,
        })
    }

    /// Reads the next line that is not blank. Returns false if there is none.
    ///
    /// # Errors
    /// Returns `InvalidInput` if the line is too long, and the error of the source if it fails.
    pub(super) fn read(&mut self) -> Result<bool, EngineError> {
        loop {
            self.line.clear();
            self.line.shrink_to(BLOCK_BYTES);
            let limit = MAX_LINE_BYTES as u64 + 1;
            if self.text.by_ref().take(limit).read_until(self.end, &mut self.line)? == 0 {
                return Ok(false);
            }
            self.number += 1;
            if self.line.len() > MAX_LINE_BYTES {
                return Err(too_long(&self.place(), MAX_LINE_BYTES).into());
            }
            if !self.line.iter().all(u8::is_ascii_whitespace) {
                return Ok(true);
            }
            self.blank += 1;
        }
    }

    /// Returns the text of the line. Files that were joined may have a mark at the beginning of any line.
    ///
    /// # Errors
    /// Returns a problem if it is not valid in the file's encoding.
    pub(super) fn text(&self) -> Result<&str, Problem> {
        let text = std::str::from_utf8(&self.line).map_err(|_| not_utf_8(&self.place(), self.encoding))?;
        Ok(text.trim_start_matches('\u{feff}').trim_ascii())
    }

    /// Returns the place of the line for messages.
    pub(super) fn place(&self) -> String {
        format!("{} line {}", self.file, self.number)
    }
}
