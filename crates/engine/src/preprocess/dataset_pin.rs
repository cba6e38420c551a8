//! Commit of the dataset of a run. It is stored before the first row is written, so that a repetition of the start reads the
//! same rows even if the dataset has moved on.

use super::start_input::StartInput;
use crate::error::EngineError;
use crate::objects::Bucket;
use bedrock_batch_domain::ids::RunId;
use bedrock_batch_domain::layout::Layout;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Serialize, Deserialize)]
struct DatasetPin {
    /// Start of the execution: an earlier one of the same name may have failed before it had a plan.
    started_at: String,
    commit: String,
}

/// Returns the commit at which an earlier attempt of this start has begun to write the rows of its dataset. `request` is the
/// resolved input.
pub(super) async fn pinned_commit(
    bucket: &Bucket,
    run_id: &RunId,
    input: &StartInput,
    request: &Value,
) -> Result<Option<String>, EngineError> {
    if request.get("dataset_id").is_none() {
        return Ok(None);
    }
    let pin: Option<DatasetPin> = bucket.find_json(&Layout::dataset_pin_key(run_id)).await?;
    Ok(pin.filter(|pin| pin.started_at == input.started_at).map(|pin| pin.commit))
}

/// Stores the commit at which the rows are read.
///
/// # Errors
/// Returns a transient error if another attempt of this start, at the same time, has found another commit: the next attempt
/// reads at that one.
pub(super) async fn pin_commit(
    bucket: &Bucket,
    run_id: &RunId,
    input: &StartInput,
    commit: &str,
) -> Result<(), EngineError> {
    let pin = DatasetPin { started_at: input.started_at.clone(), commit: commit.to_owned() };
    let key = Layout::dataset_pin_key(run_id);
    if bucket.create_json(&key, &pin).await? {
        return Ok(());
    }
    let found: DatasetPin = bucket.get_json(&key).await?;
    if found.started_at != input.started_at {
        return bucket.put_json(&key, &pin).await;
    }
    if found.commit != commit {
        let context =
            format!("another attempt of this start reads the dataset at {}, this one at {commit}", found.commit);
        return Err(EngineError::transient(context));
    }
    Ok(())
}
