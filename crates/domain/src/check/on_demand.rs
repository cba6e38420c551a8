//! Models for requests on demand.

use crate::input::RunRequest;
use crate::model::{Model, ModelTable, Profiles};
use crate::plan::OnDemand;
use crate::problem::Problem;

/// Returns the models for requests on demand, and the problems of the request that concern them.
pub(super) fn on_demand_of(
    request: &RunRequest,
    batch: &Model,
    models: &ModelTable,
    region: &str,
) -> (Option<OnDemand>, Vec<Problem>) {
    let options = &request.invocation;
    let mut problems = Vec::new();
    let minimum = u64::from(batch.limits.min_records_per_job);
    if let Some(threshold) = options.batch_threshold.filter(|threshold| *threshold < minimum) {
        let rule = format!("must be at least {minimum}, this model's minimum per batch job");
        problems.push(Problem::new("batch_threshold", threshold, rule));
    }
    let required_models = options.inference_profile_required_models.as_deref();
    let profiles = Profiles { region, arn: options.inference_profile_arn.as_deref(), required_models };
    let model = models.on_demand("model_id", &request.model_id, profiles);
    let mut fallback = None;
    if let Some(id) = &options.fallback_model_id {
        // The profile that the request names is one for the first model.
        match models.on_demand("fallback_model_id", id, Profiles { arn: None, ..profiles }) {
            Ok(found) if found.family == batch.family && batch.takes_images && !found.takes_images => {
                let rule = "does not accept images, but model_id does";
                problems.push(Problem::new("fallback_model_id", id, rule).remedy("choose a model that does"));
            }
            Ok(found) if found.family == batch.family => fallback = Some(found),
            Ok(found) => {
                let [theirs, ours] = [found.family, batch.family].map(|family| format!("{family:?}"));
                let rule = format!("is of the family {theirs}, but the records are written for {ours}");
                problems.push(Problem::new("fallback_model_id", id, rule).remedy(format!("choose a model of {ours}")));
            }
            Err(problem) => problems.push(problem),
        }
    }
    match model {
        Ok(model) => (Some(OnDemand { model, fallback }), problems),
        Err(problem) => (None, problems.into_iter().chain([problem]).collect()),
    }
}
