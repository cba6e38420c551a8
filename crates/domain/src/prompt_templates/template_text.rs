//! `user_prompt_template` as a template of a run.
//!
//! Files come with braces of two kinds. `bedrock-batch prompts generate` doubles the braces of texts, as templates of a run and
//! `str.format` in Python want it. Other generators write them single, as in `{"category": "…"}`, and replace nothing but the
//! names in `input_placeholders`. A text that obeys the rules of templates, with no other placeholders than these names, is of
//! the first kind, any other one of the second. A text that mixes both is refused: whichever way it was read, the model
//! would get other braces than its author meant.

use crate::problem::{Problem, listed};
use crate::prompt::{Piece, Template};
use crate::prompt_generation::escaped;
use std::collections::BTreeSet;

/// Member of the file with the text.
pub(super) const USER_PROMPT_TEMPLATE: &str = "user_prompt_template";
/// Placeholder of the column that the input names.
const INPUT_DATA: &str = "input_data";

/// Returns the template that `text` is. `names` are those in `input_placeholders`; without any, each word in braces is a
/// placeholder. `{input_data}` shows `input_data_column`.
///
/// # Errors
/// Returns the problem of a text of mixed braces, and one for each name that the text does not show.
pub(super) fn template_of(text: &str, names: &[&str], input_data_column: &str) -> Result<String, Vec<Problem>> {
    // A file may have a hundred thousand names and placeholders: neither is searched for each of the other.
    let listed_names: BTreeSet<&str> = names.iter().copied().collect();
    let is_name = |name: &str| {
        if listed_names.is_empty() {
            return !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        }
        name == INPUT_DATA || listed_names.contains(name)
    };
    let pieces = match with_doubled_braces(text, is_name) {
        Ok(pieces) => pieces,
        Err(mistake) if text.contains("{{") => {
            let rule = format!("has doubled braces, and {mistake}");
            let remedy = "double all braces that belong to the text, or none of them";
            return Err(vec![Problem::new(USER_PROMPT_TEMPLATE, text, rule).remedy(remedy)]);
        }
        Err(_) => with_single_braces(text, is_name),
    };
    let shown: BTreeSet<&str> = pieces.iter().filter_map(Piece::column).collect();
    let missing = names.iter().filter(|name| !shown.contains(*name)).map(|name| {
        let rule = format!("does not show {}, which input_placeholders names", listed(&[name]));
        let placeholder = listed(&[&format!("{{{name}}}")]);
        let remedy = format!("write {placeholder} where the cell belongs, or remove the name from the list");
        Problem::without_value(USER_PROMPT_TEMPLATE, rule).remedy(remedy)
    });
    let missing: Vec<Problem> = missing.collect();
    if !missing.is_empty() {
        return Err(missing);
    }
    let written = pieces.iter().map(|piece| match piece {
        Piece::Literal(text) => escaped(text),
        Piece::Column(name) if name == INPUT_DATA => format!("{{{input_data_column}}}"),
        Piece::Column(name) => format!("{{{name}}}"),
    });
    Ok(written.collect())
}

/// Reads a text by the rules of templates.
///
/// # Errors
/// Returns the mistake if the text is not a valid template, or has a placeholder that is not a name.
fn with_doubled_braces(text: &str, is_name: impl Fn(&str) -> bool) -> Result<Vec<Piece>, String> {
    let template = Template::parse(text).map_err(|mistake| mistake.rule)?;
    if let Some(other) = template.columns().into_iter().find(|name| !is_name(name)) {
        return Err(format!("{} in single ones, which input_placeholders does not name", listed(&[other])));
    }
    Ok(template.pieces().to_vec())
}

