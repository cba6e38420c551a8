//! Second component: the categories.

use super::bullets::{item, section};
use super::wording::wording;
use crate::prompt_generation::config::Category;
use crate::prompt_generation::settings::{Settings, ValidationLevel};

/// Returns the section of the categories, as text that is not escaped yet.
pub(in crate::prompt_generation) fn categories(categories: &[Category], settings: &Settings) -> String {
    let words = wording(settings.style);
    let mut lines = vec![words.categories.to_owned()];
    for (number, category) in categories.iter().enumerate() {
        lines.push(String::new());
        lines.push(format!("{}. {}", number + 1, category.name));
        lines.push(item("    - ", &category.description));
        let mut part = |heading: &str, texts: &[String]| {
            section(&mut lines, &format!("    - {heading}"), "        * ", texts);
        };
        part(words.key_elements, &category.key_indicators);
        part(words.conditions, &category.conditions);
        part(words.exceptions, &category.exceptions);
        if settings.level != ValidationLevel::Minimal {
            part(words.rules, &category.validation_rules);
        }
        if settings.include_examples {
            part(words.examples, &category.examples);
        }
        part(words.aliases, &category.aliases);
    }
    lines.join("\n")
}
