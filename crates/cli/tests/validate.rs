//! `bedrock-batch validate` and `schema`, as a user runs them: without AWS, a region or a stack.
#![expect(clippy::unwrap_used, reason = "a test that cannot continue fails")]
#![allow(clippy::disallowed_methods, reason = "tests write the files that they need")]

mod command;

use command::{Finished, repository};
use rstest::rstest;
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;

fn run(arguments: &[&str], folder: &Path) -> Finished {
    command::run(arguments, folder, &[])
}

/// Creates a folder with `input.json`, two templates, a rule and a table.
fn folder(input: &Value) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    std::fs::create_dir(folder.path().join("prompt-templates")).unwrap();
    let fields = "[output_schema]\ntype = \"json\"\nfields = { mood = \"$.mood\" }";
    write("prompt-templates/mood.toml", &format!("description = \"d\"\ntemplate = \"{{text}}\"\n{fields}"));
    write("prompt-templates/reply.toml", "description = \"d\"\ntemplate = \"{text} {mood}\"");
    write("prompt-templates/both.toml", "description = \"d\"\nexpansion_rule = true\nprompts = [\"mood\", \"reply\"]");
    write("rows.csv", "id,text\n1,hello\n");
    write("input.json", &input.to_string());
    folder
}

const MODEL: &str = "us.anthropic.claude-haiku-4-5-20251001-v1:0";

fn run_input() -> Value {
    json!({"s3_uri": "rows.csv", "job_name_prefix": "p", "model_id": MODEL, "prompt_id": "mood"})
}

fn pipeline() -> Value {
    json!({"pipeline_name": "replies", "stages": [
        {"stage_name": "read", "input_s3_uri": "rows.csv", "job_name_prefix": "a", "model_id": MODEL, "prompt_id": "mood"},
        {"stage_name": "write", "use_previous_output": true, "job_name_prefix": "b", "model_id": MODEL, "prompt_id": "reply"},
    ]})
}

fn with(mut input: Value, changes: &[(&str, Value)]) -> Value {
    for (pointer, value) in changes {
        let (object, field) = pointer.rsplit_once('/').unwrap();
        input.pointer_mut(object).unwrap()[field] = value.clone();
    }
    input
}

#[test]
fn a_dataset_is_checked_without_a_network() {
    let of_dataset = |id: &str, split: &str| json!({"dataset_id": id, "split": split, "job_name_prefix": "p", "model_id": MODEL, "prompt_id": "mood"});
    let done = run(&["validate", "input.json", "--columns", "text"], folder(&of_dataset("acme/rows", "test")).path());
    assert_eq!(done.code, 0, "{:?}", done.lines);
    assert!(done.lines.iter().any(|line| line.starts_with("  whether the dataset exists")), "{:?}", done.lines);
    let done = run(&["validate", "input.json"], folder(&of_dataset("../rows", "train[:9]")).path());
    assert_eq!((done.code, done.lines.len()), (1, 2), "{:?}", done.lines);
    assert!(done.lines[0].starts_with("dataset_id is `../rows`") && done.lines[1].starts_with("split is `train[:9]`"));
    let done = run(&["validate", "input.json", "--input", "rows.csv"], folder(&of_dataset("acme/rows", "test")).path());
    assert_eq!(done.code, 0, "other rows take the place of the dataset: {:?}", done.lines);
}

fn payload() -> Value {
    json!({"input_bucket": "lake", "input_key": "a.csv", "output_bucket": "lake", "problem_type": "product", "imdrf_key": "b.csv"})
}

