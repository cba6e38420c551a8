//! `bedrock-batch prompts generate` and the checks of prompt configurations, as a user runs them.
#![expect(clippy::unwrap_used, reason = "a test that cannot continue fails")]
#![allow(clippy::disallowed_methods, reason = "tests write the files that they need")]

mod command;

use command::{Finished, repository, run};
use rstest::rstest;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const TIME: &str = "1796027469";
const EXAMPLE: &str = "prompt-configs/support-tickets";

/// Returns the files of a folder, by their paths in it.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, std::fs::read_to_string(path).unwrap());
            }
        }
    }
    found
}

fn generate(out: &Path, more: &[&str], environment: &[(&str, &str)]) -> Finished {
    let out = out.to_str().unwrap();
    let arguments = [&["prompts", "generate", EXAMPLE, "--out", out], more].concat();
    run(&arguments, &repository(), environment)
}

/// Creates a folder `configs` of prompt configurations.
fn configs(contents: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("configs")).unwrap();
    for (name, content) in contents {
        std::fs::write(folder.path().join("configs").join(name), content).unwrap();
    }
    folder
}

#[test]
fn the_example_generates_the_files_in_the_repository() {
    let out = tempfile::tempdir().unwrap();
    let done = generate(out.path(), &["--input-placeholders", "input_text"], &[("SOURCE_DATE_EPOCH", TIME)]);
    assert_eq!((done.code, done.error.as_str()), (0, ""));
    assert!(done.lines.contains(&"quality: 1.00 of 1, no issues".to_owned()), "{:?}", done.lines);
    let expected = repository().join("tests/fixtures/generated_prompt");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        for (name, content) in files(out.path()) {
            let path = expected.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
    }
    let (written, expected) = (files(out.path()), files(&expected));
    assert_eq!(written.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (name, content) in written {
        assert!(content == expected[&name], "{name} is not as in tests/fixtures/generated_prompt: {content}");
    }
}

#[test]
fn only_the_time_differs_between_two_generations() {
    let [one, two] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    generate(one.path(), &[], &[("SOURCE_DATE_EPOCH", TIME)]);
    generate(two.path(), &[], &[("SOURCE_DATE_EPOCH", "0")]);
    let timeless = |content: String| {
        content.replace("20261130_083109", "19700101_000000").replace("2026-11-30T08:31:09", "1970-01-01T00:00:00")
    };
    let first: BTreeMap<_, _> =
        files(one.path()).into_iter().map(|(name, content)| (timeless(name), timeless(content))).collect();
    assert_eq!(first, files(two.path()));
    assert_eq!(first.len(), 4);
}

#[test]
fn a_run_accepts_the_generated_prompt() {
    let out = tempfile::tempdir().unwrap();
    generate(out.path(), &["--input-placeholders=[\"input_text\", \"customer_name\"]"], &[]);
    let templates = out.path().join("prompt-templates");
    let run_of = |folder: &Path| {
        let folder = folder.to_str().unwrap();
        run(&["validate", "prompt-configs/support-tickets-run.json", "--prompt-templates", folder], &repository(), &[])
    };
    let done = run_of(&templates);
    assert_eq!((done.code, done.error.as_str()), (0, ""), "{:?}", done.lines);
    assert!(done.lines.iter().all(|line| !line.contains("are not known")), "{:?}", done.lines);
    // A column that the rows do not have is reported as with any prompt.
    generate(out.path(), &["--input-placeholders", "nothing"], &[]);
    let done = run_of(&templates);
    assert!(
        done.lines[0].starts_with("column `nothing`: the prompt `support_tickets` needs this column"),
        "{:?}",
        done.lines
    );
}

/// Creates a folder with the example of a run that names generated files, its rows, and these files.
fn generated_run(placeholders: &[&str]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    for name in ["prompt-configs/support-tickets-generated-run.json", "tests/fixtures/support_tickets.csv"] {
        let copy = folder.path().join(name);
        std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
        std::fs::copy(repository().join(name), copy).unwrap();
    }
    generate(&folder.path().join(".local/generated"), placeholders, &[("SOURCE_DATE_EPOCH", TIME)]);
    let file = folder.path().join("prompt-configs/support-tickets-generated-run.json");
    (folder, file)
}

fn validated(file: &Path) -> Finished {
    run(&["validate", file.to_str().unwrap()], file.parent().unwrap(), &[])
}

/// Changes fields of the input in a file.
fn change(file: &Path, fields: &Value) {
    let mut input: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    input.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    std::fs::write(file, input.to_string()).unwrap();
}

#[test]
fn a_run_accepts_the_generated_files() {
    let (_folder, file) = generated_run(&[]);
    let done = validated(&file);
    assert_eq!((done.code, done.error.as_str()), (0, ""), "{:?}", done.lines);
    assert!(done.lines.iter().all(|line| !line.contains("are not known") && !line.contains("generated prompt")));

    // The later stage reads the columns of the schema.
    let mut first: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    first["stage_name"] = json!("category");
    let rows = first.as_object_mut().unwrap().remove("s3_uri").unwrap();
    first["input_s3_uri"] = rows;
    let second = |column: &str| {
        let prompt = json!({"description": "d", "template": format!("{{{column}}} {{key_evidence}}")});
        json!({"stage_name": "reply", "use_previous_output": true, "job_name_prefix": "reply",
            "model_id": first["model_id"], "prompt": prompt})
    };
    let pipeline = |second: Value| json!({"pipeline_name": "p", "stages": [first, second]}).to_string();
    std::fs::write(&file, pipeline(second("category"))).unwrap();
    let done = validated(&file);
    assert_eq!((done.code, done.error.as_str()), (0, ""), "{:?}", done.lines);
    std::fs::write(&file, pipeline(second("topic"))).unwrap();
    let done = validated(&file);
    assert!(done.lines[0].starts_with("stages[1], column `topic`: the prompt `prompt` needs"), "{:?}", done.lines);
}

#[rstest]
#[case::column(json!({"input_data_column": "ticket"}), "column `ticket`: the prompt `prompt` needs this column")]
#[case::no_prompt(json!({"prompt_templates": "../.local/generated/schema"}), "prompt_templates is `../.local/generated/schema`: is neither an S3 address (`s3://bucket/path`) nor a local file or folder")]
#[case::no_schema(json!({"validation_schema": "../.local/generated/templates"}), "this folder contains no validation_schema_<time>.json")]
#[case::missing(json!({"validation_schema": "nothing.json"}), "validation_schema is `nothing.json`: is neither an S3 address")]
#[case::scheme(json!({"prompt_templates": "https://bucket/t/"}), "prompt_templates is `https://bucket/t/`: must look like `s3://bucket/path`")]
#[case::wrong_file(json!({"validation_schema": "../.local/generated/templates/prompts.json"}), "validation_schema, properties of ")]
#[case::two_prompts(json!({"prompt": {"description": "d", "template": "t"}}), "prompt_templates: cannot be combined with prompt; give one of them")]
fn mistakes_in_generated_files_are_reported(#[case] fields: Value, #[case] expected: &str) {
    let (_folder, file) = generated_run(&[]);
    change(&file, &fields);
    let done = validated(&file);
    assert_eq!((done.code, done.lines.len()), (1, 1), "{:?}", done.lines);
    assert!(done.lines[0].contains(expected), "{:?}", done.lines);
}

#[test]
fn a_generated_prompt_in_s3_is_not_checked() {
    let (folder, file) = generated_run(&[]);
    let not_checked = "  the generated prompt of the run, which is in S3, and whether its columns exist";
    for field in ["prompt_templates", "validation_schema"] {
        change(&file, &json!({field: "s3://lake/generated/"}));
        let done = validated(&file);
        assert_eq!((done.code, done.error.as_str()), (0, ""), "{:?}", done.lines);
        assert!(done.lines.iter().any(|line| line == not_checked), "{:?}", done.lines);
    }
    // What is on this machine is checked nevertheless.
    std::fs::write(folder.path().join("schema.json"), r#"{"properties": {"response": {}}}"#).unwrap();
    change(&file, &json!({"validation_schema": "../schema.json"}));
    let done = validated(&file);
    assert!(done.lines[0].starts_with("validation_schema, properties.response of "), "{:?}", done.lines);
}

#[test]
fn arguments_win_over_the_environment() {
    let out = tempfile::tempdir().unwrap();
    let environment = [
        ("INCLUDE_EXAMPLES", "false"),
        ("GENERATE_VALIDATION_SCHEMA", "false"),
        ("TEMPLATE_VERSION", "7"),
        ("TEMPLATE_STYLE", "technical"),
        ("TEMPLATE_TASK_TYPE", "triage"),
        ("VALIDATION_LEVEL", "strict"),
        ("INPUT_PLACEHOLDERS", "[\"input_text\"]"),
        ("SOURCE_DATE_EPOCH", TIME),
    ];
    let metadata = |more: &[&str]| -> (Value, usize) {
        let out = out.path().join(more.len().to_string());
        let done = generate(&out, more, &environment);
        assert_eq!((done.code, done.error.as_str()), (0, ""), "{:?}", done.lines);
        let files = files(&out);
        (serde_json::from_str(&files["metadata/template_metadata_20261130_083109.json"]).unwrap(), files.len())
    };
    let (of_environment, count) = metadata(&[]);
    assert_eq!(count, 3, "no schema");
    for (field, value) in [
        ("includes_examples", json!(false)),
        ("template_version", json!("7")),
        ("template_style", json!("technical")),
        ("task_type", json!("triage")),
        ("validation_level", json!("strict")),
        ("input_placeholders", json!(["input_text"])),
        ("prompt_id", json!("support_tickets")),
    ] {
        assert_eq!(of_environment[field], value, "{field}");
    }
    let (of_arguments, count) = metadata(&[
        "--include-examples",
        "--generate-validation-schema=true",
        "--template-version",
        "8",
        "--style=conversational",
        "--prompt-id=tickets",
    ]);
    assert_eq!(count, 4);
    assert_eq!(of_arguments["includes_examples"], true);
    assert_eq!(of_arguments["template_version"], "8");
    assert_eq!(of_arguments["template_style"], "conversational");
    assert_eq!(of_arguments["prompt_id"], "tickets");
}

#[test]
fn all_problems_are_printed_and_nothing_is_written() {
    let category =
        json!({"name": "A\u{1b}[2J", "description": "d", "conditions": [], "key_indicators": ["k"], "al\u{7}ias": 1});
    let folder = configs(&[
        ("category_definitions.json", json!([category]).to_string().as_bytes()),
        ("system_prompt.json", b"{\n  \"tone\": \"formal\",\n}"),
        ("instructions.json", b"{}"),
    ]);
    let done = run(
        &["prompts", "generate", "configs", "--out", "out", "--style", "formal", "--prompt-id", "a/b"],
        folder.path(),
        &[],
    );
    assert_eq!(done.code, 2);
    assert_eq!(done.error, "error: configs: 7 problems, nothing was written\n");
    let starts = [
        "instructions.json: is not a file that is read; rename it to `instruction.json`",
        "system_prompt.json line 3, column 1: is not valid JSON: trailing comma",
        "category_definitions[0].conditions: is required and must contain at least one text",
        "category_definitions[0].name: contains the control character U+001B at character 2; remove it",
        "category_definitions[0].al�ias: is not a field of this input; did you mean `aliases`?",
        "TEMPLATE_STYLE is `formal`: must be one of `structured`, `conversational`, `technical`",
        "--prompt-id is `a/b`: must consist of",
    ];
    for start in starts {
        assert!(done.lines.iter().any(|line| line.starts_with(start)), "{start}: {:?}", done.lines);
    }
    assert!(!done.lines.concat().contains(char::is_control), "{:?}", done.lines);
    assert!(!folder.path().join("out").exists());
}

#[rstest]
#[case::no_folder("nothing", "error: nothing: ")]
#[case::time("configs", "error: SOURCE_DATE_EPOCH is `soon`: must be a number of seconds since 1970")]
fn what_cannot_be_read_is_reported(#[case] folder: &str, #[case] expected: &str) {
    let configs = configs(&[("category_definitions.json", b"[]")]);
    let environment: &[(&str, &str)] = if folder == "configs" { &[("SOURCE_DATE_EPOCH", "soon")] } else { &[] };
    let done = run(&["prompts", "generate", folder, "--out", "out"], configs.path(), environment);
    assert_eq!(done.code, 2);
    assert!(done.error.starts_with(expected), "{}", done.error);
}

#[rstest]
#[case::folder("configs")]
#[case::file("configs/category_definitions.json")]
#[case::other_file("configs/system_prompt.json")]
fn validate_knows_prompt_configurations(#[case] path: &str) {
    let category = |name: &str, aliases: &[&str]| {
        json!({"name": name, "description": "Everything about it", "conditions": ["c"], "key_indicators": ["k", "l"],
            "exceptions": ["e"], "examples": ["x"], "aliases": aliases})
    };
    let definitions = json!([category("A", &["B"]), category("B", &[])]).to_string();
    let folder = configs(&[("category_definitions.json", definitions.as_bytes()), ("system_prompt.json", b"{}")]);
    let done = run(&["validate", path], folder.path(), &[]);
    assert_eq!((done.code, done.error.as_str()), (0, ""));
    assert_eq!(done.lines[0], "configs contains prompt configurations of 2 categories: no problems");
    let alias = "    contradictory: category_definitions[0].aliases[0]: `B` is the name of another category, `B`; remove the alias";
    assert!(done.lines.contains(&alias.to_owned()), "{:?}", done.lines);
    assert!(
        done.lines.contains(&"  category_definitions: 0.10, too weak for the validation level".to_owned()),
        "{:?}",
        done.lines
    );

    std::fs::write(folder.path().join("configs/category_definitions.json"), "[{}]").unwrap();
    let done = run(&["validate", path], folder.path(), &[]);
    assert_eq!((done.code, done.error.as_str()), (1, "error: configs: 4 problems\n"));
    assert_eq!(done.lines[0], "category_definitions[0].name: is required and must not be empty");
}

/// Returns definitions of two categories with these key indicators, without exceptions and examples.
fn thin_definitions(indicators: [&[&str]; 2]) -> String {
    let category = |number: usize| {
        json!({"name": format!("category {number}"), "description": "Everything that is about it",
            "conditions": [format!("number {number} is named")], "key_indicators": indicators[number]})
    };
    json!([category(0), category(1)]).to_string()
}

#[rstest]
#[case::standard(&[], "  category_definitions: 0.80")]
#[case::strict(&[("VALIDATION_LEVEL", "strict")], "  category_definitions: 0.80, too weak for the validation level")]
#[case::examples(&[("INCLUDE_EXAMPLES", "false")], "  category_definitions: 0.90")]
#[case::level(&[("VALIDATION_LEVEL", "loose")], "VALIDATION_LEVEL is `loose`: must be one of `minimal`, `standard`, `strict`")]
fn validate_uses_the_settings_of_the_environment(#[case] environment: &[(&str, &str)], #[case] expected: &str) {
    let definitions = thin_definitions([&["parcel", "courier"], &["invoice", "payment"]]);
    let folder = configs(&[("category_definitions.json", definitions.as_bytes())]);
    let done = run(&["validate", "configs"], folder.path(), environment);
    assert!(done.lines.iter().any(|line| line == expected), "{:?}", done.lines);
}

#[test]
fn issues_beyond_the_printed_ones_are_counted() {
    let definitions = thin_definitions([&["parcel"; 300], &["invoice", "payment"]]);
    let folder = configs(&[("category_definitions.json", definitions.as_bytes())]);
    let done = run(&["validate", "configs"], folder.path(), &[]);
    assert_eq!(done.lines[1], "quality: 0.80 of 1, 303 issues");
    assert!(done.lines.contains(&"    and 273 more".to_owned()), "{:?}", done.lines);
    let done = run(&["prompts", "generate", "configs", "--out", "out"], folder.path(), &[]);
    assert!(done.lines.contains(&"    and 273 more, of which the metadata lists 170".to_owned()), "{:?}", done.lines);
}

#[test]
fn a_schema_of_an_earlier_generation_is_a_warning() {
    let out = tempfile::tempdir().unwrap();
    let done = generate(out.path(), &[], &[("SOURCE_DATE_EPOCH", TIME)]);
    assert!(done.lines.iter().all(|line| !line.starts_with("warning: ")), "{:?}", done.lines);
    let done = generate(out.path(), &["--generate-validation-schema=false"], &[("SOURCE_DATE_EPOCH", TIME)]);
    let warning = done.lines.last().unwrap();
    assert!(warning.starts_with("warning: the newest schema in "), "{warning}");
    assert!(warning.ends_with("; delete `validation_schema_20261130_083109.json`"), "{warning}");
}

#[test]
fn a_huge_file_is_refused_unread() {
    let folder = configs(&[("category_definitions.json", &vec![b' '; 3 << 20])]);
    let done = run(&["validate", "configs"], folder.path(), &[]);
    assert_eq!(done.code, 1);
    assert!(
        done.lines[0].starts_with("category_definitions.json: has more than 1048576 bytes (1 MiB)"),
        "{:?}",
        done.lines
    );
}

#[test]
fn the_example_has_no_issues() {
    let done = run(&["validate", EXAMPLE], &repository(), &[]);
    assert_eq!(done.code, 0);
    assert_eq!(
        done.lines[0],
        "prompt-configs/support-tickets contains prompt configurations of 6 categories: no problems"
    );
    assert_eq!(done.lines[1], "quality: 1.00 of 1, no issues");
}
