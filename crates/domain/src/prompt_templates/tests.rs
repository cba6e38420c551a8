//! Files of generated prompts: the prompts that they become, and what is reported.

use super::*;
use crate::extract::FieldValue;
use crate::prompt::SchemaType;
use crate::prompt_generation::{FormatType, GenerationTime, PromptConfiguration, Settings, generate};
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

const PROMPTS: &[u8] = include_bytes!("../../../../tests/fixtures/generated_prompt/templates/prompts.json");
const SCHEMA: &[u8] =
    include_bytes!("../../../../tests/fixtures/generated_prompt/schema/validation_schema_20261130_083109.json");
const TOML: &str = include_str!("../../../../tests/fixtures/generated_prompt/prompt-templates/support_tickets.toml");
const DEFINITIONS: &[u8] = include_bytes!("../../../../prompt-configs/support-tickets/category_definitions.json");

fn prompts_file(content: &[u8]) -> TemplateFile<'_> {
    TemplateFile { named_by: "prompt_templates", name: "s3://lake/t/prompts.json", content }
}

fn schema_file(content: &[u8]) -> TemplateFile<'_> {
    TemplateFile { named_by: "validation_schema", name: "s3://lake/s/a.json", content }
}

fn read(prompts: &[u8], schema: Option<&[u8]>) -> Result<Prompt, Vec<String>> {
    let schema = schema.map(schema_file);
    let read = generated_prompt(Some(&prompts_file(prompts)), schema.as_ref(), "input_text");
    read.map(Option::unwrap).map_err(|problems| problems.as_slice().iter().map(ToString::to_string).collect())
}

/// Returns the prompt of a small file with this schema.
fn with_schema(schema: &str) -> Result<Prompt, Vec<String>> {
    read(br#"{"user_prompt_template": "{input_data}"}"#, Some(schema.as_bytes()))
}

/// Returns a prompt without what only people read.
fn for_the_model(mut prompt: Prompt) -> Prompt {
    prompt.description.clear();
    if let Some(Value::Object(schema)) = &mut prompt.response_schema {
        schema.retain(|name, _| name != "title" && name != "description");
        let properties = schema.get_mut("properties").and_then(Value::as_object_mut).unwrap();
        properties.values_mut().for_each(|of| drop(of.as_object_mut().unwrap().remove("description")));
    }
    prompt
}

#[test]
fn the_files_of_a_generation_are_the_prompt_of_its_template() {
    let prompt = read(PROMPTS, Some(SCHEMA)).unwrap();
    let expected = "Generated: s3://lake/t/prompts.json, with answers as in s3://lake/s/a.json.";
    assert_eq!(prompt.description, expected, "the plan says where it comes from");
    assert_eq!(for_the_model(prompt), for_the_model(Prompt::parse(TOML).unwrap()));
}

#[rstest]
#[case(FormatType::StructuredJson, &["zone", "category", "answer"])]
#[case(FormatType::StructuredText, &["category", "confidence", "next_step"])]
fn every_form_of_answers_gives_the_columns_of_its_template(#[case] form: FormatType, #[case] fields: &[&str]) {
    let output_format = json!({"format_type": form.name(), "required_fields": fields});
    let files = [
        (crate::prompt_generation::ConfigFile::CategoryDefinitions, DEFINITIONS.to_vec()),
        (crate::prompt_generation::ConfigFile::OutputFormat, output_format.to_string().into_bytes()),
    ];
    let (config, problems) = PromptConfiguration::read(&files.into());
    assert_eq!(problems, []);
    let generated = generate(&config.unwrap(), &Settings::default(), GenerationTime::default()).unwrap();
    let files = generated.files().unwrap();
    let [prompts, schema] = ["prompts.json", "schema_19700101_000000.json"]
        .map(|end| files.iter().find(|file| file.path.ends_with(end)).unwrap().content.as_bytes());
    let prompt = read(prompts, Some(schema)).unwrap();
    assert_eq!(prompt.output_schema, generated.prompt.output_schema);
    assert_eq!(prompt.response_schema.is_some(), form == FormatType::StructuredJson);
    let names = prompt.extractor().unwrap().unwrap().names().to_vec();
    assert_eq!(names, fields);
    // `{input_data}` shows the default column.
    assert_eq!(prompt.template, generated.prompt.template.replace("{input_data}", "{input_text}"));
}

#[test]
fn the_system_prompt_is_taken_as_it_is() {
    let system = |text: &str| {
        let file = json!({"user_prompt_template": "t", "system_prompt": text});
        read(file.to_string().as_bytes(), None).unwrap().system
    };
    assert_eq!(system("Use {braces} and {{more}}.").as_deref(), Some("Use {braces} and {{more}}."));
    assert_eq!(system(" "), None);
}

#[test]
fn properties_are_columns_in_the_order_of_the_file() {
    let schema = r#"{"type": "object", "properties": {"z": {"type": "string"}, "a b's": {}, "it\\": {}, "9": {}},
        "processing_config": {"format_type": "structured_json"}, "template_metadata": {"category_count": 1}}"#;
    let prompt = with_schema(schema).unwrap();
    let output = prompt.output_schema.clone().unwrap();
    assert_eq!(output.schema_type, SchemaType::Json);
    let answer = r#"{"9": 4, "it\\": 3, "a b's": 2, "z": "1"}"#;
    let values = prompt.extractor().unwrap().unwrap().extract(answer, None).unwrap();
    let texts: Vec<String> = values.into_iter().map(|value| FieldValue::into_text(value.unwrap())).collect();
    assert_eq!(texts, ["1", "2", "3", "4"]);
    let members = prompt.response_schema.unwrap();
    assert_eq!(members.as_object().unwrap().keys().collect::<Vec<_>>(), ["properties", "type"]);
}

