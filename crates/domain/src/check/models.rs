//! The models of a request, under the names that Bedrock accepts in its region.

use crate::input::{ProcessingMode, RunRequest};
use crate::model::{Model, ModelTable, ModelWish, NamedModel};
use crate::plan::OnDemand;
use crate::problem::Problem;

/// Models of a run.
pub(super) struct RunModels {
    /// Model of batch jobs.
    pub(super) batch: Model,
    /// Models of requests on demand.
    pub(super) on_demand: OnDemand,
    /// Warnings for the user.
    pub(super) warnings: Vec<String>,
}

/// Returns the models of a request, and the problems of the request that concern them.
pub(super) fn models_of(request: &RunRequest, models: &ModelTable, region: &str) -> (Option<RunModels>, Vec<Problem>) {
    let options = &request.invocation;
    let wish = ModelWish {
        field: "model_id",
        model_id: &request.model_id,
        region,
        profile_arn: options.inference_profile_arn.as_deref(),
        required_models: options.inference_profile_required_models.as_deref(),
        allow_global: options.allow_global,
        in_batch: options.processing_mode != ProcessingMode::Realtime,
        on_demand: options.processing_mode != ProcessingMode::Batch,
    };
    // The profile that the request names is one for the first model.
    let of_fallback =
        |id| ModelWish { field: "fallback_model_id", model_id: id, profile_arn: None, in_batch: false, ..wish };
    let fallback = options.fallback_model_id.as_deref().map(|id| models.named(&of_fallback(id)));
    let (first, mut problems) = match models.named(&wish) {
        Ok(first) => (first, Vec::new()),
        Err(problem) => {
            return (None, std::iter::once(problem).chain(fallback.and_then(Result::err)).collect());
        }
    };
    let minimum = u64::from(first.batch.limits.min_records_per_job);
    if let Some(threshold) = options.batch_threshold.filter(|threshold| *threshold < minimum) {
        let rule = format!("must be at least {minimum}, this model's minimum per batch job");
        problems.push(Problem::new("batch_threshold", threshold, rule));
    }
    let NamedModel { batch, on_demand, mut warnings } = first;
    let fallback = match fallback {
        None => None,
        Some(Ok(found)) => {
            let problem = fallback_problem(&batch, &found.on_demand, options.fallback_model_id.as_deref());
            if problem.is_none() {
                warnings.extend(found.warnings);
            }
            let fits = problem.is_none();
            problems.extend(problem);
            Some(found.on_demand).filter(|_| fits)
        }
        Some(Err(problem)) => {
            problems.push(problem);
            None
        }
    };
    (Some(RunModels { batch, on_demand: OnDemand { model: on_demand, fallback }, warnings }), problems)
}

/// Returns the problem of a fallback model that cannot answer the records of the first one.
fn fallback_problem(first: &Model, fallback: &Model, id: Option<&str>) -> Option<Problem> {
    let problem = |rule: String, remedy: String| {
        Some(Problem::new("fallback_model_id", id.unwrap_or_default(), rule).remedy(remedy))
    };
    if fallback.family != first.family {
        let [theirs, ours] = [fallback.family, first.family].map(|family| format!("{family:?}"));
        let rule = format!("is of the family {theirs}, but the records are written for {ours}");
        return problem(rule, format!("choose a model of {ours}"));
    }
    if first.takes_images && !fallback.takes_images {
        return problem("does not accept images, but model_id does".to_owned(), "choose a model that does".to_owned());
    }
    None
}
