//! Prompts of a deployment or of an input: templates, and expansion rules that name several of them.

use super::toml_problem::toml_problem;
use super::{Prompt, normalized};
use crate::problem::{Problem, listed, nearest};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Maximum number of prompts of a rule: each of them adds a record for every row that the rule applies to.
pub const MAX_PROMPTS_PER_RULE: usize = 50;

/// Several prompts that are all applied to one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpansionRule {
    /// Purpose of the rule, for humans.
    pub description: String,
    /// Distinguishes this kind of file from a template; always true.
    pub expansion_rule: bool,
    /// Names of the prompts, in the order of the answers.
    pub prompts: Vec<String>,
}

/// Prompts that a `prompt_id` may name. Templates and rules share one namespace: that of their files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptLibrary {
    /// Templates by `prompt_id`.
    pub prompts: BTreeMap<String, Prompt>,
    /// Expansion rules by name.
    pub rules: BTreeMap<String, ExpansionRule>,
    /// Names of the deployment's prompts and rules in whose place an input has different ones.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub replaced: BTreeSet<String>,
    /// Names of prompts and rules with mistakes, which are reported where they were found.
    #[serde(skip)]
    pub unreadable: BTreeSet<String>,
}

/// Prompt or rule that a name refers to, with its name in the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LibraryEntry<'a> {
    /// Template.
    Template(&'a str, &'a Prompt),
    /// Expansion rule.
    Rule(&'a str, &'a ExpansionRule),
    /// Prompt or rule with mistakes, which are reported where they were found.
    Unreadable(&'a str),
}

impl PromptLibrary {
    /// Returns what `name` refers to: the entry of exactly this name, else one whose name differs only in case and surrounding
    /// spaces, as with names in columns.
    pub fn find(&self, name: &str) -> Option<LibraryEntry<'_>> {
        self.entry(name).or_else(|| {
            let wanted = normalized(name);
            let mut ids = self.prompts.keys().chain(self.rules.keys()).chain(&self.unreadable);
            ids.find(|id| normalized(id) == wanted).and_then(|id| self.entry(id))
        })
    }

    fn entry(&self, id: &str) -> Option<LibraryEntry<'_>> {
        let template = self.prompts.get_key_value(id).map(|(id, prompt)| LibraryEntry::Template(id, prompt));
        let rule = || self.rules.get_key_value(id).map(|(id, rule)| LibraryEntry::Rule(id, rule));
        let unreadable = || self.unreadable.get(id).map(|id| LibraryEntry::Unreadable(id));
        template.or_else(rule).or_else(unreadable)
    }

    /// Adds the content of the file `<id>.toml`.
    ///
    /// # Errors
    /// Returns a description of the problem for the author of the file.
    pub fn add(&mut self, id: &str, toml_text: &str) -> Result<(), String> {
        let table: toml::Table = toml::from_str(toml_text).map_err(|error| toml_problem(&error, toml_text))?;
        if !table.contains_key("expansion_rule") {
            self.prompts.insert(id.to_owned(), Prompt::parse(toml_text)?);
            return Ok(());
        }
        let rule: ExpansionRule = toml::from_str(toml_text).map_err(|error| toml_problem(&error, toml_text))?;
        let problems = rule.problems();
        if !problems.is_empty() {
            return Err(problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"));
        }
        self.rules.insert(id.to_owned(), rule);
        Ok(())
    }

    /// Returns the problems of the rules that depend on the templates, each with the name of its rule.
    pub fn rule_problems(&self) -> Vec<(String, Problem)> {
        let of_rule = |(id, rule): (&String, &ExpansionRule)| {
            let found = self.not_templates(rule).into_iter();
            found.map(|problem| (id.clone(), problem)).collect::<Vec<_>>()
        };
        self.rules.iter().flat_map(of_rule).collect()
    }

    /// Returns a problem for each name in a rule that is not that of a template.
    fn not_templates(&self, rule: &ExpansionRule) -> Vec<Problem> {
        let unknown = rule.prompts.iter().filter_map(|prompt| match self.find(prompt) {
            Some(LibraryEntry::Template(..) | LibraryEntry::Unreadable(_)) => None,
            Some(LibraryEntry::Rule(..)) => {
                let rule = "is an expansion rule, but a prompt template is expected here";
                Some(Problem::new("prompts", prompt, rule).remedy("name templates"))
            }
            None => {
                let rule = "a prompt template of this name does not exist";
                Some(Problem::new("prompts", prompt, rule).remedy(nearest(prompt, self.names())))
            }
        });
        unknown.collect()
    }

    /// Returns these prompts together with those of an input, which take precedence, and the problems of the input's rules.
    /// Names are compared like those in columns: ignoring case and surrounding spaces.
    pub fn with(&self, inline: &Self) -> (Self, Vec<Problem>) {
        let mut all = self.clone();
        let ids = inline.prompts.keys().chain(inline.rules.keys()).chain(&inline.unreadable);
        let taken: BTreeSet<String> = ids.map(|id| normalized(id)).collect();
        let is_taken = |id: &str| taken.contains(&normalized(id));
        let prompts = self.prompts.iter().filter(|(id, prompt)| inline.prompts.get(*id) != Some(*prompt));
        let rules = self.rules.iter().filter(|(id, rule)| inline.rules.get(*id) != Some(*rule));
        let different = prompts.map(|(id, _)| id).chain(rules.map(|(id, _)| id));
        all.replaced.extend(different.filter(|id| is_taken(id)).cloned());
        all.prompts.retain(|id, _| !is_taken(id));
        all.rules.retain(|id, _| !is_taken(id));
        all.prompts.extend(inline.prompts.clone());
        all.rules.extend(inline.rules.clone());
        all.unreadable.extend(inline.unreadable.clone());
        let mut problems = Vec::new();
        for (id, rule) in &inline.rules {
            let found = all.not_templates(rule);
            if !found.is_empty() {
                all.rules.remove(id);
                all.unreadable.insert(id.clone());
            }
            problems.extend(found.into_iter().map(|problem| problem.of_field(format!("prompts.{id}.prompts"))));
        }
        (all, problems)
    }

    /// Returns true if there are no prompts and no rules.
    pub fn is_empty(&self) -> bool {
        self.prompts.is_empty() && self.rules.is_empty() && self.unreadable.is_empty()
    }

    /// Returns the names of the templates.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.prompts.keys().map(String::as_str)
    }

    /// Lists the names of the rules, for a message.
    pub fn listed_rules(&self) -> String {
        listed(&self.rules.keys().map(String::as_str).collect::<Vec<_>>())
    }
}

