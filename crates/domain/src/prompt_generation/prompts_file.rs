//! `prompts.json`.

use serde::{Deserialize, Serialize};

/// Content of `templates/prompts.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptsFile {
    /// System prompt. Its braces are literal.
    pub system_prompt: String,
    /// User message, with `{column}` placeholders; `{{` and `}}` are literal braces.
    pub user_prompt_template: String,
    /// Columns that the user message shows, in order.
    #[serde(default)]
    pub input_placeholders: Vec<String>,
}
