//! Reasoning that models write before their answers, between tags.

use memchr::memchr2;

/// Tags that enclose the reasoning of models.
const REASONING: [&str; 3] = ["think", "thinking", "reasoning"];

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

/// Tag that begins or ends reasoning.
pub(super) struct Tag {
    name: &'static str,
    pub(super) closes: bool,
    /// Position after the tag.
    pub(super) end: usize,
}

/// Returns the reasoning tags of a text.
pub(super) fn tags(text: &str) -> impl Iterator<Item = Tag> {
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
