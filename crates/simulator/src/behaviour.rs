//! Misbehaviour of the simulator, which can be set at the start and at any time.
//!
//! Every rate is a share of 0 to 1. Its victims are decided by a hash of the seed and of an identity that holds neither
//! a time nor a job's name ([`crate::chance`]): a job by its input ([`crate::history`]), a record by its job and its id,
//! a request by its job or content and by how often it has been sent, so that a repeated throttled request gets through
//! in the end. A job that retries what another job left unanswered has an input and so a fate of its own.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::backend::ListFaults;
use crate::models::Model;

/// Settings of the misbehaviour; all of them are off by default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// Decides the victims of all rates; see the README.
    pub seed: u64,
    /// Seconds from Submitted to the end, instead of the time per step of the command line.
    pub job_seconds: Option<f64>,
    /// Seconds that a job is in progress, instead of one step.
    pub in_progress_seconds: Option<f64>,
    /// Hours by which a job is past its timeout from the beginning: `jobExpirationTime` is as much earlier. It runs on, since AWS
    /// documents no bound on how late a job ends.
    pub overdue_hours: u32,
    /// Seconds after the end of a job until its output can be read.
    pub output_delay_seconds: f64,
    /// Parts of the addresses of inputs. If there are any, a job whose input has none of them is spared: it is subject to no
    /// `record_error_rate`, `list_fault_rate`, `partial_rate`, `expire_rate` or `fail_rate`, and no `in_progress_seconds`,
    /// `overdue_hours` or `output_delay_seconds`.
    pub only_inputs: Vec<String>,
    /// Share of the records of a batch job that get an error instead of an answer.
    pub record_error_rate: f64,
    /// Share of those that fail in every job (error 400). The others fail by job and record (429 or 500, `retryable`), so
    /// they may succeed in the next one.
    pub record_error_permanent_share: f64,
    /// Share of the rows of requests of several rows that the answer leaves out, lists twice, or lists under an id that no row
    /// has. On demand as well.
    pub list_fault_rate: f64,
    /// Share of jobs that end `PartiallyCompleted`, with 10 to 50 % of their records missing from the output.
    pub partial_rate: f64,
    /// Share of jobs that end `Expired`, without any output.
    pub expire_rate: f64,
    /// Share of jobs that end `Failed` with `fail_message`.
    pub fail_rate: f64,
    /// The message of those jobs.
    pub fail_message: Option<String>,
    /// Share of `CreateModelInvocationJob` calls that are answered with `ThrottlingException`.
    pub create_throttle_rate: f64,
    /// If true, `CreateModelInvocationJob` knows neither earlier tokens nor earlier names, so that it creates a job each time.
    /// AWS documents neither for how long it remembers a token nor that names are unique.
    pub forget_creations: bool,
    /// Maximum number of open jobs per model, instead of 100.
    pub create_quota: Option<u32>,
    /// Share of Get, List and Stop calls that are answered with `ThrottlingException`.
    pub read_throttle_rate: f64,
    /// Share of control-plane calls that are answered with `InternalServerException`.
    pub control_5xx_rate: f64,
    /// Share of `InvokeModel` and `Converse` calls that are answered with `ThrottlingException`; each attempt is decided
    /// anew.
    pub invoke_throttle_rate: f64,
    /// Share of `InvokeModel` and `Converse` calls that are answered with `ServiceUnavailableException` or
    /// `InternalServerException`; each attempt is decided anew.
    pub invoke_5xx_rate: f64,
    /// Sent as the header `Retry-After` with the `ThrottlingException` of an invocation.
    pub retry_after_seconds: Option<u32>,
    /// Seconds until `InvokeModel` and `Converse` answer; errors come immediately.
    pub invoke_seconds: f64,
    /// Model ids, or beginnings of them, that no batch job is created for, as if the region had no batch for them. The region
    /// of an inference profile before an id makes no difference.
    pub batch_refused_models: Vec<String>,
    /// Model ids, given in the same way, to which `InvokeModel` and `Converse` have no access.
    pub on_demand_denied_models: Vec<String>,
    /// Operations, by their name in the service model, that are answered with `AccessDeniedException`.
    pub denied_operations: Vec<String>,
    /// Share of events that are never sent.
    pub event_lost_rate: f64,
    /// Share of events that are sent twice.
    pub event_duplicate_rate: f64,
    /// Maximum delay of an event; each gets a delay of its own, so they change order.
    pub event_delay_seconds: f64,
    /// If true, `CreateModelInvocationJob` answers only once the job has ended, and its events are sent after that.
    pub finish_before_first_event: bool,
}