/// Reads a text in which names in braces are placeholders, and all other braces are literal.
fn with_single_braces(text: &str, is_name: impl Fn(&str) -> bool) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        literal.push_str(before);
        match after.split_once(['{', '}']) {
            Some((name, behind)) if after[name.len()..].starts_with('}') && is_name(name) => {
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                pieces.push(Piece::Column(name.to_owned()));
                rest = behind;
            }
            _ => {
                literal.push('{');
                rest = after;
            }
        }
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn converted(text: &str, names: &[&str]) -> Result<String, Vec<String>> {
        let converted = template_of(text, names, "Text of it");
        converted.map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    #[rstest]
    #[case::doubled("{input_data} {{\"a\": 1}}", &["input_data"], "{Text of it} {{\"a\": 1}}")]
    #[case::single("{input_data} {\"a\": {\"b\": 1}}", &["input_data"], "{Text of it} {{\"a\": {{\"b\": 1}}}}")]
    #[case::columns("{title}: {input_data}", &["title", "input_data"], "{title}: {Text of it}")]
    #[case::input_data_need_not_be_listed("{title}: {input_data}", &["title"], "{title}: {Text of it}")]
    #[case::names_with_spaces("{Size in cm} {x}", &["Size in cm"], "{Size in cm} {{x}}")]
    #[case::no_list("{a} {b c} {\"d\": 1}", &[], "{a} {{b c}} {{\"d\": 1}}")]
    #[case::no_list_and_doubled("{a} {{b}}", &[], "{a} {{b}}")]
    #[case::unlisted_words_are_literal("{input_data} {other}", &["input_data"], "{Text of it} {{other}}")]
    #[case::lone_braces("} {input_data} {", &["input_data"], "}} {Text of it} {{")]
    #[case::nothing("Hello.", &[], "Hello.")]
    fn only_names_are_placeholders(#[case] text: &str, #[case] names: &[&str], #[case] expected: &str) {
        let template = converted(text, names);
        assert_eq!(template.as_deref(), Ok(expected));
        assert!(Template::parse(&template.unwrap()).is_ok());
    }

    #[rstest]
    #[case::unclosed(
        "{input_data} {{\"a\": 1}} {",
        "has doubled braces, and a `{` at line 1, column 25 without its `}`; double all braces"
    )]
    #[case::unknown(
        "{input_data} {{\"a\": 1}} {inputdata}",
        "has doubled braces, and `inputdata` in single ones, which input_placeholders does not name; double all"
    )]
    #[case::nested("{input_data} {{\"a\": {\"b\": 1}}}", "has doubled braces, and `\"b\": 1` in single ones")]
    fn mixed_braces_are_refused(#[case] text: &str, #[case] expected: &str) {
        let problems = converted(text, &["input_data"]).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains(expected), "{problems:?}");
    }

    #[test]
    fn names_that_the_text_does_not_show_are_reported() {
        let problems = converted("Classify {text}.", &["input_data", "text", "title"]).unwrap_err();
        assert_eq!(problems.len(), 2, "{problems:?}");
        let expected =
            "user_prompt_template: does not show `input_data`, which input_placeholders names; write `{input_data}`";
        assert!(problems[0].starts_with(expected) && problems[1].contains("`title`"), "{problems:?}");
    }

    #[test]
    fn many_names_and_placeholders_are_read_at_once() {
        let names: Vec<String> = (0..90_000).map(|number| format!("{number:05}")).collect();
        let text = format!("{{{}}}", names.join("}{"));
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        // It takes minutes if each name is searched for in all placeholders.
        assert_eq!(converted(&text, &names).as_deref(), Ok(text.as_str()));
        assert_eq!(converted("", &names).unwrap_err().len(), names.len());
    }

    #[test]
    fn a_name_in_a_message_is_short_and_without_control_characters() {
        let problem = converted("", &[&format!("a\u{1b}\n{}", "x".repeat(900_000))]).unwrap_err().remove(0);
        assert!(problem.len() < 500 && !problem.contains(char::is_control), "{} bytes", problem.len());
    }

    /// Returns what the model gets from a template, with `<name>` as the cell of each column.
    fn rendered(template: &str) -> String {
        let template = Template::parse(template).unwrap();
        let parts = template.pieces().iter().map(|piece| match piece {
            Piece::Literal(text) => text.clone(),
            Piece::Column(name) => format!("<{name}>"),
        });
        parts.collect()
    }

    proptest! {
        #[test]
        fn single_braces_reach_the_model_as_they_are(text in "([{}]?[a-z\":, \\né]){0,40}") {
            prop_assume!(!text.contains("{{"));
            // Braces that do not pair, so that the text is not of the other kind.
            let text = format!("{{ {text} {{input_data}}");
            let expected = text.replace("{input_data}", "<c>");
            prop_assert_eq!(rendered(&template_of(&text, &["input_data"], "c").unwrap()), expected);
        }

        #[test]
        fn doubled_braces_reach_the_model_as_single_ones(text in "\\PC{0,40}") {
            let doubled = format!("{}{{input_data}}", escaped(&text));
            let template = template_of(&doubled, &["input_data"], "c").unwrap();
            prop_assert_eq!(rendered(&template), format!("{text}<c>"));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[{}a\"b ]{0,30}", listed in any::<bool>()) {
            let names: &[&str] = if listed { &["a"] } else { &[] };
            if let Ok(template) = template_of(&text, names, "c") {
                prop_assert!(Template::parse(&template).is_ok());
            }
        }
    }
}
