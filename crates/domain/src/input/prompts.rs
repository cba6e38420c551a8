//! Selection of prompts by a request: `prompt_id`, `prompt`, `prompt_templates`, or `prompt_config` with its mappings.

use super::Fields;
use super::inline_prompts::read_prompt;
use super::prompt_templates::{TemplateSource, read_templates};
use crate::problem::Problem;
use crate::prompt::{ExpandedLayout, Prompt, normalized};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Key of a mapping that applies to all values without an entry.
pub const DEFAULT: &str = "default";
/// Column that a mapping uses if the input does not have the named one, as in the Python samples.
pub const CATEGORY: &str = "category";
/// Maximum number of entries of a mapping.
const MAX_ENTRIES: usize = 10_000;

/// Selection of the prompts for each row, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case")]
pub enum PromptConfig {
    /// No prompt was named: only valid for embedding models.
    #[default]
    None,
    /// The configuration is invalid, and is reported.
    Unreadable,
    /// The same prompt for every row.
    Single {
        /// Name of the template.
        prompt_id: String,
    },
    /// The same prompt for every row, which the input contains.
    Inline {
        /// Content of the prompt. A stored request has a digest in its place.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prompt: Option<Box<Prompt>>,
    },
    /// The same prompt for every row, which was generated and is in S3.
    Templates {
        /// Addresses of the prompt.
        #[serde(flatten)]
        source: TemplateSource,
        /// The prompt, once it was read from there. Not stored: a plan has the texts of its prompts beside the request.
        #[serde(skip)]
        prompt: Option<Box<Prompt>>,
    },
    /// One prompt per row.
    Mapped {
        /// Column with the name of the template, or with a value that the mapping translates to one.
        column_name: String,
        /// Templates by value, in lower case and trimmed; `default` applies to all other values.
        mapping: Option<BTreeMap<String, String>>,
    },
    /// Several prompts per row.
    Expanded {
        /// Column with the values.
        category_column: String,
        /// Expansion rules by value, in lower case and trimmed; `default` applies to all other values.
        expansion_mapping: BTreeMap<String, String>,
        /// Layout of the answers.
        layout: ExpandedLayout,
    },
}

impl PromptConfig {
    /// Reads `prompt_id`, `prompt`, the fields of a generated prompt, `prompt_config`, `category_to_prompt_mapping` and
    /// `expanded_layout`.
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let short = SinglePrompt::read_short(fields);
        let outer_mapping = fields.object("category_to_prompt_mapping");
        let layout = read_layout(fields);
        let Some(object) = fields.object("prompt_config") else {
            if outer_mapping.is_some() {
                fields.note(needs_mode(fields.name("category_to_prompt_mapping"), "mapped"));
            }
            if layout.is_some() {
                fields.note(needs_mode(fields.name("expanded_layout"), "expanded"));
            }
            return short.map_or(Self::None, SinglePrompt::into_config);
        };
        let mut inner = fields.inner("prompt_config", object);
        let mode = inner.text("mode").unwrap_or("single");
        let config = match mode {
            "single" => read_single(&mut inner, short),
            "mapped" => read_mapped(&mut inner, outer_mapping, &fields.name("category_to_prompt_mapping")),
            "expanded" => read_expanded(&mut inner, layout.unwrap_or_default()),
            other => {
                let rule = "must be `single`, `mapped` or `expanded`";
                inner.note(Problem::new(inner.name("mode"), other, rule));
                inner.accept_unknown();
                Self::Unreadable
            }
        };
        inner.finish().into_iter().for_each(|problem| fields.note(problem));
        if outer_mapping.is_some() && mode != "mapped" {
            fields.note(needs_mode(fields.name("category_to_prompt_mapping"), "mapped"));
        }
        if layout.is_some() && mode != "expanded" {
            fields.note(needs_mode(fields.name("expanded_layout"), "expanded"));
        }
        for field in ["prompt_id", "prompt", TemplateSource::PROMPT_TEMPLATES] {
            if mode != "single" && fields.value(field).is_some() {
                let rule = format!("cannot be combined with prompt_config of mode `{mode}`");
                fields.note(Problem::without_value(fields.name(field), rule).remedy("leave it out"));
            }
        }
        config
    }

    /// Returns the addresses of a generated prompt, if one is named.
    pub fn template_source(&self) -> Option<&TemplateSource> {
        match self {
            Self::Templates { source, .. } => Some(source),
            _ => None,
        }
    }

    /// Sets the prompt that was read from the addresses of a generated prompt.
    pub fn set_generated(&mut self, generated: Prompt) {
        if let Self::Templates { prompt, .. } = self {
            *prompt = Some(Box::new(generated));
        }
    }
}

