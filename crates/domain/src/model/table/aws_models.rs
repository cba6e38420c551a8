//! What Bedrock says about models in one region.

use super::super::id::ModelId;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Answers of Bedrock about the models of a request, in the region of the stack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwsModels {
    /// Foundation models by id; `None` for one that Bedrock does not offer in the region. Models about which Bedrock
    /// said nothing are absent: the table decides.
    #[serde(default)]
    pub models: BTreeMap<String, Option<OfferedModel>>,
    /// Ids of AWS's inference profiles that requests in the region can use; `None` if they are not known.
    #[serde(default)]
    pub profiles: Option<BTreeSet<String>>,
    /// Calls that failed, in words, for the warnings of the run.
    #[serde(default)]
    pub failed_calls: Vec<String>,
}

impl AwsModels {
    /// Returns the number of batch jobs of a model that the account may have at Bedrock, if Service Quotas says it.
    pub fn job_quota(&self, model_id: &str) -> Option<u32> {
        let base = ModelId::parse(model_id).ok()?.base;
        self.models.get(&base)?.as_ref()?.job_quota
    }
}

/// Foundation model as Bedrock offers it in a region.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferedModel {
    /// If true, the model is legacy: it has an end of life, and new accounts are refused.
    #[serde(default)]
    pub is_legacy: bool,
    /// Date of its end of life, as `2026-09-10`.
    #[serde(default)]
    pub end_of_life: Option<String>,
    /// If true, it can be invoked on demand by its own id; if false, through an inference profile. `None` if Bedrock does not
    /// say.
    #[serde(default)]
    pub on_demand: Option<bool>,
    /// If true, it accepts images; `None` if Bedrock does not say.
    #[serde(default)]
    pub takes_images: Option<bool>,
    /// Number of batch jobs that the account may have at Bedrock; `None` if Service Quotas does not say.
    #[serde(default)]
    pub job_quota: Option<u32>,
}
