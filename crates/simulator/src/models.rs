//! The known models, and which of them accept batch jobs.
//!
//! The table is AWS's list of models supported in batch inference. An id that is well formed but not in the table is
//! refused as unknown, as AWS refuses a mistyped one; `--models` adds ids that are newer than the table. Versions and
//! dates after a table entry are not checked; the life of models, their profiles and their regions are (see [`crate::offers`]).

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::errors::{ApiError, ErrorKind};
use crate::families::Family;
use crate::offers::{self, groups_of};

/// Batch support of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum BatchSupport {
    /// By its own id, and through inference profiles.
    Single,
    /// Only through an inference profile.
    Profile,
    /// Not at all.
    None,
}

/// Kind of name that identifies a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameKind {
    Foundation,
    Profile,
    /// An application inference profile or a custom model: what is behind it cannot be read from its name.
    Opaque,
}

/// A parsed model id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) given: String,
    /// The foundation model's id, without ARN and without the region of a profile.
    pub(crate) base: String,
    pub(crate) kind: NameKind,
    /// The group of the inference profile, such as `us`.
    pub(crate) group: Option<String>,
}

const PROFILE_REGIONS: [&str; 9] = ["us.", "eu.", "apac.", "global.", "jp.", "au.", "ca.", "sa.", "us-gov."];

impl Model {
    pub(crate) fn read(given: &str) -> Self {
        let resource = if given.starts_with("arn:") { given.splitn(6, ':').last().unwrap_or(given) } else { given };
        let (mut kind, name) = match resource.split_once('/') {
            Some(("foundation-model", name)) => (NameKind::Foundation, name),
            Some(("inference-profile", name)) => (NameKind::Profile, name),
            Some(("custom-model", name)) => (NameKind::Opaque, name.split('/').next().unwrap_or(name)),
            Some((_, name)) => (NameKind::Opaque, name),
            None => (NameKind::Foundation, resource),
        };
        let (mut base, mut group) = (name, None);
        if kind != NameKind::Opaque
            && let Some(rest) = PROFILE_REGIONS.iter().find_map(|region| name.strip_prefix(region))
        {
            (kind, base) = (NameKind::Profile, rest);
            group = name.split_once('.').map(|(group, _)| group.to_owned());
        }
        Self { given: given.to_owned(), base: base.to_owned(), kind, group }
    }

    pub(crate) fn family(&self) -> Family {
        Family::of(&self.base)
    }

    /// The ARN that events name.
    pub(crate) fn arn(&self, region: &str, account: &str) -> String {
        match self.kind {
            _ if self.given.starts_with("arn:") => self.given.clone(),
            NameKind::Profile => format!("arn:aws:bedrock:{region}:{account}:inference-profile/{}", self.given),
            _ => format!("arn:aws:bedrock:{region}::foundation-model/{}", self.given),
        }
    }

    /// The refusal of a batch job with this model.
    pub(crate) fn has_no_batch(&self) -> String {
        format!("Model {} does not support batch inference.", self.given)
    }

    /// Job size quota: the sum of the input files.
    pub(crate) fn largest_job_bytes(&self) -> u64 {
        let large = ["amazon.nova-lite-v1", "amazon.nova-pro-v1", "amazon.nova-2-multimodal-embeddings-v1"];
        if large.iter().any(|id| self.base.starts_with(id)) { 100_000_000_000 } else { 5_000_000_000 }
    }
}

/// The models that this simulator knows: the table, and those that `--models` adds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Catalogue {
    more: BTreeMap<String, BatchSupport>,
    /// Beginnings of ids of models that live on.
    alive: Vec<String>,
    /// Quotas of batch jobs that are not the usual ones, by the ids of models.
    job_quotas: BTreeMap<String, u32>,
}

/// Sum of in-progress and submitted jobs: of a base model, and of a custom one.
const JOB_QUOTA: u32 = 100;
const JOB_QUOTA_CUSTOM: u32 = 3;

impl Catalogue {
    pub(crate) fn with(more: BTreeMap<String, BatchSupport>) -> Self {
        Self { more, ..Self::default() }
    }

