//! Pipelines of users of the Python sample. They are not part of the repository: `BEDROCK_BATCH_SAMPLES` names
//! their folder; without it, this test reports that it is skipped.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a test that reads samples")]

use bedrock_batch_domain::input::StackLimits;
use bedrock_batch_domain::pipeline::{PipelineLimits, PipelineRequest};
use rstest::rstest;
use serde_json::Value;
use std::path::Path;

const LIMITS: PipelineLimits = PipelineLimits {
    stack: StackLimits { max_total_records: None, max_records_per_job: Some(1000), max_concurrent_jobs: 5 },
    download_links: false,
};

#[rstest]
#[case("clothing-analysis-full.json", 3)]
#[case("clothing-analysis-test.json", 1)]
fn the_pipelines_of_the_python_sample_are_accepted_unchanged(#[case] file: &str, #[case] stages: usize) {
    let Some(samples) = std::env::var_os("BEDROCK_BATCH_SAMPLES") else {
        eprintln!("SKIPPED: BEDROCK_BATCH_SAMPLES names no folder of pipelines");
        return;
    };
    let text = std::fs::read_to_string(Path::new(&samples).join("clothing").join(file)).unwrap();
    let read = |text: &str| PipelineRequest::read(&serde_json::from_str::<Value>(text).unwrap(), LIMITS);

    let (_, problems) = read(&text);
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].starts_with("stages[0].input_s3_uri is "), "{problems:?}");
    assert!(
        problems[0].contains("still contains the placeholder YOUR_ACCOUNT_ID; replace it by the 12 digits"),
        "{problems:?}"
    );

    let (request, problems) = read(&text.replace("YOUR_ACCOUNT_ID", "123456789012"));
    assert_eq!((request.unwrap().stages.len(), problems), (stages, vec![]));
}
