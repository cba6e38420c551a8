//! What Bedrock says about models when runs and pipelines start.

use super::s3_server::S3Server;
use super::stack::{ROWS, Stack, pipeline_over, run_over};
use super::test_stack::{bedrock_client, serve};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bedrock_batch_engine::model_lookup::ModelLookup;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

const HAIKU: &str = "anthropic.claude-haiku-4-5-20251001-v1:0";
const OLD_HAIKU: &str = "anthropic.claude-3-haiku-20240307-v1:0";
const SONNET: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";

#[derive(Debug, Default)]
struct World {
    /// Lifecycle and types of inference, by id.
    models: BTreeMap<String, Value>,
    profiles: Vec<String>,
    is_denied: bool,
    calls: Vec<String>,
}

#[derive(Debug, Clone, Default)]
struct Bedrock(Arc<Mutex<World>>);

impl Bedrock {
    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    fn offering(models: &[(&str, Value)], profiles: &[&str]) -> Self {
        let bedrock = Self::default();
        bedrock.world().models = models.iter().map(|(id, of)| ((*id).to_owned(), of.clone())).collect();
        bedrock.world().profiles = profiles.iter().map(|id| (*id).to_owned()).collect();
        bedrock
    }

    async fn lookup(&self) -> ModelLookup {
        let routes = Router::new()
            .route("/foundation-models/{id}", get(model))
            .route("/inference-profiles", get(profiles))
            .with_state(self.clone());
        ModelLookup::new(bedrock_client(serve(routes).await))
    }

    async fn stack(&self) -> Stack {
        let stack = Stack::over(S3Server::default(), self.lookup().await).await;
        stack.put(ROWS, b"text\nhello\n");
        stack
    }
}

fn error(status: StatusCode, name: &'static str) -> Response {
    (status, [("x-amzn-errortype", name)], json!({"message": "no"}).to_string()).into_response()
}

async fn model(State(bedrock): State<Bedrock>, Path(id): Path<String>) -> Response {
    let mut world = bedrock.world();
    world.calls.push(id.clone());
    if world.is_denied {
        return error(StatusCode::FORBIDDEN, "AccessDeniedException");
    }
    let Some(found) = world.models.get(&id) else {
        return error(StatusCode::NOT_FOUND, "ResourceNotFoundException");
    };
    let mut details = json!({"modelArn": format!("arn:aws:bedrock:us-east-1::foundation-model/{id}"), "modelId": id});
    details.as_object_mut().unwrap().extend(found.as_object().unwrap().clone());
    json!({"modelDetails": details}).to_string().into_response()
}

async fn profiles(State(bedrock): State<Bedrock>) -> Response {
    let mut world = bedrock.world();
    world.calls.push("profiles".to_owned());
    if world.is_denied {
        return error(StatusCode::FORBIDDEN, "AccessDeniedException");
    }
    let profile = |id: &String| {
        json!({"inferenceProfileName": "n", "inferenceProfileArn": "a", "models": [], "inferenceProfileId": id,
            "status": "ACTIVE", "type": "SYSTEM_DEFINED"})
    };
    let summaries: Vec<Value> = world.profiles.iter().map(profile).collect();
    json!({"inferenceProfileSummaries": summaries}).to_string().into_response()
}

fn active() -> Value {
    json!({"modelLifecycle": {"status": "ACTIVE"}, "inferenceTypesSupported": []})
}

