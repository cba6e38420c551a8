//! `prompts.json`: the texts of a generated prompt.

use super::file::TemplateFile;
use super::template_text::{USER_PROMPT_TEMPLATE, template_of};
use crate::input::Fields;
use crate::problem::Problem;

const SYSTEM_PROMPT: &str = "system_prompt";
const INPUT_PLACEHOLDERS: &str = "input_placeholders";

/// Texts of a prompt, by the rules of prompts of a run.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct GeneratedTexts {
    pub(super) system: Option<String>,
    pub(super) template: String,
}

impl GeneratedTexts {
    /// Returns valid texts in place of those of a file that is not known.
    pub(super) fn unknown() -> Self {
        Self { system: None, template: "unknown".to_owned() }
    }

    /// Reads `prompts.json`.
    ///
    /// # Errors
    /// Returns all problems of the file.
    pub(super) fn read(file: &TemplateFile<'_>, input_data_column: &str) -> Result<Self, Vec<Problem>> {
        let object = file.object().map_err(|problem| vec![problem])?;
        let mut fields = Fields::new("", &object);
        let system = fields.text(SYSTEM_PROMPT).filter(|text| !text.trim().is_empty()).map(str::to_owned);
        let text = fields.required_text(USER_PROMPT_TEMPLATE);
        let has_list = fields.value(INPUT_PLACEHOLDERS).is_some();
        let placeholders = fields.texts(INPUT_PLACEHOLDERS);
        let names = placeholders.as_deref().unwrap_or_default();
        for name in names.iter().filter(|name| name.trim().is_empty() || name.contains(['{', '}'])) {
            let rule = "must be the name of a column without braces";
            fields.note(Problem::new(INPUT_PLACEHOLDERS, name, rule));
        }
        let template = text.filter(|_| placeholders.is_some() || !has_list).and_then(|text| {
            let converted = template_of(text, names, input_data_column);
            converted.map_err(|problems| fields.note_all(problems)).ok()
        });
        let problems: Vec<Problem> = fields.finish();
        if !problems.is_empty() {
            let placed = problems.into_iter().map(|problem| {
                let field = file.field(&problem.field);
                problem.of_field(field)
            });
            return Err(placed.collect());
        }
        Ok(Self { system, template: template.unwrap_or_default() })
    }
}
