//! Strings: between quotes of several kinds, with line breaks and escapes that JSON does not have.

use super::Translator;
use crate::json_text::push_escaped;
use crate::surrogates::UnicodeEscape;

/// Escapes of a string that bear on the reading of its other backslashes.
#[derive(Default)]
struct Escapes {
    /// A backslash before a letter that JSON has no escape for, as in `\d` or `\alpha`.
    has_unknown_letter: bool,
    /// An escape like `\n` that a letter follows: it may be the `\n` of `\nabla`.
    has_doubtful: bool,
}

impl Translator<'_> {
    /// Translates a string that begins with `quote` at this position.
    pub(super) fn string(&mut self, quote: char) -> Option<()> {
        self.at += quote.len_utf8();
        self.json.push('"');
        let mut escapes = Escapes::default();
        let mut before = quote;
        loop {
            let plain = self.rest().bytes().take_while(|byte| is_plain(*byte)).count();
            if let Some(text) = self.text.get(self.at..self.at + plain).filter(|text| !text.is_empty()) {
                self.json.push_str(text);
                self.at += plain;
                before = text.chars().next_back().unwrap_or(before);
            }
            let char = self.rest().chars().next()?;
            if char == quote && !self.is_apostrophe(before, char) {
                break;
            }
            match char {
                '\\' => self.escape(&mut escapes)?,
                _ => {
                    self.at += char.len_utf8();
                    self.push(char);
                }
            }
            before = char;
        }
        self.at += quote.len_utf8();
        self.json.push('"');
        // The backslashes of a formula or a path are all meant as they are, those of other texts as JSON's.
        (!(escapes.has_unknown_letter && escapes.has_doubtful)).then_some(())
    }

    /// Appends a character of a string.
    fn push(&mut self, char: char) {
        if char.is_ascii() && (char < ' ' || char == '"' || char == '\\') {
            let mut escaped = Vec::new();
            push_escaped(&mut escaped, char.encode_utf8(&mut [0; 4]));
            self.json.extend(escaped.into_iter().map(char::from));
        } else {
            self.json.push(char);
        }
    }

    /// Returns true if a single quote is an apostrophe: it has letters on both sides.
    fn is_apostrophe(&self, before: char, quote: char) -> bool {
        let after = self.rest().chars().nth(1);
        quote == '\'' && before.is_alphanumeric() && after.is_some_and(char::is_alphanumeric)
    }

    /// Translates an escape.
    fn escape(&mut self, seen: &mut Escapes) -> Option<()> {
        let bytes = self.text.as_bytes();
        let escaped = self.rest().chars().nth(1)?;
        let after = bytes.get(self.at + 2).copied().unwrap_or(b' ');
        if let Some(escape) = UnicodeEscape::at(bytes, self.at) {
            let end = self.at + escape.length;
            self.json.push_str(if escape.is_lone { "\u{FFFD}" } else { self.text.get(self.at..end)? });
            self.at = end;
            return Some(());
        }
        match escaped {
            '"' | '\\' | '/' => self.json.extend(['\\', escaped]),
            'b' | 'f' | 'n' | 'r' | 't' => {
                seen.has_doubtful |= after.is_ascii_alphabetic();
                self.json.extend(['\\', escaped]);
            }
            // Quotes of Python, and the underscores of Markdown.
            '\'' | '_' => self.json.push(escaped),
            // Python has a character of two hexadecimal digits here, and a line that goes on.
            'x' | '\n' | '\r' => return None,
            _ => {
                seen.has_unknown_letter |= escaped.is_ascii_alphabetic();
                self.json.push_str("\\\\");
                self.push(escaped);
            }
        }
        self.at += 1 + escaped.len_utf8();
        Some(())
    }
}

/// Returns true for characters that neither end a string nor are escaped within one.
fn is_plain(byte: u8) -> bool {
    (byte.is_ascii_graphic() || byte == b' ') && !matches!(byte, b'"' | b'\'' | b'\\')
}