fn run(model_id: &str, more: &Value) -> Value {
    let mut input = run_over(ROWS, &json!({"model_id": model_id, "processing_mode": "auto"}));
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bare_id_gets_the_profile_that_bedrock_lists_and_the_plan_keeps_it() {
    let bedrock = Bedrock::offering(&[(HAIKU, active())], &[&format!("us.{HAIKU}"), &format!("global.{HAIKU}")]);
    let plan = bedrock.stack().await.run("r", run(HAIKU, &json!({}))).await.unwrap();
    let name = format!("us.{HAIKU}");
    assert_eq!((&plan.request.model_id, &plan.model.id, &plan.on_demand.model.id), (&HAIKU.to_owned(), &name, &name));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_global_profile_is_used_only_if_the_run_allows_it_and_none_is_invented() {
    let bedrock = Bedrock::offering(&[(HAIKU, active())], &[&format!("global.{HAIKU}")]);
    let stack = bedrock.stack().await;
    let problem = stack.refused("r", run(HAIKU, &json!({}))).await;
    assert!(
        problem.contains(&format!("set allow_global to true to let any region answer, by `global.{HAIKU}`")),
        "{problem}"
    );
    let named = stack.refused("n", run(&format!("us.{HAIKU}"), &json!({}))).await;
    assert!(named.contains("Bedrock has no such inference profile in us-east-1; use `global."), "{named}");
    let plan = stack.run("g", run(HAIKU, &json!({"allow_global": true}))).await.unwrap();
    assert_eq!(plan.model.id, format!("global.{HAIKU}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_at_the_end_of_its_life_is_refused_with_its_date_and_the_nearest_one() {
    let bedrock = Bedrock::offering(&[(HAIKU, active())], &[&format!("us.{HAIKU}")]);
    let problem = bedrock.stack().await.refused("r", run(OLD_HAIKU, &json!({}))).await;
    let expected = format!(
        "model_id is `{OLD_HAIKU}`: this model reached its end of life at Bedrock on 2026-09-10; use `us.{HAIKU}`"
    );
    assert_eq!(problem, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_bedrock_still_offers_is_used_whatever_the_table_says() {
    let on_demand = json!({"modelLifecycle": {"status": "ACTIVE"}, "inferenceTypesSupported": ["ON_DEMAND"]});
    let plan = Bedrock::offering(&[(OLD_HAIKU, on_demand)], &[]).stack().await;
    let plan = plan.run("r", run(OLD_HAIKU, &json!({}))).await.unwrap();
    assert_eq!((plan.model.id.as_str(), plan.counts.warnings.len()), (OLD_HAIKU, 0), "{:?}", plan.counts.warnings);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_legacy_model_is_a_warning_with_its_date() {
    let legacy = json!({"modelLifecycle": {"status": "LEGACY", "endOfLifeTime": "2027-01-08T00:00:00Z"},
        "inferenceTypesSupported": []});
    let bedrock = Bedrock::offering(&[(HAIKU, legacy)], &[&format!("us.{HAIKU}")]);
    let plan = bedrock.stack().await.run("r", run(HAIKU, &json!({}))).await.unwrap();
    let warnings: Vec<&String> = plan.counts.warnings.keys().collect();
    assert!(
        warnings.len() == 1 && warnings[0].contains("is legacy: Bedrock offers it until 2027-01-08"),
        "{warnings:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_rights_the_table_decides_and_the_run_says_so() {
    let bedrock = Bedrock::default();
    bedrock.world().is_denied = true;
    let stack = bedrock.stack().await;
    let plan = stack.run("r", run(HAIKU, &json!({}))).await.unwrap();
    assert_eq!(plan.model.id, format!("us.{HAIKU}"));
    let warnings: Vec<&String> = plan.counts.warnings.keys().collect();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings.iter().any(|text| text.contains("bedrock:GetFoundationModel: AccessDeniedException")));
    assert!(warnings.iter().any(|text| text.contains("bedrock:ListInferenceProfiles: AccessDeniedException")));
    let dead = stack.refused("dead", run(OLD_HAIKU, &json!({}))).await;
    assert!(dead.contains("reached its end of life at Bedrock on 2026-09-10"), "{dead}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_container_calls_once_for_each_model_and_once_for_the_profiles() {
    let of = |id: &str| format!("us.{id}");
    let bedrock = Bedrock::offering(&[(HAIKU, active()), (SONNET, active())], &[&of(HAIKU), &of(SONNET)]);
    let stack = bedrock.stack().await;
    for name in ["a", "b"] {
        let input = run(&of(HAIKU), &json!({"fallback_model_id": of(SONNET)}));
        stack.run(name, input).await.unwrap();
    }
    let mut calls = bedrock.world().calls.clone();
    calls.sort();
    assert_eq!(calls, [HAIKU, SONNET, "profiles"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_start_keeps_the_names_of_the_first_attempt() {
    let bedrock = Bedrock::offering(&[(HAIKU, active())], &[&format!("us.{HAIKU}")]);
    let stack = bedrock.stack().await;
    let input = run(HAIKU, &json!({"allow_global": true}));
    let plan = stack.run("r", input.clone()).await.unwrap();
    // The attempt dies before its plan, and Bedrock has another answer for the next one.
    stack.s3.world().objects.retain(|(_, key), _| !key.ends_with("/plan.json"));
    let later = Bedrock::offering(&[(HAIKU, active())], &[&format!("global.{HAIKU}")]);
    let stack = Stack::over(stack.s3.clone(), later.lookup().await).await;
    assert_eq!(stack.run("r", input.clone()).await.unwrap(), plan);
    assert_eq!(later.world().calls, Vec::<String>::new());
    assert_eq!(stack.run("other", input).await.unwrap().model.id, format!("global.{HAIKU}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_stage_of_a_pipeline_is_checked_before_it_starts() {
    let bedrock = Bedrock::offering(&[(HAIKU, active())], &[&format!("us.{HAIKU}")]);
    let stack = bedrock.stack().await;
    let problem = stack.refused("p", pipeline_over(ROWS, &json!({"model_id": OLD_HAIKU}))).await;
    let expected = format!("stages[0].model_id is `{OLD_HAIKU}`: this model reached its end of life");
    assert!(problem.starts_with(&expected), "{problem}");
    stack.pipeline("q", pipeline_over(ROWS, &json!({"model_id": HAIKU}))).await.unwrap();
}
