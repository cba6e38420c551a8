//! From the names of prompts to the prompts.

use crate::input::{CATEGORY, DEFAULT, PromptConfig};
use crate::problem::{Problem, listed, nearest};
use crate::prompt::{Choice, NamedPrompt, PromptLibrary, PromptPlan, normalized};
use std::collections::BTreeMap;

/// The prompts that `config` names, and all that is wrong with that. `is_embedding`: whether the model takes prompts at
/// all, where that is known.
pub(super) fn prompts_of(
    config: &PromptConfig,
    is_embedding: Option<bool>,
    library: &PromptLibrary,
) -> (Option<PromptPlan>, Vec<Problem>) {
    let mut found = Found { library, prompts: Vec::new(), problems: Vec::new() };
    if is_embedding == Some(true) && *config != PromptConfig::None {
        let rule = "an embedding model takes no prompt: it reads the column `input_text`";
        let (field, value) = match config {
            PromptConfig::Single { prompt_id } => ("prompt_id", prompt_id.as_str()),
            _ => ("prompt_config", ""),
        };
        return (None, vec![Problem::new(field, value, rule).remedy("leave it out, or null")]);
    }
    let choice = match config {
        PromptConfig::Unreadable => return (None, Vec::new()),
        PromptConfig::None if is_embedding == Some(false) => {
            let rule = "is required for a text model";
            let names: Vec<&str> = library.names().collect();
            let remedy = format!("there are {}", listed(&names));
            found.problems.push(Problem::without_value("prompt_id", rule).remedy(remedy));
            Choice::None
        }
        PromptConfig::None => Choice::None,
        PromptConfig::Single { prompt_id } => {
            found.template("prompt_id", prompt_id);
            Choice::Single
        }
        PromptConfig::Mapped { column_name, mapping: Some(mapping) } => {
            let mut by_value = BTreeMap::new();
            for (value, id) in mapping {
                let number = found.template(&format!("category_to_prompt_mapping.{value}"), id);
                by_value.extend(number.map(|number| (value.clone(), number)));
            }
            let default = by_value.remove(DEFAULT);
            let columns = vec![column_name.clone(), CATEGORY.to_owned()];
            Choice::Mapped { columns, by_value, default, by_name: false, unusable: BTreeMap::new() }
        }
        PromptConfig::Mapped { column_name, mapping: None } => {
            let by_value =
                library.prompts.iter().enumerate().map(|(number, (id, _))| (normalized(id), number)).collect();
            let all = library.prompts.iter();
            found.prompts = all.map(|(id, prompt)| NamedPrompt { id: id.clone(), prompt: prompt.clone() }).collect();
            let columns = vec![column_name.clone()];
            Choice::Mapped { columns, by_value, default: None, by_name: true, unusable: BTreeMap::new() }
        }
        PromptConfig::Expanded { category_column, expansion_mapping, layout } => {
            let mut by_value = BTreeMap::new();
            for (value, rule) in expansion_mapping {
                let numbers = found.rule(&format!("prompt_config.expansion_mapping.{value}"), rule);
                by_value.extend(numbers.map(|numbers| (value.clone(), numbers)));
            }
            let default = by_value.remove(DEFAULT);
            Choice::Expanded { column: category_column.clone(), by_value, default, layout: *layout }
        }
    };
    if found.problems.is_empty() {
        (Some(PromptPlan { choice, prompts: found.prompts }), Vec::new())
    } else {
        (None, found.problems)
    }
}

struct Found<'a> {
    library: &'a PromptLibrary,
    prompts: Vec<NamedPrompt>,
    problems: Vec<Problem>,
}

impl Found<'_> {
    /// The place of the template `id` among those found.
    fn template(&mut self, field: &str, id: &str) -> Option<usize> {
        if let Some(known) = self.prompts.iter().position(|named| named.id == id) {
            return Some(known);
        }
        let Some(prompt) = self.library.prompts.get(id) else {
            let problem = if self.library.rules.contains_key(id) {
                let rule = "is an expansion rule, and a prompt template is wanted here";
                Problem::new(field, id, rule).remedy("name a template, or use prompt_config of mode `expanded`")
            } else {
                let rule = "there is no prompt template of this name";
                Problem::new(field, id, rule).remedy(nearest(id, self.library.names()))
            };
            self.problems.push(problem);
            return None;
        };
        self.prompts.push(NamedPrompt { id: id.to_owned(), prompt: prompt.clone() });
        Some(self.prompts.len() - 1)
    }

    /// The places of the templates of the expansion rule `id`.
    fn rule(&mut self, field: &str, id: &str) -> Option<Vec<usize>> {
        let Some(rule) = self.library.rules.get(id) else {
            let problem = if self.library.prompts.contains_key(id) {
                let rule = "is a prompt template, and an expansion rule is wanted here";
                Problem::new(field, id, rule).remedy(format!("the rules are {}", self.library.listed_rules()))
            } else {
                let rule = "there is no expansion rule of this name";
                Problem::new(field, id, rule).remedy(nearest(id, self.library.rules.keys().map(String::as_str)))
            };
            self.problems.push(problem);
            return None;
        };
        rule.prompts.iter().map(|prompt| self.template(field, prompt)).collect()
    }
}
