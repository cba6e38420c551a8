//! `system_prompt.json`: the role of the model.

use super::choice::choice;
use super::texts::{text, texts};
use crate::input::Fields;
use serde::Serialize;

/// Tone of the system prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// Plain and polite.
    Professional,
    /// As among colleagues.
    Casual,
    /// In key words.
    Technical,
    /// As in a contract.
    Formal,
}

const TONES: [(&str, Tone); 4] = [
    ("professional", Tone::Professional),
    ("casual", Tone::Casual),
    ("technical", Tone::Technical),
    ("formal", Tone::Formal),
];

/// Content of `system_prompt.json`, merged over the defaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SystemPromptConfig {
    /// Role that the model takes, such as `expert analyst`.
    pub role_definition: String,
    /// Fields that it knows.
    pub expertise_areas: Vec<String>,
    /// Its tasks, as infinitives.
    pub responsibilities: Vec<String>,
    /// Its conduct, as imperatives such as `be precise`.
    pub behavioral_guidelines: Vec<String>,
    /// Tone of the prompt.
    pub tone: Tone,
    /// If false, `expertise_areas` are left out.
    pub include_expertise_statement: bool,
    /// If false, `responsibilities` are left out.
    pub include_task_context: bool,
}

impl Default for SystemPromptConfig {
    fn default() -> Self {
        Self {
            role_definition: "expert analyst".to_owned(),
            expertise_areas: ["data analysis", "classification", "pattern recognition"].map(str::to_owned).to_vec(),
            responsibilities: [
                "read the data completely",
                "assign it to exactly one category",
                "give the reasons for the choice",
            ]
            .map(str::to_owned)
            .to_vec(),
            behavioral_guidelines: ["be precise", "be objective", "be thorough", "be consistent"]
                .map(str::to_owned)
                .to_vec(),
            tone: Tone::Professional,
            include_expertise_statement: true,
            include_task_context: true,
        }
    }
}

/// Reads the object. Fields that are absent or wrong have their default values.
pub(super) fn read(fields: &mut Fields<'_>) -> SystemPromptConfig {
    let default = SystemPromptConfig::default();
    SystemPromptConfig {
        role_definition: text(fields, "role_definition").unwrap_or(default.role_definition),
        expertise_areas: texts(fields, "expertise_areas").unwrap_or(default.expertise_areas),
        responsibilities: texts(fields, "responsibilities").unwrap_or(default.responsibilities),
        behavioral_guidelines: texts(fields, "behavioral_guidelines").unwrap_or(default.behavioral_guidelines),
        tone: choice(fields, "tone", &TONES).unwrap_or(default.tone),
        include_expertise_statement: fields.boolean("include_expertise_statement").unwrap_or(true),
        include_task_context: fields.boolean("include_task_context").unwrap_or(true),
    }
}
