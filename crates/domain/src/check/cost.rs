//! Check of a run against the maximum cost that its input allows, before anything is submitted.

use super::Resolved;
use crate::input::{InputType, MAX_COST_USD, MAX_ON_DEMAND_ROWS, MAX_ON_DEMAND_USD, ProcessingMode, RunRequest};
use crate::lane::Lane;
use crate::model::{Model, Price};
use crate::problem::Problem;

/// Number of bytes of a record per token: fewer than English texts have, so that the estimate is rather too high.
const BYTES_PER_TOKEN: u64 = 3;
/// Number of tokens of a record with an image, whose bytes say nothing: more than the largest image and a long prompt have.
const TOKENS_PER_IMAGE: u64 = 6_000;

/// Records that a run is about to send.
#[derive(Debug, Clone, Copy)]
pub struct ToSend {
    /// Number of records.
    pub records: u64,
    /// Number of bytes of all records.
    pub bytes: u64,
    /// Lane of the first pass.
    pub lane: Lane,
}

/// Returns the problem of a run that may cost more than it may.
///
/// The estimate is an upper one: every answer has its maximum length, and records that may be sent on demand are counted at that
/// price. It does not count retries.
pub fn cost_problem(request: &RunRequest, resolved: &Resolved, to_send: ToSend) -> Option<Problem> {
    let max = request.max_cost_usd?;
    let problem = |rule: String| Problem::new(MAX_COST_USD, max, rule);
    let Some(cost) = estimated_usd(request, resolved, to_send) else {
        return Some(price_unknown(MAX_COST_USD, max));
    };
    if cost <= max {
        return None;
    }
    let ToSend { records, .. } = to_send;
    let rule = format!("{records} requests may cost up to {cost:.2} US dollars");
    let half =
        if uses_on_demand(request, to_send.lane) { ", `processing_mode` `batch` for half the price" } else { "" };
    let remedy =
        format!("lower `max_records_total` or `inference.max_tokens`{half}, or raise it as far as the stack allows");
    Some(problem(rule).remedy(remedy))
}

/// Returns the problems of maximums in dollars that cannot be checked because a price is not known: also before the rows are
/// counted.
pub(super) fn price_problems(request: &RunRequest, resolved: &Resolved) -> Vec<Problem> {
    let is_unknown = |lane: Lane| estimated_usd(request, resolved, ToSend { records: 1, bytes: 1, lane }).is_none();
    let lane = match request.invocation.processing_mode {
        ProcessingMode::Realtime => Lane::OnDemand,
        ProcessingMode::Auto | ProcessingMode::Batch => Lane::Batch,
    };
    let maximums = [
        (MAX_COST_USD, request.max_cost_usd, lane),
        (MAX_ON_DEMAND_USD, request.invocation.max_on_demand_usd, Lane::OnDemand),
    ];
    let unknown =
        maximums.into_iter().filter_map(|(field, max, lane)| max.filter(|_| is_unknown(lane)).map(|max| (field, max)));
    unknown.map(|(field, max)| price_unknown(field, max)).collect()
}

/// Returns the maximum number of records that a run may send on demand, if it limits their rows or their cost.
/// `first` is the number of those that its first passes send there.
///
/// # Errors
/// Returns a problem if these are more, or if a price is not known.
pub fn on_demand_cap(
    request: &RunRequest,
    resolved: &Resolved,
    to_send: ToSend,
    first: u64,
) -> Result<Option<u64>, Problem> {
    let options = &request.invocation;
    let check = |field: &str, value: String, cap: u64| {
        if first <= cap {
            return Ok(cap);
        }
        let rule = format!("{first} requests of the first round would be sent on demand, and {cap} may be");
        let remedy = "raise it, add rows for a batch job, or use processing_mode `batch`";
        Err(Problem::new(field, value, rule).remedy(remedy))
    };
    let mut caps = Vec::new();
    if let Some(rows) = options.max_on_demand_rows {
        caps.push(check(MAX_ON_DEMAND_ROWS, rows.to_string(), rows.div_ceil(u64::from(request.rows_per_request())))?);
    }
    if let Some(usd) = options.max_on_demand_usd {
        let all = estimated_usd(request, resolved, ToSend { lane: Lane::OnDemand, ..to_send });
        let all = all.ok_or_else(|| price_unknown(MAX_ON_DEMAND_USD, usd))?;
        caps.push(check(MAX_ON_DEMAND_USD, usd.to_string(), records_for(usd, all, to_send.records))?);
    }
    Ok(caps.into_iter().min())
}

