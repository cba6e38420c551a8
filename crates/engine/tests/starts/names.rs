//! Executions of one name.

use super::stack::{ROWS, Stack, pipeline_over, run_over};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_run_and_a_pipeline_that_start_in_one_instant_one_gets_the_name() {
    for _ in 0..20 {
        let stack = Stack::with_rows().await;
        let (run, pipeline) = tokio::join!(
            stack.run("both", run_over(ROWS, &json!({}))),
            stack.pipeline("both", pipeline_over(ROWS, &json!({})))
        );
        let exists = |file: &str| stack.object(&format!("runs/both/{file}")).is_some();
        assert_eq!(run.is_ok(), exists("plan.json"));
        assert_eq!(pipeline.is_ok(), exists("pipeline.json"));
        assert_ne!(run.is_ok(), pipeline.is_ok());
        if pipeline.is_err() {
            assert!(!exists("stages/0.json") && !exists("prompts.json"), "the other one's folder is left alone");
        }
        let refused = run.err().or(pipeline.err()).unwrap().into_problems().unwrap().to_string();
        let words = ["the execution's name is `both`: an earlier ", "had this name", "choose another name"];
        assert!(words.iter().all(|words| refused.contains(words)), "{refused}");
    }
}

#[tokio::test]
async fn a_name_that_another_execution_has_claimed_is_refused_before_anything_is_written() {
    for (kind, is_allowed) in [("batch", true), ("pipeline", false)] {
        let stack = Stack::with_rows().await;
        let arn = format!("arn:aws:states:eu-west-1:1:execution:bedrock-{kind}-orchestrator-1:r");
        // The other has not written anything else yet, so that nothing but its claim can be found.
        stack.put("runs/r/claim.json", json!({"execution_arn": arn, "started_at": "before"}).to_string().as_bytes());
        let input = run_over(ROWS, &json!({}));
        if is_allowed {
            // Step Functions has forgotten the earlier execution, which has left no plan.
            assert!(stack.run("r", input).await.is_ok());
        } else {
            assert!(stack.refused("r", input).await.contains("an earlier execution had this name"));
        }
    }
}

#[tokio::test]
async fn an_input_that_is_refused_claims_no_name() {
    let stack = Stack::with_rows().await;
    assert!(stack.refused("r", run_over(ROWS, &json!({"model_id": "gpt-4"}))).await.contains("gpt-4"));
    stack.pipeline("r", pipeline_over(ROWS, &json!({}))).await.unwrap();
}
