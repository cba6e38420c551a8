//! The end of a text: the mark of DOS for it (Ctrl-Z) and padding of zeros are not part of any row.

use std::io::{self, Read};

const CTRL_Z: u8 = 0x1a;
const NUL: u8 = 0;

/// Stream without a mark and zeros at its end.
pub(super) struct TextEnd<R> {
    input: R,
    /// Number of marks and of zeros after them that are held back until it is clear that something follows.
    held: [u64; 2],
    /// Bytes that follow them, and the number of those that were taken.
    next: Vec<u8>,
    at: usize,
}

impl<R: Read> TextEnd<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, held: [0, 0], next: Vec::new(), at: 0 }
    }

    /// Holds back the end of a block, and returns the length of what is left.
    fn hold(&mut self, block: &[u8]) -> usize {
        let zeros = block.iter().rev().take_while(|byte| **byte == NUL).count();
        let marked = &block[..block.len() - zeros];
        let marks = marked.iter().rev().take_while(|byte| **byte == CTRL_Z).count();
        self.held = [marks as u64, zeros as u64];
        marked.len() - marks
    }

    /// Holds back a whole block if it continues what is held back. Returns false if it does not.
    fn is_continued(&mut self, block: &[u8]) -> bool {
        let [marks, zeros] = self.held;
        let more_marks = block.iter().take_while(|byte| **byte == CTRL_Z).count();
        let rest = &block[more_marks..];
        if (more_marks > 0 && zeros > 0) || rest.iter().any(|byte| *byte != NUL) {
            return false;
        }
        self.held = [marks + more_marks as u64, zeros + rest.len() as u64];
        true
    }

    /// Gives back what was held back, as far as the buffer has room.
    fn release(&mut self, buffer: &mut [u8]) -> usize {
        let (at, byte) = if self.held[0] > 0 { (0, CTRL_Z) } else { (1, NUL) };
        let length = buffer.len().min(usize::try_from(self.held[at]).unwrap_or(usize::MAX));
        buffer[..length].fill(byte);
        self.held[at] -= length as u64;
        length
    }
}

impl<R: Read> Read for TextEnd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let is_holding = self.held != [0, 0];
            if self.at < self.next.len() {
                if is_holding {
                    return Ok(self.release(buffer));
                }
                let length = buffer.len().min(self.next.len() - self.at);
                buffer[..length].copy_from_slice(&self.next[self.at..self.at + length]);
                self.at += length;
                if self.at < self.next.len() {
                    return Ok(length);
                }
                // Only the last part of the bytes may be the end.
                match self.hold(&buffer[..length]) {
                    0 => continue,
                    kept => return Ok(kept),
                }
            }
            let read = self.input.read(buffer)?;
            if read == 0 {
                return Ok(0);
            }
            if is_holding {
                if !self.is_continued(&buffer[..read]) {
                    self.next.clear();
                    self.next.extend_from_slice(&buffer[..read]);
                    self.at = 0;
                }
                continue;
            }
            match self.hold(&buffer[..read]) {
                0 => {}
                kept => return Ok(kept),
            }
        }
    }
}
