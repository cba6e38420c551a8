//! Checks of requests of several rows.

use crate::input::{InputType, RunRequest};
use crate::model::Model;
use crate::problem::{Problem, listed};
use crate::prompt::{Choice, PromptPlan};

/// Returns the problems of a request that sends several rows per request with these prompts. If rows name their prompts, only
/// the rows determine which of them are used: then prompts are checked once they are known (see [`rows_part_problems`]).
pub(super) fn rows_per_request_problems(
    request: &RunRequest,
    model: &Model,
    prompts: Option<&PromptPlan>,
) -> Vec<Problem> {
    let number = request.rows_per_request();
    let problem = |rule: String, remedy: &str| vec![Problem::new("rows_per_request", number, rule).remedy(remedy)];
    let has_images = request.rows.input_type == InputType::Image;
    if number > 1 && model.family.is_embedding() {
        return problem("an embedding model answers one row per request".to_owned(), "leave it out");
    }
    if number > 1 && has_images {
        return problem("a request has one image".to_owned(), "leave it out, or use input_type `text`");
    }
    let Some(plan) = prompts.filter(|plan| !matches!(plan.choice, Choice::Mapped { by_name: true, .. })) else {
        return Vec::new();
    };
    rows_part_problems(request, plan)
}

/// Returns the problems of the prompts that are used.
pub fn rows_part_problems(request: &RunRequest, plan: &PromptPlan) -> Vec<Problem> {
    let with_part = |has_part: bool| {
        let prompts = plan.prompts.iter().filter(move |named| named.prompt.rows.is_some() == has_part);
        prompts.map(|named| named.id.as_str()).collect::<Vec<_>>()
    };
    let mut problems = Vec::new();
    let missing = with_part(false);
    if request.rows_per_request() > 1 && !missing.is_empty() && plan.choice != Choice::None {
        let verb = if missing.len() == 1 { "the prompt {} does not" } else { "the prompts {} do not" };
        let rule = format!("{} say what is repeated for each row", verb.replace("{}", &listed(&missing)));
        let remedy =
            "give it a part `rows`, and write `{rows}` in its template where the rows go; or leave the field out";
        problems.push(Problem::new("rows_per_request", request.rows_per_request(), rule).remedy(remedy));
    }
    let present = with_part(true);
    if request.rows.input_type == InputType::Image && !present.is_empty() {
        let rule = format!("the prompt {} has a part `rows`, and a request has one image", listed(&present));
        let remedy = "use a prompt without this part";
        problems.push(Problem::new("input_type", "image", rule).remedy(remedy));
    }
    problems
}
