//! Lookup of prompts by their names.

use crate::input::{CATEGORY, DEFAULT, PromptConfig, TemplateSource};
use crate::problem::{Problem, listed, nearest};
use crate::prompt::{Choice, LibraryEntry, NamedPrompt, PromptLibrary, PromptPlan, normalized};
use std::collections::{BTreeMap, BTreeSet};

/// Name of the prompt that the field `prompt` contains, or that was generated, in messages and in the plan.
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
            // Its own mistakes are reported with their fields.
            PromptConfig::Unreadable => ("the prompt", ""),
            PromptConfig::Templates { source, .. } => {
                (TemplateSource::PROMPT_TEMPLATES, source.prompt_templates.as_str())
            }
            _ => ("prompt_config", ""),
        };
        return (None, vec![Problem::new(field, value, rule).remedy("leave it out, or set it to null")]);
    }
    let choice = match config {
        // A generated prompt that could not be read is reported, or is in S3 and not known here.
        PromptConfig::Unreadable
        | PromptConfig::Inline { prompt: None }
        | PromptConfig::Templates { prompt: None, .. } => return (None, Vec::new()),
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
        PromptConfig::Inline { prompt: Some(prompt) } | PromptConfig::Templates { prompt: Some(prompt), .. } => {
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
        (Some(PromptPlan { choice, prompts: resolver.prompts, ..PromptPlan::default() }), Vec::new())
    } else {
        (None, resolver.problems)
    }
}

/// Returns the names of those of the deployment's prompts and rules in whose place the input has different ones that are used.
pub(super) fn replaced_prompts(config: &PromptConfig, plan: &PromptPlan, library: &PromptLibrary) -> Vec<String> {
    let mut used: BTreeSet<String> = match config {
        PromptConfig::Inline { .. } | PromptConfig::Templates { .. } => return Vec::new(),
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
    /// Returns the index of the template `name` among the prompts found.
    fn template(&mut self, field: &str, name: &str) -> Option<usize> {
        let (id, prompt) = match self.library.find(name) {
            Some(LibraryEntry::Template(id, prompt)) => (id, prompt),
            Some(LibraryEntry::Unreadable(_)) => {
                self.found_unreadable = true;
                return None;
            }
            Some(LibraryEntry::Rule(..)) => {
                let rule = "is an expansion rule, but a prompt template is expected here";
                let remedy = "name a template, or use prompt_config of mode `expanded`";
                self.problems.push(Problem::new(field, name, rule).remedy(remedy));
                return None;
            }
            None => {
                let rule = "a prompt template of this name does not exist";
                self.problems.push(Problem::new(field, name, rule).remedy(nearest(name, self.library.names())));
                return None;
            }
        };
        if let Some(known) = self.prompts.iter().position(|named| named.id == id) {
            return Some(known);
        }
        self.prompts.push(NamedPrompt { id: id.to_owned(), prompt: prompt.clone() });
        Some(self.prompts.len() - 1)
    }

    /// Returns the indexes of the templates of the expansion rule `name`.
    fn rule(&mut self, field: &str, name: &str) -> Option<Vec<usize>> {
        let rule = match self.library.find(name) {
            Some(LibraryEntry::Rule(_, rule)) => rule,
            Some(LibraryEntry::Unreadable(_)) => {
                self.found_unreadable = true;
                return None;
            }
            Some(LibraryEntry::Template(..)) => {
                let rule = "is a prompt template, but an expansion rule is expected here";
                let remedy = format!("the rules are {}", self.library.listed_rules());
                self.problems.push(Problem::new(field, name, rule).remedy(remedy));
                return None;
            }
            None => {
                let rule = "an expansion rule of this name does not exist";
                let near = nearest(name, self.library.rules.keys().map(String::as_str));
                self.problems.push(Problem::new(field, name, rule).remedy(near));
                return None;
            }
        };
        let numbers: Vec<usize> =
            rule.prompts.iter().map(|prompt| self.template(field, prompt)).collect::<Option<_>>()?;
        let mut seen = BTreeSet::new();
        if let Some(twice) = numbers.iter().position(|number| !seen.insert(number)) {
            let rule = format!("names the prompt {} twice, in different case", listed(&[rule.prompts[twice].as_str()]));
            self.problems.push(Problem::new(field, name, rule).remedy("name it once"));
            return None;
        }
        Some(numbers)
    }
}
