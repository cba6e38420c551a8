//! Search for JSON values in the text of an answer.
//!
//! Models that are prompted for JSON surround it with other text: reasoning, a fence, an introduction, remarks. The
//! positions where a value may begin are tried in this order: the whole text, fenced blocks, then every bracket from the
//! left.

use super::repair::{last_curly_quote, repaired};
use memchr::{memchr2, memmem};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Deserializer;
use std::marker::PhantomData;

/// Tags that enclose the reasoning of models.
const REASONING: [&str; 3] = ["think", "thinking", "reasoning"];
/// Maximum number of positions of a text that are tried. The cost of each is proportional to the length of the remaining
/// text, and hostile texts consist of brackets only.
const MAX_POSITIONS: usize = 2_000;
/// Maximum number of positions of a text that are tried with repaired quotes.
const MAX_REPAIRS: usize = 16;
/// Maximum number of bytes that are read in all, as a multiple of the text's length: a text can be invalid at its end, and at
/// each of its brackets it would be read to there.
const MAX_READ_FACTOR: usize = 8;
/// Number of positions at which a value is read at once. Further ones are checked first, which is ten times as fast where it
/// fails: hostile texts consist of brackets, and each would become a list before the text turns out to be invalid.
const MAX_UNCHECKED: usize = 4;
/// Length for which the budget always suffices.
const MIN_BUDGET_BYTES: usize = 4 * 1024;

/// Returns `text` without the reasoning that precedes the first bracket, or `None` if it is only reasoning that never ends.
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
    /// Position after the tag.
    end: usize,
}

/// Returns the reasoning tags of a text.
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

/// Reason why there is no further value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum NoValue {
    /// Nothing resembles JSON.
    Nothing,
    /// The last value does not end.
    Unended,
    /// Invalid JSON: its longest part that resembles JSON becomes invalid at this byte.
    Broken(usize),
}

/// Iterator over the JSON values of a text, read as `V`: as a tree, or only to their ends.
pub(super) struct Values<'t, V> {
    text: &'t str,
    /// Positions to try before all brackets are tried in order.
    hints: std::vec::IntoIter<usize>,
    /// Position from which brackets are searched for.
    at: usize,
    /// Number of positions tried.
    positions: usize,
    /// Number of repairs tried.
    repairs: usize,
    /// Number of bytes that may still be read.
    budget: usize,
    /// Position and length of the latest value, and its text if it was repaired.
    latest: (usize, usize, Option<String>),
    /// Position of the last curly quote, once it has been determined.
    last_curly: Option<usize>,
    unended: bool,
    /// Length of the longest part that resembles JSON, and the position where it becomes invalid.
    broken: Option<(usize, usize)>,
    read_as: PhantomData<V>,
}

impl<'t, V: DeserializeOwned> Values<'t, V> {
    pub(super) fn new(text: &'t str) -> Self {
        let hints = hints(text).into_iter();
        let latest = (0, 0, None);
        let budget = text.len().max(MIN_BUDGET_BYTES).saturating_mul(MAX_READ_FACTOR);
        let (at, positions, repairs) = (0, 0, 0);
        let (last_curly, unended, broken) = (None, false, None);
        Self { text, hints, at, positions, repairs, budget, latest, last_curly, unended, broken, read_as: PhantomData }
    }

    /// Returns the latest value as it is written, with repaired quotes if it could not be read otherwise.
    pub(super) fn latest_text(&self) -> &str {
        let (position, length, repaired) = &self.latest;
        let text = || self.text.get(*position..position + length).unwrap_or_default();
        repaired.as_deref().unwrap_or_else(text)
    }

    /// Returns the reason why there is no further value, and the number of bytes that resembled JSON.
    pub(super) fn failure(&self) -> (NoValue, usize) {
        match self.broken {
            _ if self.unended => (NoValue::Unended, usize::MAX),
            Some((length, at)) => (NoValue::Broken(at), length),
            None => (NoValue::Nothing, 0),
        }
    }

    /// Returns the next position to try, and true if it was found by trying brackets in order.
    fn next_position(&mut self) -> Option<(usize, bool)> {
        self.positions += 1;
        if self.unended || self.positions > MAX_POSITIONS || self.budget == 0 {
            return None;
        }
        if let Some(hint) = self.hints.next() {
            return Some((hint, false));
        }
        let rest = self.text.as_bytes().get(self.at..)?;
        Some((self.at + memchr2(b'{', b'[', rest)?, true))
    }

    /// Returns true if it is worth trying to repair the text from `position` on.
    fn is_repair_worthwhile(&mut self, position: usize) -> bool {
        let last_curly = *self.last_curly.get_or_insert_with(|| last_curly_quote(self.text).unwrap_or(0));
        let tried = self.repairs < MAX_REPAIRS && position < last_curly;
        self.repairs += usize::from(tried);
        tried
    }
}

