//! Names of references: what prompts insert must be there, and what is there must be used.

use crate::input::RunRequest;
use crate::problem::{Problem, nearest};
use crate::prompt::{Choice, PromptPlan};
use crate::reference::{ValueSource, names_in_text, reference_of};
use std::collections::BTreeSet;

/// Returns the problems of the names of references: those that prompts use and that the request does not have, and those of the
/// request that no prompt uses. A placeholder in a template is a column if no reference has its name, and is checked as such.
pub(super) fn name_problems(request: &RunRequest, plan: &PromptPlan) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut used: BTreeSet<&str> =
        request.inference.system_prompt.as_deref().map(names_in_text).into_iter().flatten().collect();
    for name in used.iter().filter(|name| !request.references.contains_key(**name)) {
        problems.push(unknown("inference.system_prompt", "inserts", name, request));
    }
    // If rows name their prompts, only the rows determine which of them are used.
    let by_name = matches!(plan.choice, Choice::Mapped { by_name: true, .. });
    for named in &plan.prompts {
        let field = format!("prompt `{}`", named.id);
        let placeholders = named.prompt.columns();
        let inserted = placeholders.iter().filter_map(|name| reference_of(name));
        let known = inserted.filter_map(|name| request.references.get_key_value(name));
        used.extend(known.map(|(name, _)| name.as_str()));
        let in_system = named.prompt.system.as_deref().map(names_in_text).into_iter().flatten();
        let of_values = named.prompt.allowed_values.values().filter_map(|source| ValueSource::parse(source).ok());
        let system = in_system.map(|name| (name, "inserts, in its system prompt,"));
        let all = system.chain(of_values.map(|source| (source.reference, "holds a field to")));
        let mut seen = BTreeSet::new();
        for (name, verb) in all {
            let is_missing = !request.references.contains_key(name) && seen.insert(name);
            if is_missing && !by_name {
                problems.push(unknown(&field, verb, name, request));
            }
            used.insert(name);
        }
    }
    problems.extend(request.references.iter().filter(|(name, _)| !used.contains(name.as_str())).map(|(name, uri)| {
        let remedy = format!(
            "insert it in a prompt with `{{reference.{name}}}`, hold a field to it with `allowed_values`, or leave it out"
        );
        Problem::new(format!("reference.{name}"), uri, "is not used by any prompt of this run").remedy(remedy)
    }));
    problems
}

fn unknown(field: &str, verb: &str, name: &str, request: &RunRequest) -> Problem {
    let rule = format!("{verb} the reference `{name}`, which the input does not have");
    let remedy = if request.references.is_empty() {
        missing_remedy(name)
    } else {
        nearest(name, request.references.keys().map(String::as_str))
    };
    Problem::without_value(field, rule).remedy(remedy)
}

/// Returns the remedy for a reference that the input does not have.
pub(super) fn missing_remedy(name: &str) -> String {
    format!("add \"reference\": {{\"{name}\": \"s3://bucket/path.csv\"}} to the input")
}
