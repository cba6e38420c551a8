//! Execution input of the pipeline orchestrator (docs/pipelines.md lists the fields for users).

use super::stage::{self, StageRequest};
use crate::input::{Fields, StackLimits, read_library};
use crate::problem::Problem;
use crate::prompt::PromptLibrary;
use serde_json::Value;

/// Maximum number of stages of a pipeline.
pub const MAX_STAGES: usize = 20;
/// Maximum validity of presigned links in days; also the default for all links.
const MAX_PRESIGNED_DAYS: u32 = 7;
/// Maximum number of characters of the name of a pipeline, which is part of the subject of emails.
const MAX_NAME_CHARS: usize = 100;

/// Limits that the stack was deployed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PipelineLimits {
    /// Limits of every stage.
    pub stack: StackLimits,
    /// True if the stack has a download function, whose links are valid longer than presigned ones.
    pub download_links: bool,
}

/// Pipeline as requested by a user, as far as it could be read.
#[derive(Debug, Clone, PartialEq)]
pub struct PipelineRequest {
    /// Name of the pipeline.
    pub pipeline_name: String,
    /// Validity of the links in its email, in days.
    pub presigned_url_expiry_days: u32,
    /// Prompts and expansion rules that the pipeline contains, for all stages.
    pub prompts: PromptLibrary,
    /// Stages, in order.
    pub stages: Vec<StageRequest>,
}

impl PipelineRequest {
    /// Reads and checks a pipeline's configuration.
    ///
    /// Returns the request (`None` if it has no usable stages) and all problems, each with the path of its field. Properties
    /// that do not depend on the configuration alone are left to [`super::check`].
    pub fn read(config: &Value, limits: PipelineLimits) -> (Option<Self>, Vec<Problem>) {
        let Some(object) = config.as_object() else {
            return (None, vec![Problem::without_value("the pipeline", "must be a JSON object")]);
        };
        let mut fields = Fields::new("", object);
        let pipeline_name = read_name(&mut fields);
        let presigned_url_expiry_days = read_days(&mut fields, limits.download_links);
        let prompts = read_library(&mut fields);
        let list = read_list(&mut fields);
        let mut problems = fields.finish();
        let Some(list) = list else { return (None, problems) };
        let mut stages = Vec::new();
        for (index, value) in list.iter().take(MAX_STAGES).enumerate() {
            match value.as_object() {
                Some(fields) => stages.push(StageRequest::read(index, fields, limits.stack, &mut problems)),
                None => problems.push(Problem::new(stage::path(index), value, "must be an object")),
            }
        }
        if stages.len() < list.len().min(MAX_STAGES) {
            // Without all stages, references between them cannot be checked.
            return (None, problems);
        }
        problems.extend(stage::repeated_names(&stages));
        (Some(Self { pipeline_name, presigned_url_expiry_days, prompts, stages }), problems)
    }
}

fn read_name(fields: &mut Fields<'_>) -> String {
    let name = fields.required_text("pipeline_name").unwrap_or_default();
    if name.contains(char::is_control) || name.chars().count() > MAX_NAME_CHARS {
        let rule =
            format!("must have at most {MAX_NAME_CHARS} characters, and no line breaks or other control characters");
        fields.note(Problem::new("pipeline_name", name, rule));
    }
    name.to_owned()
}

fn read_days(fields: &mut Fields<'_>, download_links: bool) -> u32 {
    let days = fields.integer("presigned_url_expiry_days", 1, crate::input::MAX_LINK_DAYS);
    let days = days.and_then(|days| u32::try_from(days).ok()).unwrap_or(MAX_PRESIGNED_DAYS);
    if days > MAX_PRESIGNED_DAYS && !download_links {
        let rule = format!(
            "must be from 1 to {MAX_PRESIGNED_DAYS}: presigned links, which this stack sends, are not valid for longer"
        );
        let remedy = "deploy with the context key `downloadLinks` for links with a longer validity";
        fields.note(Problem::new("presigned_url_expiry_days", days, rule).remedy(remedy));
    }
    days
}

