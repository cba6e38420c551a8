//! Models without a known price, which make a cost unknown.

use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::model::Model;
use bedrock_batch_domain::plan::Plan;
use std::collections::BTreeSet;

/// The models of a run whose prices are unknown, by lane.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Unpriced {
    pub(super) batch: BTreeSet<String>,
    pub(super) on_demand: BTreeSet<String>,
}

impl Unpriced {
    pub(super) fn of(plan: &Plan) -> Self {
        let on_demand = [Some(&plan.model), Some(&plan.on_demand.model), plan.on_demand.fallback.as_ref()];
        let unpriced = |model: &&Model| model.on_demand_price.is_none();
        Self {
            batch: plan.model.batch_price.is_none().then(|| plan.model.id.clone()).into_iter().collect(),
            on_demand: on_demand.into_iter().flatten().filter(unpriced).map(|model| model.id.clone()).collect(),
        }
    }

    /// Explains why the cost of these lanes is unknown.
    pub(super) fn reason(&self, lanes: impl IntoIterator<Item = Lane>) -> String {
        let models: BTreeSet<&str> = lanes
            .into_iter()
            .flat_map(|lane| match lane {
                Lane::Batch => &self.batch,
                Lane::OnDemand => &self.on_demand,
            })
            .map(String::as_str)
            .collect();
        let models = models.into_iter().collect::<Vec<_>>().join(", ");
        let models = if models.is_empty() { "its model".to_owned() } else { models };
        format!("unknown: the price of {models} is not known (add it to infra/model-overrides.toml)")
    }
}
