use super::*;
use crate::check::test_requests::request_of_prompt as request;
use rstest::rstest;
use serde_json::{Value, json};

fn plan(prompt: &str) -> PromptPlan {
    PromptPlan::single("mine", Prompt::parse(&format!("description = \"d\"\n{prompt}")).unwrap())
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn found(more: &Value, prompt: &str, columns: Option<&[&str]>) -> Vec<String> {
    let columns = columns.map(names);
    let problems = shown_column_problems(&request(more), &plan(prompt), columns.as_deref());
    problems.iter().map(ToString::to_string).collect()
}

const COLUMNS: [&str; 3] = ["text", "company", "Review Text"];
const CONSTANT: &str =
    "prompt `mine`: shows no column, so that all rows would send the same request and get the same answer";

#[rstest]
#[case::no_placeholder("template = 'Summarize the review.'", &[CONSTANT])]
#[case::doubled("template = 'Summarize: {{text}}'", &["prompt `mine`: shows `{{text}}`, and doubled braces insert no column"])]
#[case::doubled_with_spaces("template = 'Summarize: {{ text }}'", &["prompt `mine`: shows `{{ text }}`, and doubled"])]
#[case::doubled_of_a_near_one("template = '{text}: {{review_text}}'", &["prompt `mine`: shows `{{review_text}}`, and"])]
#[case::doubled_within_json("template = '{{\"review\": \"{{text}}\"}}'", &["prompt `mine`: shows `{{text}}`, and"])]
#[case::json("template = 'Read {text}. Answer: {{\"a\": {{\"b\": 1}}}}'", &[])]
#[case::json_around_a_column("template = '{{\"text\": \"{text}\"}}'", &[])]
#[case::braces_around_a_column("template = '{{{text}}}'", &[])]
#[case::about_templates("template = '{text}: what does {{{{text}}}} mean?'", &[])]
#[case::only_a_reference("template = 'Use {reference.codes}'", &[CONSTANT])]
#[case::system("template = 'Write a slogan.'\nsystem = 'You work for {company}.'", &[])]
#[case::prefill("template = 'Write a slogan.'\nprefill = '{company}:'", &[])]
#[case::other_braces("template = 'Write a slogan.'\nsystem = 'Answer {\"a\": 1} {x}'", &[CONSTANT])]
#[case::doubled_in_system("template = '{text}'\nsystem = 'For {{company}}'",
    &["prompt `mine`, system: shows `{{company}}`, and doubled braces insert no column"])]
#[case::near_in_system("template = '{text}'\nsystem = 'For {Company}'",
    &["prompt `mine`, system: shows `{Company}`, which is not the name of a column and would be sent as it stands; write `{company}`"])]
#[case::spaces_in_prefill("template = '{text}'\nprefill = '{ company }'", &["prompt `mine`, prefill: shows `{ company }`, which"])]
#[case::json_in_system("template = '{text}'\nsystem = '{\"text\": {\"company\": 1}}'", &[])]
#[case::rows("template = '{rows}'\n[rows]\ntemplate = '{row_id} {text}'", &[])]
#[case::rows_doubled("template = '{rows}'\n[rows]\ntemplate = '{row_id} {text} {{company}}'",
    &["prompt `mine`: shows `{{company}}`, and"])]
#[case::rows_system("template = '{rows}'\nsystem = 'For {company}'\n[rows]\ntemplate = '{row_id} {text}'",
    &["prompt `mine`, system: shows `{company}`, but a request has several rows"])]
fn prompts_that_would_be_the_same_for_all_rows_are_refused(#[case] prompt: &str, #[case] expected: &[&str]) {
    let more = json!({"reference": {"codes": "s3://bucket/codes.txt"}});
    let problems = found(&more, prompt, Some(&COLUMNS));
    assert_eq!(problems.len(), expected.len(), "{problems:?}");
    assert!(problems.iter().zip(expected).all(|(problem, start)| problem.starts_with(start)), "{problems:?}");
}

#[test]
fn the_remedies_say_what_to_write() {
    let constant = found(&json!({}), "template = 'x'", Some(&COLUMNS));
    let remedy = "insert one, such as `{text}` (the columns are `text`, `company`, `Review Text`); if that is wanted, set \
        allow_constant_prompt to true";
    assert!(constant[0].ends_with(remedy), "{constant:?}");
    let doubled = found(&json!({}), "template = '{{Text}} {{company}}'", Some(&COLUMNS));
    assert!(doubled[0].contains("write `{text}`, `{company}` with single braces"), "{doubled:?}");
}

#[rstest]
#[case::allowed(json!({"allow_constant_prompt": true}), "template = 'x'", 0)]
#[case::image(json!({"input_type": "image", "image_column": "text"}), "template = 'x'", 0)]
#[case::image_doubled(json!({"input_type": "image", "image_column": "text"}), "template = '{{company}}'", 1)]
#[case::deduplicate(json!({"deduplicate": false}), "template = 'x'", 1)]
#[case::system(json!({"inference": {"system_prompt": "For {company}"}}), "template = 'x'", 0)]
#[case::doubled_system(json!({"inference": {"system_prompt": "For {{company}}"}}), "template = '{text}'", 1)]
#[case::near_prefill(json!({"inference": {"prefill": "{Company}"}}), "template = '{text}'", 1)]
#[case::replaced_prefill(json!({"inference": {"prefill": "{"}}), "template = 'x'\nprefill = '{company}'", 1)]
#[case::rows(json!({"inference": {"system_prompt": "For {company}"}}),
    "template = '{rows}'\n[rows]\ntemplate = '{row_id} {text}'", 1)]
fn what_is_the_same_for_all_rows_depends_on_the_request(
    #[case] more: Value,
    #[case] prompt: &str,
    #[case] problems: usize,
) {
    let found = found(&more, prompt, Some(&COLUMNS));
    assert_eq!(found.len(), problems, "{found:?}");
}

#[rstest]
#[case("template = 'x'", 1)]
#[case("template = 'x {{text}}'", 1)]
#[case("template = 'x {text}'", 0)]
#[case("template = 'x'\nsystem = 'You work for {company}.'", 0)]
fn without_known_columns_a_prompt_without_any_braces_is_refused(#[case] prompt: &str, #[case] problems: usize) {
    let found = found(&json!({}), prompt, None);
    assert_eq!(found.len(), problems, "{found:?}");
}

#[test]
fn columns_in_system_prompts_and_prefills_are_found() {
    let plan = plan("template = '{text}'\nsystem = '{company} {x}'\nprefill = '{\"a\": {Review Text}'");
    let request = request(&json!({"inference": {"system_prompt": "{text}"}}));
    let found = columns_in_instructions(&request, &plan, &names(&COLUMNS));
    assert_eq!(found, names(&COLUMNS).into_iter().collect());
}
