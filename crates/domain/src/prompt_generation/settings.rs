//! Settings of a generation: arguments, which win over the environment, which wins over the defaults.

use super::config::{control_character, named};
use crate::problem::Problem;
use crate::prompt::looks_like_json;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Maximum number of columns that a prompt shows.
const MAX_PLACEHOLDERS: usize = 100;
/// Maximum length of a column's name, a version and a type of task.
const MAX_SHORT_TEXT_CHARS: usize = 200;
/// Maximum length of a `prompt_id`, which is the name of a file.
const MAX_PROMPT_ID_CHARS: usize = 100;

/// Wording of a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplateStyle {
    /// Headings and lists.
    Structured,
    /// Sentences, as to a colleague.
    Conversational,
    /// Terse, as in a specification.
    Technical,
}

/// Strictness towards answers and definitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValidationLevel {
    /// Only the category has to be there.
    Minimal,
    /// All fields have to be there, and no others.
    Standard,
    /// As standard, and no text may be empty.
    Strict,
}

const STYLES: [(&str, TemplateStyle); 3] = [
    ("structured", TemplateStyle::Structured),
    ("conversational", TemplateStyle::Conversational),
    ("technical", TemplateStyle::Technical),
];
const LEVELS: [(&str, ValidationLevel); 3] = [
    ("minimal", ValidationLevel::Minimal),
    ("standard", ValidationLevel::Standard),
    ("strict", ValidationLevel::Strict),
];
const FLAGS: [(&str, bool); 6] =
    [("true", true), ("false", false), ("1", true), ("0", false), ("yes", true), ("no", false)];

impl ValidationLevel {
    /// Returns the name in settings and files.
    pub fn name(self) -> &'static str {
        LEVELS.iter().find(|(_, level)| *level == self).map_or("", |(name, _)| name)
    }
}

/// Settings as they were passed: by argument or by environment. Blank ones count as absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingTexts {
    /// `TEMPLATE_TASK_TYPE`.
    pub task_type: Option<String>,
    /// `TEMPLATE_STYLE`.
    pub style: Option<String>,
    /// `VALIDATION_LEVEL`.
    pub validation_level: Option<String>,
    /// `INPUT_PLACEHOLDERS`: a JSON list, or names with commas in between.
    pub input_placeholders: Option<String>,
    /// `INCLUDE_EXAMPLES`.
    pub include_examples: Option<String>,
    /// `GENERATE_VALIDATION_SCHEMA`.
    pub generate_validation_schema: Option<String>,
    /// `TEMPLATE_VERSION`.
    pub template_version: Option<String>,
    /// `prompt_id` of the template in TOML.
    pub prompt_id: Option<String>,
}

impl SettingTexts {
    /// Returns the settings of the environment, whose variables `variable` returns. It has no `prompt_id`.
    pub fn of_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            task_type: variable("TEMPLATE_TASK_TYPE"),
            style: variable("TEMPLATE_STYLE"),
            validation_level: variable("VALIDATION_LEVEL"),
            input_placeholders: variable("INPUT_PLACEHOLDERS"),
            include_examples: variable("INCLUDE_EXAMPLES"),
            generate_validation_schema: variable("GENERATE_VALIDATION_SCHEMA"),
            template_version: variable("TEMPLATE_VERSION"),
            prompt_id: None,
        }
    }
}

/// Settings of a generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Type of the task, which names the model of the answers.
    pub task_type: String,
    /// Wording of the prompt.
    pub style: TemplateStyle,
    /// Strictness towards answers and definitions.
    pub level: ValidationLevel,
    /// Columns that the prompt shows, in order.
    pub input_placeholders: Vec<String>,
    /// If true, the prompt contains the examples of the categories.
    pub include_examples: bool,
    /// If true, a schema of the answers is generated and answers are held to it.
    pub generate_validation_schema: bool,
    /// Version of the prompt, for humans.
    pub template_version: String,
    /// `prompt_id` of the template in TOML.
    pub prompt_id: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            task_type: "classification".to_owned(),
            style: TemplateStyle::Structured,
            level: ValidationLevel::Standard,
            input_placeholders: vec!["input_data".to_owned()],
            include_examples: true,
            generate_validation_schema: true,
            template_version: "1.0".to_owned(),
            prompt_id: "classification".to_owned(),
        }
    }
}

/// Returns the `prompt_id` for the definitions of a folder of this name.
pub fn default_prompt_id(folder: &str) -> String {
    let parts = folder.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    let id = parts.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("_");
    let id: String = id.chars().take(MAX_PROMPT_ID_CHARS).collect();
    if id.is_empty() { Settings::default().prompt_id } else { id }
}

