//! Prompts in inputs: what is accepted, and what is reported.

use super::*;
use crate::input::{RunRequest, StackLimits};
use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

fn read(input: &Value) -> (PromptLibrary, Vec<String>) {
    let mut fields = Fields::new("", input.as_object().unwrap());
    let library = read_library(&mut fields);
    (library, fields.finish().iter().map(ToString::to_string).collect())
}

/// Reads `object` as the only prompt, `stages[1].prompt`.
fn prompt(object: &Value) -> Result<Prompt, Vec<String>> {
    let input = json!({"prompt": object});
    let mut fields = Fields::new("stages[1]", input.as_object().unwrap());
    let prompt = read_prompt(&mut fields).unwrap();
    let problems: Vec<String> = fields.finish().iter().map(ToString::to_string).collect();
    assert_eq!(prompt.is_some(), problems.is_empty(), "{problems:?}");
    prompt.ok_or(problems)
}

#[test]
fn a_prompt_has_the_fields_of_a_file() {
    let object = json!({
        "description": "d", "template": "{a} {{}}", "system": "s", "prefill": "{", "$schema": null,
        "output_schema": {"type": "json", "fields": [["z", "$.z"], ["a", "$.a"]]},
        "response_schema": {"type": "object", "required": ["z"]},
    });
    let file = "description = \"d\"\ntemplate = \"{a} {{}}\"\nsystem = \"s\"\nprefill = \"{\"\n[output_schema]\n\
        type = \"json\"\nfields = { z = \"$.z\", a = \"$.a\" }\n[response_schema]\ntype = \"object\"\nrequired = [\"z\"]";
    assert_eq!(prompt(&object), Ok(Prompt::parse(file).unwrap()));
    let frozen = serde_json::to_value(Prompt::parse(file).unwrap()).unwrap();
    assert_eq!(prompt(&frozen), Ok(Prompt::parse(file).unwrap()), "as the command line writes it");
}

#[test]
fn an_object_of_fields_is_accepted_too() {
    let schema = json!({"type": "regex", "fields": {"size": "size: (\\w+)"}});
    let read = prompt(&json!({"description": "d", "template": "t", "output_schema": schema, "system": null})).unwrap();
    let schema = read.output_schema.unwrap();
    assert_eq!((schema.schema_type, schema.fields.len()), (SchemaType::Regex, 1));
}

