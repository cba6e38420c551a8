//! Names of which one has to be chosen.

use crate::input::Fields;
use crate::problem::{Problem, listed, nearest};

/// Returns what `text` names among `options`, whatever its case and outer spaces, or its problem as the field `path`.
pub(in crate::prompt_generation) fn named<T: Copy>(
    path: &str,
    text: &str,
    options: &[(&'static str, T)],
) -> Result<T, Problem> {
    let wanted = text.trim().to_lowercase();
    let found = options.iter().find(|(name, _)| *name == wanted).map(|(_, option)| *option);
    found.ok_or_else(|| {
        let names: Vec<&str> = options.iter().map(|(name, _)| *name).collect();
        let near = nearest(&wanted, names.iter().copied());
        let problem = Problem::new(path, text, format!("must be one of {}", listed(&names)));
        if near.starts_with("known") { problem } else { problem.remedy(near) }
    })
}

/// Reads a field that names one of `options`.
pub(super) fn choice<T: Copy>(
    fields: &mut Fields<'_>,
    field: &'static str,
    options: &[(&'static str, T)],
) -> Option<T> {
    let text = fields.text(field)?;
    named(&fields.name(field), text, options).map_err(|problem| fields.note(problem)).ok()
}
