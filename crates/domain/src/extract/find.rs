//! The JSON values in the text of an answer.
//!
//! Models are asked for JSON and write it with more around: reasoning, a fence, an introduction, remarks. The places
//! where a value may begin are tried in this order: the whole text, fenced blocks, then every bracket from the left.

use super::repair::{last_curly_quote, repaired};
use memchr::{memchr2, memmem};
use serde_json::{Deserializer, Value};

/// Tags that models put around their reasoning.
const REASONING: [&str; 3] = ["think", "thinking", "reasoning"];
/// The most places of a text that are tried, and the most that are tried with repaired quotes. Each costs as much as
/// the rest of the text is long, and hostile texts are all brackets.
const MOST_PLACES: usize = 2_000;
const MOST_REPAIRS: usize = 16;

/// `text` without the reasoning that stands before any bracket. `None` if it is all reasoning, which never ends.
pub(super) fn after_reasoning(text: &str) -> Option<&str> {
    let bracket_from = |at: usize| at + memchr2(b'{', b'[', &text.as_bytes()[at..]).unwrap_or(text.len() - at);
    let mut begin = 0;
    let mut bracket = bracket_from(0);
    while let Some(opened) = tags(&text[begin..bracket]).find(|tag| !tag.closes) {
        let inside = begin + opened.end;
        let closed = tags(&text[inside..]).find(|tag| tag.closes && tag.name == opened.name)?;
        begin = inside + closed.end;
        if bracket < begin {
            bracket = bracket_from(begin);
        }
    }
    Some(&text[begin..])
}

struct Tag {
    name: &'static str,
    closes: bool,
    /// The place after it.
    end: usize,
}

/// The reasoning tags of a text.
fn tags(text: &str) -> impl Iterator<Item = Tag> {
    memchr::memchr_iter(b'<', text.as_bytes()).filter_map(|at| {
        let inside = &text[at + 1..];
        let (closes, name_at) = if inside.starts_with('/') { (true, 1) } else { (false, 0) };
        REASONING.into_iter().find_map(|name| {
            let end = name_at + name.len();
            let found = inside.get(name_at..end)?.eq_ignore_ascii_case(name) && inside[end..].starts_with('>');
            found.then_some(Tag { name, closes, end: at + 1 + end + 1 })
        })
    })
}

/// Why there is no further value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum NoValue {
    /// Nothing looks like JSON.
    Nothing,
    /// The value that begins last does not end.
    Unended,
    /// What looks most like JSON breaks off at this byte.
    Broken(usize),
}

/// The values of a text, one after the other.
pub(super) struct Values<'t> {
    text: &'t str,
    /// Places to try before going from bracket to bracket.
    hints: std::vec::IntoIter<usize>,
    /// From where on brackets are looked for.
    at: usize,
    places: usize,
    repairs: usize,
    /// Where the last curly quote is, once that is asked for.
    last_curly: Option<usize>,
    unended: bool,
    /// Of what is no JSON: how much looked like it, and where it breaks off.
    broken: Option<(usize, usize)>,
}

impl<'t> Values<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let hints = hints(text).into_iter();
        Self { text, hints, at: 0, places: 0, repairs: 0, last_curly: None, unended: false, broken: None }
    }

    /// Why there is no further value, and how many bytes looked like JSON.
    pub(super) fn failure(&self) -> (NoValue, usize) {
        match self.broken {
            _ if self.unended => (NoValue::Unended, usize::MAX),
            Some((length, at)) => (NoValue::Broken(at), length),
            None => (NoValue::Nothing, 0),
        }
    }

    /// The next place to try, and whether it was found by going from bracket to bracket.
    fn next_place(&mut self) -> Option<(usize, bool)> {
        self.places += 1;
        if self.unended || self.places > MOST_PLACES {
            return None;
        }
        if let Some(hint) = self.hints.next() {
            return Some((hint, false));
        }
        let rest = self.text.as_bytes().get(self.at..)?;
        Some((self.at + memchr2(b'{', b'[', rest)?, true))
    }

    /// Whether repairing the text from `place` on is worth a try.
    fn may_be_repaired(&mut self, place: usize) -> bool {
        let last_curly = *self.last_curly.get_or_insert_with(|| last_curly_quote(self.text).unwrap_or(0));
        let tried = self.repairs < MOST_REPAIRS && place < last_curly;
        self.repairs += usize::from(tried);
        tried
    }
}

