//! Translation of text that is nearly JSON to JSON, where it has one reading.
//!
//! Models write Python dictionaries, line breaks within strings, commentaries, trailing commas and no last bracket. Such text is
//! read if it can mean only one thing, and refused otherwise: `1,234`, `95%`, `Infinity` or a quote within a string have several
//! readings or none. Libraries that repair JSON guess instead ([ADR 20](../../../../docs/adr/0020-one-reading-or-none.md)).
//!
//! Only text that does not parse is translated, and the translation is used only if it parses. One pass, without recursion.

mod scalars;
mod strings;
#[cfg(test)]
mod tests;

/// Maximum depth of values: that of the parser of what comes out.
const MAX_DEPTH: usize = 127;
/// Characters without width, which are found where text was copied from web pages.
const ZERO_WIDTH: [char; 5] = ['\u{200B}', '\u{200C}', '\u{200D}', '\u{2060}', '\u{FEFF}'];
/// Ends of fenced blocks.
const FENCES: [&str; 2] = ["```", "~~~"];

/// JSON that a text was translated to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Translation {
    pub(super) json: String,
    /// Length of the value in the text, in bytes.
    pub(super) length: usize,
}

/// Translates the value that `text` begins with, if it has one reading. If `is_ended`, the text ends where the model ended it, so
/// that brackets may be missing at its end.
///
/// # Errors
/// Returns the number of bytes that were read before the text was refused.
pub(super) fn translated(text: &str, is_ended: bool) -> Result<Translation, usize> {
    let mut translator = Translator { text, at: 0, json: String::new(), open: Vec::new(), is_ended };
    match translator.value() {
        Some(()) => Ok(Translation { json: translator.json, length: translator.at }),
        None => Err(translator.at),
    }
}

/// Position in a text, and what was translated before it.
struct Translator<'t> {
    text: &'t str,
    at: usize,
    json: String,
    /// Closing brackets that are due, the innermost one last.
    open: Vec<char>,
    is_ended: bool,
}

/// What may come next.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    /// Value, after a colon.
    Value,
    /// Element or member, or the end: after an opening bracket, or after a comma that is not written yet.
    Element { after_comma: bool },
    /// Comma or end, after a value; true if that is an object.
    CommaOrEnd { after_object: bool },
}

impl<'t> Translator<'t> {
    /// Translates the value at the beginning. `None`: it has no reading, or several.
    fn value(&mut self) -> Option<()> {
        let mut next = Next::Value;
        loop {
            if self.open.is_empty() && next != Next::Value {
                return Some(());
            }
            let begin = self.at;
            self.skip_space()?;
            let has_space = self.at > begin;
            let Some(char) = self.peek().filter(|_| !self.is_at_fence()) else { return self.end(next) };
            let is_closing = self.open.last() == Some(&char);
            next = match next {
                Next::Element { .. } | Next::CommaOrEnd { .. } if is_closing => self.close(char),
                Next::CommaOrEnd { .. } if char == ',' => {
                    self.advance();
                    Next::Element { after_comma: true }
                }
                Next::CommaOrEnd { after_object } => {
                    let is_forgotten = if self.is_in_object() { is_quote(char) } else { char == '{' && after_object };
                    // Two texts side by side are rather one with a quote within it.
                    if !(is_forgotten && has_space) {
                        return None;
                    }
                    Next::Element { after_comma: true }
                }
                Next::Element { after_comma } => {
                    if after_comma {
                        self.json.push(',');
                    }
                    if self.is_in_object() {
                        self.key()?;
                    }
                    Next::Value
                }
                Next::Value => self.scalar_or_open(char)?,
            };
        }
    }

    /// Translates a scalar or an opening bracket.
    fn scalar_or_open(&mut self, char: char) -> Option<Next> {
        let closing = match char {
            '{' => '}',
            '[' => ']',
            // Only lists and objects are looked for.
            _ if self.open.is_empty() => return None,
            _ => {
                if is_quote(char) {
                    self.string(char)?;
                } else {
                    self.word()?;
                }
                return Some(Next::CommaOrEnd { after_object: false });
            }
        };
        if self.open.len() >= MAX_DEPTH {
            // From each of the values within, as much would be read again: it counts as if the text had been read to its end.
            self.at = self.text.len();
            return None;
        }
        self.advance();
        self.json.push(char);
        self.open.push(closing);
        Some(Next::Element { after_comma: false })
    }

    /// Translates the name of a member, and the colon after it.
    fn key(&mut self) -> Option<()> {
        match self.peek()? {
            char if is_quote(char) => self.string(char)?,
            _ => self.bare_key()?,
        }
        self.skip_space()?;
        if self.peek()? != ':' {
            return None;
        }
        self.advance();
        self.json.push(':');
        Some(())
    }

    fn close(&mut self, char: char) -> Next {
        self.advance();
        self.open.pop();
        self.json.push(char);
        Next::CommaOrEnd { after_object: char == '}' }
    }

    /// Ends the value where the text or its fenced block ends. A comma or a colon before it would have been followed by more.
    fn end(&mut self, next: Next) -> Option<()> {
        let is_whole = matches!(next, Next::CommaOrEnd { .. }) && (self.is_ended || self.is_at_fence());
        if !is_whole {
            return None;
        }
        while let Some(closing) = self.open.pop() {
            self.json.push(closing);
        }
        Some(())
    }

    /// Skips space and comments. `None`: a comment does not end.
    fn skip_space(&mut self) -> Option<()> {
        loop {
            if self.byte().is_some_and(|byte| byte.is_ascii_graphic() && !matches!(byte, b'/' | b'#')) {
                return Some(());
            }
            let rest = self.rest();
            let space = rest.trim_start_matches(|char: char| char.is_whitespace() || ZERO_WIDTH.contains(&char));
            self.at += rest.len() - space.len();
            let comment = if space.starts_with("/*") {
                let Some(end) = memchr::memmem::find(space.as_bytes(), b"*/") else {
                    // The text was searched to its end, which counts.
                    self.at = self.text.len();
                    return None;
                };
                end + 2
            } else if space.starts_with("//") || space.starts_with('#') {
                memchr::memchr(b'\n', space.as_bytes()).unwrap_or(space.len())
            } else {
                return Some(());
            };
            self.at += comment;
        }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Returns the next character; those of full width stand for the ones of JSON.
    fn peek(&self) -> Option<char> {
        if let Some(byte) = self.byte().filter(u8::is_ascii) {
            return Some(char::from(byte));
        }
        self.rest().chars().next().map(|char| match char {
            '｛' => '{',
            '｝' => '}',
            '［' => '[',
            '］' => ']',
            '：' => ':',
            '，' => ',',
            other => other,
        })
    }

    fn advance(&mut self) {
        self.at += self.rest().chars().next().map_or(0, char::len_utf8);
    }

    fn is_in_object(&self) -> bool {
        self.open.last() == Some(&'}')
    }

    fn is_at_fence(&self) -> bool {
        matches!(self.byte(), Some(b'`' | b'~')) && FENCES.iter().any(|fence| self.rest().starts_with(fence))
    }
}

fn is_quote(char: char) -> bool {
    matches!(char, '"' | '\'' | '＂')
}
