//! Facts about the models of a run when it starts: those of Bedrock, and the overrides in the bucket. They are stored before the first
//! row is written, so that a repetition of the start sends the rows under the same names, in jobs of the same sizes, even if
//! they have changed meanwhile.

use super::start_input::StartInput;
use crate::error::EngineError;
use crate::model_lookup::ModelLookup;
use crate::model_overrides::model_overrides;
use crate::objects::Bucket;
use bedrock_batch_domain::ids::RunId;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::model::AwsModels;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Serialize, Deserialize)]
struct ModelPin {
    /// Start of the execution: an earlier one of the same name may have failed before it had a plan.
    started_at: String,
    #[serde(flatten)]
    facts: ModelFacts,
}

/// Facts about the models of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ModelFacts {
    /// Answers of AWS.
    #[serde(flatten)]
    pub(super) aws: AwsModels,
    /// Overrides in the bucket of the stack, if there were any.
    #[serde(default)]
    pub(super) overrides: Option<String>,
}

/// Returns the facts about the models of `request`, or those that an earlier attempt of this start has stored.
pub(super) async fn models_of_start(
    bucket: &Bucket,
    run_id: &RunId,
    input: &StartInput,
    request: &Value,
    lookup: &ModelLookup,
) -> Result<ModelFacts, EngineError> {
    let pin: Option<ModelPin> = bucket.find_json(&Layout::model_pin_key(run_id)).await?;
    if let Some(pin) = pin.filter(|pin| pin.started_at == input.started_at) {
        return Ok(pin.facts);
    }
    let ids = ["model_id", "fallback_model_id"].map(|field| request.get(field).and_then(Value::as_str));
    let aws = lookup.query(ids.into_iter().flatten().collect()).await;
    Ok(ModelFacts { aws, overrides: model_overrides(bucket).await? })
}

/// Stores the facts that decided the names and limits of the models.
///
/// # Errors
/// Returns a transient error if another attempt of this start has stored other facts at the same time: the next attempt uses those.
pub(super) async fn pin_models(
    bucket: &Bucket,
    run_id: &RunId,
    input: &StartInput,
    facts: &ModelFacts,
) -> Result<(), EngineError> {
    if *facts == ModelFacts::default() {
        return Ok(());
    }
    let pin = ModelPin { started_at: input.started_at.clone(), facts: facts.clone() };
    let key = Layout::model_pin_key(run_id);
    if bucket.create_json(&key, &pin).await? {
        return Ok(());
    }
    let found: ModelPin = bucket.get_json(&key).await?;
    if found.started_at != input.started_at {
        return bucket.put_json(&key, &pin).await;
    }
    if found.facts != *facts {
        return Err(EngineError::transient(
            "another attempt of this start has stored other facts about the run's models",
        ));
    }
    Ok(())
}
