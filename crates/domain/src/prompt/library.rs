//! Prompts of a deployment: templates, and expansion rules that name several of them.

use super::Prompt;
use crate::problem::{listed, nearest};
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
}

impl PromptLibrary {
    /// Adds the content of the file `<id>.toml`.
    ///
    /// # Errors
    /// Returns a description of the problem for the author of the file.
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

    /// Returns the problems of the rules that depend on the templates, each as `<rule>: <problem>`.
    pub fn rule_problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (id, rule) in &self.rules {
            for prompt in rule.prompts.iter().filter(|prompt| !self.prompts.contains_key(*prompt)) {
                let detail = if self.rules.contains_key(prompt) {
                    "which is an expansion rule itself; name templates".to_owned()
                } else {
                    format!("which does not exist; {}", nearest(prompt, self.names()))
                };
                problems.push(format!("{id}: `prompts` names `{prompt}`, {detail}"));
            }
        }
        problems
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
    fn check(&self) -> Result<(), String> {
        if !self.expansion_rule {
            return Err("`expansion_rule` is false: leave it out of a template, or set it to true in a rule".to_owned());
        }
        if self.prompts.is_empty() || self.prompts.len() > MAX_PROMPTS_PER_RULE {
            return Err(format!("`prompts` must name 1 to {MAX_PROMPTS_PER_RULE} templates"));
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
    fn templates_and_rules_are_distinguished() {
        let mut library = PromptLibrary::default();
        library.add("a", "description = \"d\"\ntemplate = \"x\"").unwrap();
        library.add("both", RULE).unwrap();
        assert_eq!((library.prompts.len(), library.rules.len()), (1, 1));
        let problems = library.rule_problems();
        assert_eq!(problems.len(), 1);
        assert!(problems[0].starts_with("both: `prompts` names `b`, which does not exist"), "{problems:?}");
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
    fn mistakes_are_reported(#[case] toml: &str, #[case] expected: &str) {
        let error = PromptLibrary::default().add("x", toml).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}
