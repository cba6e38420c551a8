//! Properties of generated prompts that hold for any definitions.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bedrock_batch_domain::extract::FieldValue;
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::prompt::{Piece, Prompt, PromptLibrary, Template};
use bedrock_batch_domain::prompt_generation::{
    ConfigFile, GeneratedPrompt, GenerationTime, PromptConfiguration, PromptsFile, SettingTexts, Settings,
    ValidationSchema, generate, prompt_toml,
};
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const TIME: &str = "2026-11-30T08:31:09Z";

fn read(files: &[(ConfigFile, Value)]) -> (Option<PromptConfiguration>, Vec<Problem>) {
    let files: BTreeMap<_, _> = files.iter().map(|(file, value)| (*file, value.to_string().into_bytes())).collect();
    PromptConfiguration::read(&files)
}

fn generated(files: &[(ConfigFile, Value)], texts: &SettingTexts) -> GeneratedPrompt {
    let (config, problems) = read(files);
    assert_eq!(problems, []);
    let (settings, problems) = Settings::read(texts, "test");
    assert_eq!(problems, []);
    generate(&config.unwrap(), &settings.unwrap(), GenerationTime::from_utc(TIME)).unwrap()
}

/// Returns definitions of which each text is `text` or contains it.
fn definitions(text: &str) -> Value {
    let category = |name: String| {
        json!({"name": name, "description": text, "conditions": [text], "key_indicators": [text, format!("x{text}")],
            "exceptions": [text], "examples": [text], "validation_rules": [text], "aliases": [text], "priority": 1})
    };
    json!([category(format!("one {text}").replace(['\n', '\t'], " ")), category("two".to_owned())])
}

fn settings(change: impl FnOnce(&mut SettingTexts)) -> SettingTexts {
    let mut texts = SettingTexts::default();
    change(&mut texts);
    texts
}

/// Formats as `str.format` of Python does, for placeholders that are plain names. Not the parser of templates.
fn python_format(template: &str, cell: impl Fn(&str) -> String) -> Result<String, String> {
    let mut text = String::new();
    let mut letters = template.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '{' | '}' if letters.peek() == Some(&letter) => {
                letters.next();
                text.push(letter);
            }
            '}' => return Err("Single '}' encountered in format string".to_owned()),
            '{' => {
                let name: String = letters.by_ref().take_while(|letter| *letter != '}').collect();
                text.push_str(&cell(&name));
            }
            other => text.push(other),
        }
    }
    Ok(text)
}

fn rendered(template: &Template, cell: impl Fn(&str) -> String) -> String {
    let parts = template.pieces().iter().map(|piece| match piece {
        Piece::Literal(text) => text.clone(),
        Piece::Column(name) => cell(name),
    });
    parts.collect()
}

fn with_format(format_type: &str) -> [(ConfigFile, Value); 2] {
    let names = ["Delivery", "Return or refund", "It's \"other\" {x}"];
    let categories =
        names.map(|name| json!({"name": name, "description": "d", "conditions": ["c"], "key_indicators": ["k"]}));
    [
        (ConfigFile::CategoryDefinitions, json!(categories)),
        (ConfigFile::OutputFormat, json!({"format_type": format_type})),
    ]
}

#[test]
fn right_answers_are_accepted_and_wrong_ones_refused() {
    let generated = generated(&with_format("structured_json"), &SettingTexts::default());
    let prompt = Prompt::parse(&prompt_toml(&generated.prompt)).unwrap();
    let extractor = prompt.extractor().unwrap().unwrap();
    assert_eq!(extractor.names(), ["category", "confidence", "key_evidence", "reasoning"]);
    let answer = |category: &str, confidence: Value| {
        json!({"category": category, "confidence": confidence, "key_evidence": "e", "reasoning": "r"}).to_string()
    };
    let fields = extractor.extract(&answer("It's \"other\" {x}", json!(0.5)), None).unwrap();
    assert_eq!(fields[0], Some(FieldValue::Text("It's \"other\" {x}".to_owned())));
    let file = jsonschema::validator_for(&serde_json::to_value(generated.schema).unwrap()).unwrap();
    for (category, confidence, is_right) in [
        ("Delivery", json!(0), true),
        ("Delivery", json!(1.0), true),
        ("Refund", json!(0.5), false),
        ("Delivery", json!(1.5), false),
        ("Delivery", json!("0.5"), false),
    ] {
        let answer = answer(category, confidence);
        assert_eq!(extractor.extract(&answer, None).is_ok(), is_right, "{answer}");
        assert_eq!(file.is_valid(&serde_json::from_str(&answer).unwrap()), is_right, "{answer}");
    }
    assert!(extractor.extract("{\"category\": \"Delivery\"}", None).is_err(), "all fields are required");
}

