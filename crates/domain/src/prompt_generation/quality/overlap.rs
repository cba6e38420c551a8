//! Issues between categories: names, aliases, indicators and conditions that several of them claim.

use super::issue::{Issue, Severity, few, quoted};
use super::words::{key, normalized};
use crate::prompt_generation::config::Category;
use std::collections::BTreeMap;

/// Claim of a category to a text.
struct Claim<'a> {
    category: &'a Category,
    path: String,
    text: &'a str,
}

/// Returns the issues between categories.
pub(super) fn between_categories(categories: &[Category]) -> Vec<Issue> {
    let mut issues = of_names(categories);
    let indicators = claims(categories, "key_indicators", |category| &category.key_indicators);
    issues.extend(shared(indicators, key, Severity::Ambiguous, "key indicator"));
    let conditions = claims(categories, "conditions", |category| &category.conditions);
    issues.extend(shared(conditions, key, Severity::Ambiguous, "condition"));
    let examples = claims(categories, "examples", |category| &category.examples);
    issues.extend(shared(examples, normalized, Severity::Contradictory, "example"));
    issues
}

/// Returns the texts of one list of all categories.
pub(super) fn texts_of<'a>(
    category: &'a Category,
    field: &'static str,
    texts: &'a [String],
) -> impl Iterator<Item = (String, &'a str)> {
    texts.iter().enumerate().map(move |(index, text)| (category.path(&format!("{field}[{index}]")), text.as_str()))
}

fn claims<'a>(categories: &'a [Category], field: &'static str, list: fn(&Category) -> &Vec<String>) -> Vec<Claim<'a>> {
    let claims = categories.iter().flat_map(|category| {
        texts_of(category, field, list(category)).map(move |(path, text)| Claim { category, path, text })
    });
    claims.collect()
}

/// Returns one issue per text that several categories claim.
fn shared(claims: Vec<Claim<'_>>, key: impl Fn(&str) -> String, severity: Severity, kind: &str) -> Vec<Issue> {
    let mut by_key: BTreeMap<String, Vec<Claim<'_>>> = BTreeMap::new();
    for claim in claims {
        let same = by_key.entry(key(claim.text)).or_default();
        // A text that one category lists twice is an issue of that category.
        if same.iter().all(|other| other.category.index != claim.category.index) {
            same.push(claim);
        }
    }
    let issues = by_key.into_values().filter_map(|same| {
        let (first, others) = same.split_first()?;
        let names = few(others.iter().map(|claim| claim.category.name.as_str()));
        let finding = format!("the {kind} {} is one of {names} too", quoted(first.text));
        let remedy = "leave it to one of them, or say in both what tells them apart";
        (!others.is_empty()).then(|| Issue::new(severity, first.path.clone(), finding, remedy))
    });
    issues.collect()
}

fn of_names(categories: &[Category]) -> Vec<Issue> {
    let mut issues = Vec::new();
    let mut names: BTreeMap<String, &Category> = BTreeMap::new();
    for category in categories {
        match names.get(&normalized(&category.name)) {
            Some(other) => {
                let finding = format!("{} differs from {} by marks alone", quoted(&category.name), quoted(&other.name));
                issues.push(Issue::new(Severity::Ambiguous, category.path("name"), finding, "rename one of them"));
            }
            None => {
                names.insert(normalized(&category.name), category);
            }
        }
    }
    let mut aliases: BTreeMap<String, &Category> = BTreeMap::new();
    for category in categories {
        for (path, alias) in texts_of(category, "aliases", &category.aliases) {
            let wanted = normalized(alias);
            let (severity, finding) = match (names.get(&wanted), aliases.get(&wanted)) {
                (Some(owner), _) if owner.index == category.index => {
                    (Severity::Thin, format!("{} is the name of the category itself", quoted(alias)))
                }
                (Some(owner), _) => (
                    Severity::Contradictory,
                    format!("{} is the name of another category, {}", quoted(alias), quoted(&owner.name)),
                ),
                (None, Some(other)) if other.index != category.index => {
                    (Severity::Contradictory, format!("{} is an alias of {} too", quoted(alias), quoted(&other.name)))
                }
                _ => {
                    aliases.insert(wanted, category);
                    continue;
                }
            };
            issues.push(Issue::new(severity, path, finding, "remove the alias"));
        }
    }
    issues
}

#[cfg(test)]
mod tests {
    use super::super::categories::tests::category;
    use super::*;

    fn lines(categories: &[Category]) -> Vec<String> {
        between_categories(categories).iter().map(Issue::to_string).collect()
    }

    #[test]
    fn categories_that_share_nothing_have_no_issues() {
        assert_eq!(lines(&[category(0, "billing"), category(1, "delivery")]), Vec::<String>::new());
    }

    #[test]
    fn an_alias_that_is_another_categorys_name_or_alias_is_a_contradiction() {
        let [mut one, mut two] = [category(0, "Refund"), category(1, "Return")];
        one.aliases = vec!["RETURN".to_owned(), "refund".to_owned(), "money".to_owned()];
        two.aliases = vec!["Money".to_owned()];
        assert_eq!(
            lines(&[one, two]),
            [
                "contradictory: category_definitions[0].aliases[0]: `RETURN` is the name of another category, `Return`; remove the \
                 alias",
                "thin: category_definitions[0].aliases[1]: `refund` is the name of the category itself; remove the alias",
                "contradictory: category_definitions[1].aliases[0]: `Money` is an alias of `Refund` too; remove the alias",
            ]
        );
    }

    #[test]
    fn names_that_differ_by_marks_alone_are_ambiguous() {
        assert_eq!(
            lines(&[category(0, "Sign up"), category(1, "sign-up")])[0],
            "ambiguous: category_definitions[1].name: `sign-up` differs from `Sign up` by marks alone; rename one of them"
        );
    }

    #[test]
    fn overlapping_indicators_conditions_and_examples_are_named_once() {
        let mut all = [category(0, "a"), category(1, "b"), category(2, "c")];
        all[0].key_indicators = vec!["late delivery".to_owned(), "x".to_owned()];
        all[1].key_indicators = vec!["y".to_owned(), "Delivery is late".to_owned()];
        all[2].key_indicators = vec!["the late delivery".to_owned(), "late delivery".to_owned()];
        all[1].examples = vec!["Where is it?".to_owned()];
        all[2].examples = vec!["where is it".to_owned()];
        assert_eq!(
            lines(&all),
            [
                "ambiguous: category_definitions[0].key_indicators[0]: the key indicator `late delivery` is one of `b`, `c` too; \
                 leave it to one of them, or say in both what tells them apart",
                "contradictory: category_definitions[1].examples[0]: the example `Where is it?` is one of `c` too; leave it to one \
                 of them, or say in both what tells them apart",
            ]
        );
    }
}
