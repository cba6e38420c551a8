use super::*;
use rstest::rstest;

fn table() -> ModelTable {
    ModelTable::with_overrides("").unwrap()
}

#[rstest]
#[case("anthropic.claude-3-haiku-20240307-v1:0", Family::AnthropicMessages, Some(0.125))]
#[case("amazon.titan-embed-text-v2:0", Family::TitanTextEmbeddings, Some(0.01))]
#[case("us.anthropic.claude-haiku-4-5-20251001-v1:0", Family::AnthropicMessages, Some(0.55))]
#[case("global.anthropic.claude-haiku-4-5-20251001-v1:0", Family::AnthropicMessages, Some(0.5))]
#[case("openai.gpt-oss-20b-1:0", Family::Converse, Some(0.035))]
#[case("qwen.qwen3-235b-a22b-2507-v1:0", Family::Converse, None)]
fn models_are_found_by_id_and_profile(#[case] id: &str, #[case] family: Family, #[case] input_price: Option<f64>) {
    let model = table().find(id).unwrap();
    assert_eq!(model.family, family);
    match (model.batch_price, input_price) {
        (Some(price), Some(expected)) => assert!((price.input - expected).abs() < 1e-9, "{price:?}"),
        (found, expected) => assert_eq!(found.map(|p| p.input), expected),
    }
}

#[rstest]
#[case("gpt-4", "supported are ids that begin with one of `amazon.nova-2-lite-`")]
#[case("cohere.embed-english-v3", "is not a model that is known to support batch inference")]
fn unknown_models_are_refused(#[case] id: &str, #[case] expected: &str) {
    let problem = table().find(id).unwrap_err().to_string();
    assert!(problem.contains(expected), "{problem}");
}

#[rstest]
#[case("anthropic.claude-3-haiku-20240307-v1:0", true)]
#[case("anthropic.claude-3-5-haiku-20241022-v1:0", false)]
#[case("us.anthropic.claude-haiku-4-5-20251001-v1:0", true)]
#[case("amazon.nova-micro-v1:0", false)]
#[case("global.amazon.nova-2-lite-v1:0", true)]
#[case("amazon.titan-embed-text-v2:0", false)]
#[case("amazon.titan-embed-image-v1", true)]
#[case("us.meta.llama3-2-3b-instruct-v1:0", false)]
#[case("us.meta.llama3-2-90b-instruct-v1:0", true)]
#[case("qwen.qwen3-vl-235b-a22b", true)]
#[case("qwen.qwen3-235b-a22b-2507-v1:0", false)]
#[case("openai.gpt-oss-120b-1:0", false)]
fn the_table_knows_which_models_accept_images(#[case] id: &str, #[case] images: bool) {
    assert_eq!(table().find(id).unwrap().takes_images, images);
}

#[rstest]
#[case("anthropic.claude-3-haiku-20240307-v1:0", false)]
#[case("us.anthropic.claude-haiku-4-5-20251001-v1:0", true)]
#[case("global.anthropic.claude-sonnet-4-5-20250929-v1:0", true)]
#[case("amazon.nova-micro-v1:0", false)]
#[case("openai.gpt-oss-120b-1:0", true)]
#[case("qwen.qwen3-32b-v1:0", true)]
#[case("meta.llama3-1-8b-instruct-v1:0", false)]
fn the_table_knows_which_models_have_structured_output(#[case] id: &str, #[case] expected: bool) {
    assert_eq!(table().find(id).unwrap().structured_output, expected);
}

#[rstest]
#[case("anthropic.claude-3-haiku-20240307-v1:0", Some(4096), &[])]
#[case("us.anthropic.claude-sonnet-4-5-20250929-v1:0", Some(64_000), &[])]
#[case("us.anthropic.claude-sonnet-4-6", Some(128_000), &["prefill"])]
#[case("global.anthropic.claude-opus-5", Some(128_000), &["temperature", "top_p", "top_k", "prefill", "thinking_budget_tokens"])]
#[case("amazon.nova-lite-v1:0", Some(10_000), &[])]
#[case("meta.llama3-1-8b-instruct-v1:0", None, &[])]
fn the_table_knows_what_models_refuse(#[case] id: &str, #[case] tokens: Option<u32>, #[case] refuses: &[&str]) {
    let model = table().find(id).unwrap();
    let fields: Vec<&str> = model.refuses.iter().map(|parameter| parameter.field()).collect();
    assert_eq!((model.max_output_tokens, fields.as_slice()), (tokens, refuses));
    assert_eq!(serde_json::from_value::<Model>(serde_json::to_value(&model).unwrap()).unwrap(), model);
    assert_eq!(table().find("amazon.titan-embed-text-v2:0").unwrap().max_text_chars, Some(50_000));
    let unknown = "[[model]]\nid = \"acme.x\"\nfamily = \"converse\"\nrefuses = [\"topp\"]";
    assert!(ModelTable::with_overrides(unknown).unwrap_err().contains("top_p"));
}

