//! Table of models: `models.toml`, which is compiled in, and the overrides of a user.

use super::{Family, ModelId, Price};
use crate::problem::{Problem, listed};
use serde::{Deserialize, Serialize};

/// Bundled table.
const BUNDLED: &str = include_str!("../../models.toml");

/// Limits of Bedrock for one batch job of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Minimum number of records per job; a job with fewer fails.
    pub min_records_per_job: u32,
    /// Maximum number of records per job.
    pub max_records_per_job: u32,
    /// Maximum size of an input file.
    pub max_file_bytes: u64,
    /// Maximum total size of the input files of a job.
    pub max_job_bytes: u64,
    /// Maximum size of a line.
    pub max_record_bytes: u64,
}

impl Limits {
    /// Returns the maximum size of a chunk, which is a single file and the only one of its job.
    pub fn max_chunk_bytes(&self) -> u64 {
        self.max_file_bytes.min(self.max_job_bytes)
    }
}

/// Model as used by a run; frozen in the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Id sent to Bedrock.
    pub id: String,
    /// Request and answer format.
    pub family: Family,
    /// Limits of its batch jobs.
    pub limits: Limits,
    /// Price in batch; `None` if unknown.
    pub batch_price: Option<Price>,
    /// Price on demand; `None` if unknown.
    #[serde(default)]
    pub on_demand_price: Option<Price>,
    /// Date of the price table.
    pub prices_as_of: String,
    /// True if the model accepts images.
    #[serde(default)]
    pub takes_images: bool,
    /// Maximum number of tokens of a request and its answer.
    #[serde(default = "default_context_tokens")]
    pub context_tokens: u64,
    /// Minimum number of tokens that it caches of a prompt on demand; `None` if it caches nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_caching: Option<u64>,
    /// True if Bedrock can make its answers match a JSON Schema.
    #[serde(default)]
    pub structured_output: bool,
    /// Maximum number of tokens of an answer; `None` if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u32>,
    /// Maximum number of characters of a text that an embedding model reads; `None` if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_text_chars: Option<u64>,
    /// Parameters for which it refuses a request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refuses: Vec<RefusedParameter>,
}

/// Inference parameter for which a model refuses a request, although others of its family accept it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusedParameter {
    /// `temperature`.
    Temperature,
    /// `top_p`.
    TopP,
    /// `top_k`.
    TopK,
    /// `prefill`.
    Prefill,
    /// `thinking_budget_tokens`.
    ThinkingBudgetTokens,
}

impl RefusedParameter {
    /// Returns its name in `inference`.
    pub fn field(self) -> &'static str {
        match self {
            Self::Temperature => "temperature",
            Self::TopP => "top_p",
            Self::TopK => "top_k",
            Self::Prefill => "prefill",
            Self::ThinkingBudgetTokens => "thinking_budget_tokens",
        }
    }
}

/// Context of models whose own is not known.
fn default_context_tokens() -> u64 {
    128_000
}

/// Table of models.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelTable {
    prices_as_of: String,
    batch_share_of_on_demand: f64,
    geo_surcharge: f64,
    default_limits: Limits,
    inference_profile_required_models: Vec<String>,
    model: Vec<ModelEntry>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, as the file names them")]
struct ModelEntry {
    id: String,
    family: Family,
    #[serde(default)]
    profile_only: bool,
    #[serde(default)]
    images: bool,
    #[serde(default)]
    structured_output: bool,
    #[serde(default)]
    price: Option<Price>,
    #[serde(default)]
    batch_price: Option<Price>,
    #[serde(default)]
    geo_surcharge: bool,
    #[serde(default)]
    limits: LimitOverrides,
    #[serde(default = "default_context_tokens")]
    context_tokens: u64,
    #[serde(default)]
    prompt_caching: Option<u64>,
    #[serde(default)]
    max_output_tokens: Option<u32>,
    #[serde(default)]
    max_text_chars: Option<u64>,
    #[serde(default)]
    refuses: Vec<RefusedParameter>,
}

