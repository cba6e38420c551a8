//! Places that inputs may be in, and the maximum cost of a run.

use super::stack::{ROWS, Stack, pipeline_over, run_over};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_other_runs_are_no_inputs_but_by_previous_run() {
    let stack = Stack::with_rows().await;
    stack.run("first", run_over(ROWS, &json!({}))).await.unwrap();
    stack.put("batch_output_parquet/p/first/0000.csv", b"text\nhello\n");
    let answers = "batch_output_parquet/p/first/";
    for problem in [
        stack.refused("second", run_over(answers, &json!({}))).await,
        stack.refused("second", pipeline_over(answers, &json!({}))).await,
    ] {
        assert!(
            problem.contains("which are not inputs; read the answered rows of a run with `previous_run`"),
            "{problem}"
        );
    }
    let plan = "s3://our-bucket/runs/first/plan.json";
    let cases: [(&str, Value); 3] = [
        ("config_s3_uri", json!({"config_s3_uri": plan})),
        (
            "reference.codes",
            run_over(
                ROWS,
                &json!({"reference": {"codes": plan},
            "prompt": {"description": "d", "template": "{text} {reference.codes}"}}),
            ),
        ),
        ("prompt_templates", {
            let mut input = run_over(ROWS, &json!({"prompt_templates": plan}));
            input.as_object_mut().unwrap().remove("prompt");
            input
        }),
    ];
    for (field, input) in cases {
        let problem = stack.refused("second", input).await;
        let expected = format!("{field} is `{plan}`: `runs/` in the bucket of the stack is for the files of runs");
        assert!(problem.contains(&expected), "{problem}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_may_cost_more_than_it_may_submits_nothing() {
    let stack = Stack::with_rows().await;
    // 1,024 tokens of answer at 5.50 dollars per million.
    assert!(stack.run("cheap", run_over(ROWS, &json!({"max_cost_usd": 0.01}))).await.is_ok());
    let rows = format!("text\n{}", "hello\nworld\n".repeat(50));
    stack.put(ROWS, rows.as_bytes());
    let input = run_over(ROWS, &json!({"max_cost_usd": 0.01, "deduplicate": false}));
    let problems = stack.run("dear", input).await.unwrap_err().into_problems().unwrap().to_string();
    assert!(problems.starts_with("max_cost_usd is `0.01`: 100 requests may cost up to 0.5"), "{problems}");
    assert_eq!(stack.object("runs/dear/plan.json"), None);
}