/// One prompt for all rows, by name, with its content, or by the address of its content.
enum SinglePrompt {
    Named(String),
    Inline(Box<Prompt>),
    Templates(TemplateSource),
    /// It has mistakes, which are reported.
    Unreadable,
}

impl SinglePrompt {
    /// Reads the fields next to `prompt_config`, of which only one may name a prompt.
    fn read_short(fields: &mut Fields<'_>) -> Option<Self> {
        let other = Self::read(fields);
        let Some(templates) = read_templates(fields) else { return other };
        if other.is_none() {
            return Some(templates.map_or(Self::Unreadable, Self::Templates));
        }
        let mut given = vec!["prompt_id", "prompt"];
        given.retain(|&field| fields.value(field).is_some());
        let rule = format!("cannot be combined with {}", given.join(" and "));
        let name = fields.name(TemplateSource::PROMPT_TEMPLATES);
        fields.note(Problem::without_value(name, rule).remedy("give one of them"));
        Some(Self::Unreadable)
    }

    /// Reads `prompt_id` and `prompt`, of which only one may be given.
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let named = fields.text("prompt_id").map(str::to_owned);
        let inline = read_prompt(fields);
        match (named, inline) {
            (None, None) => None,
            (Some(_), Some(_)) => {
                let rule = "cannot be combined with prompt_id";
                fields.note(Problem::without_value(fields.name("prompt"), rule).remedy("give one of them"));
                Some(Self::Unreadable)
            }
            (Some(named), None) => Some(Self::Named(named)),
            (None, Some(prompt)) => Some(prompt.map_or(Self::Unreadable, |prompt| Self::Inline(Box::new(prompt)))),
        }
    }

    fn into_config(self) -> PromptConfig {
        match self {
            Self::Named(prompt_id) => PromptConfig::Single { prompt_id },
            Self::Inline(prompt) => PromptConfig::Inline { prompt: Some(prompt) },
            Self::Templates(source) => PromptConfig::Templates { source, prompt: None },
            Self::Unreadable => PromptConfig::Unreadable,
        }
    }
}

fn needs_mode(field: String, mode: &str) -> Problem {
    Problem::without_value(field, format!("is only allowed with prompt_config of mode `{mode}`")).remedy("leave it out")
}

fn read_layout(fields: &mut Fields<'_>) -> Option<ExpandedLayout> {
    match fields.text("expanded_layout")? {
        "long" => Some(ExpandedLayout::Long),
        "wide" => Some(ExpandedLayout::Wide),
        other => {
            fields.note(Problem::new(fields.name("expanded_layout"), other, "must be `long` or `wide`"));
            Some(ExpandedLayout::Long)
        }
    }
}

