//! Names in braces within texts whose other braces are literal: system prompts and prefills.

/// Name in braces, `{name}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedBraces<'a> {
    /// Text between the braces, which contains no brace.
    pub name: &'a str,
    /// If true, the braces are doubled: `{{name}}`.
    pub is_doubled: bool,
    /// Position of the inner opening brace, in bytes.
    pub begin: usize,
}

impl NamedBraces<'_> {
    /// Returns the position after the inner closing brace, in bytes.
    pub fn end(&self) -> usize {
        self.begin + self.name.len() + 2
    }
}

/// Returns all names in braces of a text, in order.
pub fn names_in_braces(text: &str) -> impl Iterator<Item = NamedBraces<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let begin = from + text[from..].find('{')?;
            let inner = &text[begin + 1..];
            let end = inner.find(['{', '}'])?;
            from = begin + 1 + end;
            if inner[end..].starts_with('}') {
                from += 1;
                let is_doubled = text[..begin].ends_with('{') && text[from..].starts_with('}');
                return Some(NamedBraces { name: &inner[..end], is_doubled, begin });
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("You work for {company}.", &[("company", false)])]
    #[case("{a}{b c}", &[("a", false), ("b c", false)])]
    #[case("{{a}} {{ b }} {{{c}}}", &[("a", true), (" b ", true), ("c", true)])]
    #[case("{\"a\": {b}}", &[("b", false)])]
    #[case("{\"a\": 1} { } {}", &[("\"a\": 1", false), (" ", false), ("", false)])]
    #[case("{ {a} }", &[("a", false)])]
    #[case("{a", &[])]
    #[case("a}", &[])]
    #[case("", &[])]
    fn names_are_found_with_their_braces(#[case] text: &str, #[case] expected: &[(&str, bool)]) {
        let found: Vec<_> = names_in_braces(text).map(|found| (found.name, found.is_doubled)).collect();
        assert_eq!(found, expected);
    }

    proptest! {
        #[test]
        fn positions_are_those_of_the_braces(text in "[{}aü ]{0,40}") {
            let mut before = 0;
            for found in names_in_braces(&text) {
                prop_assert!(found.begin >= before);
                before = found.end();
                prop_assert_eq!(&text[found.begin..found.end()], format!("{{{}}}", found.name));
            }
        }
    }
}