impl Behaviour {
    /// This behaviour with the fields of `changes` replaced.
    ///
    /// # Errors
    /// Returns a message that names the field if it is unknown, of the wrong type, or out of its range.
    pub fn with(&self, changes: &Value) -> Result<Self, String> {
        let Value::Object(changes) = changes else {
            return Err("the behaviour must be a JSON object".to_owned());
        };
        let Ok(Value::Object(mut fields)) = serde_json::to_value(self) else {
            return Err("the behaviour cannot be written as JSON".to_owned());
        };
        for (name, value) in changes {
            if !fields.contains_key(name) {
                let known: Vec<&str> = fields.keys().map(String::as_str).collect();
                return Err(format!("unknown field `{name}`; the fields are: {}", known.join(", ")));
            }
            fields.insert(name.clone(), value.clone());
            check(name, value, &fields)?;
        }
        serde_json::from_value(Value::Object(fields)).map_err(|error| error.to_string())
    }

    /// Returns the behaviour towards a job over this input.
    pub(crate) fn towards(self, input_uri: &str) -> Self {
        if self.only_inputs.is_empty() || self.only_inputs.iter().any(|part| input_uri.contains(part)) {
            return self;
        }
        Self {
            in_progress_seconds: None,
            overdue_hours: 0,
            output_delay_seconds: 0.0,
            record_error_rate: 0.0,
            list_fault_rate: 0.0,
            partial_rate: 0.0,
            expire_rate: 0.0,
            fail_rate: 0.0,
            ..self
        }
    }

    /// Returns the faults of answers to requests of several rows.
    pub(crate) fn list_faults(&self) -> ListFaults {
        ListFaults { seed: self.seed, rate: self.list_fault_rate }
    }

    /// Returns true if this operation is denied.
    pub(crate) fn denies(&self, operation: &str) -> bool {
        self.denied_operations.iter().any(|denied| denied == operation)
    }

    pub(crate) fn refuses_batch(&self, model: &Model) -> bool {
        is_among(model, &self.batch_refused_models)
    }

    pub(crate) fn denies_on_demand(&self, model: &Model) -> bool {
        is_among(model, &self.on_demand_denied_models)
    }
}

fn is_among(model: &Model, named: &[String]) -> bool {
    named.iter().any(|name| model.base.starts_with(&Model::read(name).base))
}

