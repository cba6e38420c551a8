//! Lines of a stream, which are not copied if they are completely within the read buffer.

use memchr::memchr;
use std::io::{self, Read};

/// Size of the read buffer, which is enlarged temporarily for a longer line.
const BLOCK_BYTES: usize = 512 * 1024;

/// Calls `each` with every line (without its line feed) of `input`.
///
/// # Errors
/// Returns an error if reading fails.
pub(super) fn for_each_line(mut input: impl Read, mut each: impl FnMut(&[u8])) -> io::Result<()> {
    let mut buffer = vec![0; BLOCK_BYTES];
    // Number of bytes in the buffer, and number of those that are known to contain no line feed.
    let (mut filled, mut searched) = (0, 0);
    loop {
        if filled == buffer.len() {
            buffer.resize(buffer.len() * 2, 0);
        }
        let read = match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        filled += read;
        let mut begin = 0;
        while let Some(at) = memchr(b'\n', &buffer[searched..filled]) {
            each(&buffer[begin..searched + at]);
            begin = searched + at + 1;
            searched = begin;
        }
        buffer.copy_within(begin..filled, 0);
        filled -= begin;
        searched = filled;
        if buffer.len() > BLOCK_BYTES && filled < BLOCK_BYTES {
            buffer.truncate(BLOCK_BYTES);
            buffer.shrink_to_fit();
        }
    }
    if filled > 0 {
        each(&buffer[..filled]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Returns a few bytes at a time, like a network.
    struct Trickle<'a>(&'a [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(self.0.len()).min(buffer.len());
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }

    proptest! {
        #[test]
        fn lines_are_those_of_the_standard_library(text in "[ab\\n]{0,200}", step in 1usize..50) {
            let mut lines = Vec::new();
            for_each_line(Trickle(text.as_bytes(), step), |line| lines.push(line.to_vec())).unwrap();
            let expected: Vec<Vec<u8>> = text.split('\n').map(|line| line.as_bytes().to_vec()).collect();
            let expected = if text.is_empty() || text.ends_with('\n') { &expected[..expected.len() - 1] } else { &expected };
            prop_assert_eq!(lines, expected);
        }
    }

    #[test]
    fn a_line_longer_than_the_buffer_arrives_whole() {
        let text = format!("{}\nshort\n", "x".repeat(3 * BLOCK_BYTES));
        let mut lengths = Vec::new();
        for_each_line(text.as_bytes(), |line| lengths.push(line.len())).unwrap();
        assert_eq!(lengths, [3 * BLOCK_BYTES, 5]);
    }
}