#[test]
fn aliases_of_categories_stand_for_their_names_unless_they_are_ambiguous() {
    let category = |name: &str, aliases: &[&str]| json!({"name": name, "description": "d", "conditions": ["c"], "key_indicators": ["k"], "aliases": aliases});
    let categories = json!([
        category("Delivery", &["Shipping", "parcel", "Return"]),
        category("Return", &["parcel", "money \"back\"", "Money \"Back\""])
    ]);
    let generated = generated(&[(ConfigFile::CategoryDefinitions, categories)], &SettingTexts::default());
    let prompt = Prompt::parse(&prompt_toml(&generated.prompt)).unwrap();
    let extractor = prompt.extractor().unwrap().unwrap();
    let category = |category: &str| {
        let answer = json!({"category": category, "confidence": 1, "key_evidence": "e", "reasoning": "r"});
        let found = extractor.extract_with_changes(&answer.to_string(), None).ok()?;
        Some((found.values[0].clone()?.into_text(), found.changed.len()))
    };
    let expected = |name: &str, changed: usize| Some((name.to_owned(), changed));
    assert_eq!(category("Return"), expected("Return", 0));
    assert_eq!(category(" return"), expected("Return", 1));
    assert_eq!(category("SHIPPING"), expected("Delivery", 1));
    assert_eq!(category("money \"back\""), expected("Return", 1));
    assert_eq!(category("parcel"), None, "an alias of both");
}

#[test]
fn answers_in_lines_are_read_by_the_generated_patterns() {
    let generated = generated(&with_format("structured_text"), &SettingTexts::default());
    let prompt = Prompt::parse(&prompt_toml(&generated.prompt)).unwrap();
    assert_eq!(prompt.response_schema, None);
    let extractor = prompt.extractor().unwrap().unwrap();
    let answer = "Category: It's \"other\" {x}\nConfidence: 0.8\nKey Evidence: e\nReasoning: r";
    let fields = extractor.extract(answer, None).unwrap();
    assert_eq!(fields.iter().filter(|field| field.is_some()).count(), 4, "{fields:?}");
    assert_eq!(extractor.extract(&answer.replace("other", "another"), None).unwrap()[0], None);
}

#[test]
fn an_undefined_category_in_lines_is_null() {
    for level in ["minimal", "standard", "strict"] {
        let texts = settings(|texts| texts.validation_level = Some(level.to_owned()));
        let generated = generated(&with_format("structured_text"), &texts);
        let extractor = generated.prompt.extractor().unwrap().unwrap();
        let answer = "Category: It's another {x}\nConfidence: 0.8\nKey Evidence: e\nReasoning: r";
        let fields = extractor.extract(answer, None).unwrap();
        assert_eq!(fields.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, true, true], "{fields:?}");
    }
}

#[rstest]
#[case::minimal("minimal", json!({"category": "Delivery"}), true)]
#[case::minimal("minimal", json!({"category": "Delivery", "mood": "bad"}), true)]
#[case::minimal("minimal", json!({"category": "Nothing"}), false)]
#[case::standard("standard", json!({"category": "Delivery", "confidence": 1, "key_evidence": "", "reasoning": ""}), true)]
#[case::standard("standard", json!({"category": "Delivery", "confidence": 1, "key_evidence": "", "reasoning": "", "x": 1}), false)]
#[case::strict("strict", json!({"category": "Delivery", "confidence": 1, "key_evidence": "", "reasoning": "r"}), false)]
#[case::strict("strict", json!({"category": "Delivery", "confidence": 1, "key_evidence": "e", "reasoning": "r"}), true)]
fn the_level_decides_what_an_answer_must_have(#[case] level: &str, #[case] answer: Value, #[case] is_right: bool) {
    let texts = settings(|texts| texts.validation_level = Some(level.to_owned()));
    let generated = generated(&with_format("structured_json"), &texts);
    let extractor = generated.prompt.extractor().unwrap().unwrap();
    assert_eq!(extractor.extract(&answer.to_string(), None).is_ok(), is_right);
    let is_strict = generated.prompts.user_prompt_template.contains("Check each of these points");
    assert_eq!(is_strict, level == "strict");
}

