//! Placeholders such as `${category_names}` in the texts of `output_format.json`, which are resolved when the prompt is
//! generated. They have nothing to do with the placeholders of columns.

use super::answer_fields::{AnswerField, FieldType};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Maximum number of placeholders without a value that are listed, as each comes with the names that have one.
const MAX_FAILURES: usize = 100;

/// Placeholders that were resolved, and those that were not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceholderValidation {
    /// Number of different placeholders.
    pub total_placeholders: usize,
    /// Number of those that were resolved.
    pub successful: usize,
    /// Number of those that were not.
    pub failed: usize,
    /// True if all were resolved.
    pub all_resolved: bool,
    /// The first 100 of those that were not, with the reason.
    pub failures: Vec<PlaceholderFailure>,
}

/// Placeholder that was not resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceholderFailure {
    /// Name of the placeholder.
    pub placeholder: String,
    /// Path of the field that contains it.
    pub field: String,
    /// Reason, with the names that exist.
    pub error: String,
}

/// Resolver that remembers all placeholders that it met.
#[derive(Debug)]
pub(super) struct Placeholders {
    values: BTreeMap<String, String>,
    /// Names that were met: the path of the first field that has an unresolved one, else nothing.
    met: BTreeMap<String, Option<String>>,
}

impl Placeholders {
    pub(super) fn new(fields: &[AnswerField], categories: &[&str]) -> Self {
        let listed = categories.join(", ");
        let mut values = BTreeMap::new();
        for field in fields {
            values.insert(format!("{}_description", field.name), field.description.clone());
            if field.field_type == FieldType::Confidence {
                values.insert(format!("{}_range", field.name), "Number between 0.0 and 1.0".to_owned());
            }
        }
        values.insert("category_count".to_owned(), categories.len().to_string());
        values.insert("category_names".to_owned(), listed.clone());
        values.insert("categories".to_owned(), listed.clone());
        values.insert("category_enum".to_owned(), format!("One of: {listed}"));
        Self { values, met: BTreeMap::new() }
    }

    /// Returns `text`, which is at `path`, with the values of its placeholders. One that has no value becomes
    /// `[NAME_UNRESOLVED]`.
    pub(super) fn resolved(&mut self, path: &str, text: &str) -> String {
        let mut resolved = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let (before, after) = rest.split_at(at);
            resolved.push_str(before);
            let inner = &after[2..];
            let end = inner.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
            match end.filter(|end| *end > 0 && inner[*end..].starts_with('}')) {
                Some(end) => {
                    resolved.push_str(&self.value(path, &inner[..end]));
                    rest = &inner[end + 1..];
                }
                None => {
                    resolved.push_str("${");
                    rest = inner;
                }
            }
        }
        resolved + rest
    }

    fn value(&mut self, path: &str, name: &str) -> String {
        match self.values.get(name) {
            Some(value) => {
                self.met.insert(name.to_owned(), None);
                value.clone()
            }
            None => {
                self.met.entry(name.to_owned()).or_insert_with(|| Some(path.to_owned()));
                format!("[{}_UNRESOLVED]", name.to_uppercase())
            }
        }
    }

    pub(super) fn validation(&self) -> PlaceholderValidation {
        let known = || self.values.keys().map(|name| format!("`${{{name}}}`")).collect::<Vec<_>>().join(", ");
        let unresolved = || self.met.iter().filter_map(|(name, path)| Some((name, path.as_ref()?)));
        let failed = unresolved().count();
        let failures = unresolved().take(MAX_FAILURES).map(|(name, path)| PlaceholderFailure {
            placeholder: name.clone(),
            field: path.clone(),
            error: format!("has no value; those with one are {}", known()),
        });
        PlaceholderValidation {
            total_placeholders: self.met.len(),
            successful: self.met.len() - failed,
            failed,
            all_resolved: failed == 0,
            failures: failures.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::answer_fields::answer_fields;
    use super::super::config::OutputFormatConfig;
    use super::*;
    use proptest::prelude::*;

    fn placeholders() -> Placeholders {
        Placeholders::new(&answer_fields(&OutputFormatConfig::default()), &["A", "B"])
    }

    #[test]
    fn placeholders_are_resolved_and_those_without_a_value_are_noted_once() {
        let mut all = placeholders();
        assert_eq!(all.resolved("h", "${category_enum} (${category_count})"), "One of: A, B (2)");
        assert_eq!(all.resolved("h", "${confidence_range}$ ${ a} ${"), "Number between 0.0 and 1.0$ ${ a} ${");
        assert_eq!(all.resolved("first", "x ${urgency}."), "x [URGENCY_UNRESOLVED].");
        assert_eq!(all.resolved("second", "${urgency}"), "[URGENCY_UNRESOLVED]");
        let validation = all.validation();
        assert_eq!((validation.total_placeholders, validation.successful, validation.failed), (4, 3, 1));
        assert!(!validation.all_resolved);
        assert_eq!(validation.failures[0].field, "first");
        assert!(validation.failures[0].error.contains("`${category_names}`"), "{validation:?}");
    }

    proptest! {
        #[test]
        fn no_text_panics_and_texts_without_placeholders_stay(text in "[${}a_ü]{0,30}") {
            let resolved = placeholders().resolved("p", &text);
            if !text.contains("${") {
                prop_assert_eq!(resolved, text);
            }
        }
    }
}
