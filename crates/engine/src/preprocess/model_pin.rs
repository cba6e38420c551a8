//! What Bedrock said about the models of a run. It is stored before the first row is written, so that a repetition of the start
//! sends the rows under the same names even if Bedrock says something else meanwhile.

use super::start_input::StartInput;
use crate::error::EngineError;
use crate::model_lookup::ModelLookup;
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
    models: AwsModels,
}

/// Returns what Bedrock says about the models of `request`, or what it said to an earlier attempt of this start.
pub(super) async fn models_of_start(
    bucket: &Bucket,
    run_id: &RunId,
    input: &StartInput,
    request: &Value,
    lookup: &ModelLookup,
) -> Result<AwsModels, EngineError> {
    if !lookup.has_client() {
        return Ok(AwsModels::default());
    }
    let pin: Option<ModelPin> = bucket.find_json(&Layout::model_pin_key(run_id)).await?;
    if let Some(pin) = pin.filter(|pin| pin.started_at == input.started_at) {
        return Ok(pin.models);
    }
    let ids = ["model_id", "fallback_model_id"].map(|field| request.get(field).and_then(Value::as_str));
    Ok(lookup.query(ids.into_iter().flatten().collect()).await)
}

/// Stores what the names of the models were decided by.
///
/// # Errors
/// Returns a transient error if another attempt of this start, at the same time, got another answer: the next attempt uses that
/// one.
pub(super) async fn pin_models(
    bucket: &Bucket,
    run_id: &RunId,
    input: &StartInput,
    models: &AwsModels,
) -> Result<(), EngineError> {
    if *models == AwsModels::default() {
        return Ok(());
    }
    let pin = ModelPin { started_at: input.started_at.clone(), models: models.clone() };
    let key = Layout::model_pin_key(run_id);
    if bucket.create_json(&key, &pin).await? {
        return Ok(());
    }
    let found: ModelPin = bucket.get_json(&key).await?;
    if found.started_at != input.started_at {
        return bucket.put_json(&key, &pin).await;
    }
    if found.models != *models {
        return Err(EngineError::transient("another attempt of this start got another answer about the run's models"));
    }
    Ok(())
}