#[test]
fn a_payload_of_the_classifier_is_checked() {
    let templates = repository().join("prompt-templates").display().to_string();
    let validate = |payload: &Value, columns: &str| {
        run(&["validate", "input.json", "--prompt-templates", &templates, "--columns", columns], folder(payload).path())
    };
    let done = validate(&payload(), "id,mdr_text");
    assert_eq!(
        (done.code, done.lines[0].as_str()),
        (0, "input.json contains a payload of the classifier: no problems")
    );
    assert!(done.lines.iter().any(|line| line.starts_with("  whether the stack may read")), "{:?}", done.lines);
    let done = validate(&payload(), "mdr_text");
    assert_eq!(done.code, 1);
    assert!(done.lines[0].contains("`id`: this column does not exist"), "{:?}", done.lines);
    let wrong = with(payload(), &[("/problem_type", json!("device")), ("/max_worker", json!(1))]);
    let done = validate(&wrong, "id,mdr_text");
    assert_eq!((done.code, done.lines.len()), (1, 2), "{:?}", done.lines);
    assert!(done.lines[0].starts_with("problem_type is `device`: must be `product` or `patient`"));
    let done = validate(&with(payload(), &[("/model_id", json!("gpt-4"))]), "id,mdr_text");
    assert!(done.lines[0].starts_with("model_id is `gpt-4`: "), "{:?}", done.lines);
}

#[test]
fn copies_are_not_checked_without_aws() {
    let input = with(run_input(), &[("/output_uri", json!("s3://reports/a/"))]);
    let done = run(&["validate", "input.json"], folder(&input).path());
    assert_eq!(done.code, 0, "{:?}", done.lines);
    assert!(
        done.lines.iter().any(|line| line.starts_with("  whether the stack may write to output_uri")),
        "{:?}",
        done.lines
    );
}

#[test]
fn a_valid_input_passes_and_unchecked_properties_are_listed() {
    let done = run(&["validate", "input.json"], folder(&run_input()).path());
    assert_eq!((done.code, done.error.as_str()), (0, ""));
    assert_eq!(done.lines[0], "input.json contains an execution input: no problems");
    assert_eq!(done.lines[2], "  the run reads the columns `id`, `text`");
    assert!(done.lines[3].starts_with("  the run adds the columns `response`, "), "{:?}", done.lines);
    assert!(done.lines[4].starts_with("  rows.csv has 1 row: fewer than 100"), "{:?}", done.lines);
    assert_eq!(done.lines.iter().filter(|line| line.contains("1 row")).count(), 1, "{:?}", done.lines);
    let done = run(&["validate", "input.json"], folder(&pipeline()).path());
    assert_eq!((done.code, done.lines[0].as_str()), (0, "input.json contains a pipeline of 2 stages: no problems"));
    assert!(
        done.lines.iter().any(|line| line.starts_with("  stage `write` reads the columns `record_id`, `id`, `text`"))
    );
    let in_s3 = with(pipeline(), &[("/stages/0/input_s3_uri", json!("s3://bucket/rows.csv"))]);
    let done = run(&["validate", "input.json"], folder(&in_s3).path());
    assert_eq!(done.code, 0);
    assert!(
        done.lines.iter().any(|line| line.starts_with("  whether the columns that stage `read` needs exist")),
        "{:?}",
        done.lines
    );
}

#[rstest]
#[case::prompt(run_input(), "/prompt_id", json!("moood"), "prompt_id is `moood`: a prompt template of this name does not exist; did you mean `mood`?")]
#[case::model(run_input(), "/model_id", json!("gpt-4"), "model_id is `gpt-4`: ")]
#[case::column(run_input(), "/prompt_id", json!("reply"), "column `mood`: the prompt `reply` needs this column")]
#[case::field(run_input(), "/max_job", json!(1), "max_job: is not a field of this input")]
#[case::copies(run_input(), "/output_uri", json!("answers/"), "output_uri is `answers/`: must look like `s3://bucket/path`")]
#[case::placeholder(run_input(), "/s3_uri", json!("s3://bucket-YOUR_ACCOUNT_ID/a.csv"), "s3_uri is `s3://bucket-YOUR_ACCOUNT_ID/a.csv`: still contains the placeholder")]
#[case::missing_file(run_input(), "/s3_uri", json!("typo.csv"), "s3_uri is `typo.csv`: file not found, and it is not an S3 address (`s3://bucket/path`)")]
#[case::missing_folder(pipeline(), "/stages/0/input_s3_uri", json!("photos/"), "stages[0].input_s3_uri is `photos/`: file not found, and it is not an S3 address")]
#[case::scheme(run_input(), "/s3_uri", json!("https://bucket/rows.csv"), "s3_uri is `https://bucket/rows.csv`: must look like `s3://bucket/path`")]
#[case::rule(run_input(), "/prompt_config", json!({"mode": "expanded", "category_column": "id", "expansion_mapping": {"a": "bothh"}}),
    "prompt_config.expansion_mapping.a is `bothh`: an expansion rule of this name does not exist")]