#[rstest]
#[case(json!("Tell a joke"), "stages[1].prompt is `\"Tell a joke\"`: must be an object with the fields of a prompt; write {\"description\": \"…\", \"template\": \"…\"}, or name a prompt with `prompt_id`")]
#[case(json!({"template": "t"}), "stages[1].prompt.description: is required and must not be empty")]
#[case(json!({"description": "d"}), "stages[1].prompt.template: is required and must not be empty")]
#[case(json!({"description": "d", "template": 7}), "stages[1].prompt.template is `7`: must be a text")]
#[case(json!({"description": "d", "template": "t", "templat": "t"}), "stages[1].prompt.templat: is not a field of this input; did you mean `template`?")]
#[case(json!({"description": "d", "template": "t", "system": 1}), "stages[1].prompt.system is `1`: must be a text")]
#[case(json!({"description": "d", "template": "a {b"}), "stages[1].prompt.template is `a {b`: has a `{` at line 1, column 3 without its `}`; write `{{` for a brace")]
#[case(json!({"description": "d", "template": "{\"label\": \"x\"}"}), "stages[1].prompt.template is `{\"label\": \"x\"}`: has a placeholder for the column `\"label\": \"x\"`, which looks like JSON; write `{{` for a brace")]
#[case(json!({"description": "d", "template": "t", "output_schema": []}), "stages[1].prompt.output_schema is `[]`: must be an object")]
#[case(json!({"description": "d", "template": "t", "output_schema": {"fields": {"x": "$.x"}}}), "stages[1].prompt.output_schema.type: is required")]
#[case(json!({"description": "d", "template": "t", "output_schema": {"type": "xml", "fields": {"x": "$.x"}}}), "stages[1].prompt.output_schema.type is `xml`: must be `json` or `regex`")]
#[case(json!({"description": "d", "template": "t", "output_schema": {"type": "json"}}), "stages[1].prompt.output_schema.fields: is required, and must be an object of names with a JSONPath or pattern each; write {\"topic\": \"$.topic\"}")]
#[case(json!({"description": "d", "template": "t", "output_schema": {"type": "json", "fields": "x"}}), "stages[1].prompt.output_schema.fields is `\"x\"`: must be an object of names")]
#[case(json!({"description": "d", "template": "t", "output_schema": {"type": "json", "fields": {}}}), "stages[1].prompt.output_schema.fields: must name at least one field")]
#[case(json!({"description": "d", "template": "t", "output_schema": {"type": "json", "fields": {"x": 1}}}), "stages[1].prompt.output_schema.fields.x is `1`: must be a text")]
#[case(json!({"description": "d", "template": "t", "output_schema": {"type": "json", "fields": ["x"]}}), "stages[1].prompt.output_schema.fields[0] is `\"x\"`: must be a pair")]
#[case(json!({"description": "d", "template": "t", "output_schema": {"type": "json", "fields": {"x": "x"}}}), "stages[1].prompt.output_schema.fields.x is `x`: is not a JSONPath: it must begin with `$`")]
#[case(json!({"description": "d", "template": "t", "output_schema": {"type": "json", "fields": [["x", "$"], ["x", "$"]]}}), "stages[1].prompt.output_schema.fields.x: is named twice")]
#[case(json!({"description": "d", "template": "t", "response_schema": true}), "stages[1].prompt.response_schema is `true`: must be an object")]
#[case(json!({"description": "d", "template": "t", "response_schema": {}}), "stages[1].prompt.response_schema: describes no object with `properties`")]
#[case(json!({"description": "d", "template": "t", "output_schema": {"type": "json", "fields": {"x": "$"}}, "response_schema": {"type": "objekt"}}), "stages[1].prompt.response_schema: is not a valid JSON Schema at /type")]
fn each_mistake_is_reported_once_with_path_and_rule(#[case] object: Value, #[case] expected: &str) {
    let problems = prompt(&object).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].starts_with(expected), "{problems:?}");
}

#[test]
fn all_mistakes_of_all_prompts_are_reported_at_once() {
    let input = json!({"prompts": {
        "a": {"description": 1, "template": "{", "output_schema": {"type": "json", "fields": {"x": "x", "y": 1}}, "response_schema": 7},
        "b": "text",
        "c": {"description": "d", "expansion_rule": true, "prompts": []},
        "d": {"description": "d", "expansion_rule": "yes", "prompts": 7, "template": "t"},
        "e": {"description": "d", "template": "t"},
    }});
    let (library, problems) = read(&input);
    let mut found: Vec<&str> = problems.iter().filter_map(|problem| problem.split([' ', ':']).next()).collect();
    let of_a = ["description", "output_schema.fields.y", "template", "output_schema.fields.x", "response_schema"];
    let of_d = ["d.expansion_rule", "d.prompts", "d.template"];
    let expected = of_a
        .map(|field| format!("prompts.a.{field}"))
        .into_iter()
        .chain(["b", "c.prompts"].into_iter().chain(of_d).map(|field| format!("prompts.{field}")));
    let mut expected: Vec<String> = expected.collect();
    expected.sort();
    found.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(library.unreadable, BTreeSet::from(["a", "b", "c", "d"].map(str::to_owned)));
    assert!(library.prompts.contains_key("e"));
}

#[test]
fn a_rule_is_distinguished_from_a_prompt() {
    let rule = json!({"description": "d", "expansion_rule": true, "prompts": ["a", "b"]});
    let (library, problems) = read(&json!({"prompts": {"both": rule}}));
    assert_eq!((problems, library.rules["both"].prompts.len()), (vec![], 2));
    let rule = json!({"description": "d", "expansion_rule": false, "prompts": ["a", "a"]});
    let (_, problems) = read(&json!({"prompts": {"both": rule}}));
    let expected = [
        "prompts.both.expansion_rule is `false`: must be true in a rule; leave it out of a template",
        "prompts.both.prompts is `a`: is named twice",
    ];
    assert_eq!(problems, expected);
}

