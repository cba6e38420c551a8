//! One prompt template file: TOML, named after its `prompt_id`.

use super::Template;
use serde::{Deserialize, Serialize};

/// A prompt template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    /// What it is for, for people.
    pub description: String,
    /// The text of the user's turn, with `{column}` placeholders.
    pub template: String,
    /// The system prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The first words of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefill: Option<String>,
}

impl Prompt {
    /// Reads the content of a template file.
    ///
    /// # Errors
    /// What is wrong, for the person who wrote the file.
    pub fn parse(toml_text: &str) -> Result<Self, String> {
        let prompt: Self = toml::from_str(toml_text).map_err(|error| error.to_string().trim_end().to_owned())?;
        prompt.parsed_template()?;
        if prompt.template.trim().is_empty() {
            return Err("`template` is empty".to_owned());
        }
        Ok(prompt)
    }

    /// The template, parsed.
    ///
    /// # Errors
    /// As [`Template::parse`].
    pub fn parsed_template(&self) -> Result<Template, String> {
        Template::parse(&self.template).map_err(|error| format!("`template` has {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_file_is_read() {
        let prompt = Prompt::parse("description = \"d\"\ntemplate = \"Hi {name}\"\nsystem = \"Be brief.\"").unwrap();
        assert_eq!(prompt.system.as_deref(), Some("Be brief."));
    }

    #[test]
    fn mistakes_are_named() {
        let unknown = Prompt::parse("description = \"d\"\ntemplate = \"x\"\ntemplates = \"y\"").unwrap_err();
        assert!(unknown.contains("templates"), "{unknown}");
        let lone = Prompt::parse("description = \"d\"\ntemplate = \"x {\"").unwrap_err();
        assert!(lone.contains("`template` has a `{` at line 1, column 3"), "{lone}");
        assert!(Prompt::parse("description = \"d\"\ntemplate = \" \"").is_err());
    }
}
