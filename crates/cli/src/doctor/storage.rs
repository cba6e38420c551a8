//! What a run reads and writes: the bucket, the job table and the state machines.

use super::account::Account;
use super::deployed::Deployed;
use super::finding::Finding;
use aws_config::SdkConfig;
use aws_sdk_dynamodb::types::TableStatus;
use aws_sdk_sfn::types::StateMachineStatus;
use bedrock_batch_engine::AwsFailure;

const RESTORE: &str = "it was changed or deleted beside CloudFormation, which compares templates only: deploying again does not restore it; \
    `make destroy`, then `make deploy`";

/// Checks that what the stack names is there.
pub(super) async fn examine(config: &SdkConfig, stack: &Deployed, account: &Account, findings: &mut Vec<Finding>) {
    if let Some(bucket) = stack.output("bucketName") {
        findings.push(bucket_of(config, bucket, account).await);
    }
    if let Some(table) = stack.output("taskTableName") {
        findings.push(table_of(config, table).await);
    }
    for output in ["stepFunctionArn", "pipelineStateMachineArn"] {
        if let Some(machine) = stack.output(output) {
            findings.push(machine_of(config, machine).await);
        }
    }
}

async fn bucket_of(config: &SdkConfig, bucket: &str, account: &Account) -> Finding {
    let client = bedrock_batch_aws::s3_client(config);
    let head = client.head_bucket().bucket(bucket).expected_bucket_owner(&account.id).send().await;
    match head {
        // AWS tells the region of a bucket; other implementations may not.
        Ok(head) => match head.bucket_region() {
            Some(region) if region != account.region => {
                let found = format!("`{bucket}` is in {region}, the stack in {}", account.region);
                Finding::wrong("bucket", found, "Bedrock needs both in one region: deploy to another account or stage")
            }
            _ => Finding::fine("bucket", format!("`{bucket}`")),
        },
        Err(error) if error.as_service_error().is_some_and(|error| error.is_not_found()) => {
            Finding::wrong("bucket", format!("`{bucket}` does not exist"), RESTORE)
        }
        Err(error) => failed("bucket", "s3:ListBucket", bucket, AwsFailure::of(&error)),
    }
}

async fn table_of(config: &SdkConfig, table: &str) -> Finding {
    let described = aws_sdk_dynamodb::Client::new(config).describe_table().table_name(table).send().await;
    match described {
        Ok(described) => match described.table.and_then(|table| table.table_status) {
            Some(TableStatus::Active | TableStatus::Updating) => Finding::fine("job table", format!("`{table}`")),
            status => {
                let status = status.as_ref().map_or("without a status", TableStatus::as_str);
                Finding::wrong("job table", format!("`{table}` is {status}"), RESTORE)
            }
        },
        Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()) => {
            Finding::wrong("job table", format!("`{table}` does not exist"), RESTORE)
        }
        Err(error) => failed("job table", "dynamodb:DescribeTable", table, AwsFailure::of(&error)),
    }
}

async fn machine_of(config: &SdkConfig, machine: &str) -> Finding {
    let described = aws_sdk_sfn::Client::new(config).describe_state_machine().state_machine_arn(machine).send().await;
    match described {
        Ok(described) if described.status() == Some(&StateMachineStatus::Deleting) => {
            Finding::wrong("state machine", format!("`{}` is being deleted", described.name()), RESTORE)
        }
        Ok(described) => Finding::fine("state machine", format!("`{}`", described.name())),
        Err(error) if error.as_service_error().is_some_and(|error| error.is_state_machine_does_not_exist()) => {
            Finding::wrong("state machine", format!("`{machine}` does not exist"), RESTORE)
        }
        Err(error) => failed("state machine", "states:DescribeStateMachine", machine, AwsFailure::of(&error)),
    }
}

fn failed(subject: &'static str, action: &str, resource: &str, failure: AwsFailure) -> Finding {
    Finding::of_failed_call(subject, action, &format!("cannot look at `{resource}`"), failure)
}
