//! Issues of the components that do not come from the categories.

use super::issue::{Issue, Severity, quoted};
use crate::extract::Extractor;
use crate::problem::nearest;
use crate::prompt_generation::answer_fields::example_text;
use crate::prompt_generation::config::{
    CATEGORY_FIELD, CONFIDENCE_FIELD, ConfigFile, EVIDENCE_FIELD, PromptConfiguration, REASONING_FIELD,
};
use crate::prompt_generation::placeholders::PlaceholderValidation;
use crate::prompt_generation::settings::Settings;

fn path(file: ConfigFile, field: &str) -> String {
    format!("{}.{field}", file.stem())
}

/// Returns the issues of the system prompt.
pub(super) fn of_system_prompt(config: &PromptConfiguration) -> Vec<Issue> {
    let config = &config.system_prompt;
    let lists = [
        (
            "expertise_areas",
            config.expertise_areas.is_empty() || !config.include_expertise_statement,
            "name what it knows",
        ),
        (
            "responsibilities",
            config.responsibilities.is_empty() || !config.include_task_context,
            "say what its task is",
        ),
        ("behavioral_guidelines", config.behavioral_guidelines.is_empty(), "say how it should work"),
    ];
    let empty = lists.into_iter().filter(|(_, is_absent, _)| *is_absent);
    empty
        .map(|(field, _, remedy)| {
            Issue::new(Severity::Thin, path(ConfigFile::SystemPrompt, field), "the system prompt has none", remedy)
        })
        .collect()
}

/// Returns the issues of the placeholders of columns.
pub(super) fn of_input(settings: &Settings, config: &PromptConfiguration) -> Vec<Issue> {
    let mut issues = Vec::new();
    for (index, name) in settings.input_placeholders.iter().enumerate() {
        let path = format!("INPUT_PLACEHOLDERS[{index}]");
        if name.contains(['.', '[', ']', ':', '!']) || name.chars().all(|letter| letter.is_ascii_digit()) {
            let finding = format!("{} is not a name for `str.format` of Python", quoted(name));
            let remedy = "this matters only if anything other than a run reads prompts.json: rename the column for it";
            issues.push(Issue::new(Severity::Thin, path.clone(), finding, remedy));
        }
        if config.output_format.has_field(name) {
            let finding = format!("{} is a field of the answer too", quoted(name));
            let remedy = "rename one of them: the column of the input is kept under another name";
            issues.push(Issue::new(Severity::Ambiguous, path, finding, remedy));
        }
    }
    issues
}

/// Returns the issues of the instructions.
pub(super) fn of_instructions(config: &PromptConfiguration) -> Vec<Issue> {
    let parts = &config.instruction;
    let mut issues = Vec::new();
    if !parts.include_analysis_steps && !parts.include_decision_criteria {
        let field = path(ConfigFile::Instruction, "include_analysis_steps");
        let finding = "neither steps nor criteria are part of the prompt";
        issues.push(Issue::new(Severity::Thin, field, finding, "include at least one of them"));
    }
    let format = &config.output_format;
    let needs = [
        ("include_reasoning_requirements", parts.include_reasoning_requirements, REASONING_FIELD),
        ("include_evidence_validation", parts.include_evidence_validation, EVIDENCE_FIELD),
        ("include_confidence_guidance", parts.include_confidence_guidance, CONFIDENCE_FIELD),
    ];
    for (flag, is_included, field) in needs {
        if is_included && !format.has_field(field) {
            let finding = format!("answers have no field `{field}`, so that this part is left out");
            let remedy = "add the field to `required_fields`, or set this to false";
            issues.push(Issue::new(Severity::Thin, path(ConfigFile::Instruction, flag), finding, remedy));
        }
    }
    issues
}

/// Returns the issues of the form of an answer.
pub(super) fn of_output_format(
    config: &PromptConfiguration,
    placeholders: &PlaceholderValidation,
    extractor: Option<&Extractor>,
) -> Vec<Issue> {
    let format = &config.output_format;
    let mut issues = Vec::new();
    for failure in &placeholders.failures {
        let finding = format!("`${{{}}}` {}", failure.placeholder, failure.error);
        issues.push(Issue::new(Severity::Contradictory, failure.field.clone(), finding, "use one of these"));
    }
    for field in format.required_fields.iter().filter(|field| !format.field_descriptions.contains_key(*field)) {
        let place = path(ConfigFile::OutputFormat, &format!("field_descriptions.{field}"));
        issues.push(Issue::new(Severity::Thin, place, "the field has no description", "say what belongs in it"));
    }
    for field in format.field_descriptions.keys().filter(|field| !format.has_field(field)) {
        let place = path(ConfigFile::OutputFormat, &format!("field_descriptions.{field}"));
        let finding = "describes a field that answers do not have".to_owned();
        let near = nearest(field, format.required_fields.iter().map(String::as_str));
        issues.push(Issue::new(Severity::Ambiguous, place, finding, &near));
    }
    issues.extend(of_example(config, extractor));
    issues
}

/// Returns the issue of an example that would be refused as an answer, or would lack a field. The model would follow it.
fn of_example(config: &PromptConfiguration, extractor: Option<&Extractor>) -> Option<Issue> {
    let example = config.output_format.example_output.as_ref()?;
    let place = path(ConfigFile::OutputFormat, "example_output");
    let contradiction =
        |finding: String, remedy: &str| Some(Issue::new(Severity::Contradictory, place.clone(), finding, remedy));
    let names: Vec<&str> = config.categories.iter().map(|category| category.name.as_str()).collect();
    let category = example.as_object().and_then(|object| object.get(CATEGORY_FIELD));
    if let Some(category) = category.filter(|category| category.as_str().is_none_or(|name| !names.contains(&name))) {
        let shown = category.as_str().map_or_else(|| category.to_string(), str::to_owned);
        let finding = format!("its category {} is not one of the categories", quoted(&shown));
        return contradiction(finding, &nearest(&shown, names));
    }
    if let Some(object) = example.as_object()
        && let Some(missing) = config.output_format.required_fields.iter().find(|field| !object.contains_key(*field))
    {
        return contradiction(format!("has no `{missing}`"), "give it all required fields");
    }
    let extractor = extractor?;
    match extractor.extract(&example_text(example), None) {
        Err(unparsed) => {
            let reason = unparsed.to_string().replace(char::is_control, " ");
            contradiction(format!("would be refused as an answer: {reason}"), "write it as an answer has to be")
        }
        Ok(values) => {
            let mut fields = extractor.names().iter().zip(values);
            let (missing, _) = fields.find(|(_, value)| value.is_none())?;
            let finding = format!("would be an answer without a valid `{missing}`");
            contradiction(finding, "write it as an answer has to be")
        }
    }
}
