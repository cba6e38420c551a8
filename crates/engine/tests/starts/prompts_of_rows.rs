//! Prompts that the rows name: those that are sent are checked like any other.

use super::stack::{ROWS, Stack, run_over};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prompt_that_rows_name_is_refused_for_what_its_model_refuses() {
    let stack = Stack::new().await;
    let prompt = |prefill: &str| json!({"description": "d", "template": "{text}", "prefill": prefill});
    let mut input = run_over(
        ROWS,
        &json!({"prompts": {"good": prompt("{"), "bad": prompt("{ ")},
            "prompt_config": {"mode": "mapped", "column_name": "kind"}}),
    );
    input.as_object_mut().unwrap().remove("prompt");
    stack.put(ROWS, b"text,kind\nhello,good\nworld,bad\n");
    let problem = stack.refused("r", input.clone()).await;
    assert!(problem.starts_with("prompt `bad`, prefill: ends in white space, and Claude models refuse"), "{problem}");
    stack.put(ROWS, b"text,kind\nhello,good\n");
    assert!(stack.run("r", input).await.is_ok(), "no row names the other one");
}
