//! Prompts in an execution input: the fields of a file of `prompt-templates/`, as JSON.

use super::Fields;
use crate::problem::Problem;
use crate::prompt::{ExpansionRule, OutputSchema, Prompt, PromptLibrary, RowsPart, SchemaType, normalized};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Maximum number of prompts and rules of an input.
pub const MAX_INLINE_PROMPTS: usize = 1000;
/// Maximum size of one of them, as JSON. The limit of the whole input is lower if it is passed directly.
pub const MAX_INLINE_PROMPT_BYTES: usize = 1_000_000;
/// Maximum number of characters of the name of a prompt, which is part of column names in the wide layout.
const MAX_ID_CHARS: usize = 100;

/// Reads the field `prompt`: `None` if it is absent, and `Some(None)` if it has mistakes, which are noted.
#[expect(clippy::option_option, reason = "an absent prompt differs from one with mistakes")]
pub(super) fn read_prompt(fields: &mut Fields<'_>) -> Option<Option<Prompt>> {
    let value = fields.value("prompt")?;
    let Some(object) = value.as_object() else {
        let rule = "must be an object with the fields of a prompt";
        let remedy = "write {\"description\": \"…\", \"template\": \"…\"}, or name a prompt with `prompt_id`";
        fields.note(Problem::new(fields.name("prompt"), value, rule).remedy(remedy));
        return Some(None);
    };
    let inner = fields.inner("prompt", object);
    Some(prompt_of(inner, object).map_err(|problems| fields.note_all(problems)).ok())
}

/// Reads the field `prompts`: prompts and expansion rules by name.
pub(crate) fn read_library(fields: &mut Fields<'_>) -> PromptLibrary {
    let mut library = PromptLibrary::default();
    let Some(object) = fields.object("prompts") else { return library };
    if object.len() > MAX_INLINE_PROMPTS {
        let rule = format!("must have at most {MAX_INLINE_PROMPTS} prompts, but has {}", object.len());
        fields.note(Problem::without_value(fields.name("prompts"), rule).remedy("leave out those that are not used"));
    }
    let mut seen = BTreeSet::new();
    let path = fields.name("prompts");
    for (id, value) in object.iter().take(MAX_INLINE_PROMPTS) {
        let name = format!("{path}.{id}");
        if let Some(rule) = id_rule(id, &mut seen) {
            fields.note(Problem::without_value(&name, rule).remedy("choose another name"));
        }
        let Some(content) = value.as_object() else {
            let rule = "must be an object with the fields of a prompt or an expansion rule";
            let remedy = "write {\"description\": \"…\", \"template\": \"…\"}";
            fields.note(Problem::new(&name, value, rule).remedy(remedy));
            library.unreadable.insert(id.clone());
            continue;
        };
        let inner = Fields::new(&name, content);
        let is_rule = content.get("expansion_rule").is_some_and(|value| !value.is_null());
        let read = if is_rule {
            rule_of(inner, content).map(|rule| drop(library.rules.insert(id.clone(), rule)))
        } else {
            prompt_of(inner, content).map(|prompt| drop(library.prompts.insert(id.clone(), prompt)))
        };
        if let Err(problems) = read {
            fields.note_all(problems);
            library.unreadable.insert(id.clone());
        }
    }
    library
}

fn id_rule(id: &str, seen: &mut BTreeSet<String>) -> Option<String> {
    let is_invalid =
        id.trim().is_empty() || id.trim() != id || id.contains(['{', '}']) || id.contains(char::is_control);
    if is_invalid || id.chars().count() > MAX_ID_CHARS {
        return Some(format!(
            "is the name of a prompt: it must have 1 to {MAX_ID_CHARS} characters, without braces, control characters and \
             surrounding spaces"
        ));
    }
    (!seen.insert(normalized(id)))
        .then(|| "is named twice: names of prompts that differ only in case are equal".to_owned())
}

fn prompt_of(mut fields: Fields<'_>, object: &Map<String, Value>) -> Result<Prompt, Vec<Problem>> {
    note_size(&mut fields, object);
    let description = fields.required_text("description");
    let template = fields.required_text("template");
    let [system, prefill] = ["system", "prefill"].map(|field| fields.text(field).map(str::to_owned));
    let has_output_schema = fields.value("output_schema").is_some();
    let output_schema = fields.object("output_schema").and_then(|object| output_schema_of(&mut fields, object));
    let response_schema = fields.value("response_schema").cloned();
    let allowed_values = allowed_values_of(&mut fields);
    let rows = fields.object("rows").and_then(|object| rows_part_of(&mut fields, object));
    let prompt = Prompt {
        description: description.unwrap_or_default().to_owned(),
        template: template.unwrap_or_default().to_owned(),
        system,
        prefill,
        // Without its output_schema, which has mistakes, it would be taken for a response model.
        response_schema: response_schema.filter(|_| output_schema.is_some() || !has_output_schema),
        // Nor could its fields be known.
        allowed_values: if output_schema.is_none() && has_output_schema { BTreeMap::new() } else { allowed_values },
        output_schema,
        rows,
    };
    for problem in prompt.problems() {
        if problem.field != "template" || template.is_some() {
            let name = fields.name(&problem.field);
            fields.note(problem.of_field(name));
        }
    }
    let problems = fields.finish();
    if problems.is_empty() { Ok(prompt) } else { Err(problems) }
}

