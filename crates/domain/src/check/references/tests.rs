use super::super::{Catalog, check_run};
use super::*;
use crate::check::test_requests::request_of_model;
use crate::columns::Column;
use crate::model::ModelTable;
use crate::prompt::PromptLibrary;
use crate::reference::{Reference, ReferenceSource};
use rstest::rstest;
use serde_json::{Value, json};

const CODES: &[u8] = b"Code,Term\nA01,Leak\n";

fn prompt(changes: &Value) -> Value {
    let mut prompt = json!({"description": "d", "template": "{text}",
        "output_schema": {"type": "json", "fields": {"code": "$.code"}}});
    prompt.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    prompt
}

fn request_of(more: &Value) -> RunRequest {
    request_of_model("us.anthropic.claude-haiku-4-5-20251001-v1:0", more)
}

fn codes(content: &[u8]) -> Vec<Reference> {
    let uri = "s3://bucket/codes.csv".to_owned();
    let source = ReferenceSource { name: "codes".to_owned(), uri, etag: String::new() };
    vec![Reference::read(source, content).unwrap()]
}

/// Returns the problems of a request over the columns `text` and `reference.old`, and what was found.
fn checked(more: &Value, known: &[Reference]) -> (Vec<String>, Option<(RunRequest, Resolved)>) {
    let request = request_of(more);
    let mut library = PromptLibrary::default();
    let needy = "description = \"d\"\ntemplate = \"{text} {reference.codes}\"";
    library.add("needy", needy).unwrap();
    library.add("plain", "description = \"d\"\ntemplate = \"{text}\"").unwrap();
    let strict = "[output_schema]\ntype = \"json\"\nfields = { code = \"$.code\" }\n[allowed_values]\ncode = \"reference.codes.Code\"";
    library.add("strict", &format!("description = \"d\"\ntemplate = \"{{text}}\"\n{strict}")).unwrap();
    let models = ModelTable::with_overrides("").unwrap();
    let catalog = Catalog { prompts: &library, models: &models, region: "us-east-1" };
    let columns = ["text", "kind", "reference.old"].map(Column::of_input);
    let check = check_run(&request, &catalog, Some(&columns), known);
    (check.problems.iter().map(ToString::to_string).collect(), check.resolved.map(|resolved| (request, resolved)))
}

#[rstest]
#[case::template(json!({"template": "{text} {reference.codes}"}))]
#[case::system(json!({"system": "Codes: {reference.codes}"}))]
#[case::values(json!({"allowed_values": {"code": "reference.codes.Code"}}))]
#[case::all(json!({"template": "{text} {reference.codes}", "system": "{reference.codes} {not a column}",
    "allowed_values": {"code": "reference.codes.Code"}}))]
fn references_are_used_in_templates_system_prompts_and_values(#[case] changes: Value) {
    let input = json!({"prompt": prompt(&changes), "reference": {"codes": "s3://bucket/codes.csv"}});
    assert_eq!(checked(&input, &codes(CODES)).0, Vec::<String>::new());
    assert_eq!(checked(&input, &[]).0, Vec::<String>::new(), "with content that is not known yet");
    let (problems, _) = checked(&json!({"prompt": prompt(&changes)}), &[]);
    assert!(
        !problems.is_empty()
            && problems.iter().all(|problem| problem.contains("\"reference\": {\"codes\": \"s3://bucket/path.csv\"}")),
        "{problems:?}"
    );
}

#[test]
fn the_system_prompt_of_the_request_may_insert_references() {
    let input = json!({"prompt": prompt(&json!({})), "inference": {"system_prompt": "{reference.codes}"},
        "reference": {"codes": "s3://bucket/codes.csv"}});
    assert_eq!(checked(&input, &codes(CODES)).0, Vec::<String>::new());
}

#[rstest]
#[case::unused(json!({"prompt": prompt(&json!({"system": "{reference.codes }"})), "reference": {"codes": "s3://bucket/codes.csv"}}),
    "reference.codes is `s3://bucket/codes.csv`: is not used by any prompt of this run; insert it")]
