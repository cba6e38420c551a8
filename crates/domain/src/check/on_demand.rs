//! How the model of a request is asked on demand.

use crate::input::RunRequest;
use crate::model::{Model, ModelTable, Profiles};
use crate::plan::OnDemand;
use crate::problem::Problem;

/// How the model is asked on demand, and what is wrong with the request in that.
pub(super) fn on_demand_of(
    request: &RunRequest,
    batch: &Model,
    models: &ModelTable,
    region: &str,
) -> (Option<OnDemand>, Vec<Problem>) {
    let asking = &request.asking;
    let mut problems = Vec::new();
    let least = u64::from(batch.limits.min_records_per_job);
    if let Some(threshold) = asking.batch_threshold.filter(|threshold| *threshold < least) {
        let rule = format!("must be at least {least}, this model's minimum per batch job");
        problems.push(Problem::new("batch_threshold", threshold, rule));
    }
    let required_models = asking.inference_profile_required_models.as_deref();
    let profiles = Profiles { region, arn: asking.inference_profile_arn.as_deref(), required_models };
    let model = models.on_demand("model_id", &request.model_id, profiles);
    let mut fallback = None;
    if let Some(id) = &asking.fallback_model_id {
        // The profile that the request names is one of the first model.
        match models.on_demand("fallback_model_id", id, Profiles { arn: None, ..profiles }) {
            Ok(found) if found.family == batch.family && batch.takes_images && !found.takes_images => {
                let rule = "takes no images, and model_id does";
                problems.push(Problem::new("fallback_model_id", id, rule).remedy("name a model that does"));
            }
            Ok(found) if found.family == batch.family => fallback = Some(found),
            Ok(found) => {
                let [theirs, ours] = [found.family, batch.family].map(|family| format!("{family:?}"));
                let rule = format!("is of the family {theirs}, and the records are written for {ours}");
                problems.push(Problem::new("fallback_model_id", id, rule).remedy(format!("name a model of {ours}")));
            }
            Err(problem) => problems.push(problem),
        }
    }
    match model {
        Ok(model) => (Some(OnDemand { model, fallback }), problems),
        Err(problem) => (None, problems.into_iter().chain([problem]).collect()),
    }
}
