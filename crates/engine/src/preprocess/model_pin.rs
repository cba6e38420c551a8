//! What a run was told about its models when it started: by Bedrock, and by the overrides in the bucket. It is stored before the first
//! row is written, so that a repetition of the start sends the rows under the same names, in jobs of the same sizes, even if
//! something else is said meanwhile.

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
    said: SaidOfModels,
}

/// What was said of the models of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SaidOfModels {
    /// Answers of AWS.
    #[serde(flatten)]
    pub(super) aws: AwsModels,
    /// Overrides in the bucket of the stack, if there were any.
    #[serde(default)]
    pub(super) overrides: Option<String>,
}

/// Returns what is said of the models of `request`, or what was said to an earlier attempt of this start.
pub(super) async fn models_of_start(
    bucket: &Bucket,
    run_id: &RunId,
    input: &StartInput,
    request: &Value,
    lookup: &ModelLookup,
) -> Result<SaidOfModels, EngineError> {
    let pin: Option<ModelPin> = bucket.find_json(&Layout::model_pin_key(run_id)).await?;
    if let Some(pin) = pin.filter(|pin| pin.started_at == input.started_at) {
        return Ok(pin.said);
    }
    let ids = ["model_id", "fallback_model_id"].map(|field| request.get(field).and_then(Value::as_str));
    let aws = lookup.query(ids.into_iter().flatten().collect()).await;
    Ok(SaidOfModels { aws, overrides: model_overrides(bucket).await? })
}

/// Stores what the names and limits of the models were decided by.
///
/// # Errors
/// Returns a transient error if another attempt of this start, at the same time, was told something else: the next attempt uses
/// that.
pub(super) async fn pin_models(
    bucket: &Bucket,
    run_id: &RunId,
    input: &StartInput,
    said: &SaidOfModels,
) -> Result<(), EngineError> {
    if *said == SaidOfModels::default() {
        return Ok(());
    }
    let pin = ModelPin { started_at: input.started_at.clone(), said: said.clone() };
    let key = Layout::model_pin_key(run_id);
    if bucket.create_json(&key, &pin).await? {
        return Ok(());
    }
    let found: ModelPin = bucket.get_json(&key).await?;
    if found.started_at != input.started_at {
        return bucket.put_json(&key, &pin).await;
    }
    if found.said != *said {
        return Err(EngineError::transient(
            "another attempt of this start was told something else about the run's models",
        ));
    }
    Ok(())
}
