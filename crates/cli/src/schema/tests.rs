//! The schemas agree with the readers.

use super::{Kind, text};
use bedrock_batch_domain::classifier::{Classification, ClassifierDefaults};
use bedrock_batch_domain::input::{RunRequest, StackLimits};
use bedrock_batch_domain::pipeline::{PipelineLimits, PipelineRequest};
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::prompt_generation::{ConfigFile, PromptConfiguration};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const LIMITS: PipelineLimits = PipelineLimits {
    stack: StackLimits { max_total_records: None, max_records_per_job: Some(1000), max_concurrent_jobs: 5 },
    download_links: true,
};

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../pipeline-configs"))
}

fn schema(kind: Kind) -> Value {
    serde_json::from_str(&text(kind).unwrap()).unwrap()
}

#[test]
fn the_schema_files_in_the_repository_are_current() {
    for (kind, name, file) in [
        (Kind::ExecutionInput, "execution-input", "pipeline-configs/execution-input"),
        (Kind::Pipeline, "pipeline", "pipeline-configs/pipeline"),
        (Kind::ClassifierPayload, "classifier-payload", "payloads/classifier"),
        (Kind::CategoryDefinitions, "category-definitions", "prompt-configs/category_definitions"),
        (Kind::SystemPrompt, "system-prompt", "prompt-configs/system_prompt"),
        (Kind::OutputFormat, "output-format", "prompt-configs/output_format"),
        (Kind::Instruction, "instruction", "prompt-configs/instruction"),
    ] {
        let file = format!("{file}.schema.json");
        let written = std::fs::read_to_string(folder().join("..").join(&file)).unwrap_or_default();
        assert!(written == text(kind).unwrap(), "outdated: run `bedrock-batch schema {name} > {file}`");
    }
}

/// Object within an input: its schema, its path in messages, and a complete input that has `object` there.
struct Part {
    name: &'static str,
    kind: Kind,
    pointer: &'static str,
    path: &'static str,
    around: fn(Value) -> Value,
    /// Fields that are read elsewhere.
    elsewhere: &'static [&'static str],
}

const PROMPT_CONFIG: &str = "/properties/prompt_config/anyOf/0/anyOf";

fn with_mode(mode: &str, mut object: Value) -> Value {
    object["mode"] = mode.into();
    json!({"prompt_config": object})
}