fn read_single(inner: &mut Fields<'_>, short: Option<SinglePrompt>) -> PromptConfig {
    match (short, SinglePrompt::read(inner)) {
        (Some(SinglePrompt::Named(short)), Some(SinglePrompt::Named(long))) if short != long => {
            let rule = "differs from the prompt_id next to prompt_config";
            inner.note(Problem::new(inner.name("prompt_id"), long, rule).remedy("give one of them"));
            PromptConfig::Unreadable
        }
        (Some(SinglePrompt::Named(_)), Some(SinglePrompt::Inline(_)))
        | (
            Some(SinglePrompt::Inline(_) | SinglePrompt::Templates(_)),
            Some(SinglePrompt::Named(_) | SinglePrompt::Inline(_)),
        ) => {
            let rule = "a prompt is also given next to prompt_config";
            inner.note(Problem::without_value(inner.path(), rule).remedy("give one of them"));
            PromptConfig::Unreadable
        }
        (Some(SinglePrompt::Unreadable), _) | (_, Some(SinglePrompt::Unreadable)) => PromptConfig::Unreadable,
        (Some(one), _) | (None, Some(one)) => one.into_config(),
        (None, None) => {
            let rule = "is required in mode `single` (or `prompt`, with the fields of a prompt)";
            inner.note(Problem::without_value(inner.name("prompt_id"), rule));
            PromptConfig::Unreadable
        }
    }
}

fn read_mapped(inner: &mut Fields<'_>, outer: Option<&Map<String, Value>>, outer_name: &str) -> PromptConfig {
    let column_name = inner.required_text("column_name").map(str::to_owned);
    let own = inner.object("category_to_prompt_mapping");
    if own.is_some() && outer.is_some() {
        let rule = "is given twice, here and next to prompt_config";
        inner.note(Problem::without_value(inner.name("category_to_prompt_mapping"), rule).remedy("give one of them"));
    }
    let own_name = inner.name("category_to_prompt_mapping");
    let mapping = match (own, outer) {
        (Some(object), _) => Some(read_mapping(inner, &own_name, object)),
        (None, Some(object)) => Some(read_mapping(inner, outer_name, object)),
        (None, None) => None,
    };
    column_name.map_or(PromptConfig::Unreadable, |column_name| PromptConfig::Mapped { column_name, mapping })
}

fn read_expanded(inner: &mut Fields<'_>, layout: ExpandedLayout) -> PromptConfig {
    let category_column = inner.required_text("category_column").map(str::to_owned);
    let name = inner.name("expansion_mapping");
    let mapping = inner.object("expansion_mapping").map(|object| read_mapping(inner, &name, object));
    if mapping.is_none() {
        let rule = "is required in mode `expanded`: an object that maps values to expansion rules";
        inner.note(Problem::without_value(name, rule));
    }
    match category_column.zip(mapping) {
        Some((category_column, expansion_mapping)) => {
            PromptConfig::Expanded { category_column, expansion_mapping, layout }
        }
        None => PromptConfig::Unreadable,
    }
}