impl Iterator for Values<'_> {
    /// A value and the bytes that it takes.
    type Item = (Value, usize);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (place, in_order) = self.next_place()?;
            let rest = &self.text[place..];
            let reading = match read(rest) {
                Reading::Value(value, length) => Reading::Value(value, length),
                failed if self.may_be_repaired(place) => {
                    let (repaired, length) = repaired(rest);
                    match read(&repaired) {
                        Reading::Value(value, _) => Reading::Value(value, length),
                        Reading::Unended => Reading::Unended,
                        // Where the text as it is breaks off says more to people.
                        Reading::Broken(_) => failed,
                    }
                }
                failed => failed,
            };
            match reading {
                Reading::Value(value, length) => {
                    if in_order {
                        self.at = place + length;
                    }
                    return Some((value, length));
                }
                // Not its inner values: they would pass for the whole.
                Reading::Unended => self.unended = true,
                Reading::Broken(length) => {
                    let looks_like_json = length > 1 || rest.starts_with('{');
                    if looks_like_json && self.broken.is_none_or(|(longest, _)| longest < length) {
                        self.broken = Some((length, place + length));
                    }
                    if in_order {
                        self.at = place + 1;
                    }
                }
            }
        }
    }
}

enum Reading {
    /// A value, and how many bytes it takes.
    Value(Value, usize),
    /// The text ends before the value does.
    Unended,
    /// No JSON from this byte on.
    Broken(usize),
}

/// The value that `text` begins with.
fn read(text: &str) -> Reading {
    let mut stream = Deserializer::from_str(text).into_iter::<Value>();
    match stream.next() {
        Some(Ok(value)) => Reading::Value(value, stream.byte_offset()),
        Some(Err(error)) if !error.is_eof() => {
            let line_begin = match error.line() {
                0 | 1 => 0,
                line => memchr::memchr_iter(b'\n', text.as_bytes()).nth(line - 2).map_or(0, |at| at + 1),
            };
            Reading::Broken((line_begin + error.column().saturating_sub(1)).min(text.len()))
        }
        _ => Reading::Unended,
    }
}

/// Where to look first: the whole text, then fenced blocks, then what follows the end of reasoning that began in the
/// prompt. Empty where that is where the first bracket is.
fn hints(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let mut hints: Vec<usize> = memmem::find_iter(bytes, b"```").filter_map(|at| fenced(text, at + 3)).collect();
    hints.extend(tags(text).find(|tag| tag.closes).map(|tag| tag.end).and_then(|end| bracket_after_space(text, end)));
    if hints.is_empty() {
        return hints;
    }
    if let Some(begin) = bracket_after_space(text, 0) {
        match read(&text[begin..]) {
            Reading::Value(_, length) if text[begin + length..].trim().is_empty() => hints.insert(0, begin),
            // Fences and tags that follow stand in its strings.
            Reading::Unended => hints.clear(),
            _ => {}
        }
    }
    hints
}

/// The bracket with which a fenced block of JSON begins whose fence ends at `at`.
fn fenced(text: &str, at: usize) -> Option<usize> {
    let language = text[at..].bytes().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let name = &text[at..at + language];
    let json = name.is_empty() || ["json", "jsonc", "json5"].iter().any(|known| name.eq_ignore_ascii_case(known));
    if json { bracket_after_space(text, at + language) } else { None }
}

/// The bracket that follows `at`, but for space.
fn bracket_after_space(text: &str, at: usize) -> Option<usize> {
    let rest = text[at..].trim_start();
    rest.starts_with(['{', '[']).then(|| text.len() - rest.len())
}