const PARTS: [Part; 17] = [
    Part {
        name: "run",
        kind: Kind::ExecutionInput,
        pointer: "",
        path: "",
        around: |object| object,
        elsewhere: &["$schema", "resume_run", "collect_run", "config_s3_uri", "config_s3_etag"],
    },
    Part {
        name: "previous run",
        kind: Kind::ExecutionInput,
        pointer: "/properties/previous_run",
        path: "previous_run.",
        around: |object| json!({"previous_run": object}),
        elsewhere: &[],
    },
    Part {
        name: "inference",
        kind: Kind::ExecutionInput,
        pointer: "/properties/inference",
        path: "inference.",
        around: |object| json!({"inference": object}),
        elsewhere: &[],
    },
    Part {
        name: "single",
        kind: Kind::ExecutionInput,
        pointer: "/0",
        path: "prompt_config.",
        around: |object| with_mode("single", object),
        elsewhere: &[],
    },
    Part {
        name: "mapped",
        kind: Kind::ExecutionInput,
        pointer: "/1",
        path: "prompt_config.",
        around: |object| with_mode("mapped", object),
        elsewhere: &[],
    },
    Part {
        name: "expanded",
        kind: Kind::ExecutionInput,
        pointer: "/2",
        path: "prompt_config.",
        around: |object| with_mode("expanded", object),
        elsewhere: &[],
    },
    Part {
        name: "prompt",
        kind: Kind::ExecutionInput,
        pointer: "/definitions/Prompt",
        path: "prompt.",
        around: |object| json!({"prompt": object}),
        elsewhere: &[],
    },
    Part {
        name: "output schema",
        kind: Kind::ExecutionInput,
        pointer: "/definitions/Prompt/properties/output_schema",
        path: "prompt.output_schema.",
        around: |schema| json!({"prompt": {"output_schema": schema}}),
        elsewhere: &[],
    },
    Part {
        name: "rows of a prompt",
        kind: Kind::ExecutionInput,
        pointer: "/definitions/Prompt/properties/rows",
        path: "prompt.rows.",
        around: |rows| json!({"prompt": {"rows": rows}}),
        elsewhere: &[],
    },
    Part {
        name: "expansion rule",
        kind: Kind::Pipeline,
        pointer: "/definitions/ExpansionRule",
        path: "prompts.r.",
        around: |mut object| {
            object["expansion_rule"] = true.into();
            json!({"pipeline_name": "p", "stages": [{}], "prompts": {"r": object}})
        },
        elsewhere: &[],
    },
    Part {
        name: "pipeline",
        kind: Kind::Pipeline,
        pointer: "",
        path: "",
        around: |object| object,
        elsewhere: &["$schema", "config_s3_uri", "config_s3_etag"],
    },
    Part {
        name: "stage",
        kind: Kind::Pipeline,
        pointer: "/definitions/Stage",
        path: "stages[0].",
        around: |object| json!({"pipeline_name": "p", "stages": [object]}),
        elsewhere: &[],
    },
    Part {
        name: "payload of the classifier",
        kind: Kind::ClassifierPayload,
        pointer: "",
        path: "",
        around: |object| object,
        elsewhere: &["$schema"],
    },
    Part {
        name: "category",
        kind: Kind::CategoryDefinitions,
        pointer: "/definitions/Category",
        path: "category_definitions[0].",
        around: |object| json!([object]),
        elsewhere: &[],
    },
    Part {
        name: "system prompt",
        kind: Kind::SystemPrompt,
        pointer: "",
        path: "system_prompt.",
        around: |object| object,
        elsewhere: &["$schema"],
    },
    Part {
        name: "output format",
        kind: Kind::OutputFormat,
        pointer: "",
        path: "output_format.",
        around: |object| object,
        elsewhere: &["$schema"],
    },
    Part {
        name: "instruction",
        kind: Kind::Instruction,
        pointer: "",
        path: "instruction.",
        around: |object| object,
        elsewhere: &["$schema"],
    },
];

fn read_payload(payload: &Value) -> Result<Classification, Vec<Problem>> {
    let defaults = ClassifierDefaults { model_id: "m".to_owned(), batch_size: 1, max_workers: 1, rate_limit: 1.0 };
    Classification::read(payload, "", &defaults, None)
}

fn read_file(file: ConfigFile, content: &Value) -> Vec<Problem> {
    PromptConfiguration::read(&BTreeMap::from([(file, content.to_string().into_bytes())])).1
}

impl Part {
    fn properties(&self) -> Map<String, Value> {
        let is_mode = self.path == "prompt_config.";
        let pointer = if is_mode { format!("{PROMPT_CONFIG}{}", self.pointer) } else { self.pointer.to_owned() };
        let schema = schema(self.kind);
        schema.pointer(&pointer).unwrap()["properties"].as_object().unwrap().clone()
    }

    fn read(&self, object: Value) -> Vec<Problem> {
        let input = (self.around)(object);
        match self.kind {
            Kind::ExecutionInput => RunRequest::read(&input, LIMITS.stack).1,
            Kind::Pipeline => PipelineRequest::read(&input, LIMITS).1,
            Kind::ClassifierPayload => read_payload(&input).err().unwrap_or_default(),
            Kind::CategoryDefinitions => read_file(ConfigFile::CategoryDefinitions, &input),
            Kind::SystemPrompt => read_file(ConfigFile::SystemPrompt, &input),
            Kind::OutputFormat => read_file(ConfigFile::OutputFormat, &input),
            Kind::Instruction => read_file(ConfigFile::Instruction, &input),
        }
    }

    /// Returns the rules that `value` breaks as the field `name`.
    fn problems_of(&self, name: &str, value: &Value) -> Vec<String> {
        let field = format!("{}{name}", self.path);
        let problems = self.read(json!({name: value}));
        problems.iter().filter(|problem| problem.field == field).map(|problem| problem.rule.clone()).collect()
    }
}

