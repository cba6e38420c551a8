//! Checks of a request before its first row is read: its model, prompts and parameters must exist and be compatible, and the
//! columns that its prompts need must exist. Also determines the output columns.

mod answers;
mod columns;
mod copies;
mod cost;
mod field_room;
mod inference;
mod models;
mod near_columns;
mod prompts;
mod reference_names;
mod references;
mod resolved;
mod row_count;
mod rows_per_request;
mod run;
mod shown_columns;
#[cfg(test)]
mod test_requests;

pub use answers::{answer_problems, certain_prefix_problems, prefix_problems};
pub use columns::{EMBEDDING_INPUT, added_columns, column_problems, output_columns, wide_name, wide_status};
pub use copies::copies_warning;
pub use cost::{ToSend, cost_problem, on_demand_cap};
pub use inference::sent_prompt_problems;
pub use references::{reference_note, reference_problems, reference_warning, used_reference_problems};
pub use resolved::Resolved;
pub use row_count::row_count;
pub use rows_per_request::rows_part_problems;
pub use run::{COLUMNS_OF_IMAGES, RunCheck, check_run, image_columns};
pub use shown_columns::{ALLOW_CONSTANT_PROMPT, columns_in_instructions, shown_column_problems};

use crate::input::{InputType, RunRequest};
use crate::model::ModelTable;
use crate::problem::Problem;
use crate::prompt::PromptLibrary;
use answers::{embedding_problems, enforcing_model_problems};
use inference::inference_problems;
use models::{RunModels, models_of};
use prompts::{prompts_of, replaced_prompts};
use reference_names::name_problems;
use rows_per_request::rows_per_request_problems;

/// Prompts and models of a deployment.
#[derive(Debug, Clone, Copy)]
pub struct Catalog<'a> {
    /// Prompts of the deployment.
    pub prompts: &'a PromptLibrary,
    /// Models of the deployment.
    pub models: &'a ModelTable,
    /// Region in which models are invoked.
    pub region: &'a str,
}

/// Looks up the model and the prompts that `request` names or contains. Problems name fields of the request, without a path prefix.
pub fn resolve(request: &RunRequest, catalog: &Catalog<'_>) -> (Option<Resolved>, Vec<Problem>) {
    let (models, mut problems) = models_of(request, catalog.models, catalog.region);
    let model = models.as_ref().map(|models| &models.batch);
    let is_embedding = model.map(|model| model.family.is_embedding());
    let (library, found) = catalog.prompts.with(&request.prompts);
    problems.extend(found);
    let (prompts, found) = prompts_of(&request.prompt_config, is_embedding, &library);
    problems.extend(found);
    problems.extend(prompts.iter().flat_map(|plan| name_problems(request, plan)));
    if let Some(model) = model.filter(|model| request.rows.input_type == InputType::Image && !model.takes_images) {
        let rule = "does not accept images, but input_type is `image`";
        let remedy = format!("choose a model that accepts images, such as {}", catalog.models.listed_with_images());
        problems.push(Problem::new("model_id", &model.id, rule).remedy(remedy));
    }
    if let Some(RunModels { batch, on_demand, .. }) = &models {
        problems.extend(inference_problems(request, batch, on_demand.fallback.as_ref(), prompts.as_ref()));
        problems.extend(rows_per_request_problems(request, batch, prompts.as_ref()));
    }
    let resolved = match (models, prompts) {
        (Some(models), Some(prompts)) => {
            let replaced = replaced_prompts(&request.prompt_config, &prompts, &library);
            let output_column_prefix = request.answers.output_column_prefix.clone();
            let prompts = prompts.in_format(request.answers.response_format);
            let RunModels { batch: model, on_demand, warnings } = models;
            let model_warnings = catalog.models.lookup_warnings().iter().cloned().chain(warnings).collect();
            let resolved = Resolved { model, on_demand, model_warnings, prompts, replaced, output_column_prefix };
            problems.extend(embedding_problems(request, &resolved));
            problems.extend(enforcing_model_problems(request, &resolved, catalog.models));
            if !resolved.prompts.names_prompts_by_row() {
                problems.extend(answer_problems(request, &resolved));
            }
            problems.extend(cost::price_problems(request, &resolved));
            Some(resolved)
        }
        _ => None,
    };
    (resolved, problems)
}

#[cfg(test)]
mod tests {
    use super::test_requests::request_of_model;
    use super::*;
    use crate::columns::Column;
    use crate::prompt::Prompt;
    use rstest::rstest;
    use serde_json::{Value, json};

    const HAIKU: &str = "us.anthropic.claude-haiku-4-5-20251001-v1:0";

