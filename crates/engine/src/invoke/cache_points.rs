//! Cache points of the requests of an invocation.

use crate::error::EngineError;
use bedrock_batch_domain::model::{CachePoint, RecordOptions, RecordWriter};
use bedrock_batch_domain::plan::{JobItem, Plan};
use std::borrow::Cow;
use std::cmp::Reverse;
use std::sync::atomic::{AtomicBool, Ordering};

/// Cache points of all prompts of a run, for the models that cache.
#[derive(Debug, Default)]
pub(super) struct CachePoints {
    /// Those with the most tokens first.
    points: Vec<CachePoint>,
    /// Ids of the models, with the minimum number of tokens that they cache.
    models: Vec<(String, u64)>,
    /// True if Bedrock has refused a request because of its cache point.
    refused: AtomicBool,
}

impl CachePoints {
    /// Creates the cache points for a job. A single request would pay for writing the cache, and never read it.
    ///
    /// # Errors
    /// Returns an error if a prompt of the plan is invalid.
    pub(super) fn of(plan: &Plan, job: &JobItem) -> Result<Self, EngineError> {
        let models = [Some(&plan.on_demand.model), plan.on_demand.fallback.as_ref()].into_iter().flatten();
        let models: Vec<(String, u64)> =
            models.filter_map(|model| Some((model.id.clone(), model.prompt_caching?))).collect();
        let request = &plan.request;
        if models.is_empty() || !request.invocation.prompt_caching || job.records < 2 {
            return Ok(Self::default());
        }
        let options = RecordOptions::of(request);
        let writers = plan.prompts.record_writers(plan.model.family, &request.inference, options)?;
        let mut points: Vec<CachePoint> = writers.iter().filter_map(RecordWriter::cache_point).collect();
        // The point of one prompt may fit the requests with another: what most of a request has in common comes first.
        points.sort_by_key(|point| Reverse(point.tokens));
        Ok(Self { points, models, refused: AtomicBool::new(false) })
    }

    /// Returns the body of a request to a model: the input of the record, with a cache point if the model caches this prompt.
    pub(super) fn body<'a>(&self, model_id: &str, model_input: &'a [u8]) -> Cow<'a, [u8]> {
        let minimum = self.models.iter().find(|(id, _)| id == model_id).map(|(_, minimum)| *minimum);
        let Some(minimum) = minimum.filter(|_| !self.refused.load(Ordering::Relaxed)) else {
            return Cow::Borrowed(model_input);
        };
        let mut points = self.points.iter().filter(|point| point.tokens >= minimum);
        points.find_map(|point| point.mark(model_input)).map_or(Cow::Borrowed(model_input), Cow::Owned)
    }

    /// Returns true if Bedrock refuses a request because of its cache point, if it has one, as status and message say. Later
    /// requests have none. A throttled request may name caches too, but has to wait.
    pub(super) fn are_refused(&self, has_cache_point: bool, status: u16, message: &str) -> bool {
        let is_permanent = matches!(status, 400 | 403);
        let is_refused = has_cache_point && is_permanent && message.to_ascii_lowercase().contains("cach");
        if is_refused && !self.refused.swap(true, Ordering::Relaxed) {
            tracing::warn!("prompt_caching_refused");
        }
        is_refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(403, "You invoked an unsupported model or your request did not allow prompt caching.", true)]
    #[case(400, "messages.0.content.0.cache_control: Extra inputs are not permitted", true)]
    #[case(400, "extraneous key [cachePoint] is not permitted", true)]
    #[case(400, "Input is too long for requested model.", false)]
    #[case(429, "Too many tokens, cached ones included, please wait before trying again.", false)]
    #[case(503, "The cache is not available.", false)]
    fn a_refusal_of_cache_points_ends_them(#[case] status: u16, #[case] message: &str, #[case] expected: bool) {
        let points = CachePoints::default();
        assert!(!points.are_refused(false, status, message), "it had none");
        assert_eq!(points.are_refused(true, status, message), expected);
        assert_eq!(points.refused.load(Ordering::Relaxed), expected);
    }
}
