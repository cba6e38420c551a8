use super::*;
use crate::model::CachedTokens;
use crate::row_error::RowError;
use serde_json::json;

/// Returns a plan for a model with these prices: in batch and on demand.
fn plan(prices: Option<(f64, f64)>) -> Plan {
    let price = |input: f64| Price::of_tokens(input, 10.0 * input);
    let model = |id: &str| {
        json!({"id": id, "family": "nova", "prices_as_of": "2026-11-20",
            "limits": {"min_records_per_job": 100, "max_records_per_job": 1000, "max_file_bytes": 1,
                "max_job_bytes": 1, "max_record_bytes": 1},
            "batch_price": prices.map(|prices| price(prices.0)),
            "on_demand_price": prices.map(|prices| price(prices.1))})
    };
    let plan = json!({"run_id": "r", "execution_arn": "arn:aws:states:eu-west-1:1:execution:o:r", "started_at": "t", "bucket": "b", "task_table": "t",
        "request": {"job_name_prefix": "p", "model_id": "m", "s3_uri": "s3://b/k", "prompt_config": {"mode": "none"},
            "max_records_total": null, "max_num_jobs": null, "max_records_per_job": 1, "max_concurrent_jobs": 1,
            "inference": crate::input::Inference::default(), "output_formats": ["parquet"], "infer_types": false},
        "prompts": {"choice": {"mode": "none"}, "prompts": []}, "model": model("m"), "on_demand": {"model": model("us.m"), "fallback": model("other")},
        "sources": [], "columns": [],
        "counts": {"rows": 10, "records": 7, "skipped": {}, "rejected": {}, "warnings": {}, "jobs": 1,
            "duplicates": 3}});
    serde_json::from_value(plan).unwrap()
}

fn chunk(usage: &[(Lane, &str, u64, u64)]) -> ChunkCounts {
    let mut counts = ChunkCounts { rows: 10, answered: 10, ..ChunkCounts::default() };
    for (lane, model, input, output) in usage {
        counts.add_usage(*lane, model, 1, Tokens { input: *input, output: *output });
    }
    counts.saved = Tokens { input: 30, output: 3 };
    counts
}

fn job(lane: Lane, round: u32, fallback: Option<&str>) -> JobFacts {
    let (sent, fallback) = (fallback.is_none(), fallback.map(str::to_owned));
    JobFacts { lane, round, records: 7, sent, fallback, unknown_failure: None, was_late: false }
}

#[test]
fn jobs_that_were_late_or_failed_for_an_unknown_reason_are_warnings() {
    let late = JobFacts { was_late: true, ..job(Lane::Batch, 0, None) };
    let failed = JobFacts { unknown_failure: Some("It\nblew.".to_owned()), ..job(Lane::Batch, 0, None) };
    let summary = Summary::new(&plan(None), &[chunk(&[])], &[late, failed.clone(), failed]);
    let found = |words: &str| summary.warnings.iter().find(|(text, _)| text.contains(words)).map(|(_, count)| *count);
    assert_eq!(found("an hour after their timeout"), Some(1), "{:?}", summary.warnings);
    assert_eq!(found("a message that is not known"), Some(2));
    assert!(!summary.warnings.keys().any(|text| text.contains('\n')), "{:?}", summary.warnings);
}

#[test]
fn rounds_are_those_in_which_records_were_sent() {
    let begun = JobFacts { sent: false, ..job(Lane::Batch, 2, None) };
    let summary = Summary::new(&plan(None), &[chunk(&[])], &[job(Lane::Batch, 1, None), begun]);
    assert_eq!((summary.jobs, summary.rounds), (1, 2), "the job of a third round was not created");
}

#[test]
fn cost_is_by_lane_and_model_and_compared_with_on_demand() {
    let usage = [(Lane::Batch, "m", 1_000_000, 0), (Lane::OnDemand, "us.m", 1_000_000, 100_000)];
    let jobs = [job(Lane::Batch, 0, None), job(Lane::Batch, 0, Some("no batch")), job(Lane::OnDemand, 1, None)];
    let summary = Summary::new(&plan(Some((1.0, 2.0))), &[chunk(&usage)], &jobs);
    assert_eq!(summary.cost_usd, Some(1.0 + 2.0 + 2.0));
    assert_eq!(summary.on_demand_cost_usd, Some(2.0 + 2.0 + 2.0));
    assert_eq!(summary.lanes[&Lane::Batch].cost_usd, Some(1.0));
    assert_eq!((summary.lanes[&Lane::Batch].jobs, summary.lanes[&Lane::OnDemand].jobs), (1, 1));
    assert_eq!((summary.input_tokens, summary.output_tokens), (2_000_000, 100_000));
    assert_eq!((summary.jobs, summary.rounds), (1, 2), "a job that Bedrock did not accept is not counted");
    assert_eq!(summary.fell_back, BTreeMap::from([("no batch".to_owned(), 7)]));
    assert_eq!(summary.duplicates, Duplicates { rows: 3, input_tokens_saved: 30, output_tokens_saved: 3 });
    let priced: Vec<_> = summary.prices.iter().map(|price| (price.model_id.as_str(), price.lane)).collect();
    assert_eq!(priced, [("m", Lane::Batch), ("us.m", Lane::OnDemand)]);
}

