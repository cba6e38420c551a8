//! Which prompts a request asks: `prompt_id`, or `prompt_config` with its mappings.

use super::Fields;
use crate::problem::Problem;
use crate::prompt::{ExpandedLayout, normalized};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The key of a mapping that stands for all values that it does not hold.
pub const DEFAULT: &str = "default";
/// The column that a mapping looks at where the named one is not in the input, as the Python samples do.
pub const CATEGORY: &str = "category";
/// The most entries of a mapping.
const MOST_ENTRIES: usize = 10_000;

/// Which prompts rows are asked, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case")]
pub enum PromptConfig {
    /// None was named: right for embedding models only.
    #[default]
    None,
    /// What was written cannot be read, and is reported.
    Unreadable,
    /// The same for all.
    Single {
        /// The template.
        prompt_id: String,
    },
    /// One each.
    Mapped {
        /// The column that holds the template's name, or a value that the mapping turns into one.
        column_name: String,
        /// By value, in lower case and without outer spaces; `default` for all others.
        mapping: Option<BTreeMap<String, String>>,
    },
    /// Several each.
    Expanded {
        /// The column that holds a value.
        category_column: String,
        /// By value, in lower case and without outer spaces, the expansion rule; `default` for all others.
        expansion_mapping: BTreeMap<String, String>,
        /// How the answers come out.
        layout: ExpandedLayout,
    },
}

impl PromptConfig {
    /// Reads `prompt_id`, `prompt_config`, `category_to_prompt_mapping` and `expanded_layout`.
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let short = fields.text("prompt_id").map(str::to_owned);
        let outer_mapping = fields.object("category_to_prompt_mapping");
        let layout = read_layout(fields);
        let Some(object) = fields.object("prompt_config") else {
            if outer_mapping.is_some() {
                fields.note(needs_mode(fields.name("category_to_prompt_mapping"), "mapped"));
            }
            if layout.is_some() {
                fields.note(needs_mode(fields.name("expanded_layout"), "expanded"));
            }
            return short.map_or(Self::None, |prompt_id| Self::Single { prompt_id });
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
                inner.ask_all();
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
        let has_short = object_has(fields, "prompt_id");
        if has_short && mode != "single" {
            let rule = format!("does not go with prompt_config of mode `{mode}`");
            fields.note(Problem::without_value(fields.name("prompt_id"), rule).remedy("leave it out"));
        }
        config
    }
}

fn object_has(fields: &mut Fields<'_>, field: &'static str) -> bool {
    fields.value(field).is_some()
}

