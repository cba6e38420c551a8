//! Columns that a request needs, and columns of its output.

use super::Resolved;
use super::near_columns::{NearColumns, remedy_of_field};
use super::reference_names::missing_remedy;
use super::shown_columns::shown_column_problems;
use crate::columns::{
    Column, EMBEDDING, ERROR, INTERNAL, PARSE_STATUS, PROMPT_ID, RECORD_ID, RESPONSE, STATUS, VALIDATION_PASSED,
    metadata, names_beside, prefixed,
};
use crate::input::{InputType, RunRequest};
use crate::problem::Problem;
use crate::prompt::{Choice, PromptPlan};
use crate::reference::reference_of;
use std::collections::BTreeSet;

/// Column that embedding models read.
pub const EMBEDDING_INPUT: &str = "input_text";

/// Returns the problems of the input's columns, under the names that they have after `column_mappings`.
pub fn column_problems(request: &RunRequest, resolved: &Resolved, columns: &[String]) -> Vec<Problem> {
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut problems = Vec::new();
    let plan = &resolved.prompts;
    let mappings = &request.rows.column_mappings;
    match &plan.choice {
        Choice::None => {
            let needed = request.rows.input_type == InputType::Text;
            if needed && !names.contains(&EMBEDDING_INPUT) {
                let missing = BTreeSet::from([EMBEDDING_INPUT.to_owned()]);
                let near = NearColumns::new(&missing, &BTreeSet::new(), columns, mappings);
                let rule = "embedding models read this column, which the input does not have";
                let problem = Problem::without_value(format!("column `{EMBEDDING_INPUT}`"), rule);
                problems.push(problem.remedy(near.remedy(EMBEDDING_INPUT)));
            }
        }
        Choice::Single => {
            let found = prompt_column_problems(request, plan, columns).into_iter();
            problems.extend(found.map(|problem| with_input_data_column(request, problem)));
        }
        Choice::Mapped { by_name, .. } => {
            if plan.choosing_column(columns).is_none() {
                let choosing = plan.choosing_columns();
                let wanted = choosing.join("` or `");
                let rule =
                    format!("the input does not have the column `{wanted}`, which selects the prompt of each row");
                let remedy = remedy_of_field(choosing.first().map_or("", String::as_str), columns);
                problems.push(Problem::without_value("prompt_config.column_name", rule).remedy(remedy));
            }
            // With `by_name`, only the rows determine which templates are used.
            if !by_name {
                problems.extend(prompt_column_problems(request, plan, columns));
            }
        }
        Choice::Expanded { column, .. } => {
            if !columns.contains(column) {
                let rule = "the input does not have this column, which selects the prompts of each row";
                let problem = Problem::new("prompt_config.category_column", column, rule);
                problems.push(problem.remedy(remedy_of_field(column, columns)));
            }
            problems.extend(prompt_column_problems(request, plan, columns));
        }
    }
    if !plan.names_prompts_by_row() {
        problems.extend(shown_column_problems(request, plan, Some(columns)));
    }
    let image = &request.rows.image_column;
    if request.rows.input_type == InputType::Image && !columns.contains(image) {
        let rule = "the input does not have this column, which names the image of each row";
        problems.push(Problem::new("image_column", image, rule).remedy(remedy_of_field(image, columns)));
    }
    for internal in INTERNAL.iter().filter(|internal| names.contains(internal)) {
        let rule = "this column name is reserved for the orchestrator";
        problems.push(Problem::without_value(format!("column `{internal}`"), rule).remedy("rename it"));
    }
    problems
}

