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

/// Appends `text` to `line` with JSON's escapes and without quotes around it.
pub fn push_escaped(line: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let bytes = text.as_bytes();
    let mut written = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let escape = ESCAPES[usize::from(byte)];
        if escape == 0 {
            continue;
        }
        line.extend_from_slice(&bytes[written..at]);
        line.extend_from_slice(&[b'\\', escape]);
        if escape == b'u' {
            line.extend_from_slice(&[b'0', b'0', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
        written = at + 1;
    }
    line.extend_from_slice(&bytes[written..]);
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

    #[test]
    fn every_control_character_is_escaped() {
        let text: String = (0u8..0x80).map(char::from).collect();
        let mut line = vec![b'"'];
        push_escaped(&mut line, &text);
        line.push(b'"');
        assert_eq!(line, serde_json::to_vec(&text).unwrap());
    }
}