    fn library() -> PromptLibrary {
        let mut library = PromptLibrary::default();
        let fields = "[output_schema]\ntype = \"json\"\nfields = { color = \"$.c\" }";
        library.add("ask_a", &format!("description = \"d\"\ntemplate = \"{{a}}\"\n{fields}")).unwrap();
        library.add("ask_b", "description = \"d\"\ntemplate = \"{b}\"").unwrap();
        library.add("both", "description = \"d\"\nexpansion_rule = true\nprompts = [\"ask_a\", \"ask_b\"]").unwrap();
        library
    }

    /// Returns the problems of an input with these columns, or its output columns if there are none.
    fn checked(more: &Value, columns: &[&str]) -> Result<Vec<String>, Vec<String>> {
        let request = request_of_model(HAIKU, more);
        let (library, models) = (library(), ModelTable::with_overrides("").unwrap());
        let catalog = Catalog { prompts: &library, models: &models, region: "us-east-1" };
        let (resolved, mut problems) = resolve(&request, &catalog);
        let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
        problems.extend(resolved.iter().flat_map(|resolved| column_problems(&request, resolved, &columns)));
        if !problems.is_empty() {
            return Err(problems.iter().map(ToString::to_string).collect());
        }
        let columns: Vec<Column> = columns.into_iter().map(Column::of_input).collect();
        let out = output_columns(&resolved.unwrap(), &columns, "first");
        Ok(out.into_iter().map(|column| column.name).collect())
    }