fn needs_mode(field: String, mode: &str) -> Problem {
    Problem::without_value(field, format!("goes with prompt_config of mode `{mode}` only")).remedy("leave it out")
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

fn read_single(inner: &mut Fields<'_>, short: Option<String>) -> PromptConfig {
    let long = inner.text("prompt_id").map(str::to_owned);
    match (short, long) {
        (Some(short), Some(long)) if short != long => {
            let rule = "and prompt_id name two different prompts";
            inner.note(Problem::new(inner.name("prompt_id"), long, rule).remedy("give one of them"));
            PromptConfig::Unreadable
        }
        (Some(prompt_id), _) | (None, Some(prompt_id)) => PromptConfig::Single { prompt_id },
        (None, None) => {
            inner.note(Problem::without_value(inner.name("prompt_id"), "is required in mode `single`"));
            PromptConfig::Unreadable
        }
    }
}

fn read_mapped(inner: &mut Fields<'_>, outer: Option<&Map<String, Value>>, outer_name: &str) -> PromptConfig {
    let column_name = inner.required_text("column_name").map(str::to_owned);
    let own = inner.object("category_to_prompt_mapping");
    if own.is_some() && outer.is_some() {
        let rule = "is given twice, here and beside prompt_config";
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
        let rule = "is required in mode `expanded`: an object of values and expansion rules";
        inner.note(Problem::without_value(name, rule));
    }
    match category_column.zip(mapping) {
        Some((category_column, expansion_mapping)) => {
            PromptConfig::Expanded { category_column, expansion_mapping, layout }
        }
        None => PromptConfig::Unreadable,
    }
}

/// A mapping's values and names; values are what they are looked up as.
fn read_mapping(fields: &mut Fields<'_>, name: &str, object: &Map<String, Value>) -> BTreeMap<String, String> {
    let mut mapping = BTreeMap::new();
    if object.is_empty() || object.len() > MOST_ENTRIES {
        let rule = format!("must have 1 to {MOST_ENTRIES} entries");
        fields.note(Problem::new(name, object.len(), rule));
        return mapping;
    }
    for (value, target) in object {
        let path = format!("{name}.{value}");
        let Some(target) = target.as_str().filter(|target| !target.trim().is_empty()) else {
            fields.note(Problem::new(path, target, "must be a name: a text that is not empty"));
            continue;
        };
        if let Some(other) = mapping.insert(normalized(value), target.to_owned())
            && other != target
        {
            let rule = "stands twice, with different names: case and outer spaces do not count";
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

    #[rstest]
    #[case(json!({}), PromptConfig::None)]
    #[case(json!({"prompt_id": "p"}), PromptConfig::Single { prompt_id: "p".into() })]
    #[case(json!({"prompt_config": {"mode": "single", "prompt_id": "p"}}), PromptConfig::Single { prompt_id: "p".into() })]
    #[case(json!({"prompt_id": "p", "prompt_config": {"prompt_id": "p"}}), PromptConfig::Single { prompt_id: "p".into() })]
    #[case(json!({"prompt_config": {"mode": "mapped", "column_name": "c"}}),
        PromptConfig::Mapped { column_name: "c".into(), mapping: None })]
    #[case(json!({"prompt_config": {"mode": "mapped", "column_name": "c"}, "category_to_prompt_mapping": {" T-Shirt ": "t"}}),
        PromptConfig::Mapped { column_name: "c".into(), mapping: Some([("t-shirt".into(), "t".into())].into()) })]
    #[case(json!({"prompt_config": {"mode": "expanded", "category_column": "c", "expansion_mapping": {"Default": "r"}},
        "expanded_layout": "wide"}), PromptConfig::Expanded { category_column: "c".into(),
        expansion_mapping: [("default".into(), "r".into())].into(), layout: ExpandedLayout::Wide })]
    fn reads(#[case] input: Value, #[case] expected: PromptConfig) {
        assert_eq!(read(&input), (expected, vec![]));
    }

    #[rstest]
    #[case(json!({"prompt_config": {"mode": "one"}}), "stages[1].prompt_config.mode is `one`: must be `single`, `mapped` or `expanded`")]
    #[case(json!({"prompt_config": {"mode": "single"}}), "stages[1].prompt_config.prompt_id: is required in mode `single`")]
    #[case(json!({"prompt_config": {"prompt_id": "a"}, "prompt_id": "b"}), "name two different prompts")]
    #[case(json!({"prompt_config": {"mode": "mapped"}}), "stages[1].prompt_config.column_name: is required")]
    #[case(json!({"prompt_config": {"mode": "mapped", "column_name": "c"}, "prompt_id": "p"}),
        "stages[1].prompt_id: does not go with prompt_config of mode `mapped`")]
    #[case(json!({"prompt_config": {"mode": "mapped", "column_name": "c"}, "category_to_prompt_mapping": {}}),
        "stages[1].category_to_prompt_mapping is `0`: must have 1 to 10000 entries")]
    #[case(json!({"prompt_config": {"mode": "mapped", "column_name": "c"}, "category_to_prompt_mapping": {"a": 7}}),
        "stages[1].category_to_prompt_mapping.a is `7`: must be a name")]
    #[case(json!({"prompt_config": {"mode": "mapped", "column_name": "c"}, "category_to_prompt_mapping": {"a": "x", "A": "y"}}),
        "stands twice, with different names")]
    #[case(json!({"prompt_config": {"mode": "mapped", "column_name": "c", "category_to_prompt_mapping": {"a": "x"}},
        "category_to_prompt_mapping": {"a": "x"}}), "is given twice")]
    #[case(json!({"prompt_config": {"mode": "expanded", "category_column": "c"}}),
        "stages[1].prompt_config.expansion_mapping: is required in mode `expanded`")]
    #[case(json!({"prompt_config": {"mode": "expanded", "expansion_mapping": {"a": "r"}}}),
        "stages[1].prompt_config.category_column: is required")]
    #[case(json!({"prompt_id": "p", "expanded_layout": "wide"}),
        "stages[1].expanded_layout: goes with prompt_config of mode `expanded` only")]
    #[case(json!({"prompt_id": "p", "category_to_prompt_mapping": {"a": "x"}}),
        "stages[1].category_to_prompt_mapping: goes with prompt_config of mode `mapped` only")]
    #[case(json!({"prompt_config": {"mode": "expanded", "category_column": "c", "expansion_mapping": {"a": "r"}},
        "expanded_layout": "broad"}), "stages[1].expanded_layout is `broad`: must be `long` or `wide`")]
    #[case(json!({"prompt_config": {"mode": "mapped", "colum_name": "c"}}),
        "stages[1].prompt_config.colum_name: is not a field of this input; did you mean `column_name`?")]
    fn mistakes_name_the_field(#[case] input: Value, #[case] expected: &str) {
        let (_, problems) = read(&input);
        assert!(problems.iter().any(|problem| problem.contains(expected)), "{problems:?}");
    }
}
