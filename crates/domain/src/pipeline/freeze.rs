//! Conversion of a checked configuration to the frozen pipeline run.

use super::{FrozenStage, Pipeline, PipelineRequest, StageRequest, StageRows, stage_execution_name};
use crate::ids::{ExecutionArn, RunId};
use crate::input::{PromptConfig, TemplateSource};
use serde_json::{Map, Value, json};

/// Fields of a stage that a run does not have.
const STAGE_ONLY_FIELDS: [&str; 5] = ["$schema", "stage_name", "input_s3_uri", "input_s3_etag", "use_previous_output"];

/// Execution of the pipeline orchestrator behind a pipeline run.
#[derive(Debug, Clone, Copy)]
pub struct PipelineExecution<'a> {
    /// Name of the execution.
    pub name: &'a str,
    /// ARN of the execution.
    pub arn: &'a ExecutionArn,
    /// Time of the start, in the format of Step Functions.
    pub started_at: &'a str,
}

impl PipelineRequest {
    /// Determines all names of the pipeline run; returns `None` if a stage could not be read.
    pub fn freeze(&self, execution: PipelineExecution<'_>, bucket: &str) -> Option<Pipeline> {
        let stages = self.stages.iter().enumerate().map(|(index, stage)| {
            let run = stage.run.as_ref()?;
            let execution_name = stage_execution_name(execution.name, execution.started_at, index);
            Some(FrozenStage {
                stage_name: stage.stage_name.clone(),
                run_id: RunId::of_execution(&execution_name),
                execution_name,
                job_name_prefix: run.job_name_prefix.clone(),
                model_id: run.model_id.clone(),
            })
        });
        Some(Pipeline {
            pipeline_run_id: RunId::of_execution(execution.name),
            pipeline_name: self.pipeline_name.clone(),
            execution_arn: execution.arn.clone(),
            started_at: execution.started_at.to_owned(),
            bucket: bucket.to_owned(),
            presigned_url_expiry_days: self.presigned_url_expiry_days,
            stages: stages.collect::<Option<Vec<_>>>()?,
        })
    }

    /// Returns the execution inputs of the stages: the user's fields without those that only stages have.
    pub fn stage_inputs(&self, pipeline: &Pipeline) -> Vec<Value> {
        let last = self.stages.len().saturating_sub(1);
        let inputs = self.stages.iter().enumerate().map(|(index, stage)| {
            let previous = index.checked_sub(1).and_then(|before| pipeline.stages.get(before));
            Value::Object(execution_input(stage, previous, index < last))
        });
        inputs.collect()
    }
}

fn execution_input(stage: &StageRequest, previous: Option<&FrozenStage>, is_followed: bool) -> Map<String, Value> {
    let mut input = stage.fields.clone();
    let (uri, etag) = (input.get("input_s3_uri").cloned(), input.get("input_s3_etag").cloned());
    input.retain(|name, _| !STAGE_ONLY_FIELDS.contains(&name.as_str()));
    match (stage.rows, previous, uri) {
        (StageRows::Previous, Some(previous), _) => {
            let previous = json!({"run_id": previous.run_id, "stage_name": previous.stage_name});
            input.insert("previous_run".to_owned(), previous);
        }
        (_, _, Some(uri)) => {
            input.insert("s3_uri".to_owned(), uri);
            input.extend(etag.map(|etag| ("s3_etag".to_owned(), etag)));
        }
        _ => {}
    }
    if let Some(PromptConfig::Templates { prompt: Some(prompt), .. }) = stage.run.as_ref().map(|run| &run.prompt_config)
    {
        // What was checked is sent, whatever is in S3 when the stage starts.
        input.retain(|name, _| !TemplateSource::FIELDS.contains(&name.as_str()));
        input.insert("prompt".to_owned(), json!(prompt));
    }
    // The next stage reads Parquet, independent of the requested formats.
    if is_followed
        && let Some(Value::Array(formats)) = input.get_mut("output_formats")
        && !formats.iter().any(|format| format == "parquet")
    {
        formats.insert(0, json!("parquet"));
    }
    input
}

#[cfg(test)]
mod tests {
    use super::super::clothing::{config, config_with, read};
    use super::*;

    fn freeze(request: &PipelineRequest) -> Option<Pipeline> {
        let arn = "arn:aws:states:eu-west-1:1:execution:bedrock-pipeline-orchestrator-1:nightly-7".parse().unwrap();
        let execution = PipelineExecution { name: "nightly-7", arn: &arn, started_at: "2026-11-20T13:05:07.000Z" };
        request.freeze(execution, "our-bucket")
    }

    fn frozen(config: &Value) -> (Pipeline, Vec<Value>) {
        let (request, problems) = read(config);
        assert_eq!(problems, Vec::<String>::new());
        let request = request.unwrap();
        let pipeline = freeze(&request).unwrap();
        let inputs = request.stage_inputs(&pipeline);
        (pipeline, inputs)
    }

