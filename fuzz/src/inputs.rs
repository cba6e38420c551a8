//! Inputs of users: runs, pipelines, payloads, paths of fields.

use super::{extract, printable_text};
use bedrock_batch_domain::check::{Catalog, check_run};
use bedrock_batch_domain::classifier::{Classification, ClassifierDefaults};
use bedrock_batch_domain::columns::Column;
use bedrock_batch_domain::extract::Extractor;
use bedrock_batch_domain::input::{RunRequest, StackLimits, continued_run, parse_input};
use bedrock_batch_domain::model::ModelTable;
use bedrock_batch_domain::pipeline::{PipelineLimits, PipelineRequest, check, is_stage_input};
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::prompt::{OutputSchema, PromptLibrary, SchemaType};
use std::collections::BTreeMap;
use std::sync::LazyLock;

const STACK: StackLimits =
    StackLimits { max_total_records: None, max_records_per_job: Some(1000), max_concurrent_jobs: 5 };
const PIPELINE: PipelineLimits = PipelineLimits { stack: STACK, download_links: true };

static PROMPTS: LazyLock<PromptLibrary> = LazyLock::new(|| {
    let mut library = PromptLibrary::default();
    for (id, text) in [
        (
            "mood",
            "description = \"d\"\ntemplate = \"{text}\"\n[output_schema]\ntype = \"json\"\nfields = { mood = \"$.mood\" }",
        ),
        ("reply", "description = \"d\"\ntemplate = \"{text} {mood}\""),
        ("both", "description = \"d\"\nexpansion_rule = true\nprompts = [\"mood\", \"reply\"]"),
    ] {
        library.add(id, text).unwrap_or_else(|error| panic!("{error}"));
    }
    library
});
static MODELS: LazyLock<ModelTable> =
    LazyLock::new(|| ModelTable::with_overrides("").unwrap_or_else(|error| panic!("{error}")));

fn catalog() -> Catalog<'static> {
    Catalog { prompts: &PROMPTS, models: &MODELS, region: "us-east-1" }
}

/// Checks that problems are one printable line each.
fn printable(problems: &[Problem]) {
    for problem in problems {
        let text = problem.to_string();
        assert!(!text.is_empty() && !text.contains('\n'), "{text:?}");
        printable_text(&text);
    }
}

/// Checks the input of a run: it has problems, or a plan of it is read as it was written.
pub fn request(bytes: &[u8]) {
    let Ok(input) = parse_input(bytes) else { return };
    let _ = (continued_run(&input), is_stage_input(&String::from_utf8_lossy(bytes)));
    let (request, problems) = RunRequest::read(&input, STACK);
    printable(&problems);
    let defaults = ClassifierDefaults {
        model_id: "amazon.nova-lite-v1:0".to_owned(),
        batch_size: 1000,
        max_workers: 5,
        rate_limit: 5.0,
    };
    match Classification::read(&input, "eu-west-1", &defaults, None) {
        Ok(classification) => {
            let (request, problems) = RunRequest::read(&classification.execution_input(100), STACK);
            printable(&problems);
            assert!(request.is_some() || !problems.is_empty());
        }
        Err(problems) => printable(&problems),
    }
    let Some(request) = request else {
        assert!(!problems.is_empty(), "what is refused has a reason");
        return;
    };
    let columns = ["id", "text", "mood"].map(|name| Column::of_input(name.to_owned()));
    for columns in [None, Some(&columns[..])] {
        printable(&check_run(&request, &catalog(), columns, &[]).problems);
    }
    if problems.is_empty() {
        let stored = serde_json::to_string(&request).unwrap_or_else(|error| panic!("{error}"));
        let read: RunRequest = serde_json::from_str(&stored).unwrap_or_else(|error| panic!("{error}: {stored}"));
        assert_eq!(read, request, "a plan is read as it was written");
    }
}

/// Checks the input of a pipeline.
pub fn pipeline(bytes: &[u8]) {
    let Ok(input) = parse_input(bytes) else { return };
    let (request, problems) = PipelineRequest::read(&input, PIPELINE);
    printable(&problems);
    let Some(request) = request else {
        assert!(!problems.is_empty(), "what is refused has a reason");
        return;
    };
    let inputs = BTreeMap::from([(0, vec!["id".to_owned(), "text".to_owned()])]);
    for inputs in [&BTreeMap::new(), &inputs] {
        printable(&check(&request, &catalog(), inputs, &BTreeMap::new()).problems);
    }
}

/// Checks a `JSONPath`, the first line, and the document that it is applied to, the others.
pub fn jsonpath(bytes: &[u8]) {
    let text = &*String::from_utf8_lossy(bytes);
    let (path, document) = text.split_once('\n').unwrap_or((text, ""));
    let fields = vec![("field".to_owned(), path.to_owned())];
    match Extractor::new(&OutputSchema { schema_type: SchemaType::Json, fields }, None) {
        Ok(extractor) => extract(&extractor, document),
        Err(problems) => {
            let text = problems.to_string();
            assert!(!text.is_empty());
            printable_text(&text);
        }
    }
}
