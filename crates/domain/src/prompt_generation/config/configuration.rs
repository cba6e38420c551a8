//! All files of a folder together.

use super::category::{self, Category};
use super::file::ConfigFile;
use super::instruction::{self, InstructionConfig};
use super::output_format::{self, OutputFormatConfig};
use super::system_prompt::{self, SystemPromptConfig};
use crate::input::Fields;
use crate::problem::Problem;
use serde_json::Value;
use std::collections::BTreeMap;

/// Configuration of a prompt: the files of a folder, merged over the defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct PromptConfiguration {
    /// Categories, in the order of their priority.
    pub categories: Vec<Category>,
    /// Role of the model.
    pub system_prompt: SystemPromptConfig,
    /// Form of an answer.
    pub output_format: OutputFormatConfig,
    /// Parts of the instructions.
    pub instruction: InstructionConfig,
}

impl PromptConfiguration {
    /// Reads the contents of the files that exist. Returns all problems of all files, and the configuration if there are
    /// none.
    pub fn read(files: &BTreeMap<ConfigFile, Vec<u8>>) -> (Option<Self>, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut parsed = |file: ConfigFile| {
            let bytes = files.get(&file)?;
            file.parse(bytes).map_err(|problem| problems.push(problem)).ok()
        };
        let [definitions, system_prompt, output_format, instruction] = ConfigFile::ALL.map(&mut parsed);
        if !files.contains_key(&ConfigFile::CategoryDefinitions) {
            let rule = "is required, but the folder does not contain it";
            let name = ConfigFile::CategoryDefinitions.file_name();
            problems.push(Problem::without_value(name, rule).remedy("list the categories in it"));
        }
        let mut categories = Vec::new();
        if let Some(definitions) = &definitions {
            let (read, found) = category::read(definitions);
            categories = read;
            problems.extend(found);
        }
        let empty = Value::Object(serde_json::Map::new());
        let system_prompt = system_prompt.as_ref().unwrap_or(&empty);
        let system_prompt = of_object(ConfigFile::SystemPrompt, system_prompt, system_prompt::read, &mut problems);
        let output_format = output_format.as_ref().unwrap_or(&empty);
        let output_format = of_object(ConfigFile::OutputFormat, output_format, output_format::read, &mut problems);
        let instruction = instruction.as_ref().unwrap_or(&empty);
        let instruction = of_object(ConfigFile::Instruction, instruction, instruction::read, &mut problems);
        if !problems.is_empty() {
            return (None, problems);
        }
        (Some(Self { categories, system_prompt, output_format, instruction }), problems)
    }
}

fn of_object<T>(
    file: ConfigFile,
    value: &Value,
    read: impl Fn(&mut Fields<'_>) -> T,
    problems: &mut Vec<Problem>,
) -> T {
    let empty = serde_json::Map::new();
    let object = value.as_object().unwrap_or_else(|| {
        problems.push(Problem::without_value(file.file_name(), "must contain an object"));
        &empty
    });
    let mut fields = Fields::new(file.stem(), object);
    let config = read(&mut fields);
    problems.extend(fields.finish());
    config
}

#[cfg(test)]
mod tests {
    use super::super::{FormatType, Tone};
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn files(more: &[(ConfigFile, Value)]) -> BTreeMap<ConfigFile, Vec<u8>> {
        let one = json!([{"name": "a", "description": "d", "conditions": ["c"], "key_indicators": ["k"]}]);
        let mut files = BTreeMap::from([(ConfigFile::CategoryDefinitions, one)]);
        files.extend(more.iter().cloned());
        files.into_iter().map(|(file, value)| (file, value.to_string().into_bytes())).collect()
    }

    #[test]
    fn files_are_merged_over_the_defaults() {
        let (config, problems) = PromptConfiguration::read(&files(&[
            (ConfigFile::SystemPrompt, json!({"$schema": "x", "role_definition": "clerk", "tone": " Formal "})),
            (
                ConfigFile::OutputFormat,
                json!({"format_type": "structured_text", "field_descriptions": {"reasoning": "why"}}),
            ),
            (ConfigFile::Instruction, json!({"step_by_step_format": false})),
        ]));
        assert_eq!(problems, []);
        let config = config.unwrap();
        assert_eq!(config.system_prompt.role_definition, "clerk");
        assert_eq!(config.system_prompt.tone, Tone::Formal);
        assert_eq!(config.system_prompt.expertise_areas, SystemPromptConfig::default().expertise_areas);
        assert_eq!(config.output_format.format_type, FormatType::StructuredText);
        assert_eq!(config.output_format.field_descriptions["reasoning"], "why");
        assert!(config.output_format.field_descriptions["category"].starts_with("Name of the category"));
        assert!(!config.instruction.step_by_step_format);
        assert!(config.instruction.include_analysis_steps);
        let (default, _) = PromptConfiguration::read(&files(&[]));
        assert_eq!(default.unwrap().output_format, OutputFormatConfig::default());
    }

    #[rstest]
    #[case(ConfigFile::SystemPrompt, json!({"tone": "formel"}),
        "system_prompt.tone is `formel`: must be one of `professional`, `casual`, `technical`, `formal`; did you mean `formal`?")]
    #[case(ConfigFile::SystemPrompt, json!({"role": "x"}),
        "system_prompt.role: is not a field of this input; did you mean `role_definition`?")]
    #[case(ConfigFile::SystemPrompt, json!([]), "system_prompt.json: must contain an object")]
    #[case(ConfigFile::OutputFormat, json!({"format_type": "json"}),
        "output_format.format_type is `json`: must be one of `structured_json`, `structured_text`")]
    #[case(ConfigFile::OutputFormat, json!({"required_fields": ["reasoning"]}),
        "output_format.required_fields: must contain `category`")]
    #[case(ConfigFile::OutputFormat, json!({"required_fields": ["category", "error"]}),
        "output_format.required_fields[1] is `error`: is the name of a column that every output has")]
    #[case(ConfigFile::OutputFormat, json!({"required_fields": ["category", "key_evidence", "Key Evidence"]}),
        "output_format.required_fields[2] is `Key Evidence`: is named twice")]
    #[case(ConfigFile::OutputFormat, json!({"required_fields": ["category", "$.x"]}),
        "output_format.required_fields[1] is `$.x`: must begin with a letter")]
    #[case(ConfigFile::OutputFormat, json!({"field_descriptions": {"category": 1}}),
        "output_format.field_descriptions.category is `1`: must be a text")]
    #[case(ConfigFile::OutputFormat, json!({"example_output": 1}),
        "output_format.example_output is `1`: must be an object, a text or a list of lines")]
    #[case(ConfigFile::Instruction, json!({"include_analysis_steps": "yes"}),
        "instruction.include_analysis_steps is `\"yes\"`: must be true or false")]
    fn each_problem_names_its_file_and_field(#[case] file: ConfigFile, #[case] value: Value, #[case] expected: &str) {
        let (config, problems) = PromptConfiguration::read(&files(&[(file, value)]));
        assert_eq!(config, None);
        let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with(expected), "{lines:?}");
    }

    #[test]
    fn problems_of_all_files_come_at_once() {
        let mut files = files(&[(ConfigFile::SystemPrompt, json!({"tone": "x"}))]);
        files.insert(ConfigFile::Instruction, b"{".to_vec());
        files.remove(&ConfigFile::CategoryDefinitions);
        let (_, problems) = PromptConfiguration::read(&files);
        let places: Vec<&str> = problems.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(places, ["instruction.json line 1, column 1", "category_definitions.json", "system_prompt.tone"]);
    }
}
