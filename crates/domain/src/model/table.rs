//! Table of models: `models.toml`, which is compiled in, and the overrides of a user.

mod aws_models;
mod lifecycle;
mod listing;
mod naming;
mod region;

pub use aws_models::{AwsModels, OfferedModel};
pub use listing::ListedModel;
pub use naming::{ModelWish, NamedModel};

use super::{Family, ModelId, Price};
use crate::ids::Arn;
use crate::problem::{Problem, listed, suggestion};
use serde::{Deserialize, Serialize};

/// Maximum number of ids that a message suggests.
const MAX_SUGGESTED: usize = 5;
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
    /// Date by which the life of models is judged, as `2026-11-20`; `None` if it is not judged.
    #[serde(skip)]
    today: Option<String>,
    /// What Bedrock says about models, over what the table says.
    #[serde(skip)]
    aws: AwsModels,
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
    #[serde(default)]
    ids: Vec<String>,
    #[serde(default)]
    batch_regions: Option<Vec<String>>,
    #[serde(default)]
    profiles: Option<Vec<String>>,
    #[serde(default)]
    legacy_since: Option<String>,
    #[serde(default)]
    end_of_life: Option<String>,
    #[serde(default)]
    alive_in: Vec<String>,
    #[serde(default)]
    successor: Option<String>,
}

impl ModelEntry {
    /// Returns true if Bedrock takes the model in batch by its own id in a region, as far as that is known.
    fn takes_batch_by_id(&self, region: &str) -> bool {
        self.batch_regions.as_ref().map_or(!self.profile_only, |regions| regions.iter().any(|known| known == region))
    }

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

    /// Judges the life of models by this date, as `2026-11-20`, or by the date with which a time begins.
    #[must_use]
    pub fn on(self, date: &str) -> Self {
        let is_date = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        Self { today: date.get(..10).filter(is_date).map(str::to_owned), ..self }
    }

    /// Lets what Bedrock says about models override what the table says.
    #[must_use]
    pub fn told(self, aws: AwsModels) -> Self {
        Self { aws, ..self }
    }

    /// Returns the warnings about what Bedrock did not say.
    pub fn lookup_warnings(&self) -> &[String] {
        &self.aws.failed_calls
    }

    /// Returns the model with this id under this name, whether or not Bedrock accepts it: its format, limits and prices.
    ///
    /// # Errors
    /// Returns a problem if it is not in the table.
    pub fn find(&self, model_id: &str) -> Result<Model, Problem> {
        let (id, row) = self.look_up("model_id", model_id)?;
        Ok(self.model(row, &id, id.full.clone()))
    }

    fn look_up(&self, field: &str, model_id: &str) -> Result<(ModelId, &ModelEntry), Problem> {
        let id = ModelId::parse(model_id)
            .map_err(|rule| Problem::new(field, model_id, rule).remedy(self.remedy_of(model_id)))?;
        let Some(row) = self.row_of(&id.base) else {
            let rule = "is not a model that is known to support batch inference";
            let near = self.near(&id).map_or_else(String::new, |near| format!("{near} "));
            return Err(Problem::new(field, model_id, rule).remedy(format!("{near}{}", self.supported())));
        };
        Ok((id, row))
    }

    /// Returns the remedy of a text that does not name a model.
    fn remedy_of(&self, text: &str) -> String {
        let is_own_profile = |arn: Arn<'_>| arn.resource.starts_with("application-inference-profile/");
        if Arn::parse(text).is_some_and(is_own_profile) {
            return "name the profile's model by its id, as model_id; the ARN goes into inference_profile_arn"
                .to_owned();
        }
        self.supported()
    }

    /// Returns the entry of a foundation model: the one with the longest beginning of its id.
    fn row_of(&self, base: &str) -> Option<&ModelEntry> {
        self.model.iter().filter(|row| base.starts_with(&row.id)).max_by_key(|row| row.id.len())
    }

    /// Suggests the complete ids that begin like an unknown one, or the one that is nearest to it.
    fn near(&self, id: &ModelId) -> Option<String> {
        let known: Vec<&str> = self.model.iter().flat_map(|row| &row.ids).map(String::as_str).collect();
        let longer: Vec<&str> = known.iter().copied().filter(|full| full.starts_with(&id.base)).collect();
        match longer.as_slice() {
            [] => suggestion(&id.base, &known),
            longer if longer.len() <= MAX_SUGGESTED => Some(format!("did you mean one of {}?", listed(longer))),
            _ => None,
        }
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
            takes_images: self.takes_images(row, id),
            context_tokens: row.context_tokens,
            prompt_caching: row.prompt_caching,
            structured_output: row.has_structured_output(),
            max_output_tokens: row.max_output_tokens,
            max_text_chars: row.max_text_chars,
            refuses: row.refuses.clone(),
        }
    }

    fn takes_images(&self, row: &ModelEntry, id: &ModelId) -> bool {
        let of_aws = self.aws.models.get(&id.base).and_then(|offered| offered.as_ref()?.takes_images);
        of_aws.unwrap_or(row.images)
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
mod naming_tests;
#[cfg(test)]
mod tests;