#[test]
fn settings_decide_what_the_prompt_contains() {
    let files = [(ConfigFile::CategoryDefinitions, definitions("words of the definitions"))];
    let all = generated(&files, &SettingTexts::default());
    assert!(all.prompts.user_prompt_template.contains("    - Examples:\n        * words of the definitions"));
    assert!(all.prompts.user_prompt_template.contains("    - Must NOT include:\n        * words of the definitions"));
    let less = generated(
        &files,
        &settings(|texts| {
            texts.include_examples = Some("false".to_owned());
            texts.generate_validation_schema = Some("false".to_owned());
            texts.template_version = Some("2.1".to_owned());
        }),
    );
    assert!(!less.prompts.user_prompt_template.contains("Examples:"));
    assert_eq!((less.schema, less.prompt.response_schema), (None, None));
    assert_eq!((less.metadata.template_version.as_str(), less.metadata.includes_examples), ("2.1", false));
    let paths: Vec<String> = all.files().unwrap().into_iter().map(|file| file.path).collect();
    assert_eq!(
        paths,
        [
            "templates/prompts.json",
            "metadata/template_metadata_20261130_083109.json",
            "schema/validation_schema_20261130_083109.json",
            "prompt-templates/test.toml"
        ]
    );
}

#[test]
fn each_style_has_its_wording_and_all_five_components() {
    let files = [(ConfigFile::CategoryDefinitions, definitions("text"))];
    let mut seen = Vec::new();
    for style in ["structured", "conversational", "technical"] {
        let generated = generated(&files, &settings(|texts| texts.style = Some(style.to_owned())));
        let template = generated.prompts.user_prompt_template;
        let places: Vec<usize> = ["two", "{input_data}", "Read all of the data", "\"category\": "]
            .map(|part| template.find(part).unwrap())
            .into();
        assert!(places.is_sorted(), "{style}: {places:?}");
        assert!(generated.prompts.system_prompt.starts_with("You are an expert analyst"));
        assert!(!seen.contains(&template));
        seen.push(template);
    }
}

#[test]
fn files_that_were_written_are_read_again() {
    let generated = generated(&with_format("structured_json"), &SettingTexts::default());
    let files = generated.files().unwrap();
    let prompts: PromptsFile = serde_json::from_str(&files[0].content).unwrap();
    assert_eq!(prompts, generated.prompts);
    let schema: ValidationSchema = serde_json::from_str(&files[2].content).unwrap();
    assert_eq!(Some(schema), generated.schema);
    let foreign = json!({"type": "object", "properties": {"category": {"enum": ["A"]}}, "required": ["category"]});
    let schema: ValidationSchema = serde_json::from_value(foreign).unwrap();
    assert_eq!(schema.processing_config, None);
    assert_eq!(schema.response_schema()["required"], json!(["category"]));
}

#[rstest]
#[case::json("structured_json", 500, 150, None)]
#[case::text("structured_text", 500, 20, None)]
#[case::too_long("structured_text", 500, 150, Some("; shorten the names of the categories, or use `structured_json`"))]
fn hundreds_of_categories_make_a_prompt_or_a_problem(
    #[case] format_type: &str,
    #[case] count: usize,
    #[case] length: usize,
    #[case] remedy: Option<&str>,
) {
    let categories = (0..count).map(|number| {
        let name = format!("{number} {}", "some words ".repeat(length / 10));
        json!({"name": name, "description": "d", "conditions": ["c"], "key_indicators": [format!("k{number}")]})
    });
    let (config, problems) = read(&[
        (ConfigFile::CategoryDefinitions, categories.collect()),
        (ConfigFile::OutputFormat, json!({"format_type": format_type})),
    ]);
    assert_eq!(problems, []);
    let result = generate(&config.unwrap(), &Settings::default(), GenerationTime::from_utc(TIME));
    match remedy {
        None => assert_eq!(result.unwrap().metadata.category_count, count),
        Some(remedy) => assert!(result.unwrap_err().to_string().ends_with(remedy)),
    }
}

