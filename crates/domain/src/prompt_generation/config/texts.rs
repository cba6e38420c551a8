//! Texts of the files: none is empty, and none contains control characters.

use crate::input::Fields;
use crate::problem::Problem;
use serde_json::Value;

/// Maximum length of one text. All of it is sent with every row.
const MAX_TEXT_CHARS: usize = 10_000;

/// Returns the first control character of `text` in words, apart from line breaks and tabs.
pub(in crate::prompt_generation) fn control_character(text: &str) -> Option<String> {
    let mut characters = text.chars().enumerate();
    let (at, found) = characters.find(|(_, found)| found.is_control() && !matches!(found, '\n' | '\t'))?;
    Some(format!("contains the control character U+{:04X} at character {}", u32::from(found), at + 1))
}

/// Returns `text` without outer spaces, or its problem. A line is a text without line breaks.
fn checked(path: String, text: &str, is_line: bool) -> Result<String, Problem> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(Problem::without_value(path, "must not be empty"));
    }
    if let Some(rule) = control_character(trimmed) {
        return Err(Problem::without_value(path, rule).remedy("remove it"));
    }
    if is_line && trimmed.contains(['\n', '\t']) {
        return Err(Problem::new(path, trimmed, "must be one line without tabs"));
    }
    let length = trimmed.chars().count();
    if length > MAX_TEXT_CHARS {
        let rule = format!("has {length} characters, but the maximum is {MAX_TEXT_CHARS}");
        return Err(Problem::new(path, trimmed, rule).remedy("shorten it: all of it is sent with every row"));
    }
    Ok(trimmed.to_owned())
}

/// Returns `text`, which is at `path`, without outer spaces.
pub(super) fn text_at(fields: &mut Fields<'_>, path: String, text: &str) -> Option<String> {
    note(fields, checked(path, text, false))
}

fn note(fields: &mut Fields<'_>, result: Result<String, Problem>) -> Option<String> {
    result.map_err(|problem| fields.note(problem)).ok()
}

/// Reads a text of one or several lines.
pub(super) fn text(fields: &mut Fields<'_>, field: &'static str) -> Option<String> {
    let text = fields.text(field)?;
    let result = checked(fields.name(field), text, false);
    note(fields, result)
}

/// Reads a text of one or several lines that must be present.
pub(super) fn required_text(fields: &mut Fields<'_>, field: &'static str) -> Option<String> {
    let text = fields.required_text(field)?;
    let result = checked(fields.name(field), text, false);
    note(fields, result)
}

/// Reads a text of one line that must be present.
pub(super) fn required_line(fields: &mut Fields<'_>, field: &'static str) -> Option<String> {
    let text = fields.required_text(field)?;
    let result = checked(fields.name(field), text, true);
    note(fields, result)
}

/// Reads a list of texts. Elements that are wrong are reported one by one.
pub(super) fn texts(fields: &mut Fields<'_>, field: &'static str) -> Option<Vec<String>> {
    let value = fields.value(field)?;
    list(fields, &fields.name(field), value)
}

/// Reads a list of texts that must be present and not empty.
pub(super) fn required_texts(fields: &mut Fields<'_>, field: &'static str) -> Option<Vec<String>> {
    let value = fields.value(field).filter(|value| value.as_array().is_none_or(|list| !list.is_empty()));
    let Some(value) = value else {
        let rule = "is required and must contain at least one text";
        fields.note(Problem::without_value(fields.name(field), rule));
        return None;
    };
    list(fields, &fields.name(field), value)
}

/// Reads the texts of `value`, which is at `path`.
pub(super) fn list(fields: &mut Fields<'_>, path: &str, value: &Value) -> Option<Vec<String>> {
    let Some(elements) = value.as_array() else {
        let mut problem = Problem::new(path, value, "must be a list of texts");
        if value.is_string() {
            problem = problem.remedy("put the text in brackets: [\"…\"]");
        }
        fields.note(problem);
        return None;
    };
    let mut texts = Vec::with_capacity(elements.len());
    let mut complete = true;
    for (index, element) in elements.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let result = match element.as_str() {
            Some(text) => checked(path, text, false),
            None => Err(Problem::new(path, element, "must be a text")),
        };
        match note(fields, result) {
            Some(text) => texts.push(text),
            None => complete = false,
        }
    }
    complete.then_some(texts)
}
