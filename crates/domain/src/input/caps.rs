//! Upper bounds of the rows and the cost of a run, which apply beside those that its input has.

use super::continued_run_of;
use serde_json::{Map, Value};

/// Field of a run that limits its rows.
pub const MAX_RECORDS_TOTAL: &str = "max_records_total";
/// Field of a run that limits its cost in US dollars.
pub const MAX_COST_USD: &str = "max_cost_usd";

/// Upper bounds of each run of an execution.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RunCaps {
    /// Maximum number of rows.
    pub max_records_total: Option<u64>,
    /// Maximum cost in US dollars.
    pub max_cost_usd: Option<f64>,
}

impl RunCaps {
    /// Lowers the limits of the run, or of every stage of the pipeline, that `input` describes. Values that are not numbers are
    /// left, since validation reports them. An input that continues a run has the limits of that run.
    pub fn apply(&self, input: &mut Map<String, Value>) {
        if continued_run_of(input).is_some() {
            return;
        }
        match input.get_mut("stages") {
            // A field that is null counts as absent, wherever inputs are read.
            None | Some(Value::Null) => self.lower(input),
            Some(Value::Array(stages)) => {
                stages.iter_mut().filter_map(Value::as_object_mut).for_each(|stage| self.lower(stage));
            }
            Some(_) => {}
        }
    }

    fn lower(&self, run: &mut Map<String, Value>) {
        if let Some(max) = self.max_records_total {
            lower(run, MAX_RECORDS_TOTAL, max.into(), |given| given.as_u64().is_some_and(|given| given > max));
        }
        if let Some(max) = self.max_cost_usd {
            lower(run, MAX_COST_USD, max.into(), |given| given.as_f64().is_some_and(|given| given > max));
        }
    }
}

fn lower(run: &mut Map<String, Value>, field: &str, max: Value, is_higher: impl Fn(&Value) -> bool) {
    if run.get(field).is_none_or(|given| given.is_null() || is_higher(given)) {
        run.insert(field.to_owned(), max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    const CAPS: RunCaps = RunCaps { max_records_total: Some(100), max_cost_usd: Some(2.5) };

    fn capped(caps: RunCaps, input: &Value) -> Value {
        let mut input = input.as_object().unwrap().clone();
        caps.apply(&mut input);
        input.into()
    }

    #[rstest]
    #[case(json!({}), json!({"max_records_total": 100, "max_cost_usd": 2.5}))]
    #[case(json!({"max_records_total": 7, "max_cost_usd": 9}), json!({"max_records_total": 7, "max_cost_usd": 2.5}))]
    #[case(json!({"max_records_total": 101, "max_cost_usd": 0.5}), json!({"max_records_total": 100, "max_cost_usd": 0.5}))]
    #[case(json!({"max_records_total": "x", "max_cost_usd": null}), json!({"max_records_total": "x", "max_cost_usd": 2.5}))]
    #[case(json!({"resume_run": "r"}), json!({"resume_run": "r"}))]
    #[case(json!({"stages": [{"max_records_total": 200}, 7]}), json!({"stages": [{"max_records_total": 100, "max_cost_usd": 2.5}, 7]}))]
    #[case(json!({"stages": 7}), json!({"stages": 7}))]
    #[case(json!({"config_s3_uri": "s3://a/b", "stages": null}), json!({"config_s3_uri": "s3://a/b", "stages": null, "max_records_total": 100, "max_cost_usd": 2.5}))]
    fn limits_are_lowered_and_never_raised(#[case] input: Value, #[case] expected: Value) {
        assert_eq!(capped(CAPS, &input), expected);
        assert_eq!(capped(CAPS, &expected), expected, "a second time");
    }

    #[test]
    fn without_caps_nothing_changes() {
        let input = json!({"stages": [{}], "model_id": "m"});
        assert_eq!(capped(RunCaps::default(), &input), input);
    }
}
