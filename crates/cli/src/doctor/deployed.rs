//! The stack: that it is deployed, of which version, and its outputs.

use super::finding::Finding;
use aws_config::SdkConfig;
use aws_sdk_cloudformation::types::{Stack, StackStatus};
use bedrock_batch_engine::AwsFailure;
use std::collections::BTreeMap;

/// Outputs of a deployed stack, by name.
pub(super) struct Deployed {
    outputs: BTreeMap<String, String>,
}

/// Advice that deploys the stack.
const DEPLOY: &str = "`make deploy` in the folder of the repository";

impl Deployed {
    /// Checks the stack; `None` if there is none.
    pub(super) async fn examine(config: &SdkConfig, name: &str, findings: &mut Vec<Finding>) -> Option<Self> {
        let client = aws_sdk_cloudformation::Client::new(config);
        let described = client.describe_stacks().stack_name(name).send().await;
        let stack = match described {
            Ok(described) => described.stacks.unwrap_or_default().into_iter().next(),
            Err(error) if AwsFailure::of(&error).code == "ValidationError" => None,
            Err(error) => {
                let context = format!("cannot describe the stack `{name}`");
                let failure = AwsFailure::of(&error);
                findings.push(Finding::of_failed_call("stack", "cloudformation:DescribeStacks", &context, failure));
                return None;
            }
        };
        let Some(stack) = stack else {
            let remedy = format!("{DEPLOY}, or name another one with --stage, or another AWS_REGION");
            findings.push(Finding::wrong(
                "stack",
                format!("there is none with the name `{name}` in this region"),
                remedy,
            ));
            return None;
        };
        findings.push(of_status(name, &stack));
        let outputs = stack.outputs.unwrap_or_default();
        let outputs: BTreeMap<String, String> =
            outputs.into_iter().filter_map(|output| Some((output.output_key?, output.output_value?))).collect();
        findings.push(of_version(outputs.get("version").map(String::as_str)));
        let deployed = Self { outputs };
        let missing: Vec<&str> = OUTPUTS.into_iter().filter(|name| deployed.output(name).is_none()).collect();
        if !missing.is_empty() {
            let found = format!("the stack has no {}", missing.join(", "));
            findings.push(Finding::wrong(
                "outputs",
                found,
                format!("it is of another project, or incomplete: {DEPLOY}"),
            ));
        }
        Some(deployed)
    }

    /// Returns an output.
    pub(super) fn output(&self, name: &str) -> Option<&str> {
        self.outputs.get(name).map(String::as_str)
    }
}

/// Outputs that each version has.
const OUTPUTS: [&str; 5] =
    ["bucketName", "stepFunctionArn", "pipelineStateMachineArn", "notificationTopicArn", "taskTableName"];

fn of_status(name: &str, stack: &Stack) -> Finding {
    let Some(status) = &stack.stack_status else {
        return Finding::unknown("stack", format!("`{name}` has no status"), "look at it in CloudFormation");
    };
    let found = format!("`{name}` is {}", status.as_str());
    match status {
        StackStatus::CreateComplete
        | StackStatus::UpdateComplete
        | StackStatus::UpdateCompleteCleanupInProgress
        | StackStatus::ImportComplete => Finding::fine("stack", found),
        // The deployment before still runs.
        StackStatus::UpdateRollbackComplete => {
            Finding::wrong("stack", found, format!("the latest deployment failed: see its events, then {DEPLOY}"))
        }
        StackStatus::CreateInProgress | StackStatus::UpdateInProgress => {
            Finding::wrong("stack", found, "wait until it is deployed")
        }
        _ => Finding::wrong("stack", found, format!("see its events, `make destroy`, then {DEPLOY}")),
    }
}

fn of_version(deployed: Option<&str>) -> Finding {
    let own = env!("CARGO_PKG_VERSION");
    match deployed {
        Some(version) if version == own => Finding::fine("version", format!("{own}, of the stack and of this command")),
        Some(version) => {
            let found = format!("the stack has {version}, this command {own}");
            Finding::wrong("version", found, "use the command of the stack's version, or deploy the stack again")
        }
        None => Finding::wrong("version", format!("the stack is older than {own}"), DEPLOY),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(StackStatus::CreateComplete, State::Fine)]
    #[case(StackStatus::UpdateComplete, State::Fine)]
    #[case(StackStatus::UpdateRollbackComplete, State::Wrong)]
    #[case(StackStatus::RollbackComplete, State::Wrong)]
    #[case(StackStatus::UpdateInProgress, State::Wrong)]
    #[case(StackStatus::DeleteFailed, State::Wrong)]
    fn only_a_complete_deployment_is_fine(#[case] status: StackStatus, #[case] expected: State) {
        let stack = Stack::builder().stack_status(status).build();
        assert_eq!(of_status("s", &stack).state, expected);
    }

    #[test]
    fn another_version_is_reported() {
        assert_eq!(of_version(Some(env!("CARGO_PKG_VERSION"))).state, State::Fine);
        assert_eq!(of_version(Some("0.0.1")).state, State::Wrong);
        assert_eq!(of_version(None).state, State::Wrong);
    }
}
