//! Files of a folder of prompt configurations: what they may contain, and all that is wrong with them.

mod category;
mod choice;
mod configuration;
mod file;
mod instruction;
mod output_format;
mod system_prompt;
mod texts;

pub use category::{Category, MAX_CATEGORIES};
pub(super) use choice::named;
pub use configuration::PromptConfiguration;
pub use file::{ConfigFile, MAX_CONFIG_FILE_BYTES, misnamed};
pub use instruction::InstructionConfig;
pub(super) use output_format::{CATEGORY_FIELD, CONFIDENCE_FIELD, EVIDENCE_FIELD, REASONING_FIELD};
pub use output_format::{FormatType, OutputFormatConfig};
pub use system_prompt::{SystemPromptConfig, Tone};
pub(super) use texts::control_character;