#[case::embedding(json!({"model_id": "amazon.titan-embed-text-v2:0", "column_mappings": {"input_text": "text"},
    "reference": {"codes": "s3://bucket/codes.csv"}}), "reference.codes is `s3://bucket/codes.csv`: is not used by any prompt")]
#[case::near(json!({"prompt": prompt(&json!({"template": "{text} {reference.codes}", "system": "{reference.code}"})),
    "reference": {"codes": "s3://bucket/codes.csv"}}),
    "prompt `prompt`: inserts, in its system prompt, the reference `code`, which the input does not have; did you mean `codes`?")]
#[case::of_the_request(json!({"prompt": prompt(&json!({})), "inference": {"system_prompt": "{reference.rules}"}}),
    "inference.system_prompt: inserts the reference `rules`, which the input does not have; add \"reference\"")]
#[case::values(json!({"prompt_id": "strict"}), "prompt `strict`: holds a field to the reference `codes`, which the input does not have")]
#[case::column(json!({"prompt_id": "needy"}), "column `reference.codes`: the prompt `needy` needs this column, which the input does not have; add \"reference\"")]
#[case::ambiguous(json!({"prompt": prompt(&json!({"template": "{text} {reference.old}"})), "reference": {"old": "s3://bucket/old.txt"}}),
    "column `reference.old`: prompts insert the reference of this name")]
fn references_that_do_not_fit_their_prompts_are_refused(#[case] input: Value, #[case] expected: &str) {
    let (problems, _) = checked(&input, &[]);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].starts_with(expected), "{problems:?}");
}

#[test]
fn columns_named_like_references_work_as_before() {
    assert_eq!(
        checked(&json!({"prompt": prompt(&json!({"template": "{reference.old}"}))}), &[]).0,
        Vec::<String>::new()
    );
}

#[test]
fn prompts_that_no_row_may_name_need_no_references() {
    let by_name = json!({"prompt_config": {"mode": "mapped", "column_name": "kind"}});
    let (problems, found) = checked(&by_name, &[]);
    assert_eq!(problems, Vec::<String>::new());
    let plan = found.unwrap().1.prompts.without_columns(&["text".to_owned()]);
    let reason = |id| plan.choose("kind", id).map(|_| ()).map_err(|reason| reason.to_string());
    assert_eq!(reason("plain"), Ok(()));
    for id in ["needy", "strict"] {
        let expected =
            format!("`kind` names `{id}`, which shows the column `reference.codes`, which the input does not have");
        assert_eq!(reason(id), Err(expected));
    }
}

#[test]
fn a_reference_without_the_named_column_is_refused() {
    let input = json!({"prompt_id": "strict", "reference": {"codes": "s3://bucket/codes.csv"}});
    let (problems, _) = checked(&input, &codes(b"code,Term\nA01,Leak\n"));
    let expected = "prompt `strict`, allowed_values.code is `reference.codes.Code`: this reference does not have the column \
                    `Code`; the columns are `code`, `Term`";
    assert_eq!(problems, [expected]);
}

#[test]
fn of_prompts_that_rows_name_only_the_used_ones_need_the_values() {
    let by_name = json!({"prompt_config": {"mode": "mapped", "column_name": "kind"},
        "reference": {"codes": "s3://bucket/codes.csv"}});
    let (problems, found) = checked(&by_name, &codes(b"code,Term\nA01,Leak\n"));
    assert_eq!(problems, Vec::<String>::new(), "no row may name `strict`");
    let (request, mut resolved) = found.unwrap();
    let of = |id: &str, resolved: &Resolved| {
        let at = resolved.prompts.prompts.iter().position(|named| named.id == id).unwrap();
        let prompts = resolved.prompts.clone().restricted_to(&[at].into());
        used_reference_problems(&request, &Resolved { prompts, ..resolved.clone() })
    };
    assert_eq!(of("needy", &resolved), []);
    assert_eq!(of("strict", &resolved).len(), 1);
    resolved.prompts.references = codes(CODES);
    assert_eq!(of("strict", &resolved), []);
}