    pub(crate) fn keeping_alive(self, alive: Vec<String>) -> Self {
        Self { alive, ..self }
    }

    pub(crate) fn with_job_quotas(self, quotas: &[(String, u32)]) -> Self {
        Self { job_quotas: quotas.iter().cloned().collect(), ..self }
    }

    /// The number of jobs of a model that may be submitted or in progress at once. Whether the profiles of a model have quotas of
    /// their own is not documented; here they share it.
    pub(crate) fn job_quota(&self, model: &Model) -> u32 {
        let is_custom = model.kind == NameKind::Opaque && model.base.contains('.');
        let usual = if is_custom { JOB_QUOTA_CUSTOM } else { JOB_QUOTA };
        self.job_quotas.get(&model.base).copied().unwrap_or(usual)
    }

    /// The refusal of a batch job with this model, if it is refused.
    pub(crate) fn refuses_batch(&self, model: &Model, region: &str) -> Option<ApiError> {
        let support = self.support(model, region)?;
        if let Some(refusal) = self.refuses_name(model, region, support) {
            return Some(refusal);
        }
        let through_profile = || {
            ApiError::validation(format!(
                "Model {} supports batch inference only through an inference profile. Retry your request with the ID \
                 or ARN of an inference profile that contains this model.",
                model.given
            ))
        };
        match (support, model.kind) {
            (Some(BatchSupport::None), _) => Some(ApiError::validation(model.has_no_batch())),
            (Some(_), NameKind::Profile) => None,
            (Some(BatchSupport::Profile), _) => Some(through_profile()),
            _ => offers::find(&model.base).filter(|offer| !offer.is_used_by_own_id(region)).map(|offer| {
                if offer.profiles.is_empty() { ApiError::validation(model.has_no_batch()) } else { through_profile() }
            }),
        }
    }

    /// The refusal of an invocation of this model, if it is refused.
    pub(crate) fn refuses_invocation(&self, model: &Model, region: &str) -> Option<ApiError> {
        let support = self.support(model, region)?;
        if let Some(refusal) = self.refuses_name(model, region, support) {
            return Some(refusal);
        }
        let by_own_id = support != Some(BatchSupport::Profile)
            && offers::find(&model.base).is_none_or(|offer| offer.is_used_by_own_id(region));
        (model.kind == NameKind::Foundation && !by_own_id).then(|| {
            ApiError::validation(format!(
                "Invocation of model ID {} with on-demand throughput isn’t supported. Retry your request with the ID \
                 or ARN of an inference profile that contains this model.",
                model.given
            ))
        })
    }

    /// The refusal of a name that exists nowhere or not in this region, or whose model has reached its end.
    fn refuses_name(&self, model: &Model, region: &str, support: Option<BatchSupport>) -> Option<ApiError> {
        if self.is_dead(model, region) {
            let message = "This model version has reached the end of its life. Please refer to the AWS documentation for \
                           more details.";
            return Some(ApiError::new(ErrorKind::ResourceNotFound, message));
        }
        let exists = support.is_some()
            && model.group.as_deref().is_none_or(|group| {
                groups_of(region).contains(&group)
                    && offers::find(&model.base).is_none_or(|offer| offer.profiles.contains(&group))
            });
        (!exists).then(|| ApiError::validation("The provided model identifier is invalid."))
    }

    /// Returns true if the model is in the table.
    pub(crate) fn is_known(&self, model: &Model) -> bool {
        self.support(model, "").flatten().is_some()
    }

    /// Returns true if the model has reached the end of its life in this region.
    pub(crate) fn is_dead(&self, model: &Model, region: &str) -> bool {
        let ended = offers::end_of_life(&model.base, region).is_some_and(offers::has_passed);
        ended && !self.is_kept_alive(model)
    }

    /// Returns true if `--alive` names the model.
    pub(crate) fn is_kept_alive(&self, model: &Model) -> bool {
        self.alive.iter().any(|beginning| !beginning.is_empty() && model.base.starts_with(beginning))
    }