#[test]
fn a_schema_has_exactly_the_fields_that_are_read() {
    for part in PARTS {
        let unknown = format!("{}?", part.path);
        let problems = part.read(json!({"?": 1}));
        let problem = problems.iter().find(|problem| problem.field == unknown).unwrap();
        assert_eq!(problem.rule, "is not a field of this input");
        assert!(!problem.remedy.ends_with(" more"), "all fields are listed: {}", problem.remedy);
        let read: BTreeSet<String> = problem.remedy.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        let mut properties: BTreeSet<String> = part.properties().keys().cloned().collect();
        properties.retain(|name| !part.elsewhere.contains(&name.as_str()));
        assert_eq!(properties, read, "{}", part.name);
        for name in part.properties().keys().filter(|name| !part.elsewhere.contains(&name.as_str())) {
            let rules = part.problems_of(name, &Value::Null);
            assert!(!rules.contains(&problem.rule), "{}: {name}", part.name);
        }
    }
}

#[test]
fn a_schema_has_the_ranges_and_names_that_are_accepted() {
    let mut seen = 0;
    for part in PARTS {
        for (name, property) in part.properties() {
            let refused = |value: &Value| {
                let rules = part.problems_of(&name, value);
                rules.iter().any(|rule| rule.starts_with("must be ") || rule.starts_with("may contain "))
            };
            if let (Some(minimum), Some(maximum)) = (property["minimum"].as_f64(), property["maximum"].as_f64()) {
                let is_integer = property["type"][0] == "integer" || property["type"] == "integer";
                #[expect(clippy::cast_possible_truncation, reason = "bounds are small and whole")]
                let value = |number: f64| if is_integer { json!(number as i64) } else { json!(number) };
                let step = if is_integer { 1.0 } else { 0.001 };
                for inside in [minimum, maximum] {
                    assert!(!refused(&value(inside)), "{}: {name} accepts {inside}", part.name);
                }
                for outside in [minimum - step, maximum + step] {
                    assert!(refused(&value(outside)), "{}: {name} does not accept {outside}", part.name);
                }
                seen += 1;
            }
            let is_list = property["items"]["enum"].is_array();
            let names = if is_list { &property["items"]["enum"] } else { &property["enum"] };
            let names: Vec<&Value> = names.as_array().into_iter().flatten().filter(|name| !name.is_null()).collect();
            if names.is_empty() || name == "mode" {
                continue;
            }
            let value = |name: &Value| if is_list { json!([name]) } else { name.clone() };
            assert!(names.iter().all(|name| !refused(&value(name))), "{}: {name} accepts {names:?}", part.name);
            assert!(refused(&value(&json!("nothing"))), "{}: {name} accepts nothing else", part.name);
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen}");
}

fn is_valid(kind: Kind, input: &Value) -> bool {
    jsonschema::validator_for(&schema(kind)).unwrap().is_valid(input)
}

#[test]
fn schemas_accept_valid_inputs_and_reject_invalid_ones() {
    let run = |more: Value| {
        let mut input = json!({"$schema": "x", "s3_uri": "s3://b/a.csv", "job_name_prefix": "p", "model_id": "m"});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        is_valid(Kind::ExecutionInput, &input)
    };
    assert!(run(json!({"prompt_id": null, "max_num_jobs": 1, "inference": {"top_p": 1}})));
    assert!(run(json!({"prompt_config": {"prompt_id": "p"}})));
    assert!(run(json!({"prompt_config": {"mode": "mapped", "column_name": "c"}})));
    assert!(!run(json!({"prompt_config": {"mode": "mapped"}})));
    assert!(!run(json!({"modle_id": "x"})));
    assert!(!run(json!({"max_num_jobs": 0})));
    assert!(!run(json!({"category_to_prompt_mapping": {}})));
    let fields = json!({"z": "$.z"});
    for fields in [fields, json!([["z", "$.z"]])] {
        let schema = json!({"type": "json", "fields": fields});
        let prompt = json!({"description": "d", "template": "t", "output_schema": schema});
        assert!(run(json!({ "prompt": prompt })));
        assert!(run(json!({"prompt_config": {"prompt": prompt}})));
        let rule = json!({"description": "d", "expansion_rule": true, "prompts": ["a"]});
        assert!(run(json!({"prompts": {"a": prompt, "r": rule}})));
    }
    assert!(!run(json!({"prompt": {"description": "d"}})));
    assert!(!run(json!({"prompts": {"r": {"description": "d", "expansion_rule": false, "prompts": ["a"]}}})));
    let dataset =
        json!({"dataset_id": "a/b", "split": "test", "allow_partial": true, "job_name_prefix": "p", "model_id": "m"});
    assert!(is_valid(Kind::ExecutionInput, &dataset));
    for whole in [json!({"resume_run": "r"}), json!({"config_s3_uri": "s3://b/k"})] {
        assert!(is_valid(Kind::ExecutionInput, &whole));
    }
    assert!(!is_valid(Kind::ExecutionInput, &json!({"model_id": "m", "job_name_prefix": "p"})));
    assert!(!is_valid(Kind::Pipeline, &json!({"pipeline_name": "p", "stages": []})));
    let stage = json!({"stage_name": "s", "model_id": "m", "job_name_prefix": "p", "s3_uri": "s3://b/a.csv"});
    assert!(!is_valid(Kind::Pipeline, &json!({"pipeline_name": "p", "stages": [stage]})));
}

#[test]
fn every_example_matches_its_schema() {
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_none_or(|ending| ending != "json") || name.contains(".schema.") {
            continue;
        }
        let config: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let (kind, file) = match config.get("stages") {
            Some(_) => (Kind::Pipeline, "pipeline.schema.json"),
            None => (Kind::ExecutionInput, "execution-input.schema.json"),
        };
        assert!(is_valid(kind, &config), "{name} does not match {file}");
        let named = config["$schema"].as_str().unwrap_or_default();
        assert!(named.ends_with(file), "{name} names `{named}` as its $schema, and not {file}");
    }
}