#[test]
fn an_unknown_price_is_never_reported_as_zero() {
    let usage = [(Lane::Batch, "m", 1_000_000, 0)];
    let summary = Summary::new(&plan(None), &[chunk(&usage)], &[job(Lane::Batch, 0, None)]);
    assert_eq!((summary.cost_usd, summary.on_demand_cost_usd), (None, None));
    assert_eq!(summary.lanes[&Lane::Batch].cost_usd, None);
    let written = serde_json::to_value(&summary).unwrap();
    assert_eq!(written["cost_usd"], json!(null));
    assert_eq!(written["lanes"]["batch"]["input_tokens"], json!(1_000_000));
}

#[test]
fn columns_of_mixed_values_are_named_with_their_counts() {
    let mut plan = plan(None);
    let toml = "description = \"d\"\ntemplate = \"t\"\n[output_schema]\ntype = \"json\"\nfields = { a = \"$.a\", b = \"$.b\" }";
    plan.prompts = crate::prompt::PromptPlan::single("p", crate::prompt::Prompt::parse(toml).unwrap());
    let chunk = |values: [[u64; 4]; 2]| ChunkCounts {
        repaired: 1,
        values: values.map(ValueCounts::from).to_vec(),
        ..ChunkCounts::default()
    };
    // Each chunk by itself has values of one kind only.
    let chunks = [chunk([[0, 99, 0, 0], [0, 0, 9, 0]]), chunk([[0, 0, 1, 0], [0, 0, 1, 0]]), ChunkCounts::default()];
    let summary = Summary::new(&plan, &chunks, &[]);
    let counts = BTreeMap::from([("number".to_owned(), 99), ("text".to_owned(), 1)]);
    assert_eq!(summary.mixed_types, BTreeMap::from([("a".to_owned(), counts)]));
    assert_eq!(summary.repaired_answers, 2);
    let earlier: Summary = {
        let mut written = serde_json::to_value(&summary).unwrap();
        let fields = written.as_object_mut().unwrap();
        fields.retain(|name, _| !["mixed_types", "repaired_answers"].contains(&name.as_str()));
        serde_json::from_value(written).unwrap()
    };
    assert_eq!((earlier.mixed_types.len(), earlier.repaired_answers), (0, 0), "summaries of earlier versions are read");
}

#[test]
fn tokens_of_a_model_that_is_not_in_the_plan_have_no_price() {
    let usage = [(Lane::Batch, "m", 1, 1), (Lane::OnDemand, "strange", 1, 1)];
    let summary = Summary::new(&plan(Some((1.0, 2.0))), &[chunk(&usage)], &[]);
    assert_eq!((summary.cost_usd, summary.lanes[&Lane::OnDemand].cost_usd), (None, None));
    assert!(summary.lanes[&Lane::Batch].cost_usd.is_some());
}

#[test]
fn the_number_of_reasons_is_limited_and_no_row_is_lost() {
    let jobs: Vec<JobFacts> =
        (0..100).map(|n| job(Lane::Batch, 0, Some(&format!("job {n} {}", "x".repeat(1000))))).collect();
    let summary = Summary::new(&plan(None), &[], &jobs);
    assert_eq!((summary.fell_back.len(), summary.fell_back.values().sum::<u64>()), (21, 700));
    assert!(summary.fell_back.keys().all(|reason| reason.chars().count() <= 300));
}

#[test]
fn rows_are_counted_by_words_and_by_code() {
    let mut counts = ChunkCounts::default();
    for stage in ["mood: v2", "mood: v3"] {
        counts.count_failed(&RowError::failed_in_stage(stage, "lost").reason);
    }
    counts.count_failed(&RowErrorCode::NoPrompt.into());
    let summary = Summary::new(&plan(None), &[counts.clone(), counts], &[]);
    let words = |words: &str| summary.failed_reasons.get(words).copied();
    assert_eq!((words("failed in stage mood: v2"), words("no prompt for it")), (Some(2), Some(2)));
    let written = serde_json::to_value(&summary).unwrap();
    assert_eq!(written["failed_codes"], json!({"failed_in_earlier_stage": 4, "no_prompt": 2}));
    assert_eq!(summary.failed, 6);
}