#[case::stage_prompt(pipeline(), "/stages/1/prompt_id", json!("replyy"), "stages[1].prompt_id is `replyy`: a prompt template of this name does not exist")]
#[case::stage_mapping(pipeline(), "/stages/1/column_mappings", json!({"x": "nothing"}), "stages[1].column_mappings.x is `nothing`: this column does not exist")]
#[case::first_of_previous(pipeline(), "/stages/0/use_previous_output", json!(true), "stages[0].use_previous_output: the first stage has no previous stage")]
#[case::two_sources(pipeline(), "/stages/1/input_s3_uri", json!("s3://bucket/b.csv"), "stages[1].input_s3_uri: cannot be combined with use_previous_output")]
#[case::no_source(pipeline(), "/stages/1/use_previous_output", json!(null), "stages[1].input_s3_uri: exactly one of this and `use_previous_output: true` is required")]
#[case::one_name(pipeline(), "/stages/1/stage_name", json!("read"), "stages[1].stage_name is `read`: is already the name of stages[0]")]
#[case::text_only_model(with(pipeline(), &[("/stages/0/input_type", json!("image")), ("/stages/0/image_column", json!("id"))]),
    "/stages/0/model_id", json!("amazon.nova-micro-v1:0"), "stages[0].model_id is `amazon.nova-micro-v1:0`: does not accept images")]
fn each_problem_is_reported_in_one_line(
    #[case] input: Value,
    #[case] at: &str,
    #[case] value: Value,
    #[case] expected: &str,
) {
    let done = run(&["validate", "input.json"], folder(&with(input, &[(at, value)])).path());
    assert_eq!(done.code, 1, "{:?}", done.lines);
    assert!(done.lines.iter().any(|line| line.starts_with(expected)), "{:?}", done.lines);
    assert!(done.error.starts_with("error: input.json: "), "{}", done.error);
}

#[test]
fn all_problems_are_reported_at_once() {
    let changes = [
        ("/pipeline_name", json!("")),
        ("/stages/0/max_num_jobs", json!(0)),
        ("/stages/1/prompt_id", json!("nothing")),
        ("/stages/1/model_id", json!("nothing")),
    ];
    let done = run(&["validate", "input.json"], folder(&with(pipeline(), &changes)).path());
    let fields: Vec<&str> = done.lines.iter().filter_map(|line| line.split([' ', ':']).next()).collect();
    assert_eq!(fields, ["pipeline_name", "stages[0].max_num_jobs", "stages[1].model_id", "stages[1].prompt_id"]);
    assert_eq!(done.error, "error: input.json: 4 problems\n");
}

#[rstest]
#[case::jsonpath(
    "[output_schema]\ntype = \"json\"\nfields = { a = \"$.a[\" }",
    "prompt-templates/broken.toml: output_schema.fields.a is `$.a[`: is not a valid JSONPath: "
)]
#[case::pattern(
    "[output_schema]\ntype = \"regex\"\nfields = { a = \"(\" }",
    "prompt-templates/broken.toml: output_schema.fields.a is `(`: is not a valid regular expression: "
)]
#[case::field(
    "tempalte = \"x\"",
    "prompt-templates/broken.toml: TOML parse error at line 3, column 1: unknown field `tempalte`"
)]
fn an_invalid_template_is_reported_with_its_file_and_field(#[case] more: &str, #[case] expected: &str) {
    let folder = folder(&with(run_input(), &[("/prompt_id", json!("nothing"))]));
    let template = format!("description = \"d\"\ntemplate = \"t\"\n{more}");
    std::fs::write(folder.path().join("prompt-templates/broken.toml"), template).unwrap();
    let done = run(&["validate", "input.json"], folder.path());
    assert_eq!(done.code, 1);
    assert!(done.lines[0].starts_with(expected), "{:?}", done.lines);
    assert!(done.lines[1].starts_with("prompt_id is `nothing`"), "the input is checked too: {:?}", done.lines);
    assert_eq!(done.lines.len(), 2, "{:?}", done.lines);
}

