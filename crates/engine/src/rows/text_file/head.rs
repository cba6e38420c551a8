//! The beginning of a stream, which is looked at before it is read.

use std::io::{self, Chain, Cursor, Read};

/// A stream whose beginning was looked at.
pub(super) type Peeked<R> = Chain<Cursor<Vec<u8>>, R>;

/// Returns the first `bytes` of a stream, fewer only if it has no more, and the whole stream.
pub(super) fn peek<R: Read>(mut input: R, bytes: usize) -> io::Result<(Vec<u8>, Peeked<R>)> {
    let mut head = Vec::new();
    input.by_ref().take(bytes as u64).read_to_end(&mut head)?;
    Ok((head.clone(), Cursor::new(head).chain(input)))
}