impl ModelEntry {
    fn has_structured_output(&self) -> bool {
        self.structured_output && self.family.takes_schema()
    }
}

/// Content of a user's file: the date of its prices, limits for all models, the models that are invoked on demand through an
/// inference profile, and models.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Overrides {
    prices_as_of: Option<String>,
    #[serde(default)]
    default_limits: LimitOverrides,
    inference_profile_required_models: Option<Vec<String>>,
    #[serde(default)]
    model: Vec<ModelEntry>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitOverrides {
    min_records_per_job: Option<u32>,
    max_records_per_job: Option<u32>,
    max_file_bytes: Option<u64>,
    max_job_bytes: Option<u64>,
    max_record_bytes: Option<u64>,
}

impl LimitOverrides {
    fn applied_to(self, base: Limits) -> Limits {
        Limits {
            min_records_per_job: self.min_records_per_job.unwrap_or(base.min_records_per_job),
            max_records_per_job: self.max_records_per_job.unwrap_or(base.max_records_per_job),
            max_file_bytes: self.max_file_bytes.unwrap_or(base.max_file_bytes),
            max_job_bytes: self.max_job_bytes.unwrap_or(base.max_job_bytes),
            max_record_bytes: self.max_record_bytes.unwrap_or(base.max_record_bytes),
        }
    }
}

/// Use of inference profiles by a request.
#[derive(Debug, Clone, Copy)]
pub struct Profiles<'a> {
    /// Region that requests are sent to.
    pub region: &'a str,
    /// ARN of the profile to use.
    pub arn: Option<&'a str>,
    /// Models that need a profile, in place of the table's list.
    pub required_models: Option<&'a [String]>,
}

/// Returns the region group of AWS's inference profiles that requests in a region can use.
fn region_group(region: &str) -> &'static str {
    let groups = [("us-gov-", "us-gov"), ("us-", "us"), ("eu-", "eu"), ("ap-", "apac"), ("ca-", "ca"), ("sa-", "sa")];
    groups.iter().find(|(start, _)| region.starts_with(start)).map_or("global", |(_, group)| group)
}

impl ModelTable {
    /// Creates the bundled table with a user's overrides (TOML; empty for none): a model in them replaces the bundled one with
    /// the same `id`, and others are added.
    ///
    /// # Errors
    /// Returns an error if the overrides are invalid.
    pub fn with_overrides(overrides: &str) -> Result<Self, String> {
        let mut table: Self = toml::from_str(BUNDLED).map_err(|error| format!("the bundled table: {error}"))?;
        let over: Overrides = toml::from_str(overrides).map_err(|error| error.to_string())?;
        table.default_limits = over.default_limits.applied_to(table.default_limits);
        table.prices_as_of = over.prices_as_of.unwrap_or(table.prices_as_of);
        if let Some(required) = over.inference_profile_required_models {
            table.inference_profile_required_models = required;
        }
        table.model.retain(|row| over.model.iter().all(|new| new.id != row.id));
        table.model.extend(over.model);
        Ok(table)
    }

    /// Returns the model with a user's `model_id`, for batch jobs. `profile_arn` is the inference profile to use if Bedrock
    /// accepts the model in batch only through one.
    ///
    /// # Errors
    /// Returns a problem if it is not in the table, or if Bedrock accepts it in batch only under another name.
    pub fn find(&self, model_id: &str, profile_arn: Option<&str>) -> Result<Model, Problem> {
        let (id, row) = self.look_up("model_id", model_id)?;
        if !row.profile_only || id.profile.is_some() {
            return Ok(self.model(row, &id, id.full.clone()));
        }
        if let Some(arn) = profile_arn {
            return Ok(self.model(row, &id, arn.to_owned()));
        }
        let rule = "Bedrock accepts this model in batch only through an inference profile";
        let remedy = format!(
            "use `global.{0}` or the profile of your region group, such as `us.{0}` or `eu.{0}`, or set \
             inference_profile_arn",
            id.base
        );
        Err(Problem::new("model_id", model_id, rule).remedy(remedy))
    }