#[rstest]
#[case("")]
#[case("arn:aws:states:eu-west-1:1:stateMachine:of-another-project:PROD")]
fn the_stack_of_the_environment_does_not_matter(#[case] machine: &str) {
    let folder = folder(&run_input());
    let environment = [("STATE_MACHINE_ARN", machine), ("PIPELINE_STATE_MACHINE_ARN", machine)];
    let done = command::run(&["validate", "input.json"], folder.path(), &environment);
    assert_eq!((done.code, done.error.as_str()), (0, ""));
}

#[test]
fn each_problem_of_a_local_file_has_its_line() {
    let folder = folder(&with(run_input(), &[("/s3_uri", json!("rows.jsonl"))]));
    std::fs::write(folder.path().join("rows.jsonl"), "{\"text\": 1, \"text\": 2}\n[1]\n{\"text\": \"a\"}\n").unwrap();
    let done = run(&["validate", "input.json"], folder.path());
    assert_eq!((done.code, done.lines.len()), (1, 2), "{:?}", done.lines);
    for (line, number) in done.lines.iter().zip(1..=2) {
        assert!(line.starts_with(&format!("rows.jsonl line {number}")), "{line}");
    }
}

#[test]
fn columns_and_input_can_be_given_as_options() {
    let placeholder = json!("s3://bucket-YOUR_ACCOUNT_ID/rows.csv");
    let folder = folder(&with(pipeline(), &[("/stages/0/input_s3_uri", placeholder)]));
    let validate = |more: &[&str]| run(&[&["validate", "input.json"], more].concat(), folder.path());
    assert_eq!(validate(&[]).lines.len(), 1);
    assert_eq!(validate(&["--input", "rows.csv"]).code, 0);
    assert_eq!(validate(&["--input", "s3://bucket/rows.csv", "--columns", "text,other"]).code, 0);
    let missing = validate(&["--input", "row.csv"]);
    assert!(
        missing.lines[0].starts_with("--input is `row.csv`: file not found, and it is not an S3 address"),
        "{:?}",
        missing.lines
    );
    let done = validate(&["--input", "s3://bucket/rows.csv", "--columns", "other"]);
    assert!(done.lines[0].starts_with("stages[0], column `text`: "), "{:?}", done.lines);
}

#[test]
fn prompts_in_the_input_and_in_a_folder_of_ones_own_are_checked() {
    let prompt = json!({"description": "d", "template": "{Text}"});
    let input = with(run_input(), &[("/prompt_id", json!(null)), ("/prompt", prompt)]);
    let done = run(&["validate", "input.json"], folder(&input).path());
    let expected = "column `Text`: the prompt `prompt` needs this column, which the input does not have; the input has `text`: \
        write \"column_mappings\": {\"Text\": \"text\"}";
    assert_eq!((done.code, done.lines), (1, vec![expected.to_owned()]));
    let mood = json!({"mood": {"description": "d", "template": "{text}!"}});
    let done = run(&["validate", "input.json"], folder(&with(run_input(), &[("/prompts", mood)])).path());
    assert_eq!(done.code, 0, "{:?}", done.lines);
    let warning = "  warning: the prompt `mood` of the input differs from the stack's, and replaces it";
    assert!(done.lines.iter().any(|line| line == warning), "{:?}", done.lines);
    let folder = folder(&run_input());
    std::fs::rename(folder.path().join("prompt-templates"), folder.path().join("mine")).unwrap();
    let done = run(&["validate", "input.json", "--prompt-templates", "mine"], folder.path());
    assert_eq!(done.code, 0, "{:?}", done.lines);
    let sent = "  `start` with the same `--prompt-templates` sends the prompts `mood` with the input";
    assert!(done.lines.iter().any(|line| line == sent), "{:?}", done.lines);
}

#[test]
fn an_input_with_prompts_of_its_own_needs_no_folder() {
    let prompt = json!({"description": "d", "template": "{text}"});
    let own = with(run_input(), &[("/prompt_id", json!(null)), ("/prompt", prompt)]);
    for (input, code) in [(own, 0), (run_input(), 2)] {
        let folder = folder(&input);
        std::fs::remove_dir_all(folder.path().join("prompt-templates")).unwrap();
        let done = run(&["validate", "input.json"], folder.path());
        assert_eq!(done.code, code, "{:?} {}", done.lines, done.error);
        assert_eq!(done.error.contains("pass the folder of the prompt templates"), code == 2, "{}", done.error);
    }
}

