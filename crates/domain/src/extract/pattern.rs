//! Fields selected by regular expression.

use super::reasoning::after_reasoning;
use super::{FieldValue, Unparsed};
use regex::{Regex, RegexBuilder};

/// Maximum size of a compiled regular expression.
pub(super) const MAX_PATTERN_BYTES: usize = 2 << 20;

/// Compiled pattern: case-insensitive, with `^` and `$` matching at every line.
#[derive(Debug)]
pub(super) struct Pattern {
    regex: Regex,
    /// True if the pattern refers to the reasoning itself.
    of_reasoning: bool,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// Returns the rule that the pattern breaks.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut builder = RegexBuilder::new(text);
        builder.case_insensitive(true).multi_line(true).size_limit(MAX_PATTERN_BYTES);
        let regex = builder.build().map_err(|error| format!("is not a valid regular expression: {error}"))?;
        let lower = text.to_ascii_lowercase();
        let of_reasoning = ["<think", "</think", "<reasoning", "</reasoning"].iter().any(|tag| lower.contains(tag));
        Ok(Self { regex, of_reasoning })
    }

    /// Returns the first group that matched, else the whole match, trimmed. An empty match counts as absent.
    fn field(&self, text: &str) -> Option<FieldValue> {
        let found = if self.regex.captures_len() == 1 {
            self.regex.find(text)?.as_str()
        } else {
            let captures = self.regex.captures(text)?;
            captures.iter().skip(1).flatten().next().or_else(|| captures.get(0))?.as_str()
        };
        let found = found.trim();
        (!found.is_empty()).then(|| FieldValue::Text(found.to_owned()))
    }
}

/// Returns the fields of `text`. Patterns skip leading reasoning, unless they contain its tag.
///
/// # Errors
/// Returns an error if no pattern matches.
pub(super) fn extract(patterns: &[Pattern], text: &str) -> Result<Vec<Option<FieldValue>>, Unparsed> {
    let answer = after_reasoning(text).unwrap_or(text);
    let fields: Vec<_> =
        patterns.iter().map(|pattern| pattern.field(if pattern.of_reasoning { text } else { answer })).collect();
    if fields.iter().all(Option::is_none) { Err(Unparsed::NoMatch) } else { Ok(fields) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(r"Color:\s*(\w+)", "The item:\nCOLOR:  Dark-blue", Some("Dark"))]
    #[case(r"Size:\s*(\w+)", "Color: red", None)]
    #[case(r"Brand:\s*([\w\s]+)", "Brand: Müller & Söhne \n", Some("Müller"))]
    #[case(r"^\d+", "none\n42 pieces", Some("42"))]
    #[case(r"colou?r$", "the color\nx", Some("color"))]
    #[case(r"Color: (\w+)|Farbe: (\w+)", "Farbe: rot", Some("rot"))]
    #[case(r"(x)?y", "y", Some("y"))]
    #[case(r"Size:\s*(\w*)", "Size: ", None)]
    #[case(r"尺寸：(.*)", "尺寸：大号", Some("大号"))]
    #[case(r"Color: (\w+)", "<thinking>Color: blue? No.</thinking>Color: red", Some("red"))]
    #[case(r"<thinking>(\w+)", "<thinking>Hm.</thinking>Color: red", Some("Hm"))]
    fn a_pattern_gives_its_group_or_match(#[case] pattern: &str, #[case] text: &str, #[case] expected: Option<&str>) {
        let fields = extract(&[Pattern::parse(pattern).unwrap()], text);
        match expected {
            Some(expected) => assert_eq!(fields, Ok(vec![Some(FieldValue::Text(expected.to_owned()))])),
            None => assert_eq!(fields, Err(Unparsed::NoMatch)),
        }
    }

    #[test]
    fn one_match_is_enough() {
        let patterns = [r"Size: (\w+)", r"Color: (\w+)"].map(|pattern| Pattern::parse(pattern).unwrap());
        let fields = extract(&patterns, "Color: red").unwrap();
        assert_eq!(fields, [None, Some(FieldValue::Text("red".to_owned()))]);
    }

    #[rstest]
    #[case("(")]
    #[case(r"(\w{1,100}){1,100}")]
    #[case(r"a(?=b)")]
    fn invalid_and_huge_patterns_are_refused(#[case] pattern: &str) {
        let error = Pattern::parse(pattern).unwrap_err();
        assert!(error.starts_with("is not a valid regular expression"), "{error}");
    }
}