/// Reads a mapping of values to names; the values are normalized for lookup.
fn read_mapping(fields: &mut Fields<'_>, name: &str, object: &Map<String, Value>) -> BTreeMap<String, String> {
    let mut mapping = BTreeMap::new();
    if object.is_empty() || object.len() > MAX_ENTRIES {
        let rule = format!("must have 1 to {MAX_ENTRIES} entries");
        fields.note(Problem::new(name, object.len(), rule));
        return mapping;
    }
    for (value, target) in object {
        let path = format!("{name}.{value}");
        let Some(target) = target.as_str().filter(|target| !target.trim().is_empty()) else {
            fields.note(Problem::new(path, target, "must be a name: a non-empty text"));
            continue;
        };
        if let Some(other) = mapping.insert(normalized(value), target.to_owned())
            && other != target
        {
            let rule = "occurs twice, with different names: case and surrounding spaces are ignored";
            fields.note(Problem::new(path, target, rule));
        }
    }
    mapping
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn read(input: &Value) -> (PromptConfig, Vec<String>) {
        let mut fields = Fields::new("stages[1]", input.as_object().unwrap());
        let config = PromptConfig::read(&mut fields);
        (config, fields.finish().iter().map(ToString::to_string).collect())
    }

    fn inline() -> PromptConfig {
        let prompt = Prompt::parse("description = \"d\"\ntemplate = \"t\"").unwrap();
        PromptConfig::Inline { prompt: Some(Box::new(prompt)) }
    }

    fn templates() -> PromptConfig {
        let source = TemplateSource {
            prompt_templates: "s3://lake/t/".into(),
            validation_schema: None,
            input_data_column: "input_text".into(),
        };
        PromptConfig::Templates { source, prompt: None }
    }

    #[test]
    fn a_generated_prompt_is_stored_by_its_addresses_alone() {
        let PromptConfig::Inline { prompt: Some(prompt) } = inline() else { unreachable!() };
        let mut config = templates();
        config.set_generated(*prompt);
        assert_ne!(config, templates());
        let stored = serde_json::to_value(&config).unwrap();
        let expected =
            json!({"mode": "templates", "prompt_templates": "s3://lake/t/", "input_data_column": "input_text"});
        assert_eq!(stored, expected);
        assert_eq!(serde_json::from_value::<PromptConfig>(stored).unwrap(), templates());
    }

    #[rstest]
    #[case(json!({}), PromptConfig::None)]
    #[case(json!({"prompt_id": "p"}), PromptConfig::Single { prompt_id: "p".into() })]
    #[case(json!({"prompt_config": {"mode": "single", "prompt_id": "p"}}), PromptConfig::Single { prompt_id: "p".into() })]
    #[case(json!({"prompt_id": "p", "prompt_config": {"prompt_id": "p"}}), PromptConfig::Single { prompt_id: "p".into() })]
    #[case(json!({"prompt": {"description": "d", "template": "t"}}), inline())]
    #[case(json!({"prompt_config": {"mode": "single", "prompt": {"description": "d", "template": "t"}}}), inline())]
    #[case(json!({"prompt": {"description": "d", "template": "t"}, "prompt_config": {"mode": "single"}}), inline())]
    #[case(json!({"prompt_templates": "s3://lake/t/"}), templates())]
    #[case(json!({"prompt_templates": "s3://lake/t/", "prompt_id": null, "prompt_config": {"mode": "single"}}), templates())]
    #[case(json!({"prompt_config": {"mode": "mapped", "column_name": "c"}}),
        PromptConfig::Mapped { column_name: "c".into(), mapping: None })]
    #[case(json!({"prompt_config": {"mode": "mapped", "column_name": "c"}, "category_to_prompt_mapping": {" T-Shirt ": "t"}}),
        PromptConfig::Mapped { column_name: "c".into(), mapping: Some([("t-shirt".into(), "t".into())].into()) })]
    #[case(json!({"prompt_config": {"mode": "expanded", "category_column": "c", "expansion_mapping": {"Default": "r"}},
        "expanded_layout": "wide"}), PromptConfig::Expanded { category_column: "c".into(),
        expansion_mapping: [("default".into(), "r".into())].into(), layout: ExpandedLayout::Wide })]
    fn valid_configurations_are_read(#[case] input: Value, #[case] expected: PromptConfig) {
        assert_eq!(read(&input), (expected, vec![]));
    }

    #[rstest]
    #[case(json!({"prompt_config": {"mode": "one"}}), "stages[1].prompt_config.mode is `one`: must be `single`, `mapped` or `expanded`")]
    #[case(json!({"prompt_config": {"mode": "single"}}), "stages[1].prompt_config.prompt_id: is required in mode `single`")]
    #[case(json!({"prompt_config": {"prompt_id": "a"}, "prompt_id": "b"}), "differs from the prompt_id")]
    #[case(json!({"prompt_config": {"mode": "mapped"}}), "stages[1].prompt_config.column_name: is required")]
    #[case(json!({"prompt_config": {"mode": "mapped", "column_name": "c"}, "prompt_id": "p"}),
        "stages[1].prompt_id: cannot be combined with prompt_config of mode `mapped`")]
    #[case(json!({"prompt_config": {"mode": "mapped", "column_name": "c"}, "category_to_prompt_mapping": {}}),
        "stages[1].category_to_prompt_mapping is `0`: must have 1 to 10000 entries")]
    #[case(json!({"prompt_config": {"mode": "mapped", "column_name": "c"}, "category_to_prompt_mapping": {"a": 7}}),
        "stages[1].category_to_prompt_mapping.a is `7`: must be a name")]
    #[case(json!({"prompt_config": {"mode": "mapped", "column_name": "c"}, "category_to_prompt_mapping": {"a": "x", "A": "y"}}),
        "occurs twice, with different names")]
    #[case(json!({"prompt_config": {"mode": "mapped", "column_name": "c", "category_to_prompt_mapping": {"a": "x"}},
        "category_to_prompt_mapping": {"a": "x"}}), "is given twice")]
    #[case(json!({"prompt_config": {"mode": "expanded", "category_column": "c"}}),
        "stages[1].prompt_config.expansion_mapping: is required in mode `expanded`")]
    #[case(json!({"prompt_config": {"mode": "expanded", "expansion_mapping": {"a": "r"}}}),
        "stages[1].prompt_config.category_column: is required")]
    #[case(json!({"prompt_id": "a", "prompt": {"description": "d", "template": "t"}}),
        "stages[1].prompt: cannot be combined with prompt_id; give one of them")]
    #[case(json!({"prompt": {"description": "d", "template": "t"}, "prompt_config": {"mode": "mapped", "column_name": "c"}}),
        "stages[1].prompt: cannot be combined with prompt_config of mode `mapped`; leave it out")]
    #[case(json!({"prompt": {"description": "d", "template": "t"}, "prompt_config": {"prompt_id": "a"}}),
        "stages[1].prompt_config: a prompt is also given next to prompt_config; give one of them")]
    #[case(json!({"prompt_templates": "s3://lake/t/", "prompt_id": "a"}),
        "stages[1].prompt_templates: cannot be combined with prompt_id; give one of them")]
    #[case(json!({"prompt_templates": "t", "prompt": {"description": "d", "template": "t"}}),
        "stages[1].prompt_templates: cannot be combined with prompt; give one of them")]
    #[case(json!({"prompt_templates": "s3://lake/t/", "prompt_config": {"prompt_id": "a"}}),
        "stages[1].prompt_config: a prompt is also given next to prompt_config; give one of them")]
    #[case(json!({"prompt_templates": "s3://lake/t/", "prompt_config": {"mode": "mapped", "column_name": "c"}}),
        "stages[1].prompt_templates: cannot be combined with prompt_config of mode `mapped`; leave it out")]
    #[case(json!({"prompt_config": {"prompt": {"description": "d", "template": "{"}}}),
        "stages[1].prompt_config.prompt.template is `{`: has a `{` at line 1, column 1 without its `}`")]
    #[case(json!({"prompt_id": "p", "expanded_layout": "wide"}),
        "stages[1].expanded_layout: is only allowed with prompt_config of mode `expanded`")]
    #[case(json!({"prompt_id": "p", "category_to_prompt_mapping": {"a": "x"}}),
        "stages[1].category_to_prompt_mapping: is only allowed with prompt_config of mode `mapped`")]
    #[case(json!({"prompt_config": {"mode": "expanded", "category_column": "c", "expansion_mapping": {"a": "r"}},
        "expanded_layout": "broad"}), "stages[1].expanded_layout is `broad`: must be `long` or `wide`")]
    #[case(json!({"prompt_config": {"mode": "mapped", "colum_name": "c"}}),
        "stages[1].prompt_config.colum_name: is not a field of this input; did you mean `column_name`?")]
    fn invalid_configurations_are_reported_with_their_field(#[case] input: Value, #[case] expected: &str) {
        let (_, problems) = read(&input);
        assert!(problems.iter().any(|problem| problem.contains(expected)), "{problems:?}");
    }
}
