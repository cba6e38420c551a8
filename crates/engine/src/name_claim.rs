//! Claim of a name: a run and a pipeline run of one name would share the folder `runs/<name>/`, and an execution of each state
//! machine may have it.
//!
//! Before it writes anything else, an execution stores its ARN there, which only one of several can do. To look whether the
//! other exists is not enough: two that start in the same instant find nothing.

use crate::error::EngineError;
use crate::objects::Bucket;
use bedrock_batch_domain::ids::{ExecutionArn, RunId};
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::problem::Problem;
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct NameClaim {
    execution_arn: ExecutionArn,
    started_at: String,
}

/// Claims the name of a run or a pipeline run for the execution that starts it. A repetition claims it again. Returns false if
/// an execution of another state machine has the name.
///
/// # Errors
/// Returns an error if an S3 request fails.
pub(crate) async fn claim_name(
    bucket: &Bucket,
    run_id: &RunId,
    execution_arn: &ExecutionArn,
    started_at: &str,
) -> Result<bool, EngineError> {
    let claim = NameClaim { execution_arn: execution_arn.clone(), started_at: started_at.to_owned() };
    let key = Layout::name_claim_key(run_id);
    if bucket.create_json(&key, &claim).await? {
        return Ok(true);
    }
    let found: NameClaim = bucket.get_json(&key).await?;
    if found.execution_arn != claim.execution_arn {
        return Ok(false);
    }
    if found.started_at != claim.started_at {
        // A state machine has one execution of a name at a time, so the earlier one is over. It has left no plan.
        bucket.put_json(&key, &claim).await?;
    }
    Ok(true)
}

/// Returns the problem that an earlier run, pipeline or execution, as `by` names it, had this name.
pub(crate) fn name_taken(execution_name: &str, by: &str) -> Problem {
    let rule = format!("an earlier {by} had this name, and its files are still there");
    Problem::new("the execution's name", execution_name, rule).remedy("choose another name")
}
