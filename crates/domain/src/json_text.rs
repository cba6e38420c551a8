//! Writer of JSON strings into an existing buffer, with the same bytes as `serde_json`, and reader of the usual ones.

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

/// The byte 1, eight times.
const ONES: u64 = u64::MAX / 255;

/// Marks those of eight bytes that equal `byte`, each by its highest bit. The lowest mark is right; others above it may be wrong.
pub(crate) fn marks_of(byte: u8, chars: u64) -> u64 {
    let differences = chars ^ (ONES * u64::from(byte));
    differences.wrapping_sub(ONES) & !differences & (ONES << 7)
}

/// Marks those of eight bytes that JSON escapes in texts, like [`marks_of`].
fn special_marks(chunk: [u8; 8]) -> u64 {
    let chars = u64::from_le_bytes(chunk);
    let controls = chars.wrapping_sub(ONES * 0x20) & !chars;
    (controls & (ONES << 7)) | marks_of(b'"', chars) | marks_of(b'\\', chars)
}

/// Returns the position of the first byte that JSON escapes in texts: a quote, a backslash or a control character.
pub(crate) fn special_at(bytes: &[u8]) -> Option<usize> {
    let (chunks, remainder) = bytes.as_chunks::<8>();
    for (number, chunk) in chunks.iter().enumerate() {
        let marks = special_marks(*chunk);
        if marks != 0 {
            return Some(number * 8 + marks.trailing_zeros() as usize / 8);
        }
    }
    let at = remainder.iter().position(|byte| ESCAPES[usize::from(*byte)] != 0)?;
    Some(chunks.len() * 8 + at)
}

/// Returns the text whose JSON is `escaped` between its quotes. Returns `None` if that is not valid, or has pairs of surrogates,
/// which is left to `serde_json`.
pub(crate) fn unescaped(escaped: &[u8]) -> Option<String> {
    // Eight bytes are copied at a time, whatever is among them: what does not belong to the text is overwritten.
    let mut text = vec![0; escaped.len() + 8];
    let (mut at, mut end) = (0, 0);
    while at < escaped.len() {
        let remainder = escaped.get(at..)?;
        let chunk = remainder.first_chunk().copied().unwrap_or_else(|| {
            let mut last = [b'"'; 8];
            last.iter_mut().zip(remainder).for_each(|(last, byte)| *last = *byte);
            last
        });
        *text.get_mut(end..)?.first_chunk_mut()? = chunk;
        let copied = special_marks(chunk).trailing_zeros() as usize / 8;
        at += copied;
        end += copied;
        if copied < chunk.len() && at < escaped.len() {
            let (consumed, written) = unescape_one(escaped.get(at..)?, text.get_mut(end..)?)?;
            at += consumed;
            end += written;
        }
    }
    text.truncate(end);
    String::from_utf8(text).ok()
}

/// Writes the character of the escape that `escaped` begins with; returns the lengths of the two.
fn unescape_one(escaped: &[u8], text: &mut [u8]) -> Option<(usize, usize)> {
    let [b'\\', letter, ..] = escaped else { return None };
    let byte = match letter {
        b'"' | b'\\' | b'/' => *letter,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => {
            let digits = escaped.get(2..6)?.iter().map(|digit| char::from(*digit).to_digit(16));
            let number = digits.reduce(|number, digit| Some(number? * 16 + digit?))??;
            return Some((6, char::from_u32(number)?.encode_utf8(text).len()));
        }
        _ => return None,
    };
    *text.first_mut()? = byte;
    Some((2, 1))
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

    proptest! {
        #[test]
        fn texts_are_unescaped_as_serde_json_does(text in any::<String>(), json in r#"([a-zü]{0,9}|\\[bfnrtu"/x\\]|\\u[0-9a-fA-Fg]{0,4}|["\n\u{1}])*"#) {
            let escaped = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(unescaped(&escaped.as_bytes()[1..escaped.len() - 1]), Some(text));
            if let Some(read) = unescaped(json.as_bytes()) {
                prop_assert_eq!(serde_json::from_str::<String>(&format!("\"{json}\"")).unwrap(), read);
            } else if let Ok(read) = serde_json::from_str::<String>(&format!("\"{json}\"")) {
                prop_assert!(read.chars().any(|letter| letter > '\u{ffff}'), "{:?}", json);
            }
        }
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_left_to_others() {
        assert_eq!(unescaped(b"a\xff\\n"), None);
        assert_eq!(unescaped(b""), Some(String::new()));
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
