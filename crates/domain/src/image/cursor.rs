//! A place in a file's bytes; to read beyond their end is to find the file cut off.

use super::Fault;

#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn at(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    pub(super) fn place(self) -> usize {
        self.at
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let found = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<N>()).ok_or(Fault::CutOff)?;
        self.at += N;
        Ok(*found)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Fault> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// Goes on by so many bytes, which have to be there.
    pub(super) fn skip(&mut self, count: usize) -> Result<(), Fault> {
        let to = self.at.checked_add(count).filter(|to| *to <= self.bytes.len()).ok_or(Fault::CutOff)?;
        self.at = to;
        Ok(())
    }
}