    #[rstest]
    #[case(json!({"prompt_id": "ask_c"}), "prompt_id is `ask_c`: a prompt template of this name does not exist; did you mean")]
    #[case(json!({"prompt_id": "both"}), "prompt_id is `both`: is an expansion rule, but a prompt template is expected here")]
    #[case(json!({}), "prompt_id: is required for a text model; the prompts are `ask_a`, `ask_b`")]
    #[case(json!({"prompt_id": "ask_b"}), "column `b`: the prompt `ask_b` needs this column, which the input does not have; the columns are `a`, `kind`")]
    #[case(json!({"prompt_config": {"mode": "mapped", "column_name": "kind"}, "category_to_prompt_mapping": {"x": "nope"}}),
        "category_to_prompt_mapping.x is `nope`: a prompt template of this name does not exist")]
    #[case(json!({"prompt_config": {"mode": "mapped", "column_name": "none"}, "category_to_prompt_mapping": {"x": "ask_a"}}),
        "prompt_config.column_name: the input does not have the column `none` or `category`")]
    #[case(json!({"prompt_config": {"mode": "mapped", "column_name": "none"}}),
        "prompt_config.column_name: the input does not have the column `none`, which selects")]
    #[case(json!({"prompt_config": {"mode": "expanded", "category_column": "kind", "expansion_mapping": {"x": "bot"}}}),
        "prompt_config.expansion_mapping.x is `bot`: an expansion rule of this name does not exist; did you mean `both`?")]
    #[case(json!({"prompt_config": {"mode": "expanded", "category_column": "kind", "expansion_mapping": {"x": "ask_a"}}}),
        "is a prompt template, but an expansion rule is expected here; the rules are `both`")]
    #[case(json!({"prompt_config": {"mode": "expanded", "category_column": "none", "expansion_mapping": {"x": "both"}}}),
        "prompt_config.category_column is `none`: the input does not have this column")]
    #[case(json!({"model_id": "amazon.nova-micro-v1:0", "prompt_id": "ask_a", "input_type": "image"}),
        "model_id is `amazon.nova-micro-v1:0`: does not accept images, but input_type is `image`; choose a model that accepts images, such as `amazon.nova")]
    #[case(json!({"prompt_id": "ask_a", "input_type": "image"}), "image_column is `image_path`: the input does not have this column")]
    fn invalid_requests_are_reported_with_field_and_rule(#[case] more: Value, #[case] expected: &str) {
        let problems = checked(&more, &["a", "kind"]).unwrap_err();
        assert!(problems.iter().any(|problem| problem.contains(expected)), "{problems:?}");
    }

    fn inline(template: &str) -> Value {
        json!({"description": "d", "template": template, "output_schema": {"type": "json", "fields": [["z", "$.z"], ["y", "$.y"]]}})
    }

    #[rstest]
    #[case::column(json!({"prompt": inline("{b}")}), "column `b`: the prompt `prompt` needs this column, which the input does not have")]
    #[case::near_column(json!({"prompt": inline("{KIND}")}),
        "column `KIND`: the prompt `prompt` needs this column, which the input does not have; the input has `kind`: write \"column_mappings\": {\"KIND\": \"kind\"}")]
    #[case::embedding(json!({"prompt": inline("{a}"), "model_id": "amazon.titan-embed-text-v2:0"}),
        "prompt: an embedding model does not accept prompts")]
    #[case::rule_of_nothing(json!({"prompt_id": "ask_a", "prompts": {"r": {"description": "d", "expansion_rule": true, "prompts": ["ask"]}}}),
        "prompts.r.prompts is `ask`: a prompt template of this name does not exist; did you mean `ask_a` or `ask_b`?")]
    #[case::twice(json!({"prompt_config": {"mode": "expanded", "category_column": "kind", "expansion_mapping": {"x": "r"}},
        "prompts": {"r": {"description": "d", "expansion_rule": true, "prompts": ["ask_a", "Ask_A"]}}}),
        "prompt_config.expansion_mapping.x is `r`: names the prompt `Ask_A` twice, in different case; name it once")]
    #[case::unknown(json!({"prompt_id": "triag", "prompts": {"triage": inline("{a}")}}),
        "prompt_id is `triag`: a prompt template of this name does not exist; did you mean `triage`?")]
    fn prompts_in_the_input_are_checked_like_deployed_ones(#[case] more: Value, #[case] expected: &str) {
        let problems = checked(&more, &["a", "kind"]).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with(expected), "{problems:?}");
    }

    #[rstest]
    #[case::embedding(json!({"model_id": "amazon.titan-embed-text-v2:0"}),
        "rows_per_request is `10`: an embedding model answers one row per request; leave it out")]
    #[case::images(json!({"input_type": "image", "image_column": "kind", "prompt": rows_prompt()}),
        "rows_per_request is `10`: a request has one image; leave it out, or use input_type `text`")]
    #[case::without_the_part(json!({"prompt_id": "ask_a"}),
        "rows_per_request is `10`: the prompt `ask_a` does not say what is repeated for each row; give it a part `rows`")]
    #[case::one_of_several(json!({"prompt_config": {"mode": "expanded", "category_column": "kind", "expansion_mapping": {"x": "all"}},
        "prompts": {"all": {"description": "d", "expansion_rule": true, "prompts": ["rows", "ask_a"]}, "rows": rows_prompt()}}),
        "rows_per_request is `10`: the prompt `ask_a` does not say what is repeated for each row")]
    #[case::column(json!({"prompt": {"description": "d", "template": "{rows}", "rows": {"template": "{row_id} {b}"}}}),
        "column `b`: the prompt `prompt` needs this column, which the input does not have")]
    fn requests_of_several_rows_are_checked(#[case] mut more: Value, #[case] expected: &str) {
        more["rows_per_request"] = json!(10);
        let problems = checked(&more, &["a", "kind"]).unwrap_err();
        assert!(problems.iter().any(|problem| problem.starts_with(expected)), "{problems:?}");
    }

    fn rows_prompt() -> Value {
        json!({"description": "d", "template": "{rows}", "rows": {"template": "{row_id} {a}"}})
    }

    #[test]
    fn a_prompt_of_requests_of_several_rows_needs_no_number_of_rows_but_takes_no_images() {
        assert!(checked(&json!({"prompt": rows_prompt()}), &["a"]).is_ok());
        assert!(checked(&json!({"prompt": rows_prompt(), "rows_per_request": 1}), &["a"]).is_ok());
        let with_image = json!({"prompt": rows_prompt(), "input_type": "image", "image_column": "a"});
        let problems = checked(&with_image, &["a"]).unwrap_err();
        let expected = "input_type is `image`: the prompt `prompt` has a part `rows`, and a request has one image";
        assert!(problems[0].starts_with(expected), "{problems:?}");
    }

    #[test]
    fn a_generated_prompt_is_checked_once_it_is_known() {
        let input = |more: Value| {
            let mut fields = json!({"prompt_templates": "s3://bucket/t/", "input_data_column": "text"});
            fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            request_of_model(HAIKU, &fields)
        };
        let (library, models) = (library(), ModelTable::with_overrides("").unwrap());
        let catalog = Catalog { prompts: &library, models: &models, region: "us-east-1" };
        let mut request = input(json!({}));
        assert_eq!(resolve(&request, &catalog), (None, vec![]), "it is in S3, and not known here");
        request.prompt_config.set_generated(Prompt::parse("description = \"d\"\ntemplate = \"{text}{a}\"").unwrap());
        let (resolved, problems) = resolve(&request, &catalog);
        assert_eq!(problems, []);
        let columns = ["A".to_owned(), "Text".to_owned()];
        let problems = column_problems(&request, resolved.as_ref().unwrap(), &columns);
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let copied = "write \"column_mappings\": {\"a\": \"A\", \"text\": \"Text\"}";
        assert_eq!(problems.len(), 2);
        assert!(problems[0].starts_with("column `a`: the prompt `prompt` needs") && problems[0].ends_with(copied));
        let expected = format!("{copied}; or name the column that `{{input_data}}` shows with `input_data_column`");
        assert!(problems[1].starts_with("column `text`: ") && problems[1].ends_with(&expected), "{problems:?}");

        let embedding = json!({"model_id": "amazon.titan-embed-text-v2:0"});
        let (_, problems) = resolve(&input(embedding), &catalog);
        assert!(problems[0].to_string().starts_with("prompt_templates is `s3://bucket/t/`: an embedding model"));
    }

    #[test]
    fn a_prompt_of_the_input_is_used_in_place_of_the_deployed_one() {
        let resolved = |more: Value| {
            let (library, models) = (library(), ModelTable::with_overrides("").unwrap());
            let catalog = Catalog { prompts: &library, models: &models, region: "us-east-1" };
            let (resolved, problems) = resolve(&request_of_model(HAIKU, &more), &catalog);
            assert_eq!(problems, []);
            resolved.unwrap()
        };
        let one =
            resolved(json!({"prompt_id": "ask_b", "prompts": {"ask_b": inline("mine"), "ask_a": inline("unused")}}));
        assert_eq!((one.prompts.prompts[0].prompt.template.as_str(), one.replaced), ("mine", vec!["ask_b".to_owned()]));
        let expanded = json!({"prompt_config": {"mode": "expanded", "category_column": "kind", "expansion_mapping": {"x": "both"}},
            "prompts": {"both": {"description": "d", "expansion_rule": true, "prompts": ["ask_b", "new"]}, "new": inline("{a}")}});
        let two = resolved(expanded);
        let ids: Vec<&str> = two.prompts.prompts.iter().map(|named| named.id.as_str()).collect();
        assert_eq!((ids, two.replaced), (vec!["ask_b", "new"], vec!["both".to_owned()]));
        let other_case = json!({"prompt_id": "ask_b", "prompts": {"Ask_B": inline("mine")}});
        let other_case = resolved(other_case);
        let named = &other_case.prompts.prompts[0];
        assert_eq!((named.id.as_str(), named.prompt.template.as_str()), ("Ask_B", "mine"));
        let of_rule = json!({"prompt_config": {"mode": "expanded", "category_column": "kind", "expansion_mapping": {"x": "BOTH"}},
            "prompts": {"ASK_B": inline("mine")}});
        let of_rule = resolved(of_rule);
        let ids: Vec<&str> = of_rule.prompts.prompts.iter().map(|named| named.id.as_str()).collect();
        assert_eq!((ids, of_rule.replaced), (vec!["ask_a", "ASK_B"], vec!["ask_b".to_owned()]));
        let by_name =
            json!({"prompt_config": {"mode": "mapped", "column_name": "kind"}, "prompts": {"ASK_A": inline("mine")}});
        let by_name = resolved(by_name);
        assert_eq!(by_name.prompts.choose("kind", "ask_a").map(|ids| ids.len()), Ok(1));
        let [chosen] = by_name.prompts.choose("kind", "ask_a").unwrap() else { unreachable!() };
        assert_eq!(by_name.prompts.prompts[*chosen].prompt.template, "mine");
    }

    const METADATA: &str = "error stop_reason input_tokens output_tokens attempts model_id";

    #[rstest]
    #[case(json!({"prompt_id": "ask_a"}), "record_id a b kind input_color response color METADATA")]
    #[case(json!({"prompt": inline("{a}")}), "record_id a b kind color response z y METADATA")]
    #[case(json!({"prompt_config": {"mode": "mapped", "column_name": "kind"}, "category_to_prompt_mapping": {"x": "ask_b"}}),
        "record_id a b kind color response METADATA prompt_id")]
    #[case(json!({"prompt_config": {"mode": "expanded", "category_column": "kind", "expansion_mapping": {"default": "both"}}}),
        "record_id a b kind input_color response color METADATA prompt_id")]
    #[case(json!({"prompt_config": {"mode": "expanded", "category_column": "kind", "expansion_mapping": {"default": "both"}},
        "expanded_layout": "wide"}),
        "record_id a b kind color ask_a_response ask_a_color ask_a_error ask_a_stop_reason ask_a_input_tokens \
         ask_a_output_tokens ask_a_attempts ask_a_model_id ask_b_response ask_b_error ask_b_stop_reason \
         ask_b_input_tokens ask_b_output_tokens ask_b_attempts ask_b_model_id error")]
    fn output_columns_are_known_in_advance(#[case] more: Value, #[case] expected: &str) {
        let columns = checked(&more, &["a", "b", "kind", "record_id", "color"]).unwrap();
        assert_eq!(columns.join(" "), expected.replace("METADATA", METADATA));
    }
}