#[test]
fn a_model_whose_format_takes_no_schema_has_no_structured_output() {
    let overrides = "[[model]]\nid = \"amazon.nova-x\"\nfamily = \"nova\"\nstructured_output = true";
    let table = ModelTable::with_overrides(overrides).unwrap();
    assert!(!table.find("amazon.nova-x-v1:0").unwrap().structured_output);
    assert!(!table.listed_with_structured_output().contains("nova-x"));
}

#[test]
fn images_with_their_own_price_are_added_to_the_cost() {
    let price = table().find("amazon.titan-embed-image-v1").unwrap().on_demand_price.unwrap();
    assert!((price.cost_usd(1_000_000, 0, 10_000) - 1.4).abs() < 1e-9);
    let overrides = "[[model]]\nid = \"acme.eye\"\nfamily = \"converse\"\nimages = true";
    assert!(ModelTable::with_overrides(overrides).unwrap().find("acme.eye-v1").unwrap().takes_images);
}

#[test]
fn the_context_of_a_model_is_known_or_assumed() {
    let context = |id: &str| table().find(id).unwrap().context_tokens;
    assert_eq!(
        (context("anthropic.claude-3-haiku-20240307-v1:0"), context("amazon.nova-lite-v1:0")),
        (200_000, 300_000)
    );
    assert_eq!(context("qwen.qwen3-32b-v1:0"), 128_000, "the default");
    let overrides = "[[model]]\nid = \"acme.big\"\nfamily = \"converse\"\ncontext_tokens = 5";
    assert_eq!(ModelTable::with_overrides(overrides).unwrap().find("acme.big-1").unwrap().context_tokens, 5);
    let mut stored = serde_json::to_value(table().find("amazon.nova-lite-v1:0").unwrap()).unwrap();
    stored.as_object_mut().unwrap().remove("context_tokens");
    assert_eq!(serde_json::from_value::<Model>(stored).unwrap().context_tokens, 128_000, "a plan without it");
}

#[rstest]
#[case("us.anthropic.claude-haiku-4-5-20251001-v1:0", Some(4096))]
#[case("anthropic.claude-3-haiku-20240307-v1:0", None)]
#[case("anthropic.claude-3-5-sonnet-20241022-v2:0", None)]
#[case("amazon.nova-pro-v1:0", Some(1024))]
#[case("openai.gpt-oss-20b-1:0", None)]
fn the_table_knows_which_models_cache_prompts(#[case] id: &str, #[case] minimum: Option<u64>) {
    assert_eq!(table().find(id).unwrap().prompt_caching, minimum);
}

#[test]
fn cached_tokens_have_prices_of_their_own() {
    use crate::model::CachedTokens;
    let difference = |id: &str, read, written| {
        let price = table().find(id).unwrap().on_demand_price.unwrap();
        price.cache_difference_usd(CachedTokens { read, written })
    };
    // Claude: a tenth for reading, a quarter more for writing.
    let claude = difference("global.anthropic.claude-haiku-4-5-20251001-v1:0", 1_000_000, 1_000_000);
    assert!((claude - (0.1 - 1.0 + 1.25 - 1.0)).abs() < 1e-9, "{claude}");
    let nova = difference("amazon.nova-pro-v1:0", 1_000_000, 1_000_000);
    assert!((nova - (0.2 - 0.8)).abs() < 1e-9, "{nova}");
}

#[test]
fn prices_of_both_lanes_can_be_overridden() {
    let overrides = "[[model]]\nid = \"acme.tiny\"\nfamily = \"converse\"\nprice = { input = 4.0, output = 8.0 }\n\
        batch_price = { input = 1.0, output = 3.0 }";
    let model = ModelTable::with_overrides(overrides).unwrap().find("acme.tiny-v1").unwrap();
    assert_eq!(model.on_demand_price, Some(Price::of_tokens(4.0, 8.0)));
    assert_eq!(model.batch_price, Some(Price::of_tokens(1.0, 3.0)));
}

#[test]
fn a_user_can_override_limits_and_add_models() {
    let overrides = "prices_as_of = \"2027-01-01\"\ndefault_limits = { min_records_per_job = 10 }\n\
        [[model]]\nid = \"acme.tiny\"\nfamily = \"converse\"\nlimits = { max_file_bytes = 5 }";
    let model = ModelTable::with_overrides(overrides).unwrap().find("acme.tiny-v1").unwrap();
    assert_eq!((model.limits.min_records_per_job, model.limits.max_chunk_bytes()), (10, 5));
    assert_eq!(model.prices_as_of, "2027-01-01");
    assert!(ModelTable::with_overrides("modle = 1").is_err());
}
