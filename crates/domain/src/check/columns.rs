//! Columns that a request needs, and columns of its output.

use super::Resolved;
use super::near_columns::{NearColumns, remedy_of_field};
use crate::columns::{
    ATTEMPTS, Column, EMBEDDING, ERROR, INPUT_TOKENS, INTERNAL, MODEL_ID, OUTPUT_TOKENS, PROMPT_ID, RECORD_ID,
    RESPONSE, STOP_REASON, names_beside,
};
use crate::input::{InputType, RunRequest};
use crate::problem::Problem;
use crate::prompt::{Choice, PromptPlan};
use std::collections::{BTreeMap, BTreeSet};

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
        Choice::Single => problems.extend(prompt_column_problems(plan, columns, mappings)),
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
                problems.extend(prompt_column_problems(plan, columns, mappings));
            }
        }
        Choice::Expanded { column, .. } => {
            if !columns.contains(column) {
                let rule = "the input does not have this column, which selects the prompts of each row";
                let problem = Problem::new("prompt_config.category_column", column, rule);
                problems.push(problem.remedy(remedy_of_field(column, columns)));
            }
            problems.extend(prompt_column_problems(plan, columns, mappings));
        }
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

/// Returns a problem for each column that a prompt inserts and that is not among `columns`, which have the names that
/// `mappings` give them.
fn prompt_column_problems(plan: &PromptPlan, columns: &[String], mappings: &BTreeMap<String, String>) -> Vec<Problem> {
    let mut used: BTreeSet<(String, &str)> = BTreeSet::new();
    for named in &plan.prompts {
        used.extend(named.prompt.columns().into_iter().map(|name| (name, named.id.as_str())));
    }
    let names: BTreeSet<String> = used.iter().map(|(name, _)| name.clone()).collect();
    let missing: BTreeSet<String> = names.iter().filter(|name| !columns.contains(name)).cloned().collect();
    let near = NearColumns::new(&missing, &names, columns, mappings);
    let problems = used.into_iter().filter(|(name, _)| missing.contains(name)).map(|(column, prompt)| {
        let rule = format!("the prompt `{prompt}` needs this column, which the input does not have");
        Problem::without_value(format!("column `{column}`"), rule).remedy(near.remedy(&column))
    });
    problems.collect()
}

/// Returns the names of the columns that answers add, in order. Without valid prompts, there are no columns of fields.
pub fn added_columns(resolved: &Resolved) -> Vec<String> {
    let plan = &resolved.prompts;
    let payload = if resolved.model.family.is_embedding() { EMBEDDING } else { RESPONSE };
    let metadata = [ERROR, STOP_REASON, INPUT_TOKENS, OUTPUT_TOKENS, ATTEMPTS, MODEL_ID];
    let (readers, fields) = plan.readers().unwrap_or_default();
    if plan.is_wide() {
        let of_prompts = readers.iter().flat_map(|reader| {
            let own = reader.columns.iter().filter_map(|at| fields.get(*at)).map(String::as_str);
            let names = std::iter::once(payload).chain(own).chain(metadata);
            names.map(|name| wide_name(&reader.id, name)).collect::<Vec<_>>()
        });
        return of_prompts.chain([ERROR.to_owned()]).collect();
    }
    let prompt_id = plan.names_prompts().then_some(PROMPT_ID);
    let names = std::iter::once(payload).chain(fields.iter().map(String::as_str)).chain(metadata).chain(prompt_id);
    names.map(str::to_owned).collect()
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
