//! Finds the labels that a prompt wants before its values: `Answer in the form "Color: <the color>"`.

use crate::backend::material;

/// A label, and the hint that the prompt shows in place of its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Label<'a> {
    pub(super) name: &'a str,
    pub(super) hint: &'a str,
}

const MAX_LABEL_CHARS: usize = 40;

/// The labels of a prompt that speaks of a form: each at the beginning of a line or after a quote, its value in angle
/// or square brackets. Text between tags is data and not a form.
pub(super) fn find(text: &str) -> Vec<Label<'_>> {
    let lower = text.to_ascii_lowercase();
    let Some(form) = lower.find("form") else { return Vec::new() };
    let data = material::spans(text);
    let is_data = |at: usize| data.iter().any(|span| span.contains(&at));
    let colons = text.match_indices(':').filter(|(at, _)| *at > form && !is_data(*at));
    colons.filter_map(|(at, _)| label(text, at)).collect()
}

fn label(text: &str, colon: usize) -> Option<Label<'_>> {
    let (before, from) = text.split_at(colon);
    let value = from.trim_start_matches(':').trim_start_matches([' ', '*']);
    let closing = match value.chars().next()? {
        '<' => '>',
        '[' => ']',
        _ => return None,
    };
    let (hint, _) = value.get(1..)?.split_once(closing)?;
    let name = before.rsplit(['\n', '"', '`', '“', '\'']).next()?.trim_matches([' ', '-', '*', '\t', '\r']);
    let fits =
        |name: &str| (1..=MAX_LABEL_CHARS).contains(&name.chars().count()) && !name.contains(['.', ',', '{', '<']);
    let one_line = !hint.is_empty() && !hint.contains('\n');
    (fits(name) && one_line).then_some(Label { name, hint })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<(&str, &str)> {
        find(text).into_iter().map(|label| (label.name, label.hint)).collect()
    }

    #[test]
    fn labels_are_found_as_people_write_them() {
        assert_eq!(names("Answer in the form \"Color: <the color>\" only."), [("Color", "the color")]);
        assert_eq!(names("Respond in this format: `Size: [S|M|L]`."), [("Size", "S|M|L")]);
        let lines = "Use this form:\n\nShort name: <the name>\n- **Price:** <a number>\nThanks: all of you";
        assert_eq!(names(lines), [("Short name", "the name"), ("Price", "a number")]);
    }

    #[test]
    fn other_colons_are_no_labels() {
        for text in [
            "",
            "Color: <the color>",
            "In the form: Q1: the question",
            "The form is free. <a>Color: <b></a>",
            "form \": <x>\"",
            "form\nA very long introduction to a value that nobody would call a label: <x>",
            "form: <",
            "form Label: <>",
        ] {
            assert_eq!(names(text), [], "{text}");
        }
    }
}