/// Returns an example of an answer with this value of a field, or without it.
fn answer(field: &str, value: Option<Value>) -> Value {
    let mut answer = json!({"category": "two", "confidence": 0.5, "key_evidence": "e", "reasoning": "r"});
    match value {
        Some(value) => answer[field] = value,
        None => drop(answer.as_object_mut().unwrap().remove(field)),
    }
    answer
}

#[rstest]
#[case::object("structured_json", answer("confidence", Some(json!(1))), None)]
#[case::unknown_category("structured_json", answer("category", Some(json!("TWO"))), Some("its category `TWO` is not one of"))]
#[case::no_field("structured_json", answer("reasoning", None), Some("has no `reasoning`; give it all required fields"))]
#[case::out_of_range("structured_json", answer("confidence", Some(json!(7))), Some("would be refused as an answer: "))]
#[case::number_in_text("structured_json", answer("confidence", Some(json!("0.5"))), Some("would be refused as an answer: "))]
#[case::further_field("structured_json", answer("mood", Some(json!("good"))), Some("would be refused as an answer: "))]
#[case::text("structured_json", json!(answer("confidence", Some(json!(1))).to_string()), None)]
#[case::text_out_of_range("structured_json", json!(answer("confidence", Some(json!(7))).to_string()), Some("would be refused"))]
#[case::not_json("structured_json", json!(["Category: two"]), Some("would be refused as an answer: "))]
#[case::lines("structured_text", json!(["Category: two", "Confidence: 0.5", "Key Evidence: e", "Reasoning: r"]), None)]
#[case::lines_out_of_range("structured_text", json!("Category: two\nConfidence: 7\nKey Evidence: e\nReasoning: r"),
    Some("would be an answer without a valid `confidence`"))]
#[case::lines_unknown("structured_text", json!(["Category: three", "Confidence: 0.5", "Key Evidence: e", "Reasoning: r"]),
    Some("would be an answer without a valid `category`"))]
#[case::prose("structured_text", json!("I do not know."), Some("would be refused as an answer: "))]
fn an_example_that_would_be_refused_as_an_answer_is_a_contradiction(
    #[case] format_type: &str,
    #[case] example: Value,
    #[case] expected: Option<&str>,
) {
    let files = [
        (ConfigFile::CategoryDefinitions, definitions("t")),
        (ConfigFile::OutputFormat, json!({"format_type": format_type, "example_output": example})),
    ];
    let quality = generated(&files, &SettingTexts::default()).metadata.validation_results;
    let component = quality.validation_details.last().unwrap();
    let found: Vec<&str> = component
        .issues
        .iter()
        .filter_map(|issue| issue.split_once("output_format.example_output: "))
        .map(|(_, text)| text)
        .collect();
    assert_eq!(found.len(), usize::from(expected.is_some()), "{found:?}");
    assert!(expected.is_none_or(|expected| found[0].starts_with(expected)), "{found:?}");
    assert_eq!(component.is_valid, expected.is_none());
}

#[test]
fn a_report_stays_small_however_many_issues_there_are() {
    let texts = |count: usize, text: &str| (0..count).map(|at| format!("{text} {}", at % 9)).collect::<Vec<_>>();
    let categories = (0..40).map(|number| {
        json!({"name": format!("c{number}"), "description": "d", "conditions": ["c"], "key_indicators": ["k"],
            "exceptions": texts(30, "broken shade"), "examples": texts(90, "the shade was broken by the lamp of")})
    });
    let placeholders: Vec<String> = (0..900).map(|number| format!("${{p{number}}}")).collect();
    let files = [
        (ConfigFile::CategoryDefinitions, categories.collect()),
        (ConfigFile::OutputFormat, json!({"formatting_rules": placeholders})),
    ];
    let input: usize = files.iter().map(|(_, value)| value.to_string().len()).sum();
    let generated = generated(&files, &SettingTexts::default());
    let quality = &generated.metadata.validation_results;
    let categories = &quality.validation_details[1];
    // One per example, and a few per category and text.
    assert!((3600..10_000).contains(&categories.issue_count()), "{}", categories.issue_count());
    assert_eq!((categories.issues.len(), categories.score), (200, 0.0));
    assert!(categories.issues[0].starts_with("contradictory: "), "{:?}", categories.issues[0]);
    let placeholders = &generated.metadata.placeholder_validation;
    assert_eq!((placeholders.failed, placeholders.failures.len()), (900, 100));
    let metadata = serde_json::to_string(&generated.metadata).unwrap();
    assert!(metadata.len() < 2 * input, "{} of {input}", metadata.len());
    assert!(metadata.contains("\"issues_left_out\""));
}

