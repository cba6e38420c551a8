//! Examples that match exceptions.

use super::issue::{Issue, Severity, quoted};
use super::overlap::texts_of;
use super::words::{normalized, significant};
use crate::prompt_generation::config::Category;
use std::collections::BTreeSet;

/// Number of words from which an exception is looked for word by word; a single one occurs in too many texts.
const MIN_WORDS: usize = 2;

struct Exception<'a> {
    category: &'a Category,
    text: &'a str,
    normalized: String,
    words: BTreeSet<String>,
}

impl Exception<'_> {
    /// Returns true if the example is the exception, or contains all its words.
    fn matches(&self, normalized: &str, words: &BTreeSet<String>) -> bool {
        self.normalized == normalized || (self.words.len() >= MIN_WORDS && self.words.is_subset(words))
    }
}

/// Returns the issues of examples that match an exception: of their own category, which then excludes its own example, or of
/// another one, where the boundary of the two may not be what their author means.
pub(super) fn against_exceptions(categories: &[Category]) -> Vec<Issue> {
    let exceptions = categories.iter().flat_map(|category| {
        let texts = category.exceptions.iter();
        texts.map(move |text| Exception { category, text, normalized: normalized(text), words: significant(text) })
    });
    let exceptions: Vec<Exception<'_>> = exceptions.collect();
    let mut issues = Vec::new();
    for category in categories {
        for (path, example) in texts_of(category, "examples", &category.examples) {
            let (text, words) = (normalized(example), significant(example));
            for exception in exceptions.iter().filter(|exception| exception.matches(&text, &words)) {
                issues.push(issue(category, &path, example, exception));
            }
        }
    }
    issues
}

fn issue(category: &Category, path: &str, example: &str, exception: &Exception<'_>) -> Issue {
    let (example, excluded) = (quoted(example), quoted(exception.text));
    if exception.category.index == category.index {
        let finding = format!("{example} matches the category's own exception {excluded}");
        return Issue::new(Severity::Contradictory, path, finding, "remove one of them");
    }
    let finding = format!("{example} matches {excluded}, an exception of {}", quoted(&exception.category.name));
    let remedy = "check that both categories draw the same line between them";
    Issue::new(Severity::Ambiguous, path, finding, remedy)
}

#[cfg(test)]
mod tests {
    use super::super::categories::tests::category;
    use super::*;

    #[test]
    fn examples_that_match_exceptions_are_named() {
        let [mut one, mut two] = [category(0, "damage"), category(1, "return")];
        one.examples = vec!["My lamp arrived, and the shade was broken.".to_owned(), "I changed my mind".to_owned()];
        one.exceptions = vec!["changed mind".to_owned(), "broken".to_owned()];
        two.exceptions = vec!["the shade was broken".to_owned()];
        let lines: Vec<String> = against_exceptions(&[one, two]).iter().map(Issue::to_string).collect();
        assert_eq!(
            lines,
            [
                "ambiguous: category_definitions[0].examples[0]: `My lamp arrived, and the shade was broken.` matches `the shade was \
                 broken`, an exception of `return`; check that both categories draw the same line between them",
                "contradictory: category_definitions[0].examples[1]: `I changed my mind` matches the category's own exception \
                 `changed mind`; remove one of them",
            ]
        );
    }
}