#[test]
fn a_broken_prompt_that_the_input_names_is_reported_once() {
    let folder = folder(&run_input());
    std::fs::write(folder.path().join("prompt-templates/mood.toml"), "description = \"d\"\ntemplate = \"{\"").unwrap();
    let done = run(&["validate", "input.json"], folder.path());
    assert_eq!(done.lines.len(), 1, "{:?}", done.lines);
    assert!(
        done.lines[0].starts_with("prompt-templates/mood.toml: template is `{`: has a `{` at line 1"),
        "{:?}",
        done.lines
    );
}

#[rstest]
#[case("{\n  \"pipeline_name\": \"p\",\n}", "input.json: is not valid JSON: trailing comma at line 3 column 1")]
#[case("[]", "input.json: must be a JSON object")]
#[case("{\"config_s3_uri\": \"s3://bucket/key\"}", "config_s3_uri: names the object that holds the input")]
fn a_file_that_is_not_an_input_is_reported(#[case] text: &str, #[case] expected: &str) {
    let folder = folder(&json!({}));
    std::fs::write(folder.path().join("input.json"), text).unwrap();
    let done = run(&["validate", "input.json"], folder.path());
    assert_eq!(done.code, 1);
    assert!(done.lines[0].starts_with(expected), "{:?}", done.lines);
}

fn coded(source: &str, codes: &str) -> Value {
    let prompt = json!({"description": "d", "template": "{text} {reference.codes}", "system": "{reference.codes}",
        "output_schema": {"type": "json", "fields": {"code": "$.code"}}, "allowed_values": {"code": source}});
    with(run_input(), &[("/prompt_id", json!(null)), ("/prompt", prompt), ("/reference", json!({"codes": codes}))])
}

#[test]
fn local_references_are_checked_with_the_input() {
    let validated = |input: &Value, codes: &str| {
        let folder = folder(input);
        std::fs::write(folder.path().join("codes.csv"), codes).unwrap();
        run(&["validate", "input.json"], folder.path())
    };
    let done = validated(&coded("reference.codes.Code", "codes.csv"), "Code,Term\nA01,Leak\n");
    assert_eq!((done.code, done.error.as_str()), (0, ""), "{:?}", done.lines);
    let note = "  references add about 10 input tokens to each request";
    assert!(done.lines.iter().any(|line| line == note), "{:?}", done.lines);
    let in_s3 = validated(&coded("reference.codes.Code", "s3://bucket/codes.csv"), "");
    assert_eq!(in_s3.code, 0, "its content is not known: {:?}", in_s3.lines);

    let wrong = "prompt `prompt`, allowed_values.code is `reference.codes.Cod`: this reference does not have the column `Cod`; the \
                 columns are `Code`, `Term`";
    assert_eq!(validated(&coded("reference.codes.Cod", "codes.csv"), "Code,Term\nA01,Leak\n").lines, [wrong]);
    let empty = "reference.codes is `codes.csv`: is empty";
    assert_eq!(validated(&coded("reference.codes.Code", "codes.csv"), " ").lines, [empty]);
    let missing = "reference.codes is `nowhere.csv`: is not an S3 address (`s3://bucket/path`), and no file has this path; check \
                   the path, which is relative to the file that names it";
    assert_eq!(validated(&coded("reference.codes.Code", "nowhere.csv"), "").lines, [missing]);
    let large = format!("Code\n{}\n", "x".repeat(4_000_000));
    let too_large = "reference.codes is `codes.csv`: has 4000006 bytes, but at most 4000000 are allowed; shorten it";
    assert_eq!(validated(&coded("reference.codes.Code", "codes.csv"), &large).lines, [too_large]);
    let extension = "reference.codes is `s3://uploaded/inputs/codes.xlsx`: must be a `.csv`, `.json` or `.txt` object";
    assert_eq!(validated(&coded("reference.codes.Code", "codes.xlsx"), "").lines, [extension]);
}

