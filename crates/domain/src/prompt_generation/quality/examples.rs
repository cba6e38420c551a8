//! Examples that match exceptions.

use super::issue::{Issue, Severity, few, quoted};
use super::overlap::texts_of;
use super::words::{normalized, significant};
use crate::prompt_generation::config::Category;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Number of words from which an exception is looked for word by word; a single one occurs in too many texts.
const MIN_WORDS: usize = 2;
/// Number of categories with a matching exception from which no others are looked for.
const MAX_OTHER_CATEGORIES: usize = 4;

/// Exceptions of the same words, of one or several categories.
struct ExceptionGroup<'a> {
    words: BTreeSet<String>,
    /// Text and category of each, without further ones of the same category.
    exceptions: Vec<(&'a str, &'a Category)>,
}

/// Exceptions, found by their words: definitions may have tens of thousands of examples and of exceptions.
struct ExceptionIndex<'a> {
    groups: Vec<ExceptionGroup<'a>>,
    /// Groups with a text, without case and marks.
    by_text: HashMap<String, Vec<usize>>,
    /// Groups by that one of their words which the fewest groups have.
    by_word: HashMap<String, Vec<usize>>,
}

impl<'a> ExceptionIndex<'a> {
    fn new(categories: &'a [Category]) -> Self {
        let mut by_words: BTreeMap<BTreeSet<String>, usize> = BTreeMap::new();
        let mut groups: Vec<ExceptionGroup<'a>> = Vec::new();
        let mut by_text: HashMap<String, Vec<usize>> = HashMap::new();
        for category in categories {
            for text in &category.exceptions {
                let words = significant(text);
                let number = *by_words.entry(words.clone()).or_insert_with(|| {
                    groups.push(ExceptionGroup { words, exceptions: Vec::new() });
                    groups.len() - 1
                });
                let exceptions = &mut groups[number].exceptions;
                if exceptions.last().is_none_or(|(_, last)| last.index != category.index) {
                    exceptions.push((text, category));
                }
                let same_text = by_text.entry(normalized(text)).or_default();
                if !same_text.contains(&number) {
                    same_text.push(number);
                }
            }
        }
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for word in groups.iter().flat_map(|group| &group.words) {
            *counts.entry(word).or_default() += 1;
        }
        let mut by_word: HashMap<String, Vec<usize>> = HashMap::new();
        for (number, group) in groups.iter().enumerate().filter(|(_, group)| group.words.len() >= MIN_WORDS) {
            let rarest = group.words.iter().min_by_key(|word| counts.get(word.as_str()));
            by_word.entry(rarest.cloned().unwrap_or_default()).or_default().push(number);
        }
        Self { groups, by_text, by_word }
    }

    /// Returns the issue of an example, if it is an exception or contains all words of one: of its own category, which then
    /// excludes its own example, or of others, where the boundary of the categories may not be what their author means.
    fn issue(&self, category: &Category, path: String, example: &str) -> Option<Issue> {
        let words = significant(example);
        let equal = self.by_text.get(&normalized(example)).into_iter().flatten().map(|number| (*number, true));
        let similar = words.iter().filter_map(|word| self.by_word.get(word)).flatten().map(|number| (*number, false));
        let mut others: BTreeMap<usize, (&str, &Category)> = BTreeMap::new();
        for (number, is_equal) in equal.chain(similar) {
            let group = &self.groups[number];
            let own = group.exceptions.iter().find(|(_, owner)| owner.index == category.index);
            let matters = own.is_some() || others.len() < MAX_OTHER_CATEGORIES;
            if !matters || !(is_equal || group.words.is_subset(&words)) {
                continue;
            }
            if let Some((own, _)) = own {
                let finding = format!("{} matches the category's own exception {}", quoted(example), quoted(own));
                return Some(Issue::new(Severity::Contradictory, path, finding, "remove one of them"));
            }
            for &(text, other) in group.exceptions.iter().take(MAX_OTHER_CATEGORIES) {
                others.entry(other.index).or_insert((text, other));
            }
        }
        let (excluded, _) = others.values().next()?;
        let names = few(others.values().map(|(_, other)| other.name.as_str()));
        let finding = format!("{} matches {}, an exception of {names}", quoted(example), quoted(excluded));
        let remedy = if others.len() == 1 {
            "check that both categories draw the same line between them"
        } else {
            "check that all these categories draw the same lines between them"
        };
        Some(Issue::new(Severity::Ambiguous, path, finding, remedy))
    }
}

/// Returns the issues of examples that match an exception, one per example.
pub(super) fn against_exceptions(categories: &[Category]) -> Vec<Issue> {
    let index = ExceptionIndex::new(categories);
    let issues = categories.iter().flat_map(|category| {
        let examples = texts_of(category, "examples", &category.examples);
        examples.filter_map(|(path, example)| index.issue(category, path, example)).collect::<Vec<_>>()
    });
    issues.collect()
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

    #[test]
    fn an_example_has_one_issue_however_many_exceptions_it_matches() {
        let mut all: Vec<Category> = (0..6).map(|index| category(index, &format!("n{index}"))).collect();
        all[0].examples = vec!["the shade was broken, and I changed my mind".to_owned()];
        for other in &mut all[1..] {
            other.exceptions =
                vec!["shade broken".to_owned(), "The broken shade".to_owned(), "changed mind".to_owned()];
        }
        let lines: Vec<String> = against_exceptions(&all).iter().map(Issue::to_string).collect();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains(", an exception of `n1`, `n2`, `n3` and others; check that all these"), "{lines:?}");
        all[0].exceptions = vec!["a broken shade".to_owned()];
        let lines: Vec<String> = against_exceptions(&all).iter().map(Issue::to_string).collect();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with("contradictory: "), "{lines:?}");
    }
}
