//! Scores and issues of all components.

use super::categories::of_categories;
use super::examples::against_exceptions;
use super::issue::{Issue, Severity};
use super::other_components::{of_input, of_instructions, of_output_format, of_system_prompt};
use super::overlap::between_categories;
use crate::extract::Extractor;
use crate::prompt_generation::config::PromptConfiguration;
use crate::prompt_generation::placeholders::PlaceholderValidation;
use crate::prompt_generation::settings::{Settings, ValidationLevel};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Maximum number of issues that are listed per component. More of them are of a few kinds, and no one reads them.
const MAX_LISTED_ISSUES: usize = 200;

/// Quality of a prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// True if each component is good enough for the level of validation.
    pub is_valid: bool,
    /// Mean of the components' scores, 0 to 1.
    pub quality_score: f64,
    /// Components, in the order of the prompt.
    pub validation_details: Vec<ComponentQuality>,
    /// Remedies, the most urgent one first, each once.
    pub recommendations: Vec<String>,
}

/// Quality of one component.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComponentQuality {
    /// Name of the component.
    pub component: String,
    /// True if the component is good enough for the level of validation.
    pub is_valid: bool,
    /// 1 without issues, less with each of them, at least 0.
    pub score: f64,
    /// Issues, each as `<severity>: <path>: <finding>; <remedy>`.
    pub issues: Vec<String>,
    /// Number of issues that are not listed, which are the least grave ones. The score counts all.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub issues_left_out: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl ComponentQuality {
    /// Returns the number of issues, also of those that are not listed.
    pub fn issue_count(&self) -> usize {
        self.issues.len() + self.issues_left_out
    }
}

impl Quality {
    /// Returns the number of issues.
    pub fn issues(&self) -> usize {
        self.validation_details.iter().map(ComponentQuality::issue_count).sum()
    }
}

/// Minimum score of a component that is good enough.
fn threshold(level: ValidationLevel) -> f64 {
    match level {
        ValidationLevel::Minimal => 0.5,
        ValidationLevel::Standard => 0.7,
        ValidationLevel::Strict => 0.9,
    }
}

/// Returns the quality of a prompt, whose answers are read by `extractor`.
pub(in crate::prompt_generation) fn quality(
    config: &PromptConfiguration,
    settings: &Settings,
    placeholders: &PlaceholderValidation,
    extractor: Option<&Extractor>,
) -> Quality {
    let mut of_definitions = of_categories(&config.categories, settings.include_examples);
    of_definitions.extend(between_categories(&config.categories));
    of_definitions.extend(against_exceptions(&config.categories));
    let mut components = [
        ("system_prompt", of_system_prompt(config), 1),
        ("category_definitions", of_definitions, config.categories.len()),
        ("input_placeholders", of_input(settings, config), 1),
        ("instructions", of_instructions(config), 1),
        ("output_format", of_output_format(config, placeholders, extractor), 1),
    ];
    for (_, issues, _) in &mut components {
        // The gravest come first; else the order stays.
        issues.sort_by_key(|issue| std::cmp::Reverse(issue.severity));
    }
    let listed = components.iter().flat_map(|(_, issues, _)| issues.iter().take(MAX_LISTED_ISSUES));
    let mut remedies: Vec<&Issue> = listed.collect();
    remedies.sort_by_key(|issue| std::cmp::Reverse(issue.severity));
    let texts = remedies.into_iter().map(|issue| format!("{}: {}", issue.path, issue.remedy));
    let mut seen = HashSet::new();
    let recommendations = texts.filter(|text| seen.insert(text.clone())).collect();
    let details = components.iter().map(|(name, issues, parts)| component(name, issues, *parts, settings.level));
    let validation_details: Vec<ComponentQuality> = details.collect();
    let total: f64 = validation_details.iter().map(|component| component.score).sum();
    Quality {
        is_valid: validation_details.iter().all(|component| component.is_valid),
        quality_score: rounded(total / validation_details.len() as f64),
        validation_details,
        recommendations,
    }
}

/// Returns the quality of a component of so many `parts`, over which the weights of issues are spread.
fn component(name: &str, issues: &[Issue], parts: usize, level: ValidationLevel) -> ComponentQuality {
    let weight: f64 = issues.iter().map(|issue| issue.severity.weight()).sum();
    let score = rounded((1.0 - weight / parts.max(1) as f64).max(0.0));
    let has_contradiction = issues.iter().any(|issue| issue.severity == Severity::Contradictory);
    ComponentQuality {
        component: name.to_owned(),
        is_valid: score >= threshold(level) && (level == ValidationLevel::Minimal || !has_contradiction),
        score,
        issues: issues.iter().take(MAX_LISTED_ISSUES).map(Issue::to_string).collect(),
        issues_left_out: issues.len().saturating_sub(MAX_LISTED_ISSUES),
    }
}

/// Rounds to two digits, so that files do not show errors of addition.
fn rounded(score: f64) -> f64 {
    (score * 100.0).round() / 100.0
}