impl ExpansionRule {
    /// Returns the problems of the rule that do not depend on the templates.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !self.expansion_rule {
            let rule = "must be true in a rule";
            problems.push(Problem::new("expansion_rule", false, rule).remedy("leave it out of a template"));
        }
        if self.prompts.is_empty() || self.prompts.len() > MAX_PROMPTS_PER_RULE {
            let rule = format!("must name 1 to {MAX_PROMPTS_PER_RULE} templates, but names {}", self.prompts.len());
            problems.push(Problem::without_value("prompts", rule));
        }
        let mut seen = BTreeSet::new();
        let twice = self.prompts.iter().filter(|prompt| !seen.insert(prompt.as_str()));
        problems.extend(twice.map(|prompt| Problem::new("prompts", prompt, "is named twice")));
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const RULE: &str = "description = \"d\"\nexpansion_rule = true\nprompts = [\"a\", \"b\"]";

    #[test]
    fn templates_and_rules_are_distinguished() {
        let mut library = PromptLibrary::default();
        library.add("a", "description = \"d\"\ntemplate = \"x\"").unwrap();
        library.add("both", RULE).unwrap();
        assert_eq!((library.prompts.len(), library.rules.len()), (1, 1));
        let problems = library.rule_problems();
        assert_eq!(problems.len(), 1);
        let (id, problem) = (&problems[0].0, problems[0].1.to_string());
        assert!(id == "both" && problem.starts_with("prompts is `b`: a prompt template of this name"), "{problem}");
        library.add("b", RULE).unwrap();
        assert!(library.rule_problems().iter().any(|(_, problem)| problem.rule.contains("is an expansion rule, but")));
    }

    fn library(files: &[(&str, &str)]) -> PromptLibrary {
        let mut library = PromptLibrary::default();
        for (id, text) in files {
            library.add(id, text).unwrap();
        }
        library
    }

    const A: &str = "description = \"d\"\ntemplate = \"a\"";
    const B: &str = "description = \"d\"\ntemplate = \"b\"";

    #[test]
    fn prompts_of_an_input_take_precedence() {
        let stack = library(&[("a", A), ("b", B), ("both", RULE)]);
        let (all, problems) = stack.with(&library(&[("A", B), ("b", B), ("c", A)]));
        assert_eq!(problems, []);
        assert_eq!(all.names().collect::<Vec<_>>(), ["A", "b", "c"], "names in columns have no case");
        assert_eq!(all.replaced, BTreeSet::from(["a".to_owned()]), "an equal prompt replaces nothing");
        let (all, problems) = stack.with(&library(&[("a", RULE), ("both", A)]));
        assert_eq!(problems.len(), 1, "{problems:?}");
        let expected = "prompts.a.prompts is `a`: is an expansion rule, but a prompt template is expected here";
        assert!(problems[0].to_string().starts_with(expected), "{problems:?}");
        assert!(all.unreadable.contains("a") && !all.rules.contains_key("both"));
        assert_eq!(stack.with(&PromptLibrary::default()), (stack, vec![]));
    }

    #[test]
    fn a_rule_of_an_input_may_name_prompts_of_the_stack() {
        let stack = library(&[("a", A)]);
        assert_eq!(stack.with(&library(&[("both", RULE), ("b", B)])).1, []);
        let problems = stack.with(&library(&[("both", RULE)])).1;
        let expected = "prompts.both.prompts is `b`: a prompt template of this name does not exist; known: `a`";
        assert_eq!(problems.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
    }

    #[test]
    fn a_name_refers_to_the_entry_of_this_name_else_to_one_in_other_case() {
        let mut library = library(&[("A", A), ("a", B), ("Both", RULE)]);
        library.unreadable.insert("Broken".to_owned());
        let found = |name| match library.find(name) {
            Some(LibraryEntry::Template(id, _) | LibraryEntry::Rule(id, _) | LibraryEntry::Unreadable(id)) => id,
            None => "nothing",
        };
        let names = ["A", "a", " a ", "both", "BROKEN", "c"];
        assert_eq!(names.map(found), ["A", "a", "A", "Both", "Broken", "nothing"]);
    }

    #[test]
    fn a_rule_of_the_stack_finds_a_prompt_of_an_input_in_other_case() {
        let stack = library(&[("a", A), ("b", B), ("both", RULE)]);
        let (all, problems) = stack.with(&library(&[("A", B), ("mine", RULE)]));
        assert_eq!((problems, all.rule_problems()), (vec![], vec![]));
    }

    #[test]
    fn a_library_of_an_earlier_version_is_read() {
        let library = library(&[("a", A), ("b", B), ("both", RULE)]);
        let written = serde_json::to_value(&library).unwrap();
        assert_eq!(written.as_object().unwrap().keys().collect::<Vec<_>>(), ["prompts", "rules"]);
        assert_eq!(serde_json::from_value::<PromptLibrary>(written).unwrap(), library);
    }

    #[rstest]
    #[case(
        "description = \"d\"\nexpansion_rule = false\nprompts = [\"a\"]",
        "expansion_rule is `false`: must be true in a rule"
    )]
    #[case("description = \"d\"\nexpansion_rule = true\nprompts = []", "must name 1 to 50 templates")]
    #[case("description = \"d\"\nexpansion_rule = true\nprompts = [\"a\", \"a\"]", "prompts is `a`: is named twice")]
    #[case("description = \"d\"\nexpansion_rule = true", "missing field `prompts`")]
    #[case(
        "description = \"d\"\nexpansion_rule = true\nprompts = [\"a\"]\ntemplate = \"t\"",
        "unknown field `template`"
    )]
    #[case("expansion_rule = ", "expected")]
    fn mistakes_are_reported(#[case] toml: &str, #[case] expected: &str) {
        let error = PromptLibrary::default().add("x", toml).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}
