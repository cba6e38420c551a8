//! Columns that prompts show: a prompt that shows none is the same for all rows, and braces that are written otherwise than
//! for a column are sent as they stand, to every row.

use super::near_columns::NearNames;
use crate::input::{InputType, RunRequest};
use crate::model::effective_prefill;
use crate::problem::{Problem, listed};
use crate::prompt::{Choice, NamedPrompt, Piece, Prompt, PromptPlan, Template, names_in_braces};
use crate::reference::reference_of;
use std::collections::BTreeSet;

/// Field of a request that allows prompts that show no column.
pub const ALLOW_CONSTANT_PROMPT: &str = "allow_constant_prompt";

/// Maximum number of names that one message lists.
const MAX_NAMES: usize = 20;

/// Returns the problems of the columns that prompts show beside those that must exist: prompts that show none, and braces that
/// would be sent as they stand. `columns` are those of the input, if they are known. To be used with prompts that are sent.
pub fn shown_column_problems(request: &RunRequest, plan: &PromptPlan, columns: Option<&[String]>) -> Vec<Problem> {
    if plan.choice == Choice::None {
        return Vec::new();
    }
    let near = NearNames::new(columns.unwrap_or_default());
    let mut problems = Vec::new();
    let mut check = |field: &str, text: &str, has_rows_part: bool| {
        problems.extend(text_problem(field, text, &near));
        problems.extend(of_several_rows(field, text, &near).filter(|_| has_rows_part));
    };
    let has_rows_part = plan.prompts.iter().any(|named| named.prompt.rows.is_some());
    for (field, text) in texts_of_request(request) {
        check(field, text, has_rows_part);
    }
    for named in &plan.prompts {
        for (field, text) in &texts_of_prompt(named) {
            check(field, text, named.prompt.rows.is_some());
        }
    }
    for named in &plan.prompts {
        let in_template = doubled_in_template(named, &near);
        if in_template.is_none() && is_constant(request, &named.prompt, columns.map(|_| &near)) {
            problems.push(constant(named, columns));
        }
        problems.extend(in_template);
    }
    problems
}

/// Returns the columns among `columns` that system prompts and prefills show.
pub fn columns_in_instructions(request: &RunRequest, plan: &PromptPlan, columns: &[String]) -> BTreeSet<String> {
    let of_request = texts_of_request(request).into_iter().map(|(_, text)| text);
    let of_prompts = plan.prompts.iter().flat_map(|named| texts_of_prompt(named).into_iter().map(|(_, text)| text));
    let names = of_request.chain(of_prompts).flat_map(names_in_braces).map(|found| found.name);
    let known: BTreeSet<&str> = columns.iter().map(String::as_str).collect();
    names.filter(|name| known.contains(name)).map(str::to_owned).collect()
}

/// Returns the system prompt and the prefill of the request, with their fields.
fn texts_of_request(request: &RunRequest) -> Vec<(&'static str, &str)> {
    let inference = &request.inference;
    let texts = [
        ("inference.system_prompt", inference.system_prompt.as_deref()),
        ("inference.prefill", inference.prefill.as_deref()),
    ];
    texts.into_iter().filter_map(|(field, text)| Some((field, text?))).collect()
}

/// Returns the system prompt and the prefill of a prompt, with their fields.
fn texts_of_prompt(named: &NamedPrompt) -> Vec<(String, &str)> {
    let texts = [("system", named.prompt.system.as_deref()), ("prefill", named.prompt.prefill.as_deref())];
    texts.into_iter().filter_map(|(name, text)| Some((format!("prompt `{}`, {name}", named.id), text?))).collect()
}

/// Returns true if all requests with a prompt are the same. Without known columns, any name in the braces of a system prompt or
/// prefill may be one.
fn is_constant(request: &RunRequest, prompt: &Prompt, columns: Option<&NearNames<'_>>) -> bool {
    // An image differs, and each row of a request of several shows a column.
    if request.sending.allow_constant_prompt || request.rows.input_type == InputType::Image || prompt.rows.is_some() {
        return false;
    }
    // A template with mistakes is reported on its own.
    let Ok(template) = prompt.parsed_template() else { return false };
    let is_reference = |name: &str| reference_of(name).is_some_and(|name| request.references.contains_key(name));
    if template.columns().into_iter().any(|name| !is_reference(name)) {
        return false;
    }
    let may_be_column = |name: &str| match columns {
        Some(columns) => columns.is_column(name),
        None => reference_of(name).is_none(),
    };
    let prefill = effective_prefill(&request.inference, prompt.prefill.as_deref());
    let texts = [request.inference.system_prompt.as_deref(), prompt.system.as_deref(), prefill];
    !texts.into_iter().flatten().flat_map(names_in_braces).any(|found| may_be_column(found.name))
}

