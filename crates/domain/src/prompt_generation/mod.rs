//! Generation of a classification prompt from definitions of its categories.
//!
//! [`PromptConfiguration::read`] checks the files of a folder and [`Settings::read`] the environment and the arguments, both
//! with all problems at once. [`generate`] makes the prompt of them, as `prompts.json` and as a template in TOML, with the
//! schema of its answers and a report on the quality of the definitions. The same input gives the same bytes, but for the
//! time, which the caller passes.

mod answer_fields;
mod braces;
mod components;
mod config;
mod generation;
mod metadata;
mod placeholders;
mod prompt_toml;
mod prompts_file;
mod properties;
mod quality;
mod schema;
mod settings;
mod text_pattern;
mod time;

pub(crate) use braces::escaped;
pub use config::{
    Category, ConfigFile, FormatType, InstructionConfig, MAX_CATEGORIES, MAX_CONFIG_FILE_BYTES, OutputFormatConfig,
    PromptConfiguration, SystemPromptConfig, Tone, misnamed,
};
pub use generation::{GeneratedFile, GeneratedPrompt, generate};
pub use metadata::TemplateMetadata;
pub use placeholders::{PlaceholderFailure, PlaceholderValidation};
pub use prompt_toml::prompt_toml;
pub use prompts_file::PromptsFile;
pub use properties::Properties;
pub(crate) use properties::path_of_member;
pub use quality::{ComponentQuality, Quality};
pub use schema::{ProcessingConfig, SchemaMetadata, ValidationSchema};
pub use settings::{SettingTexts, Settings, TemplateStyle, ValidationLevel, default_prompt_id};
pub(crate) use text_pattern::patterns_of_answers;
pub use time::GenerationTime;