fn any_json() -> impl Strategy<Value = Value> {
    let names = prop_oneof![
        Just("name"),
        Just("description"),
        Just("conditions"),
        Just("key_indicators"),
        Just("examples"),
        Just("exceptions"),
        Just("aliases"),
        Just("priority"),
        Just("tone"),
        Just("format_type"),
        Just("required_fields"),
        Just("example_output"),
        Just("field_descriptions"),
        Just("role_definition"),
        Just("step_by_step_format"),
        Just("a\u{1b}[2Jb"),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[ a{}$\\n\u{1b}]{0,5}".prop_map(Value::from),
        Just(json!(["category", "x"])),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..9).prop_map(|members| {
                let members = members.into_iter().map(|(name, value)| (name.to_owned(), value));
                members.collect::<Map<_, _>>().into()
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_json_panics_and_no_message_has_control_characters(
        definitions in any_json(), system in any_json(), output in any_json(), instruction in any_json()
    ) {
        let files = [
            (ConfigFile::CategoryDefinitions, definitions),
            (ConfigFile::SystemPrompt, system),
            (ConfigFile::OutputFormat, output),
            (ConfigFile::Instruction, instruction),
        ];
        let (config, problems) = read(&files);
        prop_assert_eq!(config.is_none(), !problems.is_empty());
        for problem in problems {
            prop_assert!(!problem.to_string().contains(char::is_control), "{}", problem);
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let files = ConfigFile::ALL.map(|file| (file, bytes.clone()));
        let (_, problems) = PromptConfiguration::read(&files.into_iter().collect());
        for problem in problems {
            prop_assert!(!problem.to_string().contains(char::is_control), "{}", problem);
        }
    }

    #[test]
    fn every_text_comes_out_as_it_is_in_both_forms(
        text in "[a{}'\"\\\\$ü%\\n ]{0,12}x", cell in "[{}a\\n]{0,8}",
        column in "[a-zA-Z_ü -]{1,10}[a-z]", format_type in prop_oneof![Just("structured_json"), Just("structured_text")],
    ) {
        let files = [
            (ConfigFile::CategoryDefinitions, definitions(&text)),
            (ConfigFile::SystemPrompt, json!({"role_definition": text, "responsibilities": [text]})),
            (ConfigFile::OutputFormat, json!({"format_type": format_type, "header_text": text, "formatting_rules": [text],
                "field_descriptions": {"reasoning": text}, "example_output": text})),
        ];
        let placeholders = json!([column, "other column"]).to_string();
        let generated = generated(&files, &settings(|texts| texts.input_placeholders = Some(placeholders)));
        let mut library = PromptLibrary::default();
        library.add("test", &prompt_toml(&generated.prompt)).unwrap();
        let prompt = &library.prompts["test"];
        prop_assert_eq!(prompt, &generated.prompt);
        let template = prompt.parsed_template().unwrap();
        let mut columns = vec![column.as_str(), "other column"];
        columns.sort_unstable();
        columns.dedup();
        prop_assert_eq!(template.columns().into_iter().collect::<Vec<_>>(), columns);
        let from_toml = rendered(&template, |_| cell.clone());
        let from_python = python_format(&generated.prompts.user_prompt_template, |_| cell.clone());
        prop_assert_eq!(Ok(&from_toml), from_python.as_ref());
        let line = text.trim().lines().next_back().unwrap().trim_end().to_owned();
        prop_assert!(from_toml.contains(&line), "{:?} lacks {:?}", from_toml, line);
        prop_assert_eq!(prompt.system.as_deref(), Some(generated.prompts.system_prompt.as_str()));
    }
}
