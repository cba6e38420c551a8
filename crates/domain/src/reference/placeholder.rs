//! Placeholders of references in texts whose other braces are literal: system prompts.

use super::name::reference_of;

/// Returns the text with `{reference.name}` replaced by what `text_of` returns for its name. Everything else stays as it is,
/// and inserted texts are not searched for placeholders.
pub fn filled_text<'a>(text: &str, text_of: impl Fn(&str) -> Option<&'a str>) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, name, after)) = next(rest) {
        filled.push_str(before);
        match text_of(name) {
            Some(inserted) => filled.push_str(inserted),
            None => filled.push_str(&rest[before.len()..rest.len() - after.len()]),
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// Returns the names of the references that a text inserts, in order, each as often as it occurs.
pub fn names_in_text(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (_, name, after) = next(rest)?;
        rest = after;
        Some(name)
    })
}

/// Returns the text before the next placeholder of a reference, its name, and the text after it.
fn next(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let begin = from + text[from..].find('{')?;
        let inner = &text[begin + 1..];
        let end = inner.find(['{', '}'])?;
        if inner[end..].starts_with('}')
            && let Some(name) = reference_of(&inner[..end])
        {
            return Some((&text[..begin], name, &inner[end + 1..]));
        }
        from = begin + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn filled(text: &str) -> String {
        filled_text(text, |name| match name {
            "a" => Some("<{reference.b}>"),
            "b" => Some("two"),
            _ => None,
        })
    }

    #[rstest]
    #[case("x {reference.a} y {reference.b}", "x <{reference.b}> y two")]
    #[case("{reference.b}{reference.b}", "twotwo")]
    #[case("{reference.c} {a} {{\"x\": 1}} }", "{reference.c} {a} {{\"x\": 1}} }")]
    #[case("{ {reference.b} }", "{ two }")]
    #[case("{reference.b", "{reference.b")]
    #[case("{{reference.b}}", "{two}")]
    #[case("", "")]
    fn only_known_references_are_replaced(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(filled(text), expected);
    }

    #[test]
    fn names_are_found_in_order() {
        let names: Vec<&str> = names_in_text("{reference.b} {x} {reference.a}{reference.b}").collect();
        assert_eq!(names, ["b", "a", "b"]);
    }

    proptest! {
        #[test]
        fn a_text_without_known_references_stays_as_it_is(text in "([{}.a ü]|reference){0,30}") {
            prop_assert_eq!(filled_text(&text, |_| None), text.clone());
            let inserted = filled_text(&text, |_| Some(""));
            prop_assert_eq!(names_in_text(&text).count() == 0, inserted == text);
        }
    }
}