/// Returns the number of records that cost at most `usd`, where `records` of them cost `all`.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "an estimate; the conversion saturates"
)]
fn records_for(usd: f64, all: f64, records: u64) -> u64 {
    if all > 0.0 { (usd / all * records as f64) as u64 } else { u64::MAX }
}

fn price_unknown(field: &str, value: f64) -> Problem {
    Problem::new(field, value, "cannot be checked, because the price of a model of this run is unknown")
        .remedy(
            "add the price to `infra/model-overrides.toml` and deploy, or to `settings/model-overrides.toml` in the bucket of the stack, \
             or choose another model",
        )
}

fn uses_on_demand(request: &RunRequest, lane: Lane) -> bool {
    lane == Lane::OnDemand || request.invocation.processing_mode != ProcessingMode::Batch
}

fn estimated_usd(request: &RunRequest, resolved: &Resolved, to_send: ToSend) -> Option<f64> {
    let prices = |model: &Model| -> Option<Price> {
        if uses_on_demand(request, to_send.lane) { model.on_demand_price } else { model.batch_price }
    };
    let on_demand = &resolved.on_demand;
    let models = [Some(&resolved.model), Some(&on_demand.model), on_demand.fallback.as_ref()];
    let is_image = request.rows.input_type == InputType::Image;
    let input = if is_image { to_send.records * TOKENS_PER_IMAGE } else { to_send.bytes.div_ceil(BYTES_PER_TOKEN) };
    let output = to_send.records.saturating_mul(u64::from(request.inference.max_tokens));
    let images = if is_image { to_send.records } else { 0 };
    let mut costs = models.into_iter().flatten().map(|model| Some(prices(model)?.cost_usd(input, output, images)));
    costs.try_fold(0.0, |most: f64, cost| Some(most.max(cost?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::test_requests::request_with;
    use crate::model::ModelTable;
    use crate::plan::OnDemand;
    use crate::prompt::PromptPlan;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn run(more: &Value, price: Option<(f64, f64)>) -> (RunRequest, Resolved) {
        let mut fields = json!({"max_cost_usd": 1, "processing_mode": "batch", "inference": {"max_tokens": 100}});
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let request = request_with(&fields);
        let table = ModelTable::with_overrides("").unwrap();
        let mut model = table.find("us.anthropic.claude-haiku-4-5-20251001-v1:0").unwrap();
        model.batch_price = price.map(|(input, output)| Price::of_tokens(input, output));
        model.on_demand_price = model.batch_price.map(|price| price.times(2.0));
        let on_demand = OnDemand { model: model.clone(), fallback: None };
        let resolved = Resolved {
            model,
            on_demand,
            model_warnings: Vec::new(),
            prompts: PromptPlan::default(),
            replaced: Vec::new(),
            output_column_prefix: None,
        };
        (request, resolved)
    }

    fn problem(more: &Value, price: Option<(f64, f64)>, to_send: ToSend) -> Option<String> {
        let (request, resolved) = run(more, price);
        cost_problem(&request, &resolved, to_send).map(|problem| problem.to_string())
    }

    const SMALL: ToSend = ToSend { records: 1000, bytes: 900_000, lane: Lane::Batch };

    #[rstest]
    #[case::none(json!({}), 1000, Ok(None))]
    #[case::rows(json!({"max_on_demand_rows": 50}), 50, Ok(Some(50)))]
    #[case::too_many(json!({"max_on_demand_rows": 50}), 51, Err("max_on_demand_rows is `50`: 51 requests of the first round would be sent on demand, and 50 may be"))]
    #[case::several_rows(json!({"max_on_demand_rows": 50, "rows_per_request": 20}), 3, Ok(Some(3)))]
    // A thousand requests cost 1.60 dollars on demand.
    #[case::usd(json!({"max_on_demand_usd": 0.4}), 0, Ok(Some(250)))]
    #[case::enough_for_all(json!({"max_on_demand_usd": 3.2}), 0, Ok(Some(2000)))]
    #[case::nothing(json!({"max_on_demand_usd": 0}), 1, Err("max_on_demand_usd is `0`: 1 requests of the first round would be sent"))]
    #[case::both(json!({"max_on_demand_usd": 0.4, "max_on_demand_rows": 50}), 0, Ok(Some(50)))]
    fn rows_on_demand_are_capped(#[case] more: Value, #[case] first: u64, #[case] expected: Result<Option<u64>, &str>) {
        let mut fields = json!({"processing_mode": "auto"});
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (request, resolved) = run(&fields, Some((1.0, 5.0)));
        match (on_demand_cap(&request, &resolved, SMALL, first), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected),
            (Err(problem), Err(expected)) => assert!(problem.to_string().starts_with(expected), "{problem}"),
            (found, expected) => panic!("{found:?}, not {expected:?}"),
        }
    }

    #[test]
    fn a_cap_in_dollars_needs_a_price() {
        let (request, resolved) = run(&json!({"processing_mode": "auto", "max_on_demand_usd": 1}), None);
        let problem = on_demand_cap(&request, &resolved, SMALL, 0).unwrap_err();
        assert!(problem.to_string().starts_with("max_on_demand_usd is `1`: cannot be checked"), "{problem}");
    }

    #[rstest]
    // 300,000 input tokens at 1 dollar per million and 100,000 output tokens at 5: 0.80 dollars.
    #[case(json!({}), (1.0, 5.0), SMALL, None)]
    #[case(json!({"max_cost_usd": 0.79}), (1.0, 5.0), SMALL, Some("1000 requests may cost up to 0.80 US dollars"))]
    #[case(json!({"inference": {"max_tokens": 200}}), (1.0, 5.0), SMALL, Some("1000 requests may cost up to 1.30 US dollars"))]
    // On demand, and where rows may go there, at twice the price.
    #[case(json!({"processing_mode": "auto"}), (1.0, 5.0), SMALL, Some("up to 1.60 US dollars; lower `max_records_total`"))]
    #[case(json!({"processing_mode": "auto"}), (1.0, 5.0), SMALL, Some("`processing_mode` `batch` for half the price"))]
    // The bytes of images say nothing: 6 million tokens.
    #[case(json!({"input_type": "image"}), (0.1, 0.0), SMALL, None)]
    #[case(json!({"input_type": "image"}), (1.0, 0.0), SMALL, Some("up to 6.00 US dollars"))]
    fn a_run_that_may_cost_more_than_it_may_is_refused(
        #[case] more: Value,
        #[case] price: (f64, f64),
        #[case] to_send: ToSend,
        #[case] expected: Option<&str>,
    ) {
        let problem = problem(&more, Some(price), to_send);
        match expected {
            None => assert_eq!(problem, None),
            Some(expected) => assert!(problem.as_ref().is_some_and(|text| text.contains(expected)), "{problem:?}"),
        }
    }

    #[test]
    fn an_unknown_price_cannot_be_held_to_a_maximum() {
        let problem = problem(&json!({}), None, SMALL).unwrap();
        assert!(problem.starts_with("max_cost_usd is `1`: cannot be checked"), "{problem}");
        assert!(problem.contains("`infra/model-overrides.toml`"), "{problem}");
    }

    #[rstest]
    #[case(json!({}), &["max_cost_usd"])]
    #[case(json!({"processing_mode": "realtime"}), &["max_cost_usd"])]
    #[case(json!({"processing_mode": "auto", "max_on_demand_usd": 3}), &["max_cost_usd", "max_on_demand_usd"])]
    #[case(json!({"max_cost_usd": null}), &[])]
    fn an_unknown_price_is_a_problem_before_the_rows_are_counted(#[case] more: Value, #[case] expected: &[&str]) {
        let fields = |price| {
            let (request, resolved) = run(&more, price);
            price_problems(&request, &resolved).into_iter().map(|problem| problem.field).collect::<Vec<_>>()
        };
        assert_eq!(fields(None), expected);
        assert_eq!(fields(Some((1.0, 5.0))), Vec::<String>::new());
    }

    #[test]
    fn a_run_without_a_maximum_may_cost_anything() {
        assert_eq!(problem(&json!({"max_cost_usd": null}), None, SMALL), None);
    }
}