fn constant(named: &NamedPrompt, columns: Option<&[String]>) -> Problem {
    let rule = "shows no column, so that all rows would send the same request and get the same answer";
    let known: Vec<&str> = columns.unwrap_or_default().iter().map(String::as_str).collect();
    let are = if known.is_empty() { String::new() } else { format!(" (the columns are {})", listed(&known)) };
    let remedy = format!(
        "insert one, such as `{{{}}}`{are}; if that is wanted, set {ALLOW_CONSTANT_PROMPT} to true",
        known.first().unwrap_or(&"column")
    );
    Problem::without_value(format!("prompt `{}`", named.id), rule).remedy(remedy)
}

/// Returns the problem of doubled braces around the name of a column in the templates of a prompt, where they are literal.
fn doubled_in_template(named: &NamedPrompt, near: &NearNames<'_>) -> Option<Problem> {
    let rows = named.prompt.rows.as_ref().and_then(|rows| rows.parsed_template().ok());
    let templates: Vec<Template> = named.prompt.parsed_template().ok().into_iter().chain(rows).collect();
    let literals = templates.iter().flat_map(Template::pieces).filter_map(|piece| match piece {
        Piece::Literal(text) => Some(text.as_str()),
        Piece::Column(_) => None,
    });
    // What is doubled here was written with four braces, as a text about templates is.
    let single = literals.flat_map(names_in_braces).filter(|found| !found.is_doubled).map(|found| found.name);
    let found: BTreeSet<(&str, &str)> =
        single.filter_map(|name| Some((name, near.of(name)?))).take(MAX_NAMES).collect();
    doubled(format!("prompt `{}`", named.id), &found)
}

fn doubled(field: impl Into<String>, found: &BTreeSet<(&str, &str)>) -> Option<Problem> {
    if found.is_empty() {
        return None;
    }
    let written: Vec<String> = found.iter().map(|(name, _)| format!("`{{{{{name}}}}}`")).collect();
    let columns: Vec<String> = found.iter().map(|(_, column)| format!("`{{{column}}}`")).collect();
    let rule = format!("shows {}, and doubled braces insert no column: they are sent as braces", written.join(", "));
    let remedy = format!(
        "write {} with single braces to insert the cell; to send the name itself, rename the column with column_mappings",
        columns.join(", ")
    );
    Some(Problem::without_value(field, rule).remedy(remedy))
}

/// Returns the problem of braces of a system prompt or prefill that nearly are those of a column, and would be literal.
fn text_problem(field: &str, text: &str, near: &NearNames<'_>) -> Option<Problem> {
    let found = || names_in_braces(text).filter_map(|found| Some((found, near.of(found.name)?)));
    let in_doubled = found().filter(|(found, _)| found.is_doubled).map(|(found, column)| (found.name, column));
    let problem = doubled(field, &in_doubled.take(MAX_NAMES).collect());
    if problem.is_some() {
        return problem;
    }
    let (other, column) = found().find(|(found, column)| found.name != *column)?;
    let rule =
        format!("shows {}, which is not the name of a column and would be sent as it stands", braced(other.name));
    Some(Problem::without_value(field, rule).remedy(format!("write {} to insert the cell", braced(column))))
}

/// Returns the problem of a system prompt or prefill that shows a column, although its request has several rows.
fn of_several_rows(field: &str, text: &str, columns: &NearNames<'_>) -> Option<Problem> {
    let shown = names_in_braces(text).map(|found| found.name).find(|name| columns.is_column(name))?;
    let rule = format!("shows {}, but a request has several rows, which only `rows.template` shows", braced(shown));
    Some(Problem::without_value(field, rule).remedy("move it to `rows.template`"))
}

fn braced(name: &str) -> String {
    format!("`{{{name}}}`")
}

#[cfg(test)]
mod tests;
