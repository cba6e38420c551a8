//! The role that Bedrock assumes for batch jobs.

use super::deployed::Deployed;
use super::finding::Finding;
use super::storage::RESTORE;
use aws_config::SdkConfig;
use aws_sdk_cloudformation::types::{StackResourceDrift, StackResourceDriftStatus};
use bedrock_batch_engine::AwsFailure;

const SUBJECT: &str = "service role";

/// Beginning of the role's logical id in the template.
const LOGICAL_ID: &str = "BedrockServiceRole";

/// Checks that the role is as it was deployed: its trust in Bedrock and its policies.
pub(super) async fn examine(config: &SdkConfig, stack: &Deployed, findings: &mut Vec<Finding>) {
    let client = aws_sdk_cloudformation::Client::new(config);
    let described = client.describe_stack_resources().stack_name(&stack.name).send().await;
    let resources = match described {
        Ok(described) => described.stack_resources.unwrap_or_default(),
        Err(error) => {
            findings.push(failed("cloudformation:DescribeStackResources", AwsFailure::of(&error)));
            return;
        }
    };
    let role = resources.iter().find(|resource| {
        resource.resource_type() == Some("AWS::IAM::Role")
            && resource.logical_resource_id().is_some_and(|id| id.starts_with(LOGICAL_ID))
    });
    let Some(id) = role.and_then(|role| role.logical_resource_id()) else {
        findings.push(Finding::wrong(SUBJECT, "the stack has no role for batch jobs", RESTORE));
        return;
    };
    let compared = client.detect_stack_resource_drift().stack_name(&stack.name).logical_resource_id(id).send().await;
    findings.push(match compared {
        Ok(compared) => of_drift(compared.stack_resource_drift.as_ref()),
        Err(error) => failed("cloudformation:DetectStackResourceDrift", AwsFailure::of(&error)),
    });
}

fn failed(action: &str, failure: AwsFailure) -> Finding {
    Finding::of_failed_call(SUBJECT, action, "cannot look at the role that Bedrock assumes", failure)
}

fn of_drift(drift: Option<&StackResourceDrift>) -> Finding {
    let name = drift.and_then(|drift| drift.physical_resource_id()).unwrap_or("the role");
    match drift.and_then(StackResourceDrift::stack_resource_drift_status) {
        Some(StackResourceDriftStatus::InSync) => Finding::fine(SUBJECT, format!("`{name}`, as it was deployed")),
        Some(StackResourceDriftStatus::Deleted) => Finding::wrong(SUBJECT, format!("`{name}` does not exist"), RESTORE),
        Some(StackResourceDriftStatus::Modified) => {
            let found = format!("the trust or the policies of `{name}` differ from what was deployed");
            Finding::wrong(SUBJECT, found, RESTORE)
        }
        _ => {
            let remedy = "with the permissions to read a role and its policies (`iam:GetRole`, `iam:ListRolePolicies`, \
                `iam:GetRolePolicy`, `iam:ListAttachedRolePolicies`) you can have it checked";
            Finding::unknown(SUBJECT, format!("CloudFormation could not compare `{name}`"), remedy)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("IN_SYNC", State::Fine, "`batch-role`, as it was deployed")]
    #[case("MODIFIED", State::Wrong, "the trust or the policies of `batch-role` differ")]
    #[case("DELETED", State::Wrong, "`batch-role` does not exist")]
    #[case("NOT_CHECKED", State::Unknown, "could not compare")]
    #[case("A_NEW_ONE", State::Unknown, "iam:GetRole")]
    fn a_role_that_was_changed_is_reported(#[case] status: &str, #[case] state: State, #[case] expected: &str) {
        let drift = StackResourceDrift::builder()
            .stack_id("s")
            .logical_resource_id("BedrockServiceRole1")
            .physical_resource_id("batch-role")
            .resource_type("AWS::IAM::Role")
            .stack_resource_drift_status(status.into())
            .timestamp(aws_smithy_types::DateTime::from_secs(0))
            .build();
        let finding = of_drift(Some(&drift));
        assert_eq!(finding.state, state);
        assert!(finding.to_string().contains(expected), "{finding}");
    }
}
