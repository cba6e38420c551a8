//! Writer of JSON strings into an existing buffer, with the same bytes as `serde_json`.

/// For each byte: 0 if it needs no escape, else the letter after the backslash (`u` for `\u00xx`).
static ESCAPES: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = b'u';
        byte += 1;
    }
    table[0x08] = b'b';
    table[0x09] = b't';
    table[0x0a] = b'n';
    table[0x0c] = b'f';
    table[0x0d] = b'r';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table
};

/// Returns the position of the first byte that JSON escapes in texts: a quote, a backslash or a control character.
pub(crate) fn special_at(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::MAX / 255;
    let (chunks, remainder) = bytes.as_chunks::<8>();
    for (number, chunk) in chunks.iter().enumerate() {
        let chars = u64::from_le_bytes(*chunk);
        // The lowest of the highest bits that is set marks the first such byte; others above it may be wrong.
        let controls = chars.wrapping_sub(ONES * 0x20) & !chars;
        let quotes = chars ^ (ONES * u64::from(b'"'));
        let backslashes = chars ^ (ONES * u64::from(b'\\'));
        let equal = (quotes.wrapping_sub(ONES) & !quotes) | (backslashes.wrapping_sub(ONES) & !backslashes);
        let found = (controls | equal) & (ONES << 7);
        if found != 0 {
            return Some(number * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let at = remainder.iter().position(|byte| ESCAPES[usize::from(*byte)] != 0)?;
    Some(chunks.len() * 8 + at)
}

/// Appends `text` to `line` with JSON's escapes and without quotes around it.
pub fn push_escaped(line: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut remainder = text.as_bytes();
    while let Some(at) = special_at(remainder) {
        let byte = remainder[at];
        let escape = ESCAPES[usize::from(byte)];
        line.extend_from_slice(&remainder[..at]);
        line.extend_from_slice(&[b'\\', escape]);
        if escape == b'u' {
            line.extend_from_slice(&[b'0', b'0', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
        remainder = &remainder[at + 1..];
    }
    line.extend_from_slice(remainder);
}

/// Returns the number of bytes that [`push_escaped`] appends.
pub fn escaped_length(text: &str) -> usize {
    let length = |byte: u8| match ESCAPES[usize::from(byte)] {
        0 => 1,
        b'u' => 6,
        _ => 2,
    };
    text.bytes().map(length).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn escapes_as_serde_json_does(text in any::<String>()) {
            let mut line = vec![b'"'];
            push_escaped(&mut line, &text);
            line.push(b'"');
            prop_assert_eq!(line, serde_json::to_vec(&text).unwrap());
        }
    }

    proptest! {
        #[test]
        fn the_first_byte_with_an_escape_is_found(text in "[a\u{0}\u{1f}\u{20}\u{7f}!\"#\\[\\\\\\]ü\u{a2}\u{ff}]{0,40}") {
            let expected = text.bytes().position(|byte| ESCAPES[usize::from(byte)] != 0);
            prop_assert_eq!(special_at(text.as_bytes()), expected);
        }
    }

    #[test]
    fn every_control_character_is_escaped() {
        let text: String = (0u8..0x80).map(char::from).collect();
        let mut line = vec![b'"'];
        push_escaped(&mut line, &text);
        line.push(b'"');
        assert_eq!(line, serde_json::to_vec(&text).unwrap());
    }
}