#[test]
fn a_byte_order_mark_is_accepted() {
    let prompts = b"\xef\xbb\xbf{\"user_prompt_template\": \"t\"}";
    assert!(read(prompts, Some(b"\xef\xbb\xbf{\"properties\": {\"a\": {}}}")).is_ok());
}

#[rstest]
#[case("", "prompt_templates, s3://lake/t/prompts.json: is not valid JSON: EOF while parsing")]
#[case("[]", "prompt_templates, s3://lake/t/prompts.json: must contain a JSON object")]
#[case("{}", "prompt_templates, user_prompt_template of s3://lake/t/prompts.json: is required and must not be empty")]
#[case(
    r#"{"user_prompt_template": 7}"#,
    "prompt_templates, user_prompt_template of s3://lake/t/prompts.json is `7`: must be a text"
)]
#[case(
    r#"{"user_prompt_template": "t", "system_prompt": []}"#,
    "prompt_templates, system_prompt of s3://lake/t/prompts.json is `[]`: must be a text"
)]
#[case(
    r#"{"user_prompt_template": "t", "input_placeholders": "a"}"#,
    "prompt_templates, input_placeholders of s3://lake/t/prompts.json is `\"a\"`: must be a list of texts"
)]
#[case(
    r#"{"user_prompt_template": "{{a}}", "input_placeholders": ["{a}"]}"#,
    "input_placeholders of s3://lake/t/prompts.json is `{a}`: must be the name of a column without braces"
)]
#[case(
    r#"{"user_prompt_template": "t", "input_placeholders": ["a"]}"#,
    "user_prompt_template of s3://lake/t/prompts.json: does not show `a`, which input_placeholders names"
)]
#[case(
    r#"{"user_prompt_template": "{{ {", "input_placeholders": []}"#,
    "user_prompt_template of s3://lake/t/prompts.json is `{{ {`: has doubled braces, and a `{` at line 1, column 4"
)]
#[case(
    r#"{"user_prompt_template": "t", "user_prompt_template": "u"}"#,
    "prompt_templates, s3://lake/t/prompts.json: is not valid JSON: has two members `user_prompt_template` in one object"
)]
#[case(
    r#"{"user_prompt_templat": "t"}"#,
    "user_prompt_templat of s3://lake/t/prompts.json: is not a field of this input; did you mean `user_prompt_template`"
)]
fn mistakes_in_prompts_are_reported_with_file_and_member(#[case] prompts: &str, #[case] expected: &str) {
    let problems = read(prompts.as_bytes(), None).unwrap_err();
    assert!(problems.iter().any(|problem| problem.contains(expected)), "{problems:?}");
}