fn read_list<'a>(fields: &mut Fields<'a>) -> Option<&'a Vec<Value>> {
    let value = fields.value("stages");
    let list = value.and_then(Value::as_array);
    if list.is_none_or(|list| !(1..=MAX_STAGES).contains(&list.len())) {
        let rule = format!("must be a list of 1 to {MAX_STAGES} stages");
        fields.note(match list {
            Some(list) => Problem::without_value("stages", format!("{rule}, but has {}", list.len())),
            None => Problem::without_value("stages", rule),
        });
    }
    list.filter(|list| !list.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::clothing::{LIMITS, config, config_with, read};
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[test]
    fn the_configuration_of_the_python_sample_is_accepted_unchanged() {
        let (request, problems) = read(&config());
        assert_eq!(problems, Vec::<String>::new());
        let request = request.unwrap();
        assert_eq!((request.stages.len(), request.presigned_url_expiry_days), (3, 7));
        assert!(request.stages.iter().all(|stage| stage.run.is_some()));
    }

    #[test]
    fn optional_fields_may_be_absent() {
        let config = json!({"$schema": "pipeline.schema.json", "pipeline_name": "p", "stages": [
            {"stage_name": "a", "model_id": "m", "job_name_prefix": "a", "input_s3_uri": "s3://bucket/a.csv"},
            {"stage_name": "b", "model_id": "m", "job_name_prefix": "b", "input_s3_uri": null, "use_previous_output": true},
            {"stage_name": "c", "model_id": "m", "job_name_prefix": "c", "input_s3_uri": "s3://bucket/b.csv",
                "use_previous_output": false},
        ]});
        let (request, problems) = read(&config);
        assert_eq!((problems, request.unwrap().presigned_url_expiry_days), (vec![], 7));
    }

    #[test]
    fn a_stage_may_read_a_dataset() {
        let dataset =
            |id: &str| config_with(&[("/stages/0/input_s3_uri", json!(null)), ("/stages/0/dataset_id", json!(id))]);
        let (request, problems) = read(&dataset("acme/rows"));
        assert_eq!(problems, Vec::<String>::new());
        assert!(request.unwrap().stages[0].is_addressed());
        let (request, problems) = read(&dataset("acme"));
        assert_eq!(problems, Vec::<String>::new());
        assert!(request.unwrap().stages[0].run.is_some());
        let (request, problems) = read(&dataset("a/b/c"));
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with("stages[0].dataset_id is `a/b/c`: is not a valid dataset id"));
        let stage = &request.unwrap().stages[0];
        assert!(stage.run.is_some() && !stage.is_addressed(), "its other fields are checked");
    }

    #[test]
    fn the_account_placeholder_is_reported_and_the_other_fields_are_checked() {
        let uri = json!("s3://batch-inference-bucket-YOUR_ACCOUNT_ID/inputs/clothing-images/");
        let (request, problems) = read(&config_with(&[("/stages/0/input_s3_uri", uri)]));
        assert_eq!(problems.len(), 1, "{problems:?}");
        let says = "still contains the placeholder YOUR_ACCOUNT_ID; replace it by the 12 digits of your AWS account";
        assert!(problems[0].starts_with("stages[0].input_s3_uri is `s3://batch") && problems[0].ends_with(says));
        assert!(request.unwrap().stages[0].run.is_some());
    }

    #[test]
    fn an_invalid_address_does_not_hide_other_problems() {
        let (request, problems) = read(&config_with(&[("/stages/0/input_s3_uri", json!("photos"))]));
        assert_eq!(problems.len(), 1, "{problems:?}");
        let stage = &request.unwrap().stages[0];
        assert!(stage.run.is_some() && !stage.is_addressed());
    }

    #[rstest]
    #[case("/pipeline_name", json!(null), "pipeline_name: is required and must not be empty")]
    #[case("/pipeline_name", json!("a\nb"), "pipeline_name is `a b`: must have at most 100 characters, and no line breaks")]
    #[case("/pipelin", json!(1), "pipelin: is not a field of this input; did you mean `pipeline_name`?")]
    #[case("/presigned_url_expiry_days", json!(0), "presigned_url_expiry_days is `0`: must be a whole number from 1 to 90")]
    #[case("/presigned_url_expiry_days", json!(91), "presigned_url_expiry_days is `91`: must be a whole number from 1 to 90")]
    #[case("/stages", json!(null), "stages: must be a list of 1 to 20 stages")]
    #[case("/stages", json!([]), "stages: must be a list of 1 to 20 stages, but has 0")]
    #[case("/stages", json!([7]), "stages[0] is `7`: must be an object")]
    #[case("/stages/0/input_s3_uri", json!(null), "stages[0].input_s3_uri: is required: the first stage reads it")]
    #[case("/stages/0/use_previous_output", json!(true),
        "stages[0].use_previous_output: the first stage has no previous stage; give it only an input_s3_uri")]
    #[case("/stages/1/use_previous_output", json!(false),
        "stages[1].input_s3_uri: exactly one of this and `use_previous_output: true` is required")]
    #[case("/stages/1/use_previous_output", json!("yes"), "stages[1].use_previous_output is `\"yes\"`: must be true or false")]
    #[case("/stages/1/input_s3_uri", json!("s3://bucket/a.csv"),
        "stages[1].input_s3_uri: cannot be combined with use_previous_output")]
    #[case("/stages/0/dataset_id", json!("acme/rows"), "stages[0].input_s3_uri: cannot be combined with dataset_id")]
    #[case("/stages/1/dataset_id", json!("acme/rows"), "stages[1].dataset_id: cannot be combined with use_previous_output")]
    #[case("/stages/0/split", json!("test"), "stages[0].split: is only allowed with dataset_id")]
    #[case("/stages/1/input_s3_uri", json!("a.csv"), "stages[1].input_s3_uri is `a.csv`: must look like `s3://bucket/path`")]
    #[case("/stages/0/include_failed", json!(true), "stages[0].include_failed: is only allowed with use_previous_output")]
    #[case("/stages/0/s3_uri", json!("s3://b/a"), "stages[0].s3_uri: is not a field of this input; in a stage, its name is `input_s3_uri`")]
    #[case("/stages/0/previous_run", json!({}), "stages[0].previous_run: is not a field of this input; `use_previous_output: true` reads the previous stage")]
    #[case("/stages/0/presigned_url_expiry_days", json!(3), "stages[0].presigned_url_expiry_days: is not a field of this input; it belongs next to `stages`")]
    #[case("/stages/0/prompts", json!({}), "stages[0].prompts: is not a field of this input; it belongs next to `stages`")]
    #[case("/prompts", json!({"p": {"description": "d"}}), "prompts.p.template: is required and must not be empty")]
    #[case("/stages/0/prompt_config", json!({"prompt": 7}), "stages[0].prompt_config.prompt is `7`: must be an object with the fields of a prompt")]
    #[case("/stages/1/stage_name", json!(null), "stages[1].stage_name: is required and must not be empty")]
    #[case("/stages/1/stage_name", json!(7), "stages[1].stage_name is `7`: must be a text")]
    #[case("/stages/1/stage_name", json!("{a}"), "stages[1].stage_name is `{a}`: is part of column names")]
    #[case("/stages/1/stage_name", json!("input"), "stages[1].stage_name is `input`: is reserved for the user's own columns")]
    #[case("/stages/2/stage_name", json!("classify_category"),
        "stages[2].stage_name is `classify_category`: is already the name of stages[0]")]
    #[case("/stages/2/job_name_prefix", json!("stage1_classify"),
        "stages[2].job_name_prefix is `stage1_classify`: becomes `stage1-classify` after cleaning, like that of stages[0]")]
    #[case("/stages/2/job_name_prefix", json!("__"), "stages[2].job_name_prefix is `__`: must contain at least one of")]
    #[case("/stages/1/model_id", json!(null), "stages[1].model_id: is required and must not be empty")]
    #[case("/stages/1/prompt_config/column", json!("x"),
        "stages[1].prompt_config.column: is not a field of this input; did you mean `column_name`?")]
    fn each_invalid_field_is_reported_with_path_and_rule(
        #[case] at: &str,
        #[case] value: Value,
        #[case] expected: &str,
    ) {
        let (_, problems) = read(&config_with(&[(at, value)]));
        assert!(problems.iter().any(|problem| problem.starts_with(expected)), "{problems:?}");
    }

    #[test]
    fn all_problems_of_all_stages_are_reported_at_once() {
        let changes = [("/pipeline_name", json!(null)), ("/stages/0/model_id", json!(7)), ("/stages/2/foo", json!(1))];
        let (request, problems) = read(&config_with(&changes));
        let fields: Vec<&str> = problems.iter().filter_map(|problem| problem.split([' ', ':']).next()).collect();
        assert_eq!(fields, ["pipeline_name", "stages[0].model_id", "stages[2].foo"]);
        assert!(request.unwrap().stages[0].run.is_none());
    }

    #[test]
    fn a_pipeline_has_at_most_20_stages() {
        let stage = |at: usize| {
            json!({"stage_name": at.to_string(), "model_id": "m", "job_name_prefix": at.to_string(),
            "input_s3_uri": "s3://bucket/a.csv"})
        };
        let of = |stages: usize| json!({"pipeline_name": "p", "stages": (0..stages).map(stage).collect::<Vec<_>>()});
        assert_eq!(read(&of(20)).1, Vec::<String>::new());
        assert_eq!(read(&of(21)).1, ["stages: must be a list of 1 to 20 stages, but has 21"]);
    }

    #[rstest]
    #[case(7, false, true)]
    #[case(8, false, false)]
    #[case(90, true, true)]
    fn links_over_a_week_require_the_download_function(
        #[case] days: u32,
        #[case] download_links: bool,
        #[case] accepted: bool,
    ) {
        let config = config_with(&[("/presigned_url_expiry_days", json!(days))]);
        let (_, problems) = PipelineRequest::read(&config, PipelineLimits { download_links, ..LIMITS });
        assert_eq!(problems.is_empty(), accepted, "{problems:?}");
        assert!(problems.iter().all(|problem| problem.to_string().contains("context key `downloadLinks`")));
    }

    #[rstest]
    #[case(json!([]))]
    #[case(json!("a"))]
    #[case(json!(null))]
    fn values_other_than_objects_are_refused(#[case] config: Value) {
        assert_eq!(read(&config), (None, vec!["the pipeline: must be a JSON object".to_owned()]));
    }
}
