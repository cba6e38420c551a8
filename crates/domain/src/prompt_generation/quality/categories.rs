//! Issues of single categories.

use super::issue::{Issue, Severity, quoted};
use super::words::{key, normalized};
use crate::prompt_generation::config::Category;
use std::collections::BTreeSet;

/// Length below which a description is too short to decide by.
const MIN_DESCRIPTION_CHARS: usize = 20;
/// Number of Latin letters that a letter of a script without spaces stands for.
const CHARS_PER_IDEOGRAM: usize = 3;

/// Returns the issues that each category has on its own.
pub(super) fn of_categories(categories: &[Category], include_examples: bool) -> Vec<Issue> {
    let mut issues: Vec<Issue> =
        categories.iter().flat_map(|category| of_category(category, include_examples)).collect();
    if let [only] = categories {
        let finding = "is the only category, which every answer will name";
        issues.push(Issue::new(Severity::Thin, only.path("name"), finding, "add what else the data may be"));
    }
    let ranked = categories.iter().filter(|category| category.priority.is_some()).count();
    if let Some(unranked) = categories.iter().find(|category| category.priority.is_none()).filter(|_| ranked > 0) {
        let finding = format!("is absent, but {ranked} of {} categories have one", categories.len());
        let remedy = "rank all categories or none: those without one come last";
        issues.push(Issue::new(Severity::Ambiguous, unranked.path("priority"), finding, remedy));
    }
    issues
}

fn of_category(category: &Category, include_examples: bool) -> Vec<Issue> {
    let mut issues = Vec::new();
    let mut thin = |field: &str, finding: String, remedy: &str| {
        issues.push(Issue::new(Severity::Thin, category.path(field), finding, remedy));
    };
    let description = &category.description;
    if normalized(description) == normalized(&category.name) {
        thin("description", "only repeats the name".to_owned(), "say what belongs to the category");
    } else if length(description) < MIN_DESCRIPTION_CHARS {
        thin("description", format!("{} is very short", quoted(description)), "say what belongs to the category");
    }
    if category.exceptions.is_empty() {
        let remedy = "name what looks like this category and belongs to another";
        thin("exceptions", "there are none".to_owned(), remedy);
    }
    if include_examples && category.examples.is_empty() {
        thin("examples", "there are none".to_owned(), "add two or three real texts");
    }
    if let [only] = category.key_indicators.as_slice() {
        thin("key_indicators", format!("{} is the only one", quoted(only)), "add other words for it");
    }
    for (field, texts) in lists(category) {
        let mut seen = BTreeSet::new();
        for (index, text) in texts.iter().enumerate().filter(|(_, text)| !seen.insert(normalized(text))) {
            thin(&format!("{field}[{index}]"), format!("{} is listed twice", quoted(text)), "remove it");
        }
    }
    issues.extend(contradictions(category));
    issues
}

/// Returns the length of a text in letters of an alphabet.
fn length(text: &str) -> usize {
    text.chars().map(|letter| if letter >= '\u{2e80}' { CHARS_PER_IDEOGRAM } else { 1 }).sum()
}

fn lists(category: &Category) -> [(&'static str, &[String]); 5] {
    [
        ("conditions", &category.conditions),
        ("key_indicators", &category.key_indicators),
        ("exceptions", &category.exceptions),
        ("examples", &category.examples),
        ("aliases", &category.aliases),
    ]
}

fn contradictions(category: &Category) -> Vec<Issue> {
    let mut issues = Vec::new();
    let exceptions: BTreeSet<String> = category.exceptions.iter().map(|text| key(text)).collect();
    for (field, texts) in [("conditions", &category.conditions), ("key_indicators", &category.key_indicators)] {
        for (index, text) in texts.iter().enumerate().filter(|(_, text)| exceptions.contains(&key(text))) {
            let finding = format!("{} is one of the category's exceptions too", quoted(text));
            let path = category.path(&format!("{field}[{index}]"));
            issues.push(Issue::new(Severity::Contradictory, path, finding, "remove it from one of the lists"));
        }
    }
    issues
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Returns a category without issues.
    pub(in crate::prompt_generation::quality) fn category(index: usize, name: &str) -> Category {
        Category {
            index,
            name: name.to_owned(),
            description: format!("Everything that has to do with {name}"),
            conditions: vec![format!("the customer speaks of {name}")],
            key_indicators: vec![format!("{name} words"), format!("{name} facts")],
            exceptions: vec![format!("only mentions {name} briefly")],
            examples: vec![format!("Please help me with {name}")],
            priority: None,
            validation_rules: Vec::new(),
            aliases: Vec::new(),
        }
    }

    fn lines(categories: &[Category]) -> Vec<String> {
        of_categories(categories, true).iter().map(Issue::to_string).collect()
    }

    #[test]
    fn complete_categories_have_no_issues() {
        assert_eq!(lines(&[category(0, "billing"), category(1, "delivery")]), Vec::<String>::new());
    }

    #[test]
    fn what_is_thin_is_named() {
        let mut thin = category(0, "Refund");
        thin.description = "refund!".to_owned();
        thin.exceptions = Vec::new();
        thin.examples = Vec::new();
        thin.key_indicators = ["refund"].map(str::to_owned).to_vec();
        thin.aliases = ["money back", "Money-back"].map(str::to_owned).to_vec();
        let mut short = category(1, "Other");
        short.description = "All else".to_owned();
        let mut japanese = category(2, "返品");
        japanese.description = "お客様が商品を返品したい".to_owned();
        assert_eq!(
            lines(&[thin, short, japanese]),
            [
                "thin: category_definitions[0].description: only repeats the name; say what belongs to the category",
                "thin: category_definitions[0].exceptions: there are none; name what looks like this category and belongs to \
                 another",
                "thin: category_definitions[0].examples: there are none; add two or three real texts",
                "thin: category_definitions[0].key_indicators: `refund` is the only one; add other words for it",
                "thin: category_definitions[0].aliases[1]: `Money-back` is listed twice; remove it",
                "thin: category_definitions[1].description: `All else` is very short; say what belongs to the category",
            ]
        );
    }

    #[test]
    fn a_condition_that_is_an_exception_is_a_contradiction() {
        let mut one = category(0, "late");
        one.conditions = ["The parcel is late"].map(str::to_owned).to_vec();
        one.exceptions = ["parcel late"].map(str::to_owned).to_vec();
        assert_eq!(
            lines(&[one, category(1, "lost")]),
            [
                "contradictory: category_definitions[0].conditions[0]: `The parcel is late` is one of the category's exceptions too; \
              remove it from one of the lists"
            ]
        );
    }

    #[test]
    fn one_category_alone_and_ranks_of_some_are_issues() {
        let mut first = category(3, "a");
        first.priority = Some(1);
        assert!(lines(&[category(0, "a")])[0].contains("is the only category"));
        let ranked = lines(&[first, category(5, "b")]);
        assert_eq!(
            ranked,
            [
                "ambiguous: category_definitions[5].priority: is absent, but 1 of 2 categories have one; rank all categories or none: \
              those without one come last"
            ]
        );
    }
}
