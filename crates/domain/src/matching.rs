//! Matching of a value in an answer against known values: exactly, then by case and surrounding spaces.

use std::collections::{BTreeMap, BTreeSet};

/// Values that a text may match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownValues {
    /// All values.
    exact: BTreeSet<String>,
    /// The same by their text without case and surrounding spaces; `None` if several values have this text.
    folded: BTreeMap<String, Option<String>>,
}

impl KnownValues {
    /// Creates the set of these values. Their surrounding spaces are not part of them.
    pub fn new(values: impl IntoIterator<Item = String>) -> Self {
        let mut known = Self::default();
        for value in values {
            let value = value.trim().to_owned();
            let same = known.folded.entry(folded(&value)).or_insert_with(|| Some(value.clone()));
            if same.as_ref().is_some_and(|other| *other != value) {
                *same = None;
            }
            known.exact.insert(value);
        }
        known
    }

    /// Returns the value that `text` matches, if there is exactly one.
    pub fn find(&self, text: &str) -> Option<&str> {
        let exact = self.exact.get(text.trim());
        let found = exact.or_else(|| self.folded.get(&folded(text)).and_then(Option::as_ref));
        found.map(String::as_str)
    }
}

fn folded(text: &str) -> String {
    text.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("A01", Some("A01"))]
    #[case(" a01\n", Some("A01"))]
    #[case("Größe", Some("größe"))]
    #[case("b", Some("b"))]
    #[case(" B ", Some("B"))]
    #[case("A0", None)]
    #[case("A01 Leak", None)]
    #[case("", None)]
    fn values_match_exactly_then_without_case_and_surrounding_spaces(
        #[case] text: &str,
        #[case] expected: Option<&str>,
    ) {
        let known = KnownValues::new(["A01", " größe ", "b", "B"].map(str::to_owned));
        assert_eq!(known.find(text), expected);
    }

    #[test]
    fn an_ambiguous_text_matches_nothing() {
        let known = KnownValues::new(["Ab", "aB", "ab"].map(str::to_owned));
        assert_eq!((known.find("AB"), known.find("ab"), known.find("aB")), (None, Some("ab"), Some("aB")));
    }

    proptest! {
        #[test]
        fn every_value_matches_itself_and_only_known_values_are_returned(
            values in prop::collection::vec("[aAbB ]{0,3}", 0..6),
            text in "[aAbB ]{0,3}",
        ) {
            let known = KnownValues::new(values.clone());
            for value in &values {
                prop_assert_eq!(known.find(value), Some(value.trim()));
            }
            if let Some(found) = known.find(&text) {
                prop_assert!(values.iter().any(|value| value.trim() == found));
                prop_assert_eq!(found.to_lowercase(), text.trim().to_lowercase());
            }
        }
    }
}