#[test]
fn the_example_of_a_payload_matches_its_schema_and_is_valid() {
    let text = std::fs::read_to_string(folder().join("../payloads/device-reports.json")).unwrap();
    let payload: Value = serde_json::from_str(&text.replace("YOUR_ACCOUNT_ID", "123456789012")).unwrap();
    assert_eq!(payload["$schema"], "./classifier.schema.json");
    assert!(is_valid(Kind::ClassifierPayload, &payload));
    assert!(read_payload(&payload).is_ok());
    assert!(!is_valid(Kind::ClassifierPayload, &json!({"problem_type": "product"})));
}

#[test]
fn every_prompt_configuration_matches_its_schema() {
    let examples = folder().join("../prompt-configs/support-tickets");
    for (kind, name) in [
        (Kind::CategoryDefinitions, "category_definitions"),
        (Kind::SystemPrompt, "system_prompt"),
        (Kind::OutputFormat, "output_format"),
        (Kind::Instruction, "instruction"),
    ] {
        let content = std::fs::read_to_string(examples.join(format!("{name}.json"))).unwrap();
        let content: Value = serde_json::from_str(&content).unwrap();
        assert!(is_valid(kind, &content), "{name}.json does not match {name}.schema.json");
        if content.is_object() {
            assert_eq!(content["$schema"], format!("../{name}.schema.json"));
        }
    }
}

#[test]
fn the_pipelines_of_the_python_sample_match_the_schema() {
    let Some(samples) = std::env::var_os("BEDROCK_BATCH_SAMPLES") else {
        eprintln!("SKIPPED: BEDROCK_BATCH_SAMPLES names no folder of pipelines");
        return;
    };
    for file in ["clothing-analysis-full.json", "clothing-analysis-test.json"] {
        let text = std::fs::read_to_string(Path::new(&samples).join("clothing").join(file)).unwrap();
        assert!(is_valid(Kind::Pipeline, &serde_json::from_str(&text).unwrap()), "{file}");
    }
}