impl Settings {
    /// Reads the settings. Returns all problems, and the settings if there are none. `prompt_id` is used if none was passed.
    pub fn read(texts: &SettingTexts, prompt_id: &str) -> (Option<Self>, Vec<Problem>) {
        let default = Self::default();
        let mut problems = Vec::new();
        let mut reader = SettingsReader { problems: &mut problems };
        let settings = Self {
            task_type: reader.short_text("TEMPLATE_TASK_TYPE", texts.task_type.as_deref(), default.task_type),
            style: reader.named("TEMPLATE_STYLE", texts.style.as_deref(), &STYLES, default.style),
            level: reader.named("VALIDATION_LEVEL", texts.validation_level.as_deref(), &LEVELS, default.level),
            input_placeholders: match present(texts.input_placeholders.as_deref()) {
                Some(text) => reader.placeholders("INPUT_PLACEHOLDERS", text),
                None => default.input_placeholders,
            },
            include_examples: reader.named("INCLUDE_EXAMPLES", texts.include_examples.as_deref(), &FLAGS, true),
            generate_validation_schema: reader.named(
                "GENERATE_VALIDATION_SCHEMA",
                texts.generate_validation_schema.as_deref(),
                &FLAGS,
                true,
            ),
            template_version: reader.short_text(
                "TEMPLATE_VERSION",
                texts.template_version.as_deref(),
                default.template_version,
            ),
            prompt_id: reader.prompt_id("--prompt-id", texts.prompt_id.as_deref().unwrap_or(prompt_id)),
        };
        (problems.is_empty().then_some(settings), problems)
    }

    /// Returns the name of the model of the answers: `ClassificationResponse`.
    pub fn response_model_name(&self) -> String {
        let words = self.task_type.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
        let name = words.map(|word| {
            let mut letters = word.chars();
            letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect::<String>()
        });
        format!("{}Response", name.collect::<String>())
    }
}

fn present(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.trim().is_empty())
}

/// Reader that notes problems and goes on with a default.
struct SettingsReader<'a> {
    problems: &'a mut Vec<Problem>,
}