/// Returns a problem for each column that a prompt inserts and that is not among `columns`, which have the names that the
/// request's mappings give them. Placeholders of the request's references are not columns.
fn prompt_column_problems(request: &RunRequest, plan: &PromptPlan, columns: &[String]) -> Vec<Problem> {
    let is_reference = |name: &&str| reference_of(name).is_some_and(|name| request.references.contains_key(name));
    let mut used: BTreeSet<(String, &str)> = BTreeSet::new();
    for named in &plan.prompts {
        let needed = named.prompt.columns().into_iter().filter(|name| !is_reference(&name.as_str()));
        used.extend(needed.map(|name| (name, named.id.as_str())));
    }
    let names: BTreeSet<String> = used.iter().map(|(name, _)| name.clone()).collect();
    let missing: BTreeSet<String> = names.iter().filter(|name| !columns.contains(name)).cloned().collect();
    let near = NearColumns::new(&missing, &names, columns, &request.rows.column_mappings);
    let problems = used.into_iter().filter(|(name, _)| missing.contains(name)).map(|(column, prompt)| {
        let rule = format!("the prompt `{prompt}` needs this column, which the input does not have");
        let remedy = reference_of(&column).map_or_else(|| near.remedy(&column), missing_remedy);
        Problem::without_value(format!("column `{column}`"), rule).remedy(remedy)
    });
    let ambiguous = columns.iter().filter(|column| is_reference(&column.as_str())).map(|column| {
        let rule = "prompts insert the reference of this name, so that they cannot insert this column";
        let remedy = "rename the column with column_mappings, or the reference";
        Problem::without_value(format!("column `{column}`"), rule).remedy(remedy)
    });
    problems.chain(ambiguous).collect()
}

/// Adds the remedy for the column that `{input_data}` of a generated prompt shows.
fn with_input_data_column(request: &RunRequest, problem: Problem) -> Problem {
    let Some(source) = request.prompt_config.template_source() else { return problem };
    if problem.field != format!("column `{}`", source.input_data_column) {
        return problem;
    }
    let remedy = format!("{}; or name the column that `{{input_data}}` shows with `input_data_column`", problem.remedy);
    problem.remedy(remedy)
}

/// Returns the names of the columns that answers add, in order. Without valid prompts, there are no columns of fields.
pub fn added_columns(resolved: &Resolved) -> Vec<String> {
    let plan = &resolved.prompts;
    let payload = if resolved.model.family.is_embedding() { EMBEDDING } else { RESPONSE };
    let prefix = resolved.output_column_prefix.as_deref();
    let metadata = metadata(prefix.is_some());
    // Values that fields are held to change no column.
    let (readers, fields) = plan.readers_with(&[]).unwrap_or_default();
    if plan.is_wide() {
        let of_prompts = readers.iter().flat_map(|reader| {
            let own = reader.columns.iter().filter_map(|at| fields.get(*at)).map(String::as_str);
            let names = std::iter::once(payload).chain(own).chain(metadata.iter().copied());
            names.map(|name| wide_name(&reader.id, name)).collect::<Vec<_>>()
        });
        let of_row = wide_status(prefix.is_some()).iter().map(|name| (*name).to_owned());
        return of_prompts.chain(of_row).map(|name| prefixed(prefix, &name)).collect();
    }
    let prompt_id = plan.names_prompts().then_some(PROMPT_ID);
    let names = std::iter::once(payload).chain(fields.iter().map(String::as_str)).chain(metadata).chain(prompt_id);
    names.map(|name| prefixed(prefix, name)).collect()
}

/// Returns the columns of a row in the wide layout that concern all of its prompts together.
pub fn wide_status(with_status: bool) -> &'static [&'static str] {
    if with_status { &[STATUS, ERROR, VALIDATION_PASSED, PARSE_STATUS] } else { &[ERROR] }
}

/// Returns the name of a prompt's own column in the wide layout.
pub fn wide_name(prompt_id: &str, column: &str) -> String {
    format!("{prompt_id}_{column}")
}

/// Returns the output columns of the stage `stage_name`, which reads `columns`.
pub fn output_columns(resolved: &Resolved, columns: &[Column], stage_name: &str) -> Vec<Column> {
    let mut existing: Vec<Column> = columns.iter().filter(|column| column.name != RECORD_ID).cloned().collect();
    existing.insert(0, Column::of_input(RECORD_ID));
    let added = added_columns(resolved);
    let added_names: Vec<&str> = added.iter().map(String::as_str).collect();
    let names = names_beside(&existing, &added_names);
    let kept = existing.into_iter().zip(names).map(|(column, name)| Column { name, ..column });
    let added = added.into_iter().map(|name| Column { name, origin: stage_name.to_owned() });
    kept.chain(added).collect()
}
