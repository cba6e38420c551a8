//! Files of text as streams of UTF-8: decompressed and decoded as their first bytes say. What is another kind of file is
//! refused in words that name the kind.

mod compression;
mod encoding;
mod file_kind;
mod head;
mod text_end;
mod text_kind;

use crate::error::EngineError;
use bedrock_batch_domain::problem::Problem;
use compression::Decompressed;
use encoding::{Decoded, TextEncoding};
use head::{Peeked, peek};
use std::io::{self, Read};
use text_end::TextEnd;
pub(super) use text_kind::TextKind;

/// Number of bytes by which a compressed file is recognized.
const MAGIC_BYTES: usize = 8;
/// Number of bytes of the beginning of a file by which its form is decided. The decision is the same for each pass over it.
const HEAD_BYTES: usize = 64 * 1024;

/// A file, decompressed and decoded.
type Text<R> = Decoded<Peeked<Decompressed<Peeked<R>>>>;

/// Stream of the text of a file.
pub(super) struct TextFile<R: Read> {
    text: TextEnd<Peeked<Text<R>>>,
    /// Name of the encoding, as used in messages.
    pub(super) encoding: &'static str,
    /// First [`HEAD_BYTES`] of the text, or all of it.
    pub(super) head: Vec<u8>,
    /// If true, the head is the whole text.
    pub(super) is_whole: bool,
}

impl<R: Read> TextFile<R> {
    /// Opens a file of a kind in the encoding with this name; by default, in UTF-8 or in UTF-16 with a mark.
    ///
    /// # Errors
    /// Returns `InvalidInput` if the file is of another kind or in another encoding, and an error if reading fails.
    pub(super) fn open(input: R, file: &str, kind: TextKind, encoding: Option<&str>) -> Result<Self, EngineError> {
        let (magic, input) = peek(input, MAGIC_BYTES)?;
        let input = Decompressed::open(input, &magic, file)?;
        let (bytes, input) = peek(input, HEAD_BYTES)?;
        if let Some(other) = file_kind::other_than(kind, &bytes) {
            return Err(Problem::without_value(file, format!("is {}", other.name)).remedy(other.remedy).into());
        }
        let encoding = TextEncoding::of(&bytes, bytes.len() < HEAD_BYTES, kind, encoding)
            .map_err(|(rule, remedy)| Problem::without_value(file, rule).remedy(remedy))?;
        Self::decoded(input, encoding)
    }

    /// Opens a file that a run has written: whatever its first bytes look like, they are UTF-8.
    ///
    /// # Errors
    /// Returns an error if reading fails.
    pub(super) fn of_run(input: R) -> Result<Self, EngineError> {
        let (_, input) = peek(input, 0)?;
        let (_, input) = peek(Decompressed::Plain(input), HEAD_BYTES)?;
        Self::decoded(input, TextEncoding::default())
    }

    fn decoded(input: Peeked<Decompressed<Peeked<R>>>, encoding: TextEncoding) -> Result<Self, EngineError> {
        let (head, text) = peek(Decoded::new(input, encoding), HEAD_BYTES)?;
        let is_whole = head.len() < HEAD_BYTES;
        Ok(Self { text: TextEnd::new(text), encoding: encoding.name(), head, is_whole })
    }
}

impl<R: Read> Read for TextFile<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.text.read(buffer)
    }
}

#[cfg(test)]
mod tests;
