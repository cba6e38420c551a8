use super::super::{Catalog, check_run, output_columns};
use super::*;
use crate::check::test_requests::request_of_model;
use crate::columns::Column;
use crate::prompt::PromptLibrary;
use rstest::rstest;
use serde_json::{Value, json};

const HAIKU: &str = "us.anthropic.claude-haiku-4-5-20251001-v1:0";
/// Without structured output, and with it: two models of one family.
const GPT_20B: &str = "openai.gpt-oss-20b-1:0";
const GPT_120B: &str = "openai.gpt-oss-120b-1:0";

fn library() -> PromptLibrary {
    let mut library = PromptLibrary::default();
    let prompt = |more: &str| format!("description = \"d\"\ntemplate = \"{{a}}\"\n{more}");
    let model = "[response_schema]\ntype = \"object\"\nadditionalProperties = false\n[response_schema.properties]\n\
        mood = { enum = [\"good\", \"bad\"] }\ncount = { type = \"integer\" }";
    library.add("plain", &prompt("")).unwrap();
    library.add("model", &prompt(model)).unwrap();
    library.add("ranged", &prompt(&model.replace("\"integer\"", "\"integer\", minimum = 1"))).unwrap();
    library.add("pattern", &prompt("[output_schema]\ntype = \"regex\"\nfields = { size = \"s\" }")).unwrap();
    let clash = "[response_schema.properties]\nstatus = { type = \"string\" }\nid = { type = \"string\" }";
    library.add("clash", &prompt(clash)).unwrap();
    let rows =
        format!("description = \"d\"\ntemplate = \"{{rows}}\"\nrows = {{ template = \"{{row_id}} {{a}}\" }}\n{model}");
    library.add("of_rows", &rows).unwrap();
    library.add("both", "description = \"d\"\nexpansion_rule = true\nprompts = [\"model\", \"plain\"]").unwrap();
    library
}

/// Returns the problems of an input over the columns `a` and `llm_mood`, or its output columns if there are none.
fn checked(more: &Value) -> Result<String, Vec<String>> {
    let request = request_of_model(HAIKU, more);
    let (library, models) = (library(), ModelTable::with_overrides("").unwrap());
    let catalog = Catalog { prompts: &library, models: &models, region: "us-east-1" };
    let columns = [Column::of_input("a"), Column { name: "x_mood".to_owned(), origin: "earlier".to_owned() }];
    let columns: Vec<Column> =
        columns.into_iter().chain([Column::of_input("llm_mood"), Column::of_input("kind")]).collect();
    let checked = check_run(&request, &catalog, Some(&columns), &[]);
    if !checked.problems.is_empty() {
        return Err(checked.problems.iter().map(ToString::to_string).collect());
    }
    let columns = output_columns(&checked.resolved.unwrap(), &columns, "first");
    Ok(columns.into_iter().map(|column| column.name).collect::<Vec<_>>().join(" "))
}

const METADATA: &str = "error stop_reason input_tokens output_tokens attempts model_id";

#[rstest]
#[case::model(json!({"prompt_id": "model"}), "response count mood METADATA")]
#[case::text(json!({"prompt_id": "model", "response_format": "text"}), "response METADATA")]
#[case::json(json!({"prompt_id": "plain", "response_format": "json"}), "response METADATA")]
#[case::json_with_fields(json!({"prompt_id": "model", "response_format": "json"}), "response count mood METADATA")]
#[case::structured(json!({"prompt_id": "model", "response_format": "structured"}), "response count mood METADATA")]
fn the_format_decides_which_columns_there_are(#[case] more: Value, #[case] expected: &str) {
    let expected = format!("record_id a x_mood llm_mood kind {}", expected.replace("METADATA", METADATA));
    assert_eq!(checked(&more), Ok(expected));
}

const PREFIXED: &str = "record_id a earlier_x_mood llm_mood kind x_response x_count x_mood x_status x_error \
    x_validation_passed x_parse_status x_stop_reason x_input_tokens x_output_tokens x_attempts x_model_id";

#[test]
fn a_prefix_names_all_added_columns_and_renames_those_of_earlier_stages() {
    assert_eq!(checked(&json!({"prompt_id": "model", "output_column_prefix": "x_"})), Ok(PREFIXED.to_owned()));
}

#[test]
fn a_prefix_comes_before_the_prompt_in_the_wide_layout() {
    let wide = json!({"prompt_config": {"mode": "expanded", "category_column": "kind", "expansion_mapping": {"default": "both"}},
        "expanded_layout": "wide", "output_column_prefix": "y_"});
    let columns = checked(&wide).unwrap();
    assert!(
        columns
            .starts_with("record_id a x_mood llm_mood kind y_model_response y_model_count y_model_mood y_model_status")
    );
    assert!(columns.contains("y_plain_response y_plain_status y_plain_error y_plain_validation_passed"), "{columns}");
    assert!(columns.ends_with("y_plain_model_id y_status y_error y_validation_passed y_parse_status"), "{columns}");
}

