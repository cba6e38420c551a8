//! Inference parameters, and the texts of prompts that go with them, for the models that records are sent to.

use super::Resolved;
use crate::input::{Inference, RunRequest, prefill_problem};
use crate::model::{Family, Model, effective_prefill};
use crate::printable::is_blank;
use crate::problem::Problem;
use crate::prompt::PromptPlan;

/// Returns the problems of the inference parameters. A prefill may come from a prompt or from the request; in both cases the
/// models must support it.
pub(super) fn inference_problems(
    request: &RunRequest,
    model: &Model,
    fallback: Option<&Model>,
    prompts: Option<&PromptPlan>,
) -> Vec<Problem> {
    // If rows name their prompts, only the rows determine which of them are used.
    problems_of(request, model, fallback, prompts.filter(|plan| !plan.names_prompts_by_row()))
}

/// Returns the problems of the texts of prompts that rows have named, all of which are sent.
pub fn sent_prompt_problems(request: &RunRequest, resolved: &Resolved) -> Vec<Problem> {
    problems_of(request, &resolved.model, resolved.on_demand.fallback.as_ref(), Some(&resolved.prompts))
}

fn problems_of(
    request: &RunRequest,
    model: &Model,
    fallback: Option<&Model>,
    prompts: Option<&PromptPlan>,
) -> Vec<Problem> {
    let named = || prompts.iter().flat_map(|plan| &plan.prompts);
    let first = named().find_map(|named| named.prompt.prefill.as_deref());
    let prefill = effective_prefill(&request.inference, first).map(str::to_owned);
    let inference = Inference { prefill, ..request.inference.clone() };
    let mut problems: Vec<Problem> = Vec::new();
    for model in [Some(model), fallback].into_iter().flatten() {
        for problem in inference.problems_with(model) {
            // The one of the prompt has its name below.
            let is_of_prompt = request.inference.prefill.is_none() && problem == prefill_problem("inference.prefill");
            if !is_of_prompt && !problems.contains(&problem) {
                problems.push(problem);
            }
        }
    }
    if model.family.is_embedding() {
        return problems;
    }
    for named in named() {
        let ends_in_space = named.prompt.prefill.as_deref().is_some_and(|text| text.ends_with(char::is_whitespace));
        if ends_in_space && request.inference.prefill.is_none() && model.family == Family::AnthropicMessages {
            problems.push(prefill_problem(format!("prompt `{}`, prefill", named.id)));
        }
        if named.prompt.system.as_deref().is_some_and(|text| !text.is_empty() && is_blank(text)) {
            let rule = "has only white space, which models refuse";
            let field = format!("prompt `{}`, system", named.id);
            problems.push(Problem::without_value(field, rule).remedy("leave it out"));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::test_requests::request_of_model;
    use crate::model::ModelTable;
    use crate::prompt::{Choice, Prompt};
    use rstest::rstest;
    use serde_json::{Value, json};
    use std::collections::BTreeMap;

    const CLAUDE: &str = "us.anthropic.claude-haiku-4-5-20251001-v1:0";
    const NOVA: &str = "amazon.nova-lite-v1:0";
    const OPUS: &str = "us.anthropic.claude-opus-5";

    fn found(model_id: &str, inference: &Value, prompt: &str) -> Vec<String> {
        found_with((model_id, None), inference, prompt, false)
    }

    /// Returns the problems with a model and its fallback; `is_by_row` if rows name the prompt.
    fn found_with(
        (model_id, fallback): (&str, Option<&str>),
        inference: &Value,
        prompt: &str,
        is_by_row: bool,
    ) -> Vec<String> {
        let request = request_of_model(model_id, &json!({"inference": inference}));
        let find = |id: &str| ModelTable::with_overrides("").unwrap().find(id).unwrap();
        let prompt = Prompt::parse(&format!("description = \"d\"\ntemplate = \"{{a}}\"\n{prompt}")).unwrap();
        let mut plan = PromptPlan::single("mine", prompt);
        if is_by_row {
            let (columns, by_value) = (vec!["kind".to_owned()], [("mine".to_owned(), 0)].into());
            plan.choice = Choice::Mapped { columns, by_value, default: None, by_name: true, unusable: BTreeMap::new() };
        }
        let fallback = fallback.map(find);
        let problems = inference_problems(&request, &find(model_id), fallback.as_ref(), Some(&plan));
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_fallback_model_is_held_to_its_own_rules() {
        let problems = found_with((CLAUDE, Some(OPUS)), &json!({"temperature": 0}), "", false);
        let expected = "inference.temperature: `us.anthropic.claude-opus-5` refuses every request";
        assert!(problems.len() == 1 && problems[0].starts_with(expected), "{problems:?}");
    }

    #[test]
    fn prompts_that_only_the_rows_choose_are_not_refused_before_it_is_known_whether_they_are_sent() {
        let prefill = "prefill = \"{ \"";
        assert_eq!(found_with((CLAUDE, None), &json!({}), prefill, true), Vec::<String>::new());
        assert_eq!(found_with((CLAUDE, None), &json!({}), prefill, false).len(), 1);
    }

    #[rstest]
    #[case::line_break(CLAUDE, "prefill = \"{\\n\"", &["prompt `mine`, prefill: ends in white space, and Claude models refuse"])]
    #[case::space(CLAUDE, "prefill = \"{ \"", &["prompt `mine`, prefill: ends in white space"])]
    #[case::none(CLAUDE, "prefill = \"{\"", &[])]
    #[case::nova(NOVA, "prefill = \"{ \"", &[])]
    #[case::blank_system(NOVA, "system = \" \"", &["prompt `mine`, system: has only white space"])]
    #[case::empty_system(CLAUDE, "system = \"\"", &[])]
    fn texts_of_prompts_that_a_model_refuses_are_reported(
        #[case] model: &str,
        #[case] prompt: &str,
        #[case] expected: &[&str],
    ) {
        let problems = found(model, &json!({}), prompt);
        assert_eq!(problems.len(), expected.len(), "{problems:?}");
        assert!(problems.iter().zip(expected).all(|(problem, start)| problem.starts_with(start)), "{problems:?}");
    }

    #[rstest]
    #[case::prefill(CLAUDE, json!({"prefill": "So:\n"}), &["inference.prefill: ends in white space"])]
    #[case::replaced(CLAUDE, json!({"prefill": "So:"}), &[])]
    #[case::stop(CLAUDE, json!({"stop_sequences": ["x", "\n"]}),
        &["inference.stop_sequences: contains \"\\n\", and Claude models refuse"])]
    #[case::stop_of_nova(NOVA, json!({"stop_sequences": ["\n"]}), &[])]
    #[case::empty_stop(NOVA, json!({"stop_sequences": [""]}), &["inference.stop_sequences: contains an empty text"])]
    #[case::system(CLAUDE, json!({"system_prompt": "\n"}), &["inference.system_prompt: has only white space"])]
    #[case::max_tokens(CLAUDE, json!({"max_tokens": 64_001}),
        &["inference.max_tokens is `64001`: must be at most 64000, the longest answer of `us.anthropic.claude-haiku-4-5"])]
    #[case::max_tokens_fits(CLAUDE, json!({"max_tokens": 64_000}), &[])]
    #[case::temperature("us.anthropic.claude-opus-5", json!({"temperature": 0}),
        &["inference.temperature: `us.anthropic.claude-opus-5` refuses every request with this parameter"])]
    #[case::thinking("us.anthropic.claude-opus-5", json!({"thinking_budget_tokens": 2000, "max_tokens": 4000}),
        &["inference.thinking_budget_tokens: `us.anthropic.claude-opus-5` refuses every request"])]
    #[case::prefill_refused("us.anthropic.claude-sonnet-4-6", json!({"prefill": "{"}),
        &["inference.prefill: `us.anthropic.claude-sonnet-4-6` refuses every request with this parameter"])]
    fn parameters_that_a_model_refuses_are_reported(
        #[case] model: &str,
        #[case] inference: Value,
        #[case] expected: &[&str],
    ) {
        let replaced = if inference.get("prefill").is_some() { "prefill = \"{ \"" } else { "" };
        let problems = found(model, &inference, replaced);
        assert_eq!(problems.len(), expected.len(), "{problems:?}");
        assert!(problems.iter().zip(expected).all(|(problem, start)| problem.starts_with(start)), "{problems:?}");
    }
}
