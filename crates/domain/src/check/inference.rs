//! Inference parameters, and the texts of prompts that go with them, for the models that records are sent to.

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
    let prompts = prompts.filter(|plan| !plan.names_prompts_by_row());
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
    use crate::input::StackLimits;
    use crate::model::ModelTable;
    use crate::prompt::Prompt;
    use rstest::rstest;
    use serde_json::{Value, json};

    const STACK: StackLimits =
        StackLimits { max_total_records: None, max_records_per_job: 1000, max_concurrent_jobs: 5 };
    const CLAUDE: &str = "anthropic.claude-3-haiku-20240307-v1:0";
    const NOVA: &str = "amazon.nova-lite-v1:0";

    fn found(model_id: &str, inference: &Value, prompt: &str) -> Vec<String> {
        let input = json!({"s3_uri": "s3://bucket/a.csv", "job_name_prefix": "p", "model_id": model_id, "inference": inference});
        let (request, problems) = RunRequest::read(&input, STACK);
        assert_eq!(problems, []);
        let model = ModelTable::with_overrides("").unwrap().find(model_id, None).unwrap();
        let prompt = Prompt::parse(&format!("description = \"d\"\ntemplate = \"{{a}}\"\n{prompt}")).unwrap();
        let plan = PromptPlan::single("mine", prompt);
        let problems = inference_problems(&request.unwrap(), &model, None, Some(&plan));
        problems.iter().map(ToString::to_string).collect()
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
    #[case::max_tokens(CLAUDE, json!({"max_tokens": 8192}),
        &["inference.max_tokens is `8192`: must be at most 4096, the longest answer of `anthropic.claude-3-haiku"])]
    #[case::max_tokens_fits(CLAUDE, json!({"max_tokens": 4096}), &[])]
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