#[rstest]
#[case(json!(7), "prompts is `7`: must be an object")]
#[case(json!({" a": {"description": "d", "template": "t"}}), "prompts. a: is the name of a prompt: it must have 1 to 100 characters")]
#[case(json!({"{a}": {"description": "d", "template": "t"}}), "prompts.{a}: is the name of a prompt")]
#[case(json!({"": {"description": "d", "template": "t"}}), "prompts.: is the name of a prompt")]
#[case(json!({"A": {"description": "d", "template": "t"}, "a": {"description": "d", "template": "t"}}),
    "prompts.a: is named twice: names of prompts that differ only in case are equal; choose another name")]
fn names_of_prompts_are_checked(#[case] prompts: Value, #[case] expected: &str) {
    let (_, problems) = read(&json!({ "prompts": prompts }));
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].starts_with(expected), "{problems:?}");
}

#[test]
fn number_and_size_of_prompts_are_limited() {
    let one = json!({"description": "d", "template": "t"});
    let of =
        |count: usize| json!({"prompts": (0..count).map(|at| (at.to_string(), one.clone())).collect::<Map<_, _>>()});
    assert_eq!(read(&of(MAX_INLINE_PROMPTS)).1, Vec::<String>::new());
    let (library, problems) = read(&of(MAX_INLINE_PROMPTS + 1));
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].starts_with("prompts: must have at most 1000 prompts, but has 1001"), "{problems:?}");
    assert_eq!(library.prompts.len(), MAX_INLINE_PROMPTS);
    let large = json!({"description": "d", "template": "t".repeat(MAX_INLINE_PROMPT_BYTES)});
    let problems = prompt(&large).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].starts_with("stages[1].prompt: has 1000033 bytes; a prompt has at most 1000000"),
        "{problems:?}"
    );
}

#[test]
fn a_request_keeps_its_prompts_in_the_plan() {
    let one = json!({"description": "d", "template": "{a}", "output_schema": {"type": "json", "fields": [["z", "$.z"], ["a", "$.a"]]}});
    let rule = json!({"description": "d", "expansion_rule": true, "prompts": ["p"]});
    let stack = StackLimits { max_total_records: None, max_records_per_job: Some(1000), max_concurrent_jobs: 5 };
    let input = json!({"s3_uri": "s3://bucket/a.csv", "job_name_prefix": "p", "model_id": "m", "prompt": one, "prompts": {"p": one, "r": rule}});
    let (request, problems) = RunRequest::read(&input, stack);
    assert_eq!(problems, []);
    let request = request.unwrap();
    let written = serde_json::to_value(&request).unwrap();
    assert_eq!(serde_json::from_value::<RunRequest>(written).unwrap(), request);
    let without = json!({"s3_uri": "s3://bucket/a.csv", "job_name_prefix": "p", "model_id": "m", "prompt_id": "q"});
    let written = serde_json::to_value(RunRequest::read(&without, stack).0.unwrap()).unwrap();
    assert_eq!(written.get("prompts"), None, "as plans were before");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[{}a$.\"\\[\\](]{0,12}".prop_map(Value::from),
        "json|regex".prop_map(Value::from),
    ];
    let names = "description|template|system|prefill|output_schema|response_schema|type|fields|expansion_rule|prompts|[a$ .]{0,3}";
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map(names, inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_as_prompts_is_read_or_refused(value in any_json()) {
        let input = json!({"prompt": value, "prompts": {"a": value, "b": value}});
        let mut fields = Fields::new("", input.as_object().unwrap());
        let prompt = read_prompt(&mut fields);
        let library = read_library(&mut fields);
        let problems = fields.finish();
        if problems.is_empty() {
            let is_usable = |prompt: &Prompt| prompt.problems().is_empty();
            prop_assert!(prompt.flatten().iter().all(is_usable) && library.prompts.values().all(is_usable));
            prop_assert!(library.unreadable.is_empty());
            let written = serde_json::to_value(&library).unwrap();
            prop_assert_eq!(serde_json::from_value::<PromptLibrary>(written).unwrap(), library);
        }
    }

    #[test]
    fn a_prompt_that_is_accepted_survives_being_written_and_read(template in "[a-z {}]{1,20}", name in "[a-z]{1,5}x") {
        let schema = json!({"type": "json", "fields": [[name, "$.a"]]});
        if let Ok(first) = prompt(&json!({"description": "d", "template": template, "output_schema": schema})) {
            prop_assert_eq!(prompt(&serde_json::to_value(&first).unwrap()), Ok(first));
        }
    }
}
