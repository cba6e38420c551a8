//! Search for JSON values in the text of an answer.
//!
//! Models that are prompted for JSON surround it with other text: reasoning, a fence, an introduction, remarks. The
//! positions where a value may begin are tried in this order: the whole text, fenced blocks, then every bracket from the
//! left. Where a value begins that does not parse, it is repaired (`near_json`, `repair`) before its inner values are tried:
//! these would be taken for the whole.

use super::near_json::translated;
use super::reasoning::tags;
use super::repair::{last_curly_quote, repaired};
use memchr::{memchr2, memmem};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Deserializer;
use std::marker::PhantomData;

/// Maximum number of positions of a text that are tried. The cost of each is proportional to the length of the remaining
/// text, and hostile texts consist of brackets only.
const MAX_POSITIONS: usize = 2_000;
/// Maximum number of positions of a text that are tried with repaired quotes.
const MAX_REPAIRS: usize = 16;
/// Maximum number of bytes that are read for repairs in all, as a multiple of the text's length.
const MAX_REPAIR_FACTOR: usize = 2;
/// Bytes that the attempt to repair a value counts for, however soon it fails.
const REPAIR_BYTES: usize = 16;
/// Maximum number of bytes that are read in all, as a multiple of the text's length: a text can be invalid at its end, and at
/// each of its brackets it would be read to there.
const MAX_READ_FACTOR: usize = 8;
/// Number of positions at which a value is read at once. Further ones are checked first, which is ten times as fast where it
/// fails: hostile texts consist of brackets, and each would become a list before the text turns out to be invalid.
const MAX_UNCHECKED: usize = 4;
/// Length for which the budget always suffices.
const MIN_BUDGET_BYTES: usize = 4 * 1024;

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
    /// Number of repairs of quotes tried.
    repairs: usize,
    /// Number of bytes that may still be read, and those of them that may be read for repairs.
    budget: usize,
    repair_budget: usize,
    /// If true, the model ended the text itself.
    is_ended: bool,
    latest: Latest,
    /// Position of the last curly quote, once it has been determined.
    last_curly: Option<usize>,
    unended: bool,
    /// Length of the longest part that resembles JSON, and the position where it becomes invalid.
    broken: Option<(usize, usize)>,
    read_as: PhantomData<V>,
}

/// Value that was found last.
#[derive(Debug, Default)]
struct Latest {
    position: usize,
    length: usize,
    /// Its text, if it was repaired.
    repaired: Option<String>,
    /// If true, it was found in a place where answers are expected, not by trying brackets in order.
    is_hinted: bool,
}

/// Result of an attempt to repair a value.
enum Repair<V> {
    /// Value, its text, and its length in the text that was repaired.
    Value(V, String, usize),
    /// The text ends before the value does.
    Unended,
    Impossible,
}

impl<'t, V: DeserializeOwned> Values<'t, V> {
    /// Returns the values of `text`. If `is_ended`, the model ended it itself: brackets may be missing, and nothing else.
    pub(super) fn new(text: &'t str, is_ended: bool) -> Self {
        let bytes = text.len().max(MIN_BUDGET_BYTES);
        Self {
            text,
            hints: hints(text, is_ended).into_iter(),
            at: 0,
            positions: 0,
            repairs: 0,
            budget: bytes.saturating_mul(MAX_READ_FACTOR),
            repair_budget: bytes.saturating_mul(MAX_REPAIR_FACTOR),
            is_ended,
            latest: Latest::default(),
            last_curly: None,
            unended: false,
            broken: None,
            read_as: PhantomData,
        }
    }

    /// Returns the latest value as it is written, or as it was repaired if it could not be read otherwise.
    pub(super) fn latest_text(&self) -> &str {
        let Latest { position, length, repaired, .. } = &self.latest;
        let text = || self.text.get(*position..position + length).unwrap_or_default();
        repaired.as_deref().unwrap_or_else(text)
    }

    /// Returns true if the latest value was repaired.
    pub(super) fn is_repaired(&self) -> bool {
        self.latest.repaired.is_some()
    }

    /// Returns the next value. If `is_hinted`, an answer was found where answers are expected, in a fenced block or after
    /// reasoning: only another such value may replace it.
    pub(super) fn next_after(&mut self, is_hinted: bool) -> Option<(V, usize)> {
        let after_latest = self.latest.position + self.latest.length;
        if is_hinted && self.hints.as_slice().iter().all(|hint| *hint < after_latest) {
            return None;
        }
        let found = self.next()?;
        (!is_hinted || self.latest.is_hinted).then_some(found)
    }

