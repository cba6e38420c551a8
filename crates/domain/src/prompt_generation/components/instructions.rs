//! Fourth component: the instructions.

use super::bullets::section;
use super::wording::wording;
use crate::prompt_generation::config::{
    CONFIDENCE_FIELD, Category, EVIDENCE_FIELD, OutputFormatConfig, PromptConfiguration, REASONING_FIELD,
};
use crate::prompt_generation::settings::Settings;

/// Returns the section of the instructions, as text that is not escaped yet. It may be empty.
pub(in crate::prompt_generation) fn instructions(config: &PromptConfiguration, settings: &Settings) -> String {
    let words = wording(settings.style);
    let parts = &config.instruction;
    let format = &config.output_format;
    let mut sections: Vec<String> = Vec::new();
    let mut add = |heading: &str, marker: &str, texts: &[String]| {
        let mut lines = Vec::new();
        section(&mut lines, heading, marker, texts);
        if !lines.is_empty() {
            sections.push(lines.join("\n"));
        }
    };
    if parts.include_analysis_steps {
        let steps = steps(format);
        if parts.step_by_step_format {
            let numbered = steps.iter().enumerate().map(|(number, step)| format!("{}. {step}", number + 1));
            add(words.instructions, "", &numbered.collect::<Vec<_>>());
        } else {
            add(words.instructions, "- ", &steps);
        }
    }
    if parts.include_decision_criteria {
        add(words.criteria, "- ", &criteria(&config.categories));
    }
    if parts.include_edge_case_handling {
        add(words.edge_cases, "- ", &edge_cases(format));
    }
    if parts.include_confidence_guidance && format.has_field(CONFIDENCE_FIELD) {
        let scale = [
            "0.9 to 1.0: every condition is met, and no other category is plausible",
            "0.7 to 0.9: the conditions are met, with small gaps",
            "0.4 to 0.7: another category is possible",
            "below 0.4: the data says too little",
        ];
        add(words.confidence, "- ", &scale.map(str::to_owned));
    }
    if parts.include_reasoning_requirements && format.has_field(REASONING_FIELD) {
        let requirements = [
            "Say which conditions of the category are met, and by what",
            "Say why the nearest other category does not apply",
            "Use only what the data says",
        ];
        add(words.reasoning, "- ", &requirements.map(str::to_owned));
    }
    if parts.include_evidence_validation && format.has_field(EVIDENCE_FIELD) {
        let evidence = [
            "Quote the data word for word",
            "Quote only what meets a condition of the category",
            "Discard what the category must not include",
        ];
        add(words.evidence, "- ", &evidence.map(str::to_owned));
    }
    sections.join("\n\n")
}

fn steps(format: &OutputFormatConfig) -> Vec<String> {
    let mut steps = [
        "Read all of the data before judging any of it",
        "Note which key elements of which categories occur in it",
        "Compare it with the conditions of these categories",
        "Rule out every category that must not include what the data says",
        "Choose the one category that fits best",
    ]
    .map(str::to_owned)
    .to_vec();
    if format.has_field(EVIDENCE_FIELD) {
        steps.push("Check that the evidence meets the conditions of this category".to_owned());
    }
    if format.has_field(CONFIDENCE_FIELD) {
        steps.push("State how certain the choice is".to_owned());
    }
    steps
}

fn criteria(categories: &[Category]) -> Vec<String> {
    let mut criteria = [
        "Decide by what the data says explicitly, not by what it suggests",
        "What a category must not include weighs more than its key elements",
        "Choose exactly one category",
    ]
    .map(str::to_owned)
    .to_vec();
    if categories.iter().any(|category| category.priority.is_some()) {
        criteria.push("If several categories fit equally well, choose the one that is listed first".to_owned());
    }
    if categories.iter().any(|category| !category.aliases.is_empty()) {
        criteria.push("Answer with the name of a category, never with another word for it".to_owned());
    }
    criteria
}

fn edge_cases(format: &OutputFormatConfig) -> Vec<String> {
    let low = if format.has_field(CONFIDENCE_FIELD) { ", with a low confidence" } else { "" };
    vec![
        format!("If no category fits, choose the nearest one{low}"),
        "If the data speaks of several things, decide by its main concern".to_owned(),
        format!("If the data is empty or unreadable, choose the most general category{low}"),
    ]
}
