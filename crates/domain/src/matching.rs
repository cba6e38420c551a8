//! Matching of the words of a model to allowed values: exactly, then by case and surrounding spaces, then by alias.

use std::collections::{HashMap, HashSet};

/// Allowed values, and the texts that stand for them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedValues {
    values: HashSet<String>,
    /// Value by its text without case and surrounding spaces; `None` if several values have the same.
    by_folded: HashMap<String, Option<String>>,
}

/// Returns a text without surrounding spaces and in lower case.
pub fn folded(text: &str) -> String {
    text.trim().to_lowercase()
}

impl AllowedValues {
    /// Creates the allowed `values`. Each of the `aliases` stands for the value beside it, unless it is a value itself.
    pub fn new<'a>(
        values: impl IntoIterator<Item = &'a str>,
        aliases: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let mut allowed = Self::default();
        for value in values {
            if allowed.values.insert(value.to_owned()) {
                let entry = allowed.by_folded.entry(folded(value));
                entry.and_modify(|known| *known = None).or_insert_with(|| Some(value.to_owned()));
            }
        }
        let mut by_alias: HashMap<String, Option<String>> = HashMap::new();
        for (alias, value) in aliases {
            let entry = by_alias.entry(folded(alias));
            let other = |known: &mut Option<String>| {
                if known.as_deref() != Some(value) {
                    *known = None;
                }
            };
            entry.and_modify(other).or_insert_with(|| Some(value.to_owned()));
        }
        for (alias, value) in by_alias {
            allowed.by_folded.entry(alias).or_insert(value);
        }
        allowed
    }

    /// Returns the allowed value that `text` is or stands for. A text that could stand for several values stands for none.
    pub fn find(&self, text: &str) -> Option<&str> {
        if let Some(value) = self.values.get(text).or_else(|| self.values.get(text.trim())) {
            return Some(value);
        }
        self.by_folded.get(&folded(text)).and_then(Option::as_deref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("Delivery", Some("Delivery"))]
    #[case(" delivery\n", Some("Delivery"))]
    #[case("Shipping", Some("Delivery"))]
    #[case("SHIPPING ", Some("Delivery"))]
    #[case("other", Some("other"))]
    #[case("Other", Some("Other"))]
    #[case("OTHER", None)]
    #[case("Straße", Some("Straße"))]
    #[case("STRASSE", None)]
    #[case("deliveries", None)]
    #[case("unclear", None)]
    #[case("", None)]
    fn a_text_stands_for_one_value_or_none(#[case] text: &str, #[case] expected: Option<&str>) {
        let aliases = [("shipping", "Delivery"), ("Other", "Delivery"), ("unclear", "other"), ("Unclear", "Delivery")];
        let allowed = AllowedValues::new(["Delivery", "Other", "other", "Straße"], aliases);
        assert_eq!(allowed.find(text), expected);
    }

    proptest! {
        #[test]
        fn every_value_is_found_exactly_and_whatever_is_found_is_allowed(
            values in prop::collection::vec("[aAbB ß]{0,3}", 1..6),
            aliases in prop::collection::vec(("[aAbBc ]{0,3}", 0usize..6), 0..6),
            text in "[aAbBc ß]{0,4}",
        ) {
            let aliases: Vec<(&str, &str)> =
                aliases.iter().map(|(alias, at)| (alias.as_str(), values[at % values.len()].as_str())).collect();
            let allowed = AllowedValues::new(values.iter().map(String::as_str), aliases.iter().copied());
            for value in &values {
                prop_assert_eq!(allowed.find(value), Some(value.as_str()));
            }
            if let Some(found) = allowed.find(&text) {
                prop_assert!(values.iter().any(|value| value == found));
            }
            for value in &values {
                let alone = values.iter().filter(|other| folded(other) == folded(value)).all(|other| other == value);
                if alone {
                    let spaced = format!(" {value}\t");
                    prop_assert_eq!(allowed.find(&spaced), Some(value.as_str()));
                }
            }
        }
    }
}