    /// Returns true if the latest value is the whole text, or was in a fenced block or after reasoning.
    pub(super) fn is_hinted(&self) -> bool {
        self.latest.is_hinted
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
        // What looks like another fenced block within a value is part of its strings.
        let after_latest = self.latest.position + self.latest.length;
        if let Some(hint) = self.hints.find(|hint| *hint >= after_latest) {
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

    /// Repairs the value that begins at `position`.
    fn repair(&mut self, position: usize) -> Repair<V> {
        let rest = &self.text[position..];
        if self.repair_budget == 0 {
            return Repair::Impossible;
        }
        if let Some((value, json, length)) = self.translate(rest) {
            return Repair::Value(value, json, length);
        }
        if !self.is_repair_worthwhile(position) {
            return Repair::Impossible;
        }
        let (quoted, length) = repaired(rest);
        // It is repaired, and read again.
        self.budget = self.budget.saturating_sub(2 * length);
        match read(&quoted) {
            Reading::Value(value, _) => Repair::Value(value, quoted, length),
            Reading::Unended => Repair::Unended,
            Reading::Broken(_) => match self.translate(&quoted) {
                // All of the text up to the last bracket was repaired.
                Some((value, json, read)) if read == quoted.len() => Repair::Value(value, json, length),
                _ => Repair::Impossible,
            },
        }
    }

    /// Returns the value that `text` begins with if it is nearly JSON, as JSON, and its length in `text`.
    fn translate(&mut self, text: &str) -> Option<(V, String, usize)> {
        let translated = translated(text, self.is_ended);
        let read = translated.as_ref().map_or_else(|read| *read, |translation| 2 * translation.length);
        self.budget = self.budget.saturating_sub(read);
        self.repair_budget = self.repair_budget.saturating_sub(read + REPAIR_BYTES);
        let translation = translated.ok()?;
        let value = serde_json::from_str(&translation.json).ok()?;
        Some((value, translation.json, translation.length))
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
                failed => match self.repair(position) {
                    Repair::Value(value, text, length) => {
                        repaired_text = Some(text);
                        Reading::Value(value, length)
                    }
                    Repair::Unended => Reading::Unended,
                    // The position of the error in the original text is more helpful.
                    Repair::Impossible => failed,
                },
            };
            match reading {
                Reading::Value(value, length) => {
                    if in_order {
                        self.at = position + length;
                    }
                    self.latest = Latest { position, length, repaired: repaired_text, is_hinted: !in_order };
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
fn hints(text: &str, is_ended: bool) -> Vec<usize> {
    let bytes = text.as_bytes();
    let mut hints: Vec<usize> = memmem::find_iter(bytes, b"```").filter_map(|at| fenced(text, at + 3)).collect();
    hints.extend(tags(text).find(|tag| tag.closes).map(|tag| tag.end).and_then(|end| bracket_after_space(text, end)));
    if hints.is_empty() {
        return hints;
    }
    hints.sort_unstable();
    if let Some(begin) = bracket_after_space(text, 0) {
        let rest = &text[begin..];
        let is_whole = |length: usize| rest[length..].trim().is_empty();
        let nearly_whole = || translated(rest, is_ended).is_ok_and(|translation| is_whole(translation.length));
        // Fences and tags that follow are part of its strings.
        match read::<IgnoredAny>(rest) {
            Reading::Value(_, length) if is_whole(length) => return vec![begin],
            Reading::Unended => hints.clear(),
            Reading::Broken(_) if nearly_whole() => return vec![begin],
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
        let mut values = Values::<serde_json::Value>::new(text, true);
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
                filled("{'a': [1, 2,], "),
                format!("{}x", filled("{'a': 1} ")),
                format!("[{}", filled("{'a': 1},")),
                format!("[{}x", filled("{'a': \"\n\"},")),
                format!("{{'a': “{}x", filled("/*“*/ ")),
                filled("```{'a': '"),
                filled("//{"),
                filled("{/*"),
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
        let found: Vec<String> =
            Values::<serde_json::Value>::new(&text, true).map(|(value, _)| value.to_string()).collect();
        assert_eq!(found.last().map(String::as_str), Some("{\"answer\":1}"));
    }
}