    /// Returns the model with the id `model_id` (the value of `field`), for requests on demand in `profiles.region`, through
    /// an inference profile if it needs one.
    ///
    /// # Errors
    /// Returns a problem if it is not in the table.
    pub fn on_demand(&self, field: &str, model_id: &str, profiles: Profiles<'_>) -> Result<Model, Problem> {
        let (id, row) = self.look_up(field, model_id)?;
        let listed = |list: &[String]| list.iter().any(|start| id.base.starts_with(start.as_str()));
        let required = match profiles.required_models {
            Some(list) => listed(list),
            None => row.profile_only || listed(&self.inference_profile_required_models),
        };
        let name = match profiles.arn {
            Some(arn) => arn.to_owned(),
            None if required && id.profile.is_none() && !id.full.starts_with("arn:") => {
                format!("{}.{}", region_group(profiles.region), id.base)
            }
            None => id.full.clone(),
        };
        let id = ModelId::parse(&name).unwrap_or(id);
        Ok(self.model(row, &id, name))
    }

    fn look_up(&self, field: &str, model_id: &str) -> Result<(ModelId, &ModelEntry), Problem> {
        let id =
            ModelId::parse(model_id).map_err(|rule| Problem::new(field, model_id, rule).remedy(self.supported()))?;
        let row = self.model.iter().filter(|row| id.base.starts_with(&row.id)).max_by_key(|row| row.id.len());
        let Some(row) = row else {
            let rule = "is not a model that is known to support batch inference";
            return Err(Problem::new(field, model_id, rule).remedy(self.supported()));
        };
        Ok((id, row))
    }

    /// Creates the model of `row` with the name `name`, of which `id` is the parsed form as far as it can be parsed.
    fn model(&self, row: &ModelEntry, id: &ModelId, name: String) -> Model {
        let geo = row.geo_surcharge && id.profile.as_deref() != Some("global");
        let surcharge = if geo { self.geo_surcharge } else { 1.0 };
        let on_demand_price = row.price.map(|price| price.times(surcharge));
        let batch_price = row.batch_price.map(|price| price.times(surcharge));
        Model {
            id: name,
            family: row.family,
            limits: row.limits.applied_to(self.default_limits),
            batch_price: batch_price.or(on_demand_price.map(|price| price.times(self.batch_share_of_on_demand))),
            on_demand_price,
            prices_as_of: self.prices_as_of.clone(),
            takes_images: row.images,
            context_tokens: row.context_tokens,
            prompt_caching: row.prompt_caching,
            structured_output: row.has_structured_output(),
            max_output_tokens: row.max_output_tokens,
            max_text_chars: row.max_text_chars,
            refuses: row.refuses.clone(),
        }
    }

    /// Lists the models that accept images, for a message.
    pub fn listed_with_images(&self) -> String {
        let mut ids: Vec<&str> = self.model.iter().filter(|row| row.images).map(|row| row.id.as_str()).collect();
        ids.sort_unstable();
        listed(&ids)
    }

    /// Lists the models with structured output, for a message.
    pub fn listed_with_structured_output(&self) -> String {
        let with = self.model.iter().filter(|row| row.has_structured_output());
        let mut ids: Vec<&str> = with.map(|row| row.id.as_str()).collect();
        ids.sort_unstable();
        listed(&ids)
    }

    fn supported(&self) -> String {
        let mut ids: Vec<&str> = self.model.iter().map(|row| row.id.as_str()).collect();
        ids.sort_unstable();
        let remedy = "others can be added in infra/model-overrides.toml";
        format!("supported are ids that begin with one of {}; {remedy}", listed(&ids))
    }
}