#[test]
fn local_references_of_stages_are_checked_with_their_path() {
    let prompt = json!({"description": "d", "template": "{text} {reference.codes}"});
    let stage = |name: &str| {
        with(
            pipeline(),
            &[
                ("/stages/1/prompt_id", json!(null)),
                ("/stages/1/prompt", prompt.clone()),
                ("/stages/1/reference", json!({"codes": name})),
            ],
        )
    };
    let folder = folder(&stage("codes.txt"));
    std::fs::write(folder.path().join("codes.txt"), "12345678").unwrap();
    let done = run(&["validate", "input.json"], folder.path());
    assert_eq!(done.code, 0, "{:?}", done.lines);
    let note = "  stage `write`: references add about 2 input tokens to each request";
    assert!(done.lines.iter().any(|line| line == note), "{:?}", done.lines);
    std::fs::write(folder.path().join("input.json"), stage("nowhere.txt").to_string()).unwrap();
    let done = run(&["validate", "input.json"], folder.path());
    assert_eq!((done.code, done.lines.len()), (1, 1), "{:?}", done.lines);
    assert!(done.lines[0].starts_with("stages[1].reference.codes is `nowhere.txt`: is not an S3 address"));
}

#[test]
fn an_input_over_200_kib_is_reported_to_need_s3() {
    let mapping: Value =
        (0..9000).map(|n| (format!("category number {n}"), json!("mood"))).collect::<serde_json::Map<_, _>>().into();
    let config = json!({"mode": "mapped", "column_name": "id", "category_to_prompt_mapping": mapping});
    let input = with(run_input(), &[("/prompt_id", json!(null)), ("/prompt_config", config)]);
    let done = run(&["validate", "input.json"], folder(&input).path());
    assert_eq!(done.code, 0, "{:?}", done.lines);
    assert!(done.lines.iter().any(|line| line.contains("over 200 KiB")), "{:?}", done.lines);
}

#[test]
fn the_other_fields_of_an_input_that_continues_a_run_are_checked() {
    let done = run(&["validate", "input.json"], folder(&json!({"resume_run": "r"})).path());
    assert_eq!(
        (done.code, done.lines[0].as_str()),
        (0, "input.json contains an input that continues a run: no problems")
    );
    let beside = with(run_input(), &[("/resume_run", json!("r")), ("/max_num_jobs", json!(0))]);
    assert_eq!(run(&["validate", "input.json"], folder(&beside).path()).lines.len(), 1);
}

#[rstest]
#[case("execution-input")]
#[case("pipeline")]
fn printed_schemas_equal_the_files_in_the_repository(#[case] of: &str) {
    let done = run(&["schema", of], &repository());
    let file = repository().join(format!("pipeline-configs/{of}.schema.json"));
    assert_eq!((done.code, done.lines.join("\n") + "\n"), (0, std::fs::read_to_string(file).unwrap()));
}

#[test]
fn the_examples_pass_with_their_inputs() {
    let images = tempfile::tempdir().unwrap();
    std::fs::write(images.path().join("a.png"), "").unwrap();
    let images = images.path().to_str().unwrap();
    for (config, input) in [
        ("clothing-analysis-full", images),
        ("clothing-analysis-test", images),
        ("support-ticket-replies", "tests/fixtures/support_tickets.csv"),
        ("product-review-expanded", "tests/fixtures/products.csv"),
        ("own-prompts", "tests/fixtures/support_tickets.csv"),
        ("ticket-fields", "tests/fixtures/support_tickets.csv"),
    ] {
        let done = run(&["validate", &format!("pipeline-configs/{config}.json"), "--input", input], &repository());
        assert_eq!((done.code, done.error.as_str()), (0, ""), "{config}: {:?}", done.lines);
        assert!(done.lines.iter().all(|line| !line.contains("are not known")), "{config}: {:?}", done.lines);
    }
    for config in ["ticket-codes", "medical-device-reports"] {
        let done = run(&["validate", &format!("pipeline-configs/{config}.json")], &repository());
        assert_eq!((done.code, done.error.as_str()), (0, ""), "{config}: {:?}", done.lines);
        assert!(done.lines.iter().any(|line| line.contains("references add about")), "{config}: {:?}", done.lines);
    }
}