#[rstest]
#[case("7", "validation_schema, s3://lake/s/a.json: must contain a JSON object")]
#[case("{", "validation_schema, s3://lake/s/a.json: is not valid JSON: ")]
#[case(
    "{}",
    "validation_schema, properties of s3://lake/s/a.json: is required: an object with the fields of an answer"
)]
#[case(r#"{"properties": {}}"#, "validation_schema, properties of s3://lake/s/a.json: is required")]
#[case(
    r#"{"properties": {"a": {}}, "type": "array"}"#,
    "validation_schema, type of s3://lake/s/a.json is `array`: must be `object`"
)]
#[case(
    r#"{"properties": {"error": {}}}"#,
    "validation_schema, properties.error of s3://lake/s/a.json: is the name of a column that every output has"
)]
#[case(
    r#"{"properties": {"a": {}, "a": {}}}"#,
    "validation_schema, s3://lake/s/a.json: is not valid JSON: has two members `a` in one object at line 1 column 28"
)]
#[case(
    r#"{"properties": {"a": {"enum": ["x"], "enum": ["y"]}}}"#,
    "validation_schema, s3://lake/s/a.json: is not valid JSON: has two members `enum` in one object"
)]
#[case(
    r#"{"properties": {"a": {"type": "txt"}}}"#,
    "validation_schema, s3://lake/s/a.json: is not a valid JSON Schema at /properties/a/type"
)]
#[case(
    r#"{"properties": {"a": {"$ref": "https://example.com/a"}}}"#,
    "validation_schema, s3://lake/s/a.json: is not a valid JSON Schema"
)]
#[case(
    r#"{"properties": {"a": {}}, "processing_config": {"format_type": "xml"}}"#,
    "processing_config.format_type of s3://lake/s/a.json is `xml`: must be `structured_json` or"
)]
fn mistakes_in_schemas_are_reported_with_file_and_member(#[case] schema: &str, #[case] expected: &str) {
    let problems = with_schema(schema).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains(expected), "{problems:?}");
}

#[test]
fn all_mistakes_of_both_files_are_reported_at_once() {
    let prompts = br#"{"system_prompt": 1, "user_prompt_template": "t", "input_placeholders": ["a"], "x": 1}"#;
    let problems = read(prompts, Some(br#"{"type": "string"}"#)).unwrap_err();
    assert_eq!(problems.len(), 5, "{problems:?}");
}

#[test]
fn a_schema_is_checked_without_its_prompt() {
    assert_eq!(generated_prompt(None, Some(&schema_file(SCHEMA)), "a"), Ok(None));
    assert_eq!(generated_prompt(None, None, "a"), Ok(None));
    let problems = generated_prompt(None, Some(&schema_file(br#"{"properties": {"error": {}}}"#)), "a").unwrap_err();
    assert!(problems.to_string().starts_with("validation_schema, properties.error of s3://lake"), "{problems}");
}

#[test]
fn files_and_prompts_have_a_maximum_size() {
    let long = json!({"user_prompt_template": "x".repeat(MAX_TEMPLATE_FILE_BYTES)}).to_string();
    let problems = read(long.as_bytes(), None).unwrap_err();
    assert!(problems[0].contains("has over 1000000 bytes"), "{problems:?}");
    // Each file is small enough, both together are not.
    let prompts = json!({"user_prompt_template": "x".repeat(900_000)}).to_string();
    let schema = json!({"properties": {"a": {"description": "x".repeat(900_000)}}}).to_string();
    let problems = read(prompts.as_bytes(), Some(schema.as_bytes())).unwrap_err();
    assert!(problems[0].starts_with("prompt_templates: makes a prompt of 1800"), "{problems:?}");
}

proptest! {
    #[test]
    fn any_files_are_read_or_refused(prompts in "[{}\\[\\]\":,a1]{0,30}", schema in "[{}\\[\\]\":,a1]{0,30}") {
        let _ = read(prompts.as_bytes(), Some(schema.as_bytes()));
        let _ = with_schema(&format!("{{\"properties\": {schema}}}"));
        let _ = read(json!({"user_prompt_template": prompts}).to_string().as_bytes(), None);
    }
}
