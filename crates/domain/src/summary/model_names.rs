//! Names of a run's models.

use crate::plan::Plan;
use serde::{Deserialize, Serialize};

/// Name of the model in the request, and the names under which Bedrock is sent the requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelNames {
    /// Name in the request.
    pub requested: String,
    /// Name in batch jobs.
    pub batch: String,
    /// Name in requests on demand.
    pub on_demand: String,
    /// Name of the model that is invoked on demand if the first one is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
}

impl ModelNames {
    pub(super) fn of(plan: &Plan) -> Self {
        Self {
            requested: plan.request.model_id.clone(),
            batch: plan.model.id.clone(),
            on_demand: plan.on_demand.model.id.clone(),
            fallback: plan.on_demand.fallback.as_ref().map(|model| model.id.clone()),
        }
    }
}
