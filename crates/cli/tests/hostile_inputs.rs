//! Output of the command about inputs, files and arguments that someone made to mislead its reader.
#![expect(clippy::unwrap_used, reason = "a test that cannot continue fails")]
#![allow(clippy::disallowed_methods, reason = "tests write the files that they need")]

mod command;

use bedrock_batch_domain::printable::is_hidden;
use command::{Finished, run};
use rstest::rstest;
use serde_json::{Value, json};
use std::path::Path;

const HOSTILE: &str = "x\u{1b}]0;t\u{7}\u{1b}[2J\u{7f}\u{9b}31m\u{202e}txt\u{2066}\u{200b}\u{feff}\u{2028}\u{e0041}";
const FORGED: &str = "x\u{1b}[2J\r\n\ninput.json contains an execution input: no problems\nerror: none\n\u{202e}y";

/// Runs the command and checks that nothing that it prints is obeyed, or reads like a result of its own.
fn checked(arguments: &[&str], folder: &Path, environment: &[(&str, &str)]) -> Finished {
    let done = run(arguments, folder, environment);
    for line in done.lines.iter().map(String::as_str).chain(done.error.lines()) {
        assert!(!line.contains(is_hidden), "{arguments:?}: {line:?}");
        assert!(!line.starts_with("error: none") && !line.ends_with(": no problems"), "{arguments:?}: {line:?}");
        assert!(line.len() < 70_000, "{arguments:?}: {}", line.len());
    }
    done
}

fn input(fields: &Value) -> String {
    let mut input = json!({"s3_uri": "s3://b/a.csv", "job_name_prefix": "p", "model_id": "m", "prompt_id": "mood"});
    input.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    input.to_string()
}

#[rstest]
#[case::keys(&input(&json!({FORGED: 1, HOSTILE: 1})))]
#[case::long_key(&input(&json!({"k".repeat(200_000): "v".repeat(200_000)})))]
#[case::long_keys(&input(&(0..200).map(|n| (format!("{n}{}", "ü".repeat(5000)), json!(FORGED))).collect::<serde_json::Map<_, _>>().into()))]
#[case::values(&input(&json!({"prompt_id": FORGED, "model_id": HOSTILE, "s3_uri": FORGED, "job_name_prefix": HOSTILE})))]
#[case::local_file(&input(&json!({"s3_uri": format!("no{HOSTILE}.csv")})))]
#[case::nested(&input(&json!({"inference": {FORGED: FORGED}, "prompt_config": {"mode": HOSTILE}, "column_mappings": {HOSTILE: FORGED}})))]
#[case::inline_prompt(&input(&json!({"prompt_id": null, "prompt": {"description": "d", "template": format!("{{{FORGED}}}"), HOSTILE: 1}})))]
#[case::reference(&input(&json!({"reference": {FORGED: FORGED, "codes": format!("{HOSTILE}.csv")}})))]
#[case::generated(&input(&json!({"prompt_id": null, "prompt_templates": HOSTILE, "validation_schema": FORGED})))]
#[case::pipeline(&json!({"pipeline_name": FORGED, "stages": [{"stage_name": HOSTILE, FORGED: 1}], HOSTILE: 1}).to_string())]
#[case::payload(&json!({"problem_type": FORGED, "input_key": HOSTILE, "imdrf_key": HOSTILE, FORGED: 1}).to_string())]
#[case::two_members(&format!("{{\"prompts\": {{\"{0}\": 1, \"{0}\": 2}}}}", "a\\u001b[2J\\nb"))]
#[case::not_json(&format!("{{\"a\": {FORGED}"))]
#[case::deep(&"[".repeat(100_000))]
#[case::of_another_kind("\"\u{202e}\"")]
fn nothing_that_is_printed_about_a_hostile_input_is_obeyed(#[case] input: &str) {
    let folder = tempfile::tempdir().unwrap();
    let templates = folder.path().join("prompt-templates");
    std::fs::create_dir(&templates).unwrap();
    std::fs::write(templates.join("mood.toml"), "description = \"d\"\ntemplate = \"{text}\"").unwrap();
    std::fs::write(
        templates.join("bro\u{202e}ken\u{1b}[2J.toml"),
        format!("description = \"{FORGED}\"\n\"{HOSTILE}\" = 1"),
    )
    .unwrap();
    let name = "in\u{202e}put\u{1b}[2J\n.json";
    std::fs::write(folder.path().join(name), input).unwrap();
    let done = checked(&["validate", name], folder.path(), &[]);
    assert_ne!(done.code, 0, "{:?}", done.lines);
    checked(&["validate", name, "--columns", FORGED, "--input", HOSTILE], folder.path(), &[]);
    checked(&["validate", name, "--prompt-templates", HOSTILE, "--model-overrides", FORGED], folder.path(), &[]);
}

#[test]
fn a_long_key_is_cut_with_a_count_and_the_rule_stays() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("prompt-templates")).unwrap();
    std::fs::write(folder.path().join("input.json"), input(&json!({"k".repeat(200_000): 1}))).unwrap();
    let done = checked(&["validate", "input.json"], folder.path(), &[]);
    let line = done.lines.iter().find(|line| line.contains("kkk")).unwrap();
    assert!(line.contains("kkk… (199700 more characters)") && line.contains("is not a field"), "{line}");
}

#[rstest]
#[case::option(&["--\u{1b}[2J\u{202e}x"])]
#[case::command(&["\u{9b}2J"])]
#[case::value(&["show", "a", "--rows", "\u{1b}[2J\nerror: none"])]
#[case::choice(&["schema", "\u{202e}\nerror: none"])]
fn arguments_that_cannot_be_parsed_are_quoted_printably(#[case] arguments: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let done = checked(arguments, folder.path(), &[]);
    assert_eq!(done.code, 2, "{}", done.error);
}

#[test]
fn help_shows_values_of_variables_printably() {
    let folder = tempfile::tempdir().unwrap();
    let environment = [("BUCKET_NAME", HOSTILE), ("AWS_REGION", FORGED), ("STATE_MACHINE_ARN", HOSTILE)];
    for arguments in [&["--help"][..], &["validate", "--help"], &["status", "--help"]] {
        let done = checked(arguments, folder.path(), &environment);
        assert!(done.code == 0 && done.lines.len() > 5, "{:?}", done.lines);
    }
    let done = checked(&["status", "x"], folder.path(), &environment);
    assert!(done.code == 2 && done.error.contains("--state-machine"), "{}", done.error);
}

#[test]
fn prompt_configurations_are_reported_printably() {
    let folder = tempfile::tempdir().unwrap();
    let configs = folder.path().join("con\u{202e}figs\u{1b}[2J");
    std::fs::create_dir(&configs).unwrap();
    let categories =
        json!([{"name": FORGED, HOSTILE: 1, "description": HOSTILE, "conditions": [FORGED], "examples": [HOSTILE]}]);
    std::fs::write(configs.join("category_definitions.json"), categories.to_string()).unwrap();
    std::fs::write(configs.join("Output_format.json"), format!("{{\"{FORGED}\"")).unwrap();
    let configs = configs.to_str().unwrap();
    for arguments in
        [&["validate", configs][..], &["prompts", "generate", configs, "--out", HOSTILE, "--style", FORGED]]
    {
        let done = checked(arguments, folder.path(), &[]);
        assert_ne!(done.code, 0, "{:?}", done.lines);
    }
}
