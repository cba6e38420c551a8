//! The data of a prompt, as opposed to its instructions: the texts between its tags.

use serde_json::Value;
use std::ops::Range;

/// Maximum number of closing tags that are examined: a prompt has few, and a text with many more is only data.
const MAX_TAGS: usize = 200;

/// Ranges of the texts between `<tag>` and `</tag>`: the outermost ones, in order. A tag that is only mentioned (`the text
/// between the <ticket> tags`) comes before the one that opens.
pub(super) fn spans(text: &str) -> Vec<Range<usize>> {
    let mut spans: Vec<Range<usize>> = Vec::new();
    for (end, _) in text.match_indices("</").take(MAX_TAGS) {
        let (before, from) = text.split_at(end);
        let Some((name, _)) = from.trim_start_matches("</").split_once('>') else { continue };
        let named = (1..=40).contains(&name.len()) && name.chars().all(|c| c.is_alphanumeric() || "_-".contains(c));
        let opening = format!("<{name}>");
        let Some(at) = before.rfind(&opening).filter(|_| named) else { continue };
        let start = at + opening.len();
        spans.retain(|inner| inner.start < start);
        if spans.last().is_none_or(|outer| outer.end <= start) {
            spans.push(start..end);
        }
    }
    spans
}

/// The texts between tags, one after the other; of a JSON object its texts alone.
pub(super) fn of(text: &str) -> String {
    let inner = spans(text).into_iter().filter_map(|span| text.get(span)).map(str::trim);
    let plain = inner.map(|inner| match serde_json::from_str(inner) {
        Ok(value @ Value::Object(_)) => texts(&value).join(" "),
        _ => inner.to_owned(),
    });
    plain.collect::<Vec<_>>().join("\n").trim().to_owned()
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_between_tags_are_the_subject_of_a_prompt() {
        let prompt = "Read what stands between the <a> tags.\n<a>\nred <b>boots</b>\n</a>\nAnswer.\n<c_d>blue</c_d>";
        assert_eq!(of(prompt), "red <b>boots</b>\nblue");
        assert_eq!(of("<a>{\"color\": \"navy\", \"tags\": [\"warm\"], \"n\": 1}</a>"), "navy warm");
    }

    #[test]
    fn other_texts_have_none() {
        for text in ["", "no tags", "</a>", "<a>", "<a></b>", "a < b </ c > d", "<a></a>", "</", "<é>x</ü>"] {
            assert_eq!(of(text), "", "{text}");
        }
        assert!(spans(&"</a>".repeat(10_000)).is_empty());
    }
}