#[test]
fn counts_and_plans_without_codes_are_read() {
    let stored = r#"{"rows":3,"answered":1,"failed":{"no prompt for it":2},"unanswered":0,"retried":0,"warnings":{},
        "usage":[],"saved":{"input_tokens":0,"output_tokens":0},"kinds":[],"types":[],"stamp": "e 1"}"#;
    let old: ChunkCounts = serde_json::from_str(stored).unwrap();
    let mut new = ChunkCounts::default();
    new.count_failed(&RowErrorCode::NoPrompt.into());
    let summary = Summary::new(&plan(None), &[old, new], &[]);
    assert_eq!(summary.failed_reasons, BTreeMap::from([("no prompt for it".to_owned(), 3)]));
    let codes = BTreeMap::from([(RowErrorCode::NoPrompt, 1), (RowErrorCode::Unknown, 2)]);
    assert_eq!(summary.failed_codes, codes);
    let mut written = serde_json::to_value(&summary).unwrap();
    written["failed_codes"] = json!({"no_prompt": 1, "of_a_later_version": 2});
    written.as_object_mut().unwrap().remove("skipped_codes");
    let read: Summary = serde_json::from_value(written).unwrap();
    assert_eq!((read.failed_codes, read.skipped_codes), (codes, BTreeMap::new()));
}

#[test]
fn a_run_without_requests_costs_nothing() {
    let summary = Summary::new(&plan(Some((1.0, 2.0))), &[chunk(&[])], &[job(Lane::Batch, 0, None)]);
    assert!(summary.cost_usd.is_some_and(|cost| cost.to_bits() == 0.0_f64.to_bits()), "not -0.0");
}

#[test]
fn cached_tokens_are_counted_and_have_their_own_price() {
    let mut counts = chunk(&[(Lane::OnDemand, "us.m", 3_000_000, 0)]);
    counts.add_cached(Lane::OnDemand, "us.m", CachedTokens { read: 1_000_000, written: 1_000_000 });
    let stored: ChunkCounts = serde_json::from_value(serde_json::to_value(&counts).unwrap()).unwrap();
    assert_eq!(stored, counts);
    let summary = Summary::new(&plan(Some((1.0, 2.0))), &[stored], &[job(Lane::OnDemand, 0, None)]);
    assert_eq!(summary.cached, CachedTokens { read: 1_000_000, written: 1_000_000 });
    assert_eq!(summary.lanes[&Lane::OnDemand].cached, summary.cached);
    let cost = summary.cost_usd.unwrap();
    assert!((cost - 2.0 * (1.0 + 0.1 + 1.25)).abs() < 1e-9, "{cost}");
    let written = serde_json::to_value(&summary).unwrap();
    assert_eq!((&written["input_tokens"], &written["cache_read_input_tokens"]), (&json!(3_000_000), &json!(1_000_000)));
    let without = Summary::new(&plan(None), &[chunk(&[(Lane::Batch, "m", 1, 1)])], &[]);
    let without = serde_json::to_value(&without).unwrap();
    assert!(
        without.get("cache_read_input_tokens").is_none()
            && without["lanes"]["batch"].get("cache_read_input_tokens").is_none()
    );
}

#[test]
fn rows_without_an_answer_name_the_limit_on_demand() {
    let mut limited = plan(None);
    limited.max_on_demand_records = Some(5);
    let mut failed = chunk(&[]);
    failed.failed.insert("no answer".to_owned(), 2);
    let warning = "rows without an answer, for whatever reason, in a run of which at most 5 requests may be sent on demand \
        (max_on_demand_rows, max_on_demand_usd)";
    let summary = Summary::new(&limited, &[failed.clone()], &[]);
    assert_eq!(summary.warnings, BTreeMap::from([(warning.to_owned(), 2)]));
    assert_eq!(Summary::new(&limited, &[chunk(&[])], &[]).warnings, BTreeMap::new());
    assert_eq!(Summary::new(&plan(None), &[failed], &[]).warnings, BTreeMap::new());
}

#[test]
fn sums_of_all_models_end_at_their_maximum_with_a_warning() {
    let usage = [(Lane::Batch, "m", u64::MAX, 1), (Lane::OnDemand, "us.m", 1, 1)];
    let summary = Summary::new(&plan(None), &[chunk(&usage), chunk(&usage)], &[]);
    assert_eq!((summary.input_tokens, summary.output_tokens), (u64::MAX, 4));
    assert_eq!(summary.lanes[&Lane::Batch].tokens.input, u64::MAX);
    let warning = "numbers of tokens over the maximum, so that their sums are too low";
    assert_eq!(summary.warnings, BTreeMap::from([(warning.to_owned(), 2)]));
}
