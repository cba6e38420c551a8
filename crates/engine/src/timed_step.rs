//! Step of a run with the time at which it began, which is passed on with it.

use crate::metrics::record;
use crate::time;
use bedrock_batch_domain::contract::metrics::STEP_SECONDS;
use bedrock_batch_domain::contract::steps;
use bedrock_batch_domain::run::Step;
use serde::{Deserialize, Serialize};

/// Step and the time at which it began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimedStep {
    /// The step.
    #[serde(flatten)]
    pub step: Step,
    /// Time at which it began, in seconds since 1970; 0 if it is not known, as in executions of earlier versions.
    #[serde(default)]
    began_at: u64,
}

/// Name of the step before the first one.
const PREPROCESS: &str = "preprocess";

impl TimedStep {
    /// Returns the first step of an execution, which began at `started_at` (RFC 3339), and records the time until then.
    pub fn first(step: Step, started_at: &str) -> Self {
        if let Some(started_at) = time::second(started_at) {
            record(&STEP_SECONDS, PREPROCESS, time::seconds_since(started_at));
        }
        Self { step, began_at: time::now() }
    }

    /// Returns the step after this one, and records the time that this one took.
    #[must_use]
    pub fn followed_by(step: Step, done: &str, began_at: u64) -> Self {
        if began_at > 0 {
            record(&STEP_SECONDS, done, time::seconds_since(began_at));
        }
        Self { step, began_at: time::now() }
    }

    /// Returns the name of the step, as the state machine has it, and the time at which it began.
    pub fn begun(&self) -> (&'static str, u64) {
        (steps::entry(self.step.step).value, self.began_at)
    }
}