impl<V: DeserializeOwned> Iterator for Values<'_, V> {
    /// Value, and its length in bytes.
    type Item = (V, usize);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (position, in_order) = self.next_position()?;
            let rest = &self.text[position..];
            let mut repaired_text = None;
            let reading = if self.positions <= MAX_UNCHECKED { read::<V>(rest) } else { checked::<V>(rest) };
            self.budget = self.budget.saturating_sub(reading.length(rest));
            let reading = match reading {
                Reading::Value(value, length) => Reading::Value(value, length),
                failed if self.is_repair_worthwhile(position) => {
                    let (repaired, length) = repaired(rest);
                    // It is repaired, and read again.
                    self.budget = self.budget.saturating_sub(2 * length);
                    match read(&repaired) {
                        Reading::Value(value, _) => {
                            repaired_text = Some(repaired);
                            Reading::Value(value, length)
                        }
                        Reading::Unended => Reading::Unended,
                        // The position of the error in the original text is more helpful.
                        Reading::Broken(_) => failed,
                    }
                }
                failed => failed,
            };
            match reading {
                Reading::Value(value, length) => {
                    if in_order {
                        self.at = position + length;
                    }
                    self.latest = (position, length, repaired_text);
                    return Some((value, length));
                }
                // Its inner values are not tried: they would be taken for the whole.
                Reading::Unended => self.unended = true,
                Reading::Broken(length) => {
                    let looks_like_json = length > 1 || rest.starts_with('{');
                    if looks_like_json && self.broken.is_none_or(|(longest, _)| longest < length) {
                        self.broken = Some((length, position + length));
                    }
                    if in_order {
                        self.at = position + 1;
                    }
                }
            }
        }
    }
}

enum Reading<V> {
    /// Value, and its length in bytes.
    Value(V, usize),
    /// The text ends before the value does.
    Unended,
    /// The text is not JSON from this byte on.
    Broken(usize),
}

impl<V> Reading<V> {
    /// Returns the number of bytes of `text` that were read.
    fn length(&self, text: &str) -> usize {
        match self {
            Self::Value(_, length) | Self::Broken(length) => *length,
            Self::Unended => text.len(),
        }
    }
}

/// Reads the value that `text` begins with, after a check of its syntax.
fn checked<V: DeserializeOwned>(text: &str) -> Reading<V> {
    match read::<IgnoredAny>(text) {
        Reading::Value(..) => read(text),
        Reading::Unended => Reading::Unended,
        Reading::Broken(length) => Reading::Broken(length),
    }
}

/// Reads the value that `text` begins with.
fn read<V: DeserializeOwned>(text: &str) -> Reading<V> {
    let mut stream = Deserializer::from_str(text).into_iter::<V>();
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

/// Returns the positions to try first: the whole text, then fenced blocks, then the text after reasoning that began in the
/// prompt. Empty if these do not differ from the first bracket.
fn hints(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let mut hints: Vec<usize> = memmem::find_iter(bytes, b"```").filter_map(|at| fenced(text, at + 3)).collect();
    hints.extend(tags(text).find(|tag| tag.closes).map(|tag| tag.end).and_then(|end| bracket_after_space(text, end)));
    if hints.is_empty() {
        return hints;
    }
    if let Some(begin) = bracket_after_space(text, 0) {
        match read::<IgnoredAny>(&text[begin..]) {
            Reading::Value(_, length) if text[begin + length..].trim().is_empty() => hints.insert(0, begin),
            // Fences and tags that follow are part of its strings.
            Reading::Unended => hints.clear(),
            _ => {}
        }
    }
    hints
}

/// Returns the position of the bracket that begins a fenced block of JSON, whose opening fence ends at `at`.
fn fenced(text: &str, at: usize) -> Option<usize> {
    let language = text[at..].bytes().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let name = &text[at..at + language];
    let json = name.is_empty() || ["json", "jsonc", "json5"].iter().any(|known| name.eq_ignore_ascii_case(known));
    if json { bracket_after_space(text, at + language) } else { None }
}

/// Returns the position of the bracket that follows `at` after optional space.
fn bracket_after_space(text: &str, at: usize) -> Option<usize> {
    let rest = text[at..].trim_start();
    rest.starts_with(['{', '[']).then(|| text.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the number of bytes that are read to find all values of a text.
    fn bytes_read(text: &str) -> usize {
        let mut values = Values::<serde_json::Value>::new(text);
        let budget = values.budget;
        values.by_ref().for_each(drop);
        budget - values.budget
    }

    #[test]
    fn no_answer_is_read_more_often_than_its_budget_allows() {
        for bytes in [4_000, 8_000, 32_000] {
            let filled = |part: &str| part.repeat(bytes / part.len());
            let hostile = [
                filled("[1,"),
                format!("{}x", filled("[")),
                format!("{}x", filled("[1,")),
                format!("{}x", filled("{\"a\":[")),
                format!("[{}x", filled("[[1],[2]],")),
                format!("“{}x“", filled("[“a”,")),
                filled("```[1,\n"),
                format!("{}x", filled("```[\"a\",")),
                format!("{{{}x", filled("\"a\":{\"b\":1},")),
            ];
            for text in hostile {
                // The last reading may exceed the budget by the text, and its repair by two more.
                let most = (MAX_READ_FACTOR + 3) * text.len().max(MIN_BUDGET_BYTES);
                assert!(bytes_read(&text) <= most, "{} bytes of {}", bytes_read(&text), &text[..20]);
            }
        }
    }

    #[test]
    fn an_answer_behind_many_footnotes_and_broken_parts_is_found() {
        let text = format!(
            "{} {{\"a\": {{\"b\": {{\"c\": oops}}}}}} {{\"answer\": 1}}",
            "As said in [1] and [see 2]. ".repeat(200)
        );
        let found: Vec<String> = Values::<serde_json::Value>::new(&text).map(|(value, _)| value.to_string()).collect();
        assert_eq!(found.last().map(String::as_str), Some("{\"answer\":1}"));
    }
}