    /// Returns `None` if the id cannot be judged, and `Some(None)` if there is no such model.
    #[expect(clippy::option_option, reason = "both layers are answers")]
    fn support(&self, model: &Model, region: &str) -> Option<Option<BatchSupport>> {
        if model.kind == NameKind::Opaque {
            return None;
        }
        if let Some(support) = self.more.get(&model.given).or_else(|| self.more.get(&model.base)) {
            return Some(Some(*support));
        }
        if model.base.starts_with("anthropic.claude-sonnet-4-6") && region == "eu-west-2" {
            return Some(Some(BatchSupport::Single));
        }
        Some(tabled(&model.base))
    }
}

/// Returns the longest entry that the id begins with, up to the end of a word.
fn tabled(base: &str) -> Option<BatchSupport> {
    let begins =
        |entry: &str| base.strip_prefix(entry).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '-', '.']));
    let known = [(BatchSupport::Single, SINGLE), (BatchSupport::Profile, PROFILE), (BatchSupport::None, NONE)];
    let entries = known.iter().flat_map(|(support, entries)| entries.iter().map(|entry| (*support, *entry)));
    entries.filter(|(_, entry)| begins(entry)).max_by_key(|(_, entry)| entry.len()).map(|(support, _)| support)
}

const SINGLE: &[&str] = &[
    "anthropic.claude-3-haiku",
    "anthropic.claude-3-sonnet",
    "anthropic.claude-3-opus",
    "anthropic.claude-3-5-haiku",
    "anthropic.claude-3-5-sonnet",
    "amazon.nova-micro",
    "amazon.nova-lite",
    "amazon.nova-pro",
    "amazon.titan-embed-text-v2",
    "amazon.titan-embed-image-v1",
    "amazon.nova-2-multimodal-embeddings",
    "meta.llama3-1-8b-instruct",
    "meta.llama3-1-70b-instruct",
    "meta.llama3-1-405b-instruct",
    "meta.llama3-3-70b-instruct",
    "mistral.mistral-large-2407",
    "mistral.mistral-small-2402",
    "mistral.mistral-large-3",
    "mistral.ministral",
    "mistral.magistral",
    "mistral.devstral",
    "mistral.voxtral",
    "deepseek.v3",
    "google.gemma-3",
    "openai.gpt-oss-20b",
    "openai.gpt-oss-120b",
    "openai.gpt-oss-safeguard-20b",
    "openai.gpt-oss-safeguard-120b",
    "qwen.qwen3",
    "moonshot.kimi-k2",
    "moonshotai.kimi-k2",
    "minimax.minimax-m2",
    "zai.glm-4",
    "nvidia.nemotron-nano",
];

const PROFILE: &[&str] = &[
    "anthropic.claude-3-7-sonnet",
    "anthropic.claude-sonnet-4",
    "anthropic.claude-haiku-4-5",
    "anthropic.claude-opus-4-5",
    "anthropic.claude-opus-4-6",
    "anthropic.claude-opus-5",
    "amazon.nova-2-lite",
    "amazon.nova-premier",
    "meta.llama3-2",
    "meta.llama4",
];