#[rstest]
#[case::input_column(json!({"prompt_id": "model", "output_column_prefix": "llm_"}),
    &["output_column_prefix is `llm_`: the input already has the columns `llm_mood`, which the run would add; choose another prefix"])]
#[case::two_in_one(json!({"prompt_id": "clash", "output_column_prefix": "record_"}),
    &["column `record_id`: 2 of the columns that the run adds would have this name; choose another output_column_prefix",
      "column `record_status`: 2 of the columns that the run adds would have this name"])]
#[case::structured(json!({"prompt_id": "plain", "response_format": "structured"}),
    &["response_format is `structured`: the prompts `plain` define no fields; add a `response_schema`"])]
#[case::structured_rule(json!({"prompt_config": {"mode": "expanded", "category_column": "kind", "expansion_mapping": {"x": "both"}},
    "response_format": "structured"}), &["the prompts `plain` define no fields"])]
#[case::json_by_pattern(json!({"prompt_id": "pattern", "response_format": "json"}),
    &["response_format is `json`: the prompts `pattern` have an `output_schema` of type \"regex\""])]
#[case::embeddings(json!({"model_id": "amazon.titan-embed-text-v2:0", "response_format": "json", "enforce_schema": true,
    "column_mappings": {"input_text": "a"}}), &["response_format: is for text models", "enforce_schema: is for text models"])]
#[case::model_without(json!({"prompt_id": "model", "enforce_schema": true, "model_id": GPT_20B}),
    &["model_id is `openai.gpt-oss-20b-1:0`: is not known to have structured outputs, but enforce_schema is true"])]
#[case::fallback_without(json!({"prompt_id": "model", "enforce_schema": true, "model_id": GPT_120B, "fallback_model_id": GPT_20B}),
    &["fallback_model_id is `openai.gpt-oss-20b-1:0`: is not known to have structured outputs"])]
#[case::no_schema(json!({"prompt_id": "plain", "enforce_schema": true, "model_id": HAIKU}),
    &["prompt `plain`, response_schema: is required with enforce_schema"])]
#[case::range(json!({"prompt_id": "ranged", "enforce_schema": true, "model_id": HAIKU, "inference": {"prefill": "{"}}),
    &["prompt `ranged`, response_schema.properties.count.minimum: is a keyword that Bedrock does not accept",
      "prompt `ranged`, prefill: cannot be combined with enforce_schema"])]
#[case::of_rows(json!({"prompt_id": "of_rows", "enforce_schema": true, "model_id": HAIKU}),
    &["prompt `of_rows`, rows: cannot be combined with enforce_schema: the answer is a list"])]
fn options_that_do_not_fit_are_reported(#[case] more: Value, #[case] expected: &[&str]) {
    let problems = checked(&more).unwrap_err();
    assert_eq!(problems.len(), expected.len(), "{problems:?}");
    for (problem, expected) in problems.iter().zip(expected) {
        assert!(problem.contains(expected), "{problem}");
    }
}

#[test]
fn a_schema_can_be_enforced_for_a_model_that_has_structured_output() {
    assert!(checked(&json!({"prompt_id": "model", "enforce_schema": true, "model_id": HAIKU})).is_ok());
    let by_name = json!({"prompt_config": {"mode": "mapped", "column_name": "kind"}, "response_format": "structured"});
    assert!(checked(&by_name).is_ok(), "only the rows determine which prompts are sent");
}

#[test]
fn a_prefix_may_meet_a_field_only_of_prompts_that_the_rows_name() {
    let by_name = json!({"prompt_config": {"mode": "mapped", "column_name": "kind"}, "output_column_prefix": "llm_"});
    assert!(checked(&by_name).is_ok(), "the rows may name other prompts than the one with the field `mood`");
    let (library, models) = (library(), ModelTable::with_overrides("").unwrap());
    let catalog = Catalog { prompts: &library, models: &models, region: "us-east-1" };
    let columns = ["a", "kind", "llm_mood", "llm_error"].map(Column::of_input);
    let checked = check_run(&request_of_model(HAIKU, &by_name), &catalog, Some(&columns), &[]);
    let problems: Vec<String> = checked.problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("already has the columns `llm_error`, which"), "{problems:?}");
    let resolved = checked.resolved.unwrap();
    let of = |id: &str| resolved.prompts.prompts.iter().position(|named| named.id == id).unwrap();
    let found = |id: &str| {
        let prompts = resolved.prompts.clone().restricted_to(&[of(id)].into());
        prefix_problems(&Resolved { prompts, ..resolved.clone() }, &columns)[0].to_string()
    };
    assert!(found("model").contains("already has the columns `llm_mood`, `llm_error`, which"), "{}", found("model"));
    assert!(found("plain").contains("already has the columns `llm_error`, which"), "{}", found("plain"));
}