impl SettingsReader<'_> {
    fn named<T: Copy>(&mut self, setting: &str, text: Option<&str>, options: &[(&'static str, T)], default: T) -> T {
        let Some(text) = present(text) else { return default };
        named(setting, text, options).unwrap_or_else(|problem| {
            self.problems.push(problem);
            default
        })
    }

    fn short_text(&mut self, setting: &str, text: Option<&str>, default: String) -> String {
        let Some(text) = present(text) else { return default };
        let text = text.trim();
        let rule = if text.contains(char::is_control) {
            "must be one line without control characters".to_owned()
        } else if text.chars().count() > MAX_SHORT_TEXT_CHARS {
            format!("must have at most {MAX_SHORT_TEXT_CHARS} characters")
        } else {
            return text.to_owned();
        };
        self.problems.push(Problem::new(setting, text, rule));
        default
    }

    fn prompt_id(&mut self, setting: &str, id: &str) -> String {
        let is_valid = !id.is_empty()
            && id.len() <= MAX_PROMPT_ID_CHARS
            && id.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-'));
        if !is_valid {
            let rule = format!("must consist of 1 to {MAX_PROMPT_ID_CHARS} letters, digits, `_` and `-`");
            self.problems.push(Problem::new(setting, id, rule).remedy("it is the name of a file"));
        }
        id.to_owned()
    }

    fn placeholders(&mut self, setting: &str, text: &str) -> Vec<String> {
        const EXAMPLE: &str = "write a JSON list of column names, such as [\"subject\", \"body\"]";
        let names: Vec<String> = if text.trim_start().starts_with('[') {
            let Ok(Value::Array(list)) = serde_json::from_str(text) else {
                self.problems.push(Problem::new(setting, text, "is not a valid JSON list").remedy(EXAMPLE));
                return Vec::new();
            };
            // Anything other than a text breaks the rule of names below.
            list.iter().map(|name| name.as_str().map_or_else(|| format!("{{{name}}}"), str::to_owned)).collect()
        } else {
            text.split(',').map(|name| name.trim().to_owned()).collect()
        };
        if names.is_empty() || names.len() > MAX_PLACEHOLDERS {
            let rule = format!("must name 1 to {MAX_PLACEHOLDERS} columns");
            self.problems.push(Problem::new(setting, text, rule).remedy(EXAMPLE));
        }
        for (index, name) in names.iter().enumerate() {
            if let Some(rule) = rule_of_placeholder(name, &names[..index]) {
                self.problems.push(Problem::new(format!("{setting}[{index}]"), name, rule).remedy(EXAMPLE));
            }
        }
        names
    }
}

fn rule_of_placeholder(name: &str, earlier: &[String]) -> Option<String> {
    if name.trim().is_empty() {
        return Some("must not be empty".to_owned());
    }
    if name.contains(['{', '}']) {
        return Some("must be the name of a column, which cannot contain braces".to_owned());
    }
    if let Some(rule) = control_character(name) {
        return Some(rule);
    }
    if looks_like_json(name) {
        return Some("must be the name of a column, but looks like JSON".to_owned());
    }
    if name.contains(['\n', '\t']) || name.chars().count() > MAX_SHORT_TEXT_CHARS {
        return Some(format!("must be one line of at most {MAX_SHORT_TEXT_CHARS} characters"));
    }
    earlier.iter().any(|other| other == name).then(|| "is named twice".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn read(change: impl FnOnce(&mut SettingTexts)) -> (Option<Settings>, Vec<String>) {
        let mut texts = SettingTexts::default();
        change(&mut texts);
        let (settings, problems) = Settings::read(&texts, "classification");
        (settings, problems.iter().map(Problem::to_string).collect())
    }

    #[test]
    fn absent_and_blank_settings_have_their_defaults() {
        assert_eq!(read(|_| {}), (Some(Settings::default()), vec![]));
        let blank = read(|texts| {
            texts.style = Some(" ".to_owned());
            texts.input_placeholders = Some(String::new());
        });
        assert_eq!(blank, (Some(Settings::default()), vec![]));
    }

    #[test]
    fn settings_are_read_whatever_their_case() {
        let (settings, problems) = read(|texts| {
            texts.style = Some("Technical".to_owned());
            texts.validation_level = Some("STRICT".to_owned());
            texts.include_examples = Some("False".to_owned());
            texts.task_type = Some("sentiment_analysis".to_owned());
        });
        assert_eq!(problems, Vec::<String>::new());
        let settings = settings.unwrap();
        assert_eq!((settings.style, settings.level), (TemplateStyle::Technical, ValidationLevel::Strict));
        assert!(!settings.include_examples);
        assert_eq!(settings.response_model_name(), "SentimentAnalysisResponse");
        assert_eq!(Settings::default().response_model_name(), "ClassificationResponse");
    }

    #[rstest]
    #[case(r#"["Größe in cm", "a.b"]"#, &["Größe in cm", "a.b"])]
    #[case("subject, body", &["subject", "body"])]
    #[case("only", &["only"])]
    fn placeholders_are_a_json_list_or_names_with_commas(#[case] text: &str, #[case] expected: &[&str]) {
        let (settings, problems) = read(|texts| texts.input_placeholders = Some(text.to_owned()));
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(settings.unwrap().input_placeholders, expected);
    }

    #[rstest]
    #[case("[\"a\"", "INPUT_PLACEHOLDERS is `[\"a\"`: is not a valid JSON list; write a JSON list of column names")]
    #[case("[]", "INPUT_PLACEHOLDERS is `[]`: must name 1 to 100 columns")]
    #[case("[1]", "INPUT_PLACEHOLDERS[0] is `{1}`: must be the name of a column")]
    #[case("[\"a{b\"]", "INPUT_PLACEHOLDERS[0] is `a{b}`")]
    #[case(
        r#"["\"a\": \"b\""]"#,
        "INPUT_PLACEHOLDERS[0] is `\"a\": \"b\"`: must be the name of a column, but looks like JSON; write"
    )]
    #[case("a,a", "INPUT_PLACEHOLDERS[1] is `a`: is named twice")]
    #[case("a,,b", "INPUT_PLACEHOLDERS[1]: must not be empty")]
    #[case("[\"a\\u001b\"]", "INPUT_PLACEHOLDERS[0] is `a�`: contains the control character U+001B")]
    fn wrong_placeholders_are_reported(#[case] text: &str, #[case] expected: &str) {
        let (settings, problems) = read(|texts| texts.input_placeholders = Some(text.to_owned()));
        assert_eq!(settings, None);
        assert!(problems[0].starts_with(expected.trim_end_matches("}`")), "{problems:?}");
    }

    #[test]
    fn all_problems_are_reported_at_once() {
        let (_, problems) = read(|texts| {
            texts.style = Some("structurd".to_owned());
            texts.validation_level = Some("hard".to_owned());
            texts.include_examples = Some("maybe".to_owned());
            texts.template_version = Some("1\u{7}".to_owned());
            texts.prompt_id = Some("../x".to_owned());
        });
        assert_eq!(problems.len(), 5, "{problems:?}");
        assert!(problems[0].ends_with("did you mean `structured`?"), "{problems:?}");
        assert!(problems[4].starts_with("--prompt-id is `../x`: must consist of 1 to 100 letters"), "{problems:?}");
    }

    #[rstest]
    #[case("support-tickets", "support_tickets")]
    #[case("Prompt Configs (v2)", "prompt_configs_v2")]
    #[case("..", "classification")]
    #[case("日本", "classification")]
    fn the_folder_gives_the_default_prompt_id(#[case] folder: &str, #[case] expected: &str) {
        assert_eq!(default_prompt_id(folder), expected);
    }
}
