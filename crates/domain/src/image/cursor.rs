//! Read position in the bytes of a file; reading past the end means that the file is truncated.

use super::container::Fault;

#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn at(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    pub(super) fn position(self) -> usize {
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

    /// Advances by `count` bytes, which must exist.
    pub(super) fn skip(&mut self, count: usize) -> Result<(), Fault> {
        let to = self.at.checked_add(count).filter(|to| *to <= self.bytes.len()).ok_or(Fault::CutOff)?;
        self.at = to;
        Ok(())
    }
}
