//! Generated prompts that an input names.

use super::report::Report;
use crate::template_files::LocalTemplates;
use bedrock_batch_domain::input::{RunRequest, TemplateSource};
use bedrock_batch_domain::problem::Problem;

/// Adds the generated prompt that `run` names, as far as its files are on this machine, and returns their problems. `reader`
/// is the run in words.
pub(super) fn add_generated(
    run: &mut RunRequest,
    local: Option<&LocalTemplates>,
    reader: &str,
    report: &mut Report,
) -> Vec<Problem> {
    let Some(source) = run.prompt_config.template_source().cloned() else { return Vec::new() };
    let files = local.filter(|files| files.are_complete(&source));
    if files.is_none() {
        report.not_checked(&format!("the generated prompt of {reader}, which is in S3, and whether its columns exist"));
    }
    match local.map(|files| files.read(&source)).transpose() {
        Ok(read) => match read.transpose() {
            Ok(prompt) => {
                // Without its schema, a prompt would seem to add no columns.
                if let Some(prompt) = prompt.flatten().filter(|_| files.is_some()) {
                    run.prompt_config.set_generated(prompt);
                }
                Vec::new()
            }
            Err(problems) => problems.as_slice().to_vec(),
        },
        Err(error) => vec![Problem::without_value(TemplateSource::PROMPT_TEMPLATES, error.to_string())],
    }
}
