//! Deployed stack to use: given by options or the environment, else that of the account of the credentials.

mod names;

use crate::failure::Failure;
use bedrock_batch_domain::ids::{Arn, RunId, StateMachineArn};
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::plan::Plan;
use bedrock_batch_engine::job_table::{JobTable, StoredItem, StoredJob};
use bedrock_batch_engine::objects::Bucket;
use bedrock_batch_engine::{AwsFailure, EngineError};
use clap::Args;
use names::Stage;

/// Options that select the stack.
#[derive(Debug, Args)]
pub(crate) struct StackOptions {
    /// Stage of the deployment, as its context key `stage` [default: the deployment without a stage]
    #[arg(long, global = true, env = "BEDROCK_BATCH_STAGE", hide_env_values = true)]
    stage: Option<String>,
    /// Bucket of the stack [default: batch-inference-bucket-<account>, or that of the stage]
    #[arg(long, global = true, env = "BUCKET_NAME", hide_env_values = true)]
    bucket: Option<String>,
    /// ARN of the batch orchestrator [default: bedrock-batch-orchestrator-<account>, or that of the stage]
    #[arg(long, global = true, env = "STATE_MACHINE_ARN", hide_env_values = true)]
    state_machine: Option<String>,
    /// ARN of the pipeline orchestrator [default: bedrock-pipeline-orchestrator-<account>, or that of the stage]
    #[arg(long, global = true, env = "PIPELINE_STATE_MACHINE_ARN", hide_env_values = true)]
    pipeline_state_machine: Option<String>,
}

/// Returns an option that is not empty: a variable that is set to nothing counts as absent.
fn given(option: Option<&String>) -> Option<&String> {
    option.filter(|text| !text.is_empty())
}

/// Reads an ARN of an option or its variable. Here and not by the parser of arguments: commands that need no stack must
/// not fail on a variable of another project.
fn given_machine(text: Option<&String>, option: &str) -> Result<Option<StateMachineArn>, Failure> {
    let Some(text) = given(text) else { return Ok(None) };
    let arn = StateMachineArn::parse(text);
    arn.map(Some).map_err(|problem| Failure::Usage(format!("{option}: {problem}")))
}

impl StackOptions {
    /// Returns the stage that the options name.
    ///
    /// A stage beside a bucket or a state machine is an error: of two deployments, one would be used silently.
    fn stage(&self) -> Result<Option<Stage>, Failure> {
        let Some(stage) = given(self.stage.as_ref()) else { return Ok(None) };
        let others = [
            ("--bucket (BUCKET_NAME)", &self.bucket),
            ("--state-machine (STATE_MACHINE_ARN)", &self.state_machine),
            ("--pipeline-state-machine (PIPELINE_STATE_MACHINE_ARN)", &self.pipeline_state_machine),
        ];
        let others: Vec<&str> =
            others.iter().filter(|(_, value)| given(value.as_ref()).is_some()).map(|(name, _)| *name).collect();
        if !others.is_empty() {
            return Err(Failure::Usage(format!(
                "--stage (BEDROCK_BATCH_STAGE) and {} are given, and each names a deployment; leave one out",
                others.join(", ")
            )));
        }
        Stage::parse(stage).map(Some).map_err(|problem| Failure::Usage(problem.to_string()))
    }
}

impl StackOptions {
    /// Returns the name of the stack of the deployment.
    pub(crate) fn cloudformation_name(&self) -> Result<String, Failure> {
        Ok(names::cloudformation_stack(self.stage()?.as_ref()))
    }
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
        let stage = options.stage()?;
        let named = given_machine(options.state_machine.as_ref(), "--state-machine")?;
        let named_pipeline = given_machine(options.pipeline_state_machine.as_ref(), "--pipeline-state-machine")?;
        let (bucket, state_machine) = match (given(options.bucket.as_ref()), named) {
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
                    None => names::batch_orchestrator(partition, &region, account, stage.as_ref())
                        .map_err(|problem| Failure::Usage(problem.to_string()))?,
                };
                (bucket.cloned().unwrap_or_else(|| names::bucket_beside(&machine, account)), machine)
            }
        };
        let pipeline_state_machine = match named_pipeline {
            Some(machine) => machine,
            None => names::pipeline_orchestrator_beside(&state_machine)
                .map_err(|problem| Failure::Usage(problem.to_string()))?,
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

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn options(stage: &str, bucket: &str) -> StackOptions {
        let option = |text: &str| Some(text.to_owned());
        StackOptions {
            stage: option(stage),
            bucket: option(bucket),
            state_machine: None,
            pipeline_state_machine: option(""),
        }
    }

    #[rstest]
    #[case::neither("", "", Ok(None))]
    #[case::a_stage("dev", "", Ok(Some("dev")))]
    #[case::a_bucket("", "other", Ok(None))]
    #[case::two_deployments("dev", "other", Err("--bucket (BUCKET_NAME) are given"))]
    #[case::no_stage("Dev", "", Err("the stage"))]
    fn a_stage_is_used_if_nothing_else_names_a_deployment(
        #[case] stage: &str,
        #[case] bucket: &str,
        #[case] expected: Result<Option<&str>, &str>,
    ) {
        match (options(stage, bucket).stage(), expected) {
            (Ok(stage), Ok(expected)) => assert_eq!(stage.as_ref().map(Stage::as_str), expected),
            (Err(Failure::Usage(message)), Err(part)) => assert!(message.contains(part), "{message}"),
            (stage, expected) => panic!("{stage:?} instead of {expected:?}"),
        }
    }
}