const NONE: &[&str] = &[
    "cohere.embed",
    "cohere.command",
    "ai21.jamba",
    "ai21.j2",
    "deepseek.r1",
    "anthropic.claude-opus-4-20250514",
    "anthropic.claude-opus-4-1",
    "anthropic.claude-v2",
    "anthropic.claude-instant-v1",
    "amazon.titan-text",
    "amazon.titan-embed-text-v1",
    "amazon.titan-tg1",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(id: &str) -> Option<String> {
        refusal_in(id, "us-east-1")
    }

    fn refusal_in(id: &str, region: &str) -> Option<String> {
        Catalogue::default().refuses_batch(&Model::read(id), region).map(|refusal| refusal.message)
    }

    #[test]
    fn every_way_to_name_a_model_leads_to_its_base() {
        for (given, base, kind) in [
            ("amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0", NameKind::Foundation),
            ("us.amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0", NameKind::Profile),
            (
                "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0",
                "amazon.nova-lite-v1:0",
                NameKind::Foundation,
            ),
            (
                "arn:aws:bedrock:us-east-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0",
                "amazon.nova-lite-v1:0",
                NameKind::Profile,
            ),
            ("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc", "abc", NameKind::Opaque),
            (
                "arn:aws:bedrock:us-east-1:123456789012:custom-model/amazon.titan-embed-text-v2:0:8k/abcdefghijkl",
                "amazon.titan-embed-text-v2:0:8k",
                NameKind::Opaque,
            ),
        ] {
            let model = Model::read(given);
            assert_eq!((model.base.as_str(), model.kind), (base, kind), "{given}");
        }
    }

    #[test]
    fn the_table_decides_who_takes_batch_jobs() {
        for id in [
            "amazon.nova-lite-v1:0",
            "us.anthropic.claude-haiku-4-5-20251001-v1:0",
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "global.anthropic.claude-opus-5",
            "deepseek.v3-v1:0",
            "deepseek.v3.2",
            "openai.gpt-oss-120b-1:0",
            "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc",
        ] {
            assert_eq!(refusal(id), None, "{id}");
        }
        let says = |id: &str, text: &str| assert!(refusal(id).is_some_and(|why| why.contains(text)), "{id}");
        says("anthropic.claude-sonnet-4-5-20250929-v1:0", "inference profile");
        says("anthropic.claude-opus-5", "inference profile");
        says("us.anthropic.claude-opus-4-20250514-v1:0", "does not support batch");
        says("us.anthropic.claude-opus-4-1-20250805-v1:0", "does not support batch");
        says("cohere.embed-english-v3", "does not support batch");
        says("amazon.titan-embed-text-v1", "does not support batch");
        says("us.deepseek.r1-v1:0", "does not support batch");
        says("anthropic.claude-9-poem", "identifier is invalid");
        says("anthropic.claude-3-haikus", "identifier is invalid");
        says("eu.anthropic.claude-haiku-4-5-20251001-v1:0", "identifier is invalid");
        says("jp.anthropic.claude-opus-5", "identifier is invalid");
        says("anthropic.claude-3-haiku-20240307-v1:0", "end of its life");
        says("meta.llama3-1-8b-instruct-v1:0", "inference profile");
    }

    #[test]
    fn more_models_can_be_configured() {
        let catalogue = Catalogue::with(BTreeMap::from([("anthropic.claude-9".to_owned(), BatchSupport::Single)]));
        assert_eq!(catalogue.refuses_batch(&Model::read("us.anthropic.claude-9"), "us-east-1"), None);
    }

    #[test]
    fn a_model_lives_on_where_bedrock_has_not_ended_it_and_where_it_is_told_to() {
        let haiku = "anthropic.claude-3-haiku-20240307-v1:0";
        assert_eq!(refusal_in(haiku, "sa-east-1"), None);
        let told = Catalogue::default().keeping_alive(vec![haiku.to_owned()]);
        assert_eq!(told.refuses_batch(&Model::read(haiku), "us-east-1"), None);
        assert_eq!(told.refuses_invocation(&Model::read(haiku), "us-east-1"), None);
        let refusal = Catalogue::default().refuses_invocation(&Model::read(haiku), "us-east-1").unwrap();
        assert_eq!(refusal.kind, ErrorKind::ResourceNotFound);
    }

    #[test]
    fn profiles_and_own_ids_are_those_of_the_region() {
        assert_eq!(refusal_in("eu.anthropic.claude-haiku-4-5-20251001-v1:0", "eu-west-1"), None);
        assert_eq!(refusal_in("us.amazon.nova-lite-v1:0", "ca-central-1"), None);
        assert!(refusal_in("amazon.nova-lite-v1:0", "eu-west-1").unwrap().contains("inference profile"));
        assert!(refusal_in("mistral.mistral-small-2402-v1:0", "eu-west-1").unwrap().contains("does not support batch"));
    }

    #[test]
    fn sonnet_4_6_takes_jobs_by_its_own_id_in_london() {
        let model = Model::read("anthropic.claude-sonnet-4-6");
        assert_eq!(Catalogue::default().refuses_batch(&model, "eu-west-2"), None);
        assert!(Catalogue::default().refuses_batch(&model, "us-east-1").is_some());
    }
}
