//! What Bedrock says about models when runs and pipelines start.

use super::s3_server::S3Server;
use super::stack::{BUCKET, ROWS, Stack, pipeline_over, run_over};
use super::test_stack::{bedrock_client, serve};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
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
    /// Names and values of quotas in Service Quotas, whose listing has one page for each.
    quotas: Vec<(&'static str, f64)>,
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
            .route("/", post(quotas))
            .with_state(self.clone());
        let url = serve(routes).await;
        let quotas = aws_sdk_servicequotas::Config::builder()
            .behavior_version(aws_sdk_servicequotas::config::BehaviorVersion::latest())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .endpoint_url(&url)
            .region(aws_sdk_servicequotas::config::Region::new("us-east-1"))
            .credentials_provider(aws_sdk_servicequotas::config::Credentials::new("a", "s", None, None, "test"));
        ModelLookup::new(bedrock_client(url)).with_quotas(aws_sdk_servicequotas::Client::from_conf(quotas.build()))
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

async fn quotas(State(bedrock): State<Bedrock>, body: String) -> Response {
    let mut world = bedrock.world();
    world.calls.push("quotas".to_owned());
    if world.is_denied {
        return error(StatusCode::BAD_REQUEST, "AccessDeniedException");
    }
    let request: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(request["ServiceCode"], "bedrock");
    let at: usize = request["NextToken"].as_str().map_or(0, |token| token.parse().unwrap());
    let listed: Vec<Value> =
        world.quotas.iter().skip(at).take(1).map(|(name, value)| json!({"QuotaName": name, "Value": value})).collect();
    let mut page = json!({ "Quotas": listed });
    if at + 1 < world.quotas.len() {
        page["NextToken"] = json!((at + 1).to_string());
    }
    page.to_string().into_response()
}

fn active() -> Value {
    json!({"modelLifecycle": {"status": "ACTIVE"}, "inferenceTypesSupported": [], "modelName": "Claude Haiku 4.5",
        "providerName": "Anthropic"})
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
    // Without the name of the model, quotas are not looked at.
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
    assert_eq!(calls, [HAIKU, SONNET, "profiles", "quotas"]);
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

const JOBS: &str = "Sum of in-progress and submitted batch inference jobs using a base model for Claude Haiku 4.5";

/// Returns a stack in an account with this quota of jobs.
async fn with_quota(quota: f64) -> Stack {
    let bedrock = Bedrock::offering(&[(HAIKU, active())], &[&format!("us.{HAIKU}")]);
    bedrock.world().quotas = vec![("Records per batch inference job for Claude Haiku 4.5", 7.0), (JOBS, quota)];
    let stack = bedrock.stack().await;
    stack.put("inputs/many.csv", format!("text\n{}", "hello\n".repeat(150)).as_bytes());
    stack
}

fn many(more: &Value) -> Value {
    let fields = json!({"s3_uri": format!("s3://{BUCKET}/inputs/many.csv"), "deduplicate": false});
    let mut input = run(HAIKU, &fields);
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_has_no_more_jobs_at_once_than_the_account_may_have() {
    let stack = with_quota(3.0).await;
    let plan = stack.run("r", many(&json!({}))).await.unwrap();
    assert_eq!(plan.request.max_concurrent_jobs, 3);
    let plan = stack.run("fewer", many(&json!({"max_concurrent_jobs": 2}))).await.unwrap();
    assert_eq!(plan.request.max_concurrent_jobs, 2);
    let plan = with_quota(100.0).await.run("r", many(&json!({}))).await.unwrap();
    assert_eq!(plan.request.max_concurrent_jobs, 5, "the stack allows no more per run");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_in_batch_is_refused_where_the_account_may_have_no_job() {
    let stack = with_quota(0.0).await;
    let problem = stack.refused("r", many(&json!({}))).await;
    assert!(problem.contains("the account's quota of batch jobs of this model is 0"), "{problem}");
    assert!(problem.contains("request an increase"), "{problem}");
    stack.run("on-demand", many(&json!({"processing_mode": "realtime"}))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_start_keeps_the_quota_of_the_first_attempt() {
    let stack = with_quota(3.0).await;
    let plan = stack.run("r", many(&json!({}))).await.unwrap();
    stack.s3.world().objects.retain(|(_, key), _| !key.ends_with("/plan.json"));
    let later = Bedrock::offering(&[(HAIKU, active())], &[&format!("us.{HAIKU}")]);
    let stack = Stack::over(stack.s3.clone(), later.lookup().await).await;
    assert_eq!(stack.run("r", many(&json!({}))).await.unwrap(), plan);
}

const OVERRIDES: &str = "settings/model-overrides.toml";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overrides_in_the_bucket_take_the_place_of_deployed_ones() {
    let stack = Stack::with_rows().await;
    let deployed = stack.run("before", run(HAIKU, &json!({}))).await.unwrap().model.prices_as_of;
    stack.put(OVERRIDES, b"prices_as_of = \"2031-01-01\"\n");
    let plan = stack.run("r", run(HAIKU, &json!({}))).await.unwrap();
    assert_eq!(plan.model.prices_as_of, "2031-01-01");
    // An attempt that is repeated keeps them, whatever is there meanwhile.
    stack.s3.world().objects.retain(|(_, key), _| !key.ends_with("/plan.json") && key != OVERRIDES);
    assert_eq!(stack.run("r", run(HAIKU, &json!({}))).await.unwrap(), plan);
    assert_eq!(stack.run("after", run(HAIKU, &json!({}))).await.unwrap().model.prices_as_of, deployed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overrides_that_cannot_be_read_stop_every_start_and_name_the_object() {
    let stack = Stack::with_rows().await;
    for (text, expected) in
        [(&b"model = 1\x1b[31m"[..], "TOML parse error at line 1, column 11: "), (b"\xff", "is not UTF-8")]
    {
        stack.put(OVERRIDES, text);
        for input in [run(HAIKU, &json!({})), pipeline_over(ROWS, &json!({"model_id": HAIKU}))] {
            let problem = stack.refused("r", input).await;
            assert!(problem.starts_with(&format!("the table of models is `s3://{BUCKET}/{OVERRIDES}`")), "{problem}");
            assert!(problem.contains(expected) && problem.contains("delete it"), "{problem}");
            assert!(!problem.contains(['\n', '\x1b']), "{problem}");
        }
    }
}