fn check(name: &str, value: &Value, fields: &Map<String, Value>) -> Result<(), String> {
    serde_json::from_value::<Behaviour>(Value::Object(fields.clone()))
        .map_err(|error| format!("field `{name}`: {error}"))?;
    let Some(number) = value.as_f64() else { return Ok(()) };
    let is_share = name.ends_with("_rate") || name.ends_with("_share");
    if is_share && !(0.0..=1.0).contains(&number) {
        return Err(format!("field `{name}`: {number} is not a share of 0 to 1"));
    }
    // Longer than a day is a typing error, and times must stay representable.
    if name.ends_with("_seconds") && !(0.0..=86_400.0).contains(&number) {
        return Err(format!("field `{name}`: {number} is not between 0 and 86400 seconds"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_update_changes_only_the_named_fields() {
        let first = Behaviour::default().with(&json!({"fail_rate": 1, "fail_message": "no"})).unwrap();
        let second = first.with(&json!({"seed": 7, "fail_message": null})).unwrap();
        assert_eq!(second, Behaviour { fail_rate: 1.0, seed: 7, ..Behaviour::default() });
    }

    #[test]
    fn a_job_over_another_input_is_spared() {
        let behaviour = Behaviour {
            seed: 3,
            fail_rate: 1.0,
            expire_rate: 1.0,
            partial_rate: 1.0,
            record_error_rate: 1.0,
            list_fault_rate: 1.0,
            in_progress_seconds: Some(9.0),
            overdue_hours: 200,
            output_delay_seconds: 9.0,
            event_lost_rate: 1.0,
            job_seconds: Some(2.0),
            only_inputs: vec!["/run-a/".to_owned(), "/0001.jsonl".to_owned()],
            ..Behaviour::default()
        };
        for hit in ["s3://b/run-a/0000.jsonl", "s3://b/run-b/0001.jsonl"] {
            assert_eq!(behaviour.clone().towards(hit), behaviour);
        }
        let spared = Behaviour {
            seed: 3,
            event_lost_rate: 1.0,
            job_seconds: Some(2.0),
            only_inputs: behaviour.only_inputs.clone(),
            ..Behaviour::default()
        };
        assert_eq!(behaviour.clone().towards("s3://b/run-b/0000.jsonl"), spared);
        let any = Behaviour { only_inputs: Vec::new(), ..behaviour };
        assert_eq!(any.clone().towards("s3://b/run-b/0000.jsonl"), any);
    }

    #[test]
    fn a_model_is_named_by_its_id_or_its_beginning_with_any_profile() {
        let is_refused = |named: &str, id: &str| {
            let behaviour = Behaviour { batch_refused_models: vec![named.to_owned()], ..Behaviour::default() };
            let model = Model::read(id);
            assert!(!behaviour.denies_on_demand(&model));
            behaviour.refuses_batch(&model)
        };
        for id in [
            "amazon.nova-lite-v1:0",
            "us.amazon.nova-lite-v1:0",
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0",
        ] {
            assert!(is_refused("amazon.nova-lite-v1:0", id), "{id}");
            assert!(is_refused("global.amazon.nova-lite", id), "{id}");
            assert!(is_refused("amazon.", id), "{id}");
            assert!(!is_refused("amazon.nova-pro", id), "{id}");
        }
        let profile = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc";
        assert!(is_refused(profile, profile));
        let model = Model::read("us.amazon.nova-lite-v1:0");
        let behaviour = Behaviour { on_demand_denied_models: vec!["amazon.nova".to_owned()], ..Behaviour::default() };
        assert!(behaviour.denies_on_demand(&model) && !behaviour.refuses_batch(&model));
        assert!(!Behaviour::default().denies_on_demand(&model));
    }

    #[test]
    fn a_wrong_field_is_named() {
        let refused = |changes: Value| Behaviour::default().with(&changes).unwrap_err();
        assert!(refused(json!({"fial_rate": 1})).contains("`fial_rate`"));
        assert!(refused(json!({"fail_rate": 1.5})).contains("`fail_rate`: 1.5"));
        assert!(refused(json!({"list_fault_rate": 2})).contains("`list_fault_rate`: 2"));
        assert!(refused(json!({"fail_rate": -0.1})).contains("`fail_rate`"));
        assert!(refused(json!({"fail_rate": "often"})).contains("`fail_rate`"));
        assert!(refused(json!({"record_error_permanent_share": 2})).contains("`record_error_permanent_share`"));
        assert!(refused(json!({"event_delay_seconds": -1})).contains("`event_delay_seconds`"));
        assert!(refused(json!({"job_seconds": 1e300})).contains("`job_seconds`"));
        assert!(refused(json!({"in_progress_seconds": -1})).contains("`in_progress_seconds`"));
        assert!(refused(json!({"only_inputs": "/0000.jsonl"})).contains("`only_inputs`"));
        assert!(refused(json!({"invoke_seconds": -1})).contains("`invoke_seconds`"));
        assert!(refused(json!({"retry_after_seconds": 0.5})).contains("`retry_after_seconds`"));
        assert!(refused(json!({"batch_refused_models": "amazon."})).contains("`batch_refused_models`"));
        assert!(refused(json!({"on_demand_denied_models": [1]})).contains("`on_demand_denied_models`"));
        assert!(refused(json!([])).contains("object"));
    }
}
