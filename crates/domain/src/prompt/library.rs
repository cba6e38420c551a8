//! All prompts of a deployment: the templates, and the expansion rules that name several of them.

use super::Prompt;
use crate::problem::{listed, nearest};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The most prompts that one rule names: each is a record for every row that it is chosen for.
pub const MOST_PROMPTS_OF_A_RULE: usize = 50;

/// Several prompts that are all asked of one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpansionRule {
    /// What it is for, for people.
    pub description: String,
    /// Tells this kind of file from a template; always true.
    pub expansion_rule: bool,
    /// The prompts, in the order of the answers.
    pub prompts: Vec<String>,
}

/// What a `prompt_id` may name. Templates and rules share one space of names: those of their files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptLibrary {
    /// Templates by `prompt_id`.
    pub prompts: BTreeMap<String, Prompt>,
    /// Expansion rules by name.
    pub rules: BTreeMap<String, ExpansionRule>,
}

impl PromptLibrary {
    /// Adds the content of the file `<id>.toml`.
    ///
    /// # Errors
    /// What is wrong with it, for the person who wrote the file.
    pub fn add(&mut self, id: &str, toml_text: &str) -> Result<(), String> {
        let table: toml::Table = toml::from_str(toml_text).map_err(|error| error.to_string().trim_end().to_owned())?;
        if !table.contains_key("expansion_rule") {
            self.prompts.insert(id.to_owned(), Prompt::parse(toml_text)?);
            return Ok(());
        }
        let rule: ExpansionRule = toml::from_str(toml_text).map_err(|error| error.to_string().trim_end().to_owned())?;
        rule.check()?;
        self.rules.insert(id.to_owned(), rule);
        Ok(())
    }

    /// What is wrong with the rules as far as it takes the templates to see it: `<rule>: <what>`, each.
    pub fn rule_problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (id, rule) in &self.rules {
            for prompt in rule.prompts.iter().filter(|prompt| !self.prompts.contains_key(*prompt)) {
                let why = if self.rules.contains_key(prompt) {
                    "which is an expansion rule itself; name templates".to_owned()
                } else {
                    format!("and there is no such template; {}", nearest(prompt, self.names()))
                };
                problems.push(format!("{id}: `prompts` names `{prompt}`, {why}"));
            }
        }
        problems
    }

    /// The names of the templates.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.prompts.keys().map(String::as_str)
    }

    /// The names of the rules, for a message.
    pub fn listed_rules(&self) -> String {
        listed(&self.rules.keys().map(String::as_str).collect::<Vec<_>>())
    }
}

impl ExpansionRule {
    fn check(&self) -> Result<(), String> {
        if !self.expansion_rule {
            return Err("`expansion_rule` is false: leave it out of a template, or set it to true in a rule".to_owned());
        }
        if self.prompts.is_empty() || self.prompts.len() > MOST_PROMPTS_OF_A_RULE {
            return Err(format!("`prompts` must name 1 to {MOST_PROMPTS_OF_A_RULE} templates"));
        }
        let mut seen = BTreeSet::new();
        match self.prompts.iter().find(|prompt| !seen.insert(prompt.as_str())) {
            Some(twice) => Err(format!("`prompts` names `{twice}` twice")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const RULE: &str = "description = \"d\"\nexpansion_rule = true\nprompts = [\"a\", \"b\"]";

    #[test]
    fn templates_and_rules_are_told_apart() {
        let mut library = PromptLibrary::default();
        library.add("a", "description = \"d\"\ntemplate = \"x\"").unwrap();
        library.add("both", RULE).unwrap();
        assert_eq!((library.prompts.len(), library.rules.len()), (1, 1));
        let problems = library.rule_problems();
        assert_eq!(problems.len(), 1);
        assert!(problems[0].starts_with("both: `prompts` names `b`, and there is no such template"), "{problems:?}");
        library.add("b", RULE).unwrap();
        assert!(library.rule_problems().iter().any(|problem| problem.contains("an expansion rule itself")));
    }

    #[rstest]
    #[case("description = \"d\"\nexpansion_rule = false\nprompts = [\"a\"]", "`expansion_rule` is false")]
    #[case("description = \"d\"\nexpansion_rule = true\nprompts = []", "must name 1 to 50 templates")]
    #[case("description = \"d\"\nexpansion_rule = true\nprompts = [\"a\", \"a\"]", "names `a` twice")]
    #[case("description = \"d\"\nexpansion_rule = true", "missing field `prompts`")]
    #[case(
        "description = \"d\"\nexpansion_rule = true\nprompts = [\"a\"]\ntemplate = \"t\"",
        "unknown field `template`"
    )]
    #[case("expansion_rule = ", "expected")]
    fn mistakes_are_named(#[case] toml: &str, #[case] expected: &str) {
        let error = PromptLibrary::default().add("x", toml).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}
