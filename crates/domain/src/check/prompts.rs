//! Lookup of prompts by their names.

use crate::input::{CATEGORY, DEFAULT, PromptConfig};
use crate::problem::{Problem, listed, nearest};
use crate::prompt::{Choice, NamedPrompt, PromptLibrary, PromptPlan, normalized};
use std::collections::{BTreeMap, BTreeSet};

/// Name of the prompt that the field `prompt` contains, in messages and in the plan.
const INLINE: &str = "prompt";

/// Returns the prompts that `config` names, and all problems of that. `is_embedding` is true for a model that accepts no
/// prompts; `None` if the model is unknown.
pub(super) fn prompts_of(
    config: &PromptConfig,
    is_embedding: Option<bool>,
    library: &PromptLibrary,
) -> (Option<PromptPlan>, Vec<Problem>) {
    let mut resolver = PromptResolver { library, prompts: Vec::new(), problems: Vec::new(), found_unreadable: false };
    if is_embedding == Some(true) && *config != PromptConfig::None {
        let rule = "an embedding model does not accept prompts: it reads the column `input_text`";
        let (field, value) = match config {
            PromptConfig::Single { prompt_id } => ("prompt_id", prompt_id.as_str()),
            PromptConfig::Inline { .. } => ("prompt", ""),
            _ => ("prompt_config", ""),
        };
        return (None, vec![Problem::new(field, value, rule).remedy("leave it out, or set it to null")]);
    }
    let choice = match config {
        PromptConfig::Unreadable => return (None, Vec::new()),
        PromptConfig::None if is_embedding == Some(false) => {
            let rule = "is required for a text model";
            let names: Vec<&str> = library.names().collect();
            let remedy = format!("the prompts are {}; or write one yourself, as `prompt`", listed(&names));
            resolver.problems.push(Problem::without_value("prompt_id", rule).remedy(remedy));
            Choice::None
        }
        PromptConfig::None => Choice::None,
        PromptConfig::Single { prompt_id } => {
            resolver.template("prompt_id", prompt_id);
            Choice::Single
        }
        PromptConfig::Inline { prompt } => {
            resolver.prompts.push(NamedPrompt { id: INLINE.to_owned(), prompt: prompt.as_ref().clone() });
            Choice::Single
        }
        PromptConfig::Mapped { column_name, mapping: Some(mapping) } => {
            let mut by_value = BTreeMap::new();
            for (value, id) in mapping {
                let number = resolver.template(&format!("category_to_prompt_mapping.{value}"), id);
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
            resolver.prompts = all.map(|(id, prompt)| NamedPrompt { id: id.clone(), prompt: prompt.clone() }).collect();
            let columns = vec![column_name.clone()];
            resolver.found_unreadable = !library.unreadable.is_empty();
            Choice::Mapped { columns, by_value, default: None, by_name: true, unusable: BTreeMap::new() }
        }
        PromptConfig::Expanded { category_column, expansion_mapping, layout } => {
            let mut by_value = BTreeMap::new();
            for (value, rule) in expansion_mapping {
                let numbers = resolver.rule(&format!("prompt_config.expansion_mapping.{value}"), rule);
                by_value.extend(numbers.map(|numbers| (value.clone(), numbers)));
            }
            let default = by_value.remove(DEFAULT);
            Choice::Expanded { column: category_column.clone(), by_value, default, layout: *layout }
        }
    };
    if resolver.problems.is_empty() && !resolver.found_unreadable {
        (Some(PromptPlan { choice, prompts: resolver.prompts, references: Vec::new() }), Vec::new())
    } else {
        (None, resolver.problems)
    }
}

/// Returns the names of those of the deployment's prompts and rules in whose place the input has different ones that are used.
pub(super) fn replaced_prompts(config: &PromptConfig, plan: &PromptPlan, library: &PromptLibrary) -> Vec<String> {
    let mut used: BTreeSet<String> = match config {
        PromptConfig::Inline { .. } => return Vec::new(),
        PromptConfig::Expanded { expansion_mapping, .. } => {
            expansion_mapping.values().map(|id| normalized(id)).collect()
        }
        _ => BTreeSet::new(),
    };
    used.extend(plan.prompts.iter().map(|named| normalized(&named.id)));
    library.replaced.iter().filter(|id| used.contains(&normalized(id))).cloned().collect()
}

struct PromptResolver<'a> {
    library: &'a PromptLibrary,
    prompts: Vec<NamedPrompt>,
    problems: Vec<Problem>,
    /// If true, a prompt has mistakes that were reported where they were found.
    found_unreadable: bool,
}

impl PromptResolver<'_> {
    /// Returns the index of the template `id` among the prompts found.
    fn template(&mut self, field: &str, id: &str) -> Option<usize> {
        if let Some(known) = self.prompts.iter().position(|named| named.id == id) {
            return Some(known);
        }
        let Some(prompt) = self.library.prompts.get(id) else {
            if self.library.unreadable.contains(id) {
                self.found_unreadable = true;
                return None;
            }
            let problem = if self.library.rules.contains_key(id) {
                let rule = "is an expansion rule, but a prompt template is expected here";
                Problem::new(field, id, rule).remedy("name a template, or use prompt_config of mode `expanded`")
            } else {
                let rule = "a prompt template of this name does not exist";
                Problem::new(field, id, rule).remedy(nearest(id, self.library.names()))
            };
            self.problems.push(problem);
            return None;
        };
        self.prompts.push(NamedPrompt { id: id.to_owned(), prompt: prompt.clone() });
        Some(self.prompts.len() - 1)
    }

    /// Returns the indexes of the templates of the expansion rule `id`.
    fn rule(&mut self, field: &str, id: &str) -> Option<Vec<usize>> {
        let Some(rule) = self.library.rules.get(id) else {
            if self.library.unreadable.contains(id) {
                self.found_unreadable = true;
                return None;
            }
            let problem = if self.library.prompts.contains_key(id) {
                let rule = "is a prompt template, but an expansion rule is expected here";
                Problem::new(field, id, rule).remedy(format!("the rules are {}", self.library.listed_rules()))
            } else {
                let rule = "an expansion rule of this name does not exist";
                Problem::new(field, id, rule).remedy(nearest(id, self.library.rules.keys().map(String::as_str)))
            };
            self.problems.push(problem);
            return None;
        };
        rule.prompts.iter().map(|prompt| self.template(field, prompt)).collect()
    }
}