#[test]
fn references_in_the_part_for_each_row_are_used_and_count_for_each_row() {
    let reference = codes(format!("Code\n{}", "x".repeat(3995)).as_bytes());
    let input = json!({"prompt": prompt(&json!({"template": "{rows}", "rows": {"template": "{row_id} {text} {reference.codes}"},
        "output_schema": null})), "rows_per_request": 20, "reference": {"codes": "s3://bucket/codes.csv"}});
    let (problems, found) = checked(&input, &reference);
    assert_eq!(problems, Vec::<String>::new());
    let (request, resolved) = found.unwrap();
    let note = reference_note(&request, &resolved);
    assert_eq!(note.as_deref(), Some("references add about 20000 input tokens to each request"));
}

#[test]
fn without_fields_no_field_is_held_to_values() {
    let input =
        json!({"prompt_id": "strict", "response_format": "text", "reference": {"codes": "s3://bucket/codes.csv"}});
    assert_eq!(checked(&input, &codes(CODES)).0, Vec::<String>::new());
}

#[test]
fn a_reference_over_the_context_of_the_model_is_refused() {
    let of_tokens = |tokens: usize| codes(format!("Code\n{}", "x".repeat(4 * tokens - 5)).as_bytes());
    let input = |template: &str| {
        json!({"prompt": prompt(&json!({"template": template})), "inference": {"max_tokens": 1000},
        "reference": {"codes": "s3://bucket/codes.csv"}})
    };
    assert_eq!(checked(&input("{text} {reference.codes}"), &of_tokens(199_000)).0, Vec::<String>::new());
    let (problems, _) = checked(&input("{text} {reference.codes}"), &of_tokens(199_001));
    assert_eq!(problems.len(), 1, "{problems:?}");
    let expected = "prompt `prompt`: inserts references of about 199001 tokens into each request (4 bytes per token), but beside \
                    `max_tokens` the context of `us.anthropic.claude-haiku-4-5-20251001-v1:0` has 199000; shorten the references";
    assert!(problems[0].starts_with(expected), "{problems:?}");
    let twice = checked(&input("{text} {reference.codes} {reference.codes}"), &of_tokens(100_000)).0;
    assert_eq!(twice.len(), 1, "each insertion counts: {twice:?}");
}

#[test]
fn the_warning_has_tokens_and_cost_by_lane() {
    let reference = codes(format!("Code\n{}", "x".repeat(3995)).as_bytes());
    let input = json!({"prompt": prompt(&json!({"template": "{text} {reference.codes}"})),
        "reference": {"codes": "s3://bucket/codes.csv"}});
    let (request, resolved) = checked(&input, &reference).1.unwrap();
    let warning = |lane| reference_warning(&request, &resolved, lane, 10_000).unwrap();
    assert_eq!(
        warning(Lane::Batch),
        "references add about 1000 input tokens to each request, about $5.50 for all of them in batch"
    );
    assert_eq!(
        warning(Lane::OnDemand),
        "references add about 1000 input tokens to each request, about $11.00 for all of them on demand"
    );
    let only_values = json!({"prompt_id": "strict", "reference": {"codes": "s3://bucket/codes.csv"}});
    let (request, resolved) = checked(&only_values, &codes(CODES)).1.unwrap();
    assert_eq!(reference_warning(&request, &resolved, Lane::Batch, 10_000), None, "nothing is inserted");
    let several = json!({"prompt_config": {"mode": "mapped", "column_name": "kind", "category_to_prompt_mapping":
        {"a": "needy", "b": "plain"}}, "model_id": "meta.llama3-1-8b-instruct-v1:0", "reference": {"codes": "s3://bucket/codes.csv"}});
    let (request, resolved) = checked(&several, &reference).1.unwrap();
    let warning = reference_warning(&request, &resolved, Lane::Batch, 1).unwrap();
    assert_eq!(warning, "references add at most about 1000 input tokens to each request", "without a known price");
}