#[cfg(test)]
mod tests {
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
        let model = table().find(id, None).unwrap();
        assert_eq!(model.family, family);
        match (model.batch_price, input_price) {
            (Some(price), Some(expected)) => assert!((price.input - expected).abs() < 1e-9, "{price:?}"),
            (found, expected) => assert_eq!(found.map(|p| p.input), expected),
        }
    }

    #[rstest]
    #[case("gpt-4", "supported are ids that begin with one of `amazon.nova-2-lite-`")]
    #[case("cohere.embed-english-v3", "is not a model that is known to support batch inference")]
    #[case("anthropic.claude-sonnet-4-5-20250929-v1:0", "use `global.anthropic.claude-sonnet-4-5-20250929-v1:0`")]
    fn unknown_models_and_missing_profiles_are_refused(#[case] id: &str, #[case] expected: &str) {
        let problem = table().find(id, None).unwrap_err().to_string();
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
        assert_eq!(table().find(id, None).unwrap().takes_images, images);
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
        assert_eq!(table().find(id, None).unwrap().structured_output, expected);
    }

    #[rstest]
    #[case("anthropic.claude-3-haiku-20240307-v1:0", Some(4096), &[])]
    #[case("us.anthropic.claude-sonnet-4-5-20250929-v1:0", Some(64_000), &[])]
    #[case("us.anthropic.claude-sonnet-4-6", Some(128_000), &["prefill"])]
    #[case("global.anthropic.claude-opus-5", None, &["temperature", "top_p", "top_k", "prefill", "thinking_budget_tokens"])]
    #[case("amazon.nova-lite-v1:0", Some(10_000), &[])]
    #[case("meta.llama3-1-8b-instruct-v1:0", None, &[])]
    fn the_table_knows_what_models_refuse(#[case] id: &str, #[case] tokens: Option<u32>, #[case] refuses: &[&str]) {
        let model = table().find(id, None).unwrap();
        let fields: Vec<&str> = model.refuses.iter().map(|parameter| parameter.field()).collect();
        assert_eq!((model.max_output_tokens, fields.as_slice()), (tokens, refuses));
        assert_eq!(serde_json::from_value::<Model>(serde_json::to_value(&model).unwrap()).unwrap(), model);
        assert_eq!(table().find("amazon.titan-embed-text-v2:0", None).unwrap().max_text_chars, Some(50_000));
        let unknown = "[[model]]\nid = \"acme.x\"\nfamily = \"converse\"\nrefuses = [\"topp\"]";
        assert!(ModelTable::with_overrides(unknown).unwrap_err().contains("top_p"));
    }

    #[test]
    fn a_model_whose_format_takes_no_schema_has_no_structured_output() {
        let overrides = "[[model]]\nid = \"amazon.nova-x\"\nfamily = \"nova\"\nstructured_output = true";
        let table = ModelTable::with_overrides(overrides).unwrap();
        assert!(!table.find("amazon.nova-x-v1:0", None).unwrap().structured_output);
        assert!(!table.listed_with_structured_output().contains("nova-x"));
    }

    #[test]
    fn images_with_their_own_price_are_added_to_the_cost() {
        let price = table().find("amazon.titan-embed-image-v1", None).unwrap().on_demand_price.unwrap();
        assert!((price.cost_usd(1_000_000, 0, 10_000) - 1.4).abs() < 1e-9);
        let overrides = "[[model]]\nid = \"acme.eye\"\nfamily = \"converse\"\nimages = true";
        assert!(ModelTable::with_overrides(overrides).unwrap().find("acme.eye-v1", None).unwrap().takes_images);
    }

    #[test]
    fn the_context_of_a_model_is_known_or_assumed() {
        let context = |id: &str| table().find(id, None).unwrap().context_tokens;
        assert_eq!(
            (context("anthropic.claude-3-haiku-20240307-v1:0"), context("amazon.nova-lite-v1:0")),
            (200_000, 300_000)
        );
        assert_eq!(context("qwen.qwen3-32b-v1:0"), 128_000, "the default");
        let overrides = "[[model]]\nid = \"acme.big\"\nfamily = \"converse\"\ncontext_tokens = 5";
        assert_eq!(ModelTable::with_overrides(overrides).unwrap().find("acme.big-1", None).unwrap().context_tokens, 5);
        let mut stored = serde_json::to_value(table().find("amazon.nova-lite-v1:0", None).unwrap()).unwrap();
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
        assert_eq!(table().find(id, None).unwrap().prompt_caching, minimum);
    }

    #[test]
    fn cached_tokens_have_prices_of_their_own() {
        use crate::model::CachedTokens;
        let difference = |id: &str, read, written| {
            let price = table().find(id, None).unwrap().on_demand_price.unwrap();
            price.cache_difference_usd(CachedTokens { read, written })
        };
        // Claude: a tenth for reading, a quarter more for writing.
        let claude = difference("global.anthropic.claude-haiku-4-5-20251001-v1:0", 1_000_000, 1_000_000);
        assert!((claude - (0.1 - 1.0 + 1.25 - 1.0)).abs() < 1e-9, "{claude}");
        let nova = difference("amazon.nova-pro-v1:0", 1_000_000, 1_000_000);
        assert!((nova - (0.2 - 0.8)).abs() < 1e-9, "{nova}");
    }

    const PROFILE: &str = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc";

    #[rstest]
    #[case::needs_none("amazon.nova-lite-v1:0", "us-east-1", None, "amazon.nova-lite-v1:0")]
    #[case::by_region(
        "anthropic.claude-sonnet-4-5-20250929-v1:0",
        "eu-west-1",
        None,
        "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
    )]
    #[case::named(
        "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "eu-west-1",
        None,
        "global.anthropic.claude-sonnet-4-5-20250929-v1:0"
    )]
    #[case::by_arn("anthropic.claude-sonnet-4-5-20250929-v1:0", "us-east-1", Some(PROFILE), PROFILE)]
    fn requests_on_demand_use_a_profile_if_one_is_needed(
        #[case] id: &str,
        #[case] region: &str,
        #[case] arn: Option<&str>,
        #[case] expected: &str,
    ) {
        let profiles = Profiles { region, arn, required_models: None };
        assert_eq!(table().on_demand("model_id", id, profiles).unwrap().id, expected);
    }

    #[test]
    fn the_request_can_define_which_models_need_a_profile() {
        let own = ["amazon.nova-lite".to_owned()];
        let profiles = Profiles { region: "ap-south-1", arn: None, required_models: Some(&own) };
        let find = |id| table().on_demand("model_id", id, profiles).unwrap();
        assert_eq!(find("amazon.nova-lite-v1:0").id, "apac.amazon.nova-lite-v1:0");
        assert_eq!(find("anthropic.claude-haiku-4-5-20251001-v1:0").id, "anthropic.claude-haiku-4-5-20251001-v1:0");
        let batch = table().find("anthropic.claude-haiku-4-5-20251001-v1:0", Some(PROFILE)).unwrap();
        assert_eq!(batch.id, PROFILE, "batch jobs use it too if the model requires a profile");
    }

    #[test]
    fn prices_of_both_lanes_can_be_overridden() {
        let overrides = "[[model]]\nid = \"acme.tiny\"\nfamily = \"converse\"\nprice = { input = 4.0, output = 8.0 }\n\
            batch_price = { input = 1.0, output = 3.0 }";
        let model = ModelTable::with_overrides(overrides).unwrap().find("acme.tiny-v1", None).unwrap();
        assert_eq!(model.on_demand_price, Some(Price::of_tokens(4.0, 8.0)));
        assert_eq!(model.batch_price, Some(Price::of_tokens(1.0, 3.0)));
    }

    #[test]
    fn a_user_can_override_limits_and_add_models() {
        let overrides = "prices_as_of = \"2027-01-01\"\ndefault_limits = { min_records_per_job = 10 }\n\
            [[model]]\nid = \"acme.tiny\"\nfamily = \"converse\"\nlimits = { max_file_bytes = 5 }";
        let model = ModelTable::with_overrides(overrides).unwrap().find("acme.tiny-v1", None).unwrap();
        assert_eq!((model.limits.min_records_per_job, model.limits.max_chunk_bytes()), (10, 5));
        assert_eq!(model.prices_as_of, "2027-01-01");
        assert!(ModelTable::with_overrides("modle = 1").is_err());
    }
}
