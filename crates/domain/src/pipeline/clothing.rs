//! Pipeline for the tests of this folder: photos of clothing are classified, analyzed by category, and described.

use super::{PipelineCheck, PipelineLimits, PipelineRequest, check};
use crate::check::Catalog;
use crate::input::StackLimits;
use crate::model::ModelTable;
use crate::prompt::PromptLibrary;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) const LIMITS: PipelineLimits = PipelineLimits {
    stack: StackLimits { max_total_records: None, max_records_per_job: Some(1000), max_concurrent_jobs: 5 },
    download_links: true,
};

/// Returns a configuration like those of users of the Python sample.
pub(super) fn config() -> Value {
    json!({
        "pipeline_name": "clothing-full-analysis-pipeline",
        "presigned_url_expiry_days": 7,
        "stages": [
            {
                "stage_name": "classify_category",
                "model_id": "anthropic.claude-3-haiku-20240307-v1:0",
                "input_s3_uri": "s3://batch-inference-bucket-123456789012/inputs/clothing-images/",
                "input_type": "image",
                "job_name_prefix": "stage1-classify",
                "prompt_config": {"mode": "single", "prompt_id": "classify"},
                "max_num_jobs": 1,
                "max_records_per_job": 100
            },
            {
                "stage_name": "extract_metadata",
                "model_id": "anthropic.claude-3-5-sonnet-20241022-v2:0",
                "use_previous_output": true,
                "input_type": "image",
                "job_name_prefix": "stage2-metadata",
                "prompt_config": {"mode": "mapped", "column_name": "metadata_prompt_id"},
                "category_to_prompt_mapping": {"shorts": "shorts_metadata", "t-shirt": "tshirt_metadata"},
                "max_num_jobs": 1,
                "max_records_per_job": 100
            },
            {
                "stage_name": "generate_listing",
                "model_id": "anthropic.claude-3-haiku-20240307-v1:0",
                "use_previous_output": true,
                "input_type": "text",
                "job_name_prefix": "stage3-listing",
                "prompt_config": {"mode": "single", "prompt_id": "listing"},
                "column_mappings": {"metadata": "response"},
                "max_num_jobs": 1,
                "max_records_per_job": 100
            }
        ]
    })
}

/// Returns the configuration with other values at some JSON pointers; `null` removes a field.
pub(super) fn config_with(changes: &[(&str, Value)]) -> Value {
    let mut config = config();
    for (pointer, value) in changes {
        let (object, field) = pointer.rsplit_once('/').unwrap();
        let object = config.pointer_mut(object).unwrap().as_object_mut().unwrap();
        object.insert(field.to_owned(), value.clone());
    }
    config
}

pub(super) fn read(config: &Value) -> (Option<PipelineRequest>, Vec<String>) {
    let (request, problems) = PipelineRequest::read(config, LIMITS);
    (request, problems.iter().map(ToString::to_string).collect())
}

pub(super) fn library() -> PromptLibrary {
    let template = |text: &str, fields: &str| {
        let schema = format!("[output_schema]\ntype = \"json\"\nfields = {{ {fields} }}");
        format!("description = \"d\"\ntemplate = \"{text}\"\n{schema}")
    };
    let mut library = PromptLibrary::default();
    let files = [
        ("classify", template("What is it?", "category = \"$.category\", confidence = \"$.confidence\"")),
        ("shorts_metadata", template("Look at the {category}.", "color = \"$.color\", length = \"$.length\"")),
        ("tshirt_metadata", template("Look at the {category}.", "color = \"$.color\", sleeve = \"$.sleeve\"")),
        ("listing", template("Sell this {category}: {metadata}", "title = \"$.title\"")),
        ("short_text", "description = \"d\"\ntemplate = \"Sum up {text}\"".to_owned()),
        ("two_looks", "description = \"d\"\nexpansion_rule = true\nprompts = [\"classify\", \"listing\"]".to_owned()),
    ];
    for (id, text) in files {
        library.add(id, &text).unwrap();
    }
    library
}

/// Reads and checks a configuration; `inputs` contains the columns of the inputs in S3.
pub(super) fn checked(config: &Value, inputs: &[(usize, &[&str])]) -> (Vec<String>, PipelineCheck) {
    let (request, mut problems) = read(config);
    let inputs: BTreeMap<usize, Vec<String>> =
        inputs.iter().map(|(at, names)| (*at, names.iter().map(|name| (*name).to_owned()).collect())).collect();
    let (library, models) = (library(), ModelTable::with_overrides("").unwrap());
    let catalog = Catalog { prompts: &library, models: &models, region: "us-east-1" };
    let checked = check(&request.unwrap(), &catalog, &inputs, &BTreeMap::new());
    problems.extend(checked.problems.iter().map(ToString::to_string));
    (problems, checked)
}
