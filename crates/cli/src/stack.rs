//! Deployed stack to use: given by options or the environment, else that of the account of the credentials.

use crate::failure::Failure;
use bedrock_batch_domain::ids::{Arn, RunId, StateMachineArn};
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::plan::Plan;
use bedrock_batch_engine::job_table::{JobTable, StoredItem, StoredJob};
use bedrock_batch_engine::objects::Bucket;
use bedrock_batch_engine::{AwsFailure, EngineError};
use clap::Args;

/// Options that select the stack.
#[derive(Debug, Args)]
pub(crate) struct StackOptions {
    /// Bucket of the stack [default: batch-inference-bucket-<account>]
    #[arg(long, global = true, env = "BUCKET_NAME", hide_env_values = true)]
    bucket: Option<String>,
    /// ARN of the batch orchestrator [default: bedrock-batch-orchestrator-<account>]
    #[arg(long, global = true, env = "STATE_MACHINE_ARN", hide_env_values = true)]
    state_machine: Option<String>,
    /// ARN of the pipeline orchestrator [default: bedrock-pipeline-orchestrator-<account>]
    #[arg(long, global = true, env = "PIPELINE_STATE_MACHINE_ARN", hide_env_values = true)]
    pipeline_state_machine: Option<String>,
}

/// Reads an ARN of an option or its variable; one that is empty counts as absent. Here and not by the parser of arguments:
/// commands that need no stack must not fail on a variable of another project.
fn given_machine(given: Option<&String>, option: &str) -> Result<Option<StateMachineArn>, Failure> {
    let Some(text) = given.filter(|text| !text.is_empty()) else { return Ok(None) };
    let arn = StateMachineArn::parse(text);
    arn.map(Some).map_err(|problem| Failure::Usage(format!("{option}: {problem}")))
}

/// Stack and the clients for its services.
#[derive(Debug)]
pub(crate) struct Stack {
    pub(crate) bucket: Bucket,
    pub(crate) state_machine: StateMachineArn,
    pub(crate) pipeline_state_machine: StateMachineArn,
    pub(crate) step_functions: aws_sdk_sfn::Client,
    dynamodb: aws_sdk_dynamodb::Client,
}

impl Stack {
    pub(crate) async fn find(options: &StackOptions) -> Result<Self, Failure> {
        let config = bedrock_batch_aws::sdk_config().await;
        let region = config.region().map(ToString::to_string).ok_or_else(|| {
            let remedy = "`export AWS_REGION=…`, or for the local stack `. .local/env` in the folder of the repository";
            Failure::Usage(format!("no AWS region is set: {remedy}"))
        })?;
        let named = given_machine(options.state_machine.as_ref(), "--state-machine")?;
        let named_pipeline = given_machine(options.pipeline_state_machine.as_ref(), "--pipeline-state-machine")?;
        let (bucket, state_machine) = match (&options.bucket, named) {
            (Some(bucket), Some(machine)) => (bucket.clone(), machine),
            (bucket, machine) => {
                let identity = aws_sdk_sts::Client::new(&config).get_caller_identity().send().await;
                let identity = identity.map_err(|error| {
                    let context =
                        "cannot determine the AWS account (check the credentials: `aws sts get-caller-identity`)";
                    EngineError::from_aws_failure("sts:GetCallerIdentity", context, AwsFailure::of(&error))
                })?;
                let account = identity.account().unwrap_or_default();
                let partition = identity.arn().and_then(Arn::parse).map_or("aws", |arn| arn.partition);
                let machine = match machine {
                    Some(machine) => machine,
                    None => orchestrator("batch", partition, &region, account)?,
                };
                (bucket.clone().unwrap_or_else(|| format!("batch-inference-bucket-{account}")), machine)
            }
        };
        let pipeline_state_machine = match named_pipeline {
            Some(machine) => machine,
            None => pipeline_orchestrator_beside(&state_machine)?,
        };
        Ok(Self {
            bucket: Bucket::new(bedrock_batch_aws::s3_client(&config), bucket),
            pipeline_state_machine,
            state_machine,
            step_functions: aws_sdk_sfn::Client::new(&config),
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
        })
    }

    /// Returns the run's plan, or `None` as long as preprocess has not frozen it.
    pub(crate) async fn plan(&self, run: &str) -> Result<Option<Plan>, Failure> {
        Ok(self.bucket.find_json(&Layout::plan_key(&RunId::of_execution(run))).await?)
    }

    /// Returns the job table of a run.
    pub(crate) fn job_table(&self, plan: &Plan) -> JobTable {
        JobTable::new(self.dynamodb.clone(), plan.job_table.clone())
    }

    /// Reads the items of a run from the job table: jobs that were started, and counts.
    pub(crate) async fn jobs(&self, plan: &Plan) -> Result<Vec<StoredJob>, Failure> {
        let items = self.job_table(plan).of_run(&plan.run_id).await?;
        Ok(items.into_iter().filter_map(StoredItem::into_job).collect())
    }
}

/// Returns the ARN of the `batch` or `pipeline` orchestrator of an account.
fn orchestrator(kind: &str, partition: &str, region: &str, account: &str) -> Result<StateMachineArn, Failure> {
    let name = format!("bedrock-{kind}-orchestrator-{account}");
    let arn = StateMachineArn::of_parts(partition, region, account, &name);
    arn.map_err(|problem| Failure::Usage(problem.to_string()))
}

/// Returns the ARN of the pipeline orchestrator in the account and region of the batch orchestrator.
fn pipeline_orchestrator_beside(batch: &StateMachineArn) -> Result<StateMachineArn, Failure> {
    orchestrator("pipeline", batch.partition(), batch.region(), batch.account())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pipeline_orchestrator_is_in_the_account_of_the_batch_orchestrator() {
        let batch = "arn:aws:states:eu-west-1:123456789012:stateMachine:bedrock-batch-orchestrator-123456789012";
        let pipeline = "arn:aws:states:eu-west-1:123456789012:stateMachine:bedrock-pipeline-orchestrator-123456789012";
        let batch = batch.parse().unwrap();
        assert_eq!(pipeline_orchestrator_beside(&batch).unwrap().as_str(), pipeline);
    }
}