/// Reads the sources of the values that fields may have.
fn allowed_values_of(outer: &mut Fields<'_>) -> BTreeMap<String, String> {
    let mut sources = BTreeMap::new();
    for (field, value) in outer.object("allowed_values").into_iter().flatten() {
        match value.as_str() {
            Some(source) => drop(sources.insert(field.clone(), source.to_owned())),
            None => {
                let path = format!("{}.{field}", outer.name("allowed_values"));
                outer.note(Problem::new(path, value, "must be a text such as `reference.name.column`"));
            }
        }
    }
    sources
}

fn rule_of(mut fields: Fields<'_>, object: &Map<String, Value>) -> Result<ExpansionRule, Vec<Problem>> {
    note_size(&mut fields, object);
    let description = fields.required_text("description").unwrap_or_default().to_owned();
    let expansion_rule = fields.boolean("expansion_rule");
    let prompts = fields.texts("prompts").map(|prompts| prompts.into_iter().map(str::to_owned).collect());
    if fields.value("prompts").is_none() {
        let rule = "is required in an expansion rule: a list of the names of prompts";
        fields.note(Problem::without_value(fields.name("prompts"), rule));
    }
    if let (Some(expansion_rule), Some(prompts)) = (expansion_rule, prompts) {
        let rule = ExpansionRule { description, expansion_rule, prompts };
        for problem in rule.problems() {
            let name = fields.name(&problem.field);
            fields.note(problem.of_field(name));
        }
        let problems = fields.finish();
        return if problems.is_empty() { Ok(rule) } else { Err(problems) };
    }
    Err(fields.finish())
}

fn rows_part_of<'a>(outer: &mut Fields<'a>, object: &'a Map<String, Value>) -> Option<RowsPart> {
    let mut fields = outer.inner("rows", object);
    let template = fields.required_text("template").map(str::to_owned);
    outer.note_all(fields.finish());
    Some(RowsPart { template: template? })
}

fn output_schema_of<'a>(outer: &mut Fields<'a>, object: &'a Map<String, Value>) -> Option<OutputSchema> {
    let mut fields = outer.inner("output_schema", object);
    let schema_type = match fields.required_text("type") {
        Some("json") => Some(SchemaType::Json),
        Some("regex") => Some(SchemaType::Regex),
        Some(other) => {
            fields.note(Problem::new(fields.name("type"), other, "must be `json` or `regex`"));
            None
        }
        None => None,
    };
    let entries = entries_of(&mut fields);
    outer.note_all(fields.finish());
    Some(OutputSchema { schema_type: schema_type?, fields: entries? })
}

/// Reads the fields of answers: an object of names and texts, or a list of such pairs, which keeps its order everywhere.
fn entries_of(outer: &mut Fields<'_>) -> Option<Vec<(String, String)>> {
    let path = outer.name("fields");
    let read: Vec<Result<(String, String), Problem>> = match outer.value("fields") {
        Some(Value::Object(object)) => object.iter().map(|(name, value)| entry_of(&path, name, value)).collect(),
        Some(Value::Array(list)) => {
            let pairs = list.iter().enumerate().map(|(at, pair)| match pair.as_array().map(Vec::as_slice) {
                Some([Value::String(name), value]) => entry_of(&path, name, value),
                _ => {
                    let rule = "must be a pair of a name and a text: [\"topic\", \"$.topic\"]";
                    Err(Problem::new(format!("{path}[{at}]"), pair, rule))
                }
            });
            pairs.collect()
        }
        other => {
            let rule = "must be an object of names with a JSONPath or pattern each";
            let problem = match other {
                Some(other) => Problem::new(&path, other, rule),
                None => Problem::without_value(&path, format!("is required, and {rule}")),
            };
            outer.note(problem.remedy("write {\"topic\": \"$.topic\"}"));
            return None;
        }
    };
    let had_entries = !read.is_empty();
    let mut entries = Vec::new();
    for entry in read {
        match entry {
            Ok(entry) => entries.push(entry),
            Err(problem) => outer.note(problem),
        }
    }
    // If none of them is a text, that is reported already.
    (entries.is_empty() != had_entries).then_some(entries)
}

fn entry_of(path: &str, name: &str, value: &Value) -> Result<(String, String), Problem> {
    let rule = "must be a text: a JSONPath, or a pattern with type `regex`";
    let text = value.as_str().ok_or_else(|| Problem::new(format!("{path}.{name}"), value, rule))?;
    Ok((name.to_owned(), text.to_owned()))
}

fn note_size(fields: &mut Fields<'_>, object: &Map<String, Value>) {
    let bytes = serde_json::to_string(object).map_or(0, |text| text.len());
    if bytes > MAX_INLINE_PROMPT_BYTES {
        let rule = format!("has {bytes} bytes; a prompt has at most {MAX_INLINE_PROMPT_BYTES}");
        let path = fields.path().to_owned();
        fields.note(Problem::without_value(path, rule).remedy("shorten it, or put what differs per row into columns"));
    }
}

#[cfg(test)]
mod tests;