    #[test]
    fn all_names_are_fixed_when_the_pipeline_starts() {
        let (pipeline, inputs) = frozen(&config());
        assert_eq!(pipeline, frozen(&config()).0, "names are deterministic");
        assert_eq!(pipeline.pipeline_run_id.as_str(), "nightly-7");
        assert_eq!(pipeline.stages[1].run_id.as_str(), pipeline.stages[1].execution_name);
        assert_eq!(pipeline.stages[1].job_name_prefix.as_str(), "stage2-metadata");
        let previous = json!({"run_id": pipeline.stages[1].run_id, "stage_name": "extract_metadata"});
        assert_eq!(inputs[2]["previous_run"], previous);
    }

    #[test]
    fn the_input_of_a_stage_contains_all_fields_of_the_user() {
        let (_, inputs) = frozen(&config_with(&[("/stages/0/inference", json!({"temperature": 0.0}))]));
        assert_eq!(
            inputs[0],
            json!({
                "s3_uri": "s3://batch-inference-bucket-123456789012/inputs/clothing-images/",
                "model_id": "anthropic.claude-3-haiku-20240307-v1:0",
                "input_type": "image",
                "job_name_prefix": "stage1-classify",
                "prompt_config": {"mode": "single", "prompt_id": "classify"},
                "max_num_jobs": 1,
                "max_records_per_job": 100,
                "inference": {"temperature": 0.0}
            })
        );
        assert_eq!(inputs[2]["column_mappings"], json!({"metadata": "response"}));
    }

    #[test]
    fn a_stage_reads_the_object_that_its_pipeline_was_started_for() {
        let changes = [
            ("/stages/0/input_s3_uri", json!("s3://bucket/trigger/c/a.csv")),
            ("/stages/0/input_s3_etag", json!("b1946ac9")),
        ];
        let (_, inputs) = frozen(&config_with(&changes));
        assert_eq!((&inputs[0]["s3_etag"], inputs[0].get("input_s3_etag")), (&json!("b1946ac9"), None));
        assert!(inputs[1].get("s3_etag").is_none());
    }

    #[test]
    fn the_inputs_of_stages_are_valid_inputs_of_runs() {
        use super::super::clothing::LIMITS;
        let changes = [("/stages/1/include_failed", json!(true)), ("/stages/2/$schema", json!("x"))];
        for input in frozen(&config_with(&changes)).1 {
            let (request, problems) = crate::input::RunRequest::read(&input, LIMITS.stack);
            assert_eq!((request.is_some(), problems), (true, vec![]));
        }
    }

    #[test]
    fn a_prompt_stays_with_its_stage_and_those_of_the_pipeline_do_not() {
        let prompt = json!({"description": "d", "template": "t"});
        let changes = [
            ("/stages/0/prompt_config", json!(null)),
            ("/stages/0/prompt", prompt.clone()),
            ("/prompts", json!({ "mine": prompt })),
        ];
        let (_, inputs) = frozen(&config_with(&changes));
        assert_eq!(inputs[0]["prompt"], prompt);
        assert!(inputs.iter().all(|input| input.get("prompts").is_none()), "they are frozen beside the inputs");
    }

    #[test]
    fn a_generated_prompt_takes_the_place_of_its_addresses() {
        use super::super::clothing::LIMITS;
        let changes = [
            ("/stages/0/prompt_config", json!({"mode": "single"})),
            ("/stages/0/prompt_templates", json!("s3://lake/t/")),
            ("/stages/0/validation_schema", json!("s3://lake/s/")),
            ("/stages/0/input_data_column", json!("file_name")),
        ];
        let (request, problems) = read(&config_with(&changes));
        assert_eq!(problems, Vec::<String>::new());
        let mut request = request.unwrap();
        let file = "description = \"d\"\ntemplate = \"{file_name}\"\n[output_schema]\ntype = \"json\"\n\
            fields = { z = \"$.z\", a = \"$.a\" }\n[response_schema]\nrequired = [\"z\"]";
        let prompt = crate::prompt::Prompt::parse(file).unwrap();
        request.stages[0].run.as_mut().unwrap().prompt_config.set_generated(prompt.clone());
        let inputs = request.stage_inputs(&freeze(&request).unwrap());
        let fields: Vec<&String> =
            inputs[0].as_object().unwrap().keys().filter(|name| name.contains("prompt")).collect();
        assert_eq!(fields, ["prompt", "prompt_config"]);
        let (run, problems) = crate::input::RunRequest::read(&inputs[0], LIMITS.stack);
        assert_eq!(problems, []);
        assert_eq!(run.unwrap().prompt_config, PromptConfig::Inline { prompt: Some(Box::new(prompt)) });
        assert!(inputs[0].get("validation_schema").or(inputs[0].get("input_data_column")).is_none());
    }

    #[test]
    fn every_stage_except_the_last_also_writes_parquet() {
        let csv = json!(["csv"]);
        let changes = [("/stages/0/output_formats", csv.clone()), ("/stages/2/output_formats", csv.clone())];
        let (_, inputs) = frozen(&config_with(&changes));
        assert_eq!(inputs[0]["output_formats"], json!(["parquet", "csv"]));
        assert_eq!(inputs[1].get("output_formats"), None, "Parquet is the default");
        assert_eq!(inputs[2]["output_formats"], csv);
    }

    #[test]
    fn a_pipeline_with_an_invalid_stage_is_not_frozen() {
        let (request, _) = read(&config_with(&[("/stages/1/model_id", json!(null))]));
        assert_eq!(freeze(&request.unwrap()), None);
    }
}
