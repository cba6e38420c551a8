//! The Bedrock service role, which Bedrock assumes for each batch job: that it exists, is as deployed, and may be assumed.

use super::finding::Finding;
use aws_config::SdkConfig;
use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::{StackResourceDrift, StackResourceDriftStatus};
use bedrock_batch_engine::AwsFailure;
use serde_json::Value;

const SUBJECT: &str = "service role";
/// Beginning of the role's logical id; CDK appends a hash.
const LOGICAL_ID: &str = "BedrockServiceRole";
const BEDROCK: &str = "bedrock.amazonaws.com";
const RESTORE: &str = "docs/runbook.md, section `The service role was changed`";

/// Checks the role by the drift detection of `CloudFormation`, which reads it from IAM.
pub(super) async fn examine(config: &SdkConfig, stack: &str, findings: &mut Vec<Finding>) {
    let client = Client::new(config);
    findings.push(match logical_id_of(&client, stack).await {
        Ok(Some(id)) => drift_of(&client, stack, &id).await,
        Ok(None) => Finding::wrong(SUBJECT, "the stack has none", "it is incomplete: deploy it again"),
        Err(finding) => finding,
    });
}

/// Finds the logical id of the role among the resources of the stack.
async fn logical_id_of(client: &Client, stack: &str) -> Result<Option<String>, Finding> {
    let mut pages = client.list_stack_resources().stack_name(stack).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| {
            let context = "cannot list the resources of the stack";
            Finding::of_failed_call(SUBJECT, "cloudformation:ListStackResources", context, AwsFailure::of(&error))
        })?;
        for resource in page.stack_resource_summaries() {
            let id = resource.logical_resource_id().filter(|id| id.starts_with(LOGICAL_ID));
            if let Some(id) = id.filter(|_| resource.resource_type() == Some("AWS::IAM::Role")) {
                return Ok(Some(id.to_owned()));
            }
        }
    }
    Ok(None)
}

async fn drift_of(client: &Client, stack: &str, logical_id: &str) -> Finding {
    let detected = client.detect_stack_resource_drift().stack_name(stack).logical_resource_id(logical_id).send().await;
    match detected {
        Ok(detected) => detected.stack_resource_drift().map_or_else(
            || {
                Finding::unknown(
                    SUBJECT,
                    "CloudFormation did not say how it differs from the deployed one",
                    "try again",
                )
            },
            of_drift,
        ),
        Err(error) => {
            let action = "cloudformation:DetectStackResourceDrift";
            let context = "CloudFormation cannot compare it with the deployed one, which needs `iam:GetRole` as well";
            Finding::of_failed_call(SUBJECT, action, context, AwsFailure::of(&error))
        }
    }
}

fn of_drift(drift: &StackResourceDrift) -> Finding {
    let name = drift.physical_resource_id().unwrap_or_default();
    let status = drift.stack_resource_drift_status();
    if status == Some(&StackResourceDriftStatus::Deleted) {
        return Finding::wrong(SUBJECT, format!("`{name}` was deleted"), RESTORE);
    }
    if !matches!(status, Some(StackResourceDriftStatus::InSync | StackResourceDriftStatus::Modified)) {
        let reason = drift.drift_status_reason().unwrap_or("without a reason");
        let found = format!("CloudFormation cannot compare `{name}` with the deployed one: {reason}");
        return Finding::unknown(SUBJECT, found, "with `iam:GetRole` you can have it checked");
    }
    let actual =
        drift.actual_properties().and_then(|text| serde_json::from_str::<Value>(text).ok()).unwrap_or_default();
    if !is_assumed_by_bedrock(&actual["AssumeRolePolicyDocument"]) {
        return Finding::wrong(SUBJECT, format!("`{name}` does not let `{BEDROCK}` assume it"), RESTORE);
    }
    let changed: Vec<&str> = drift.property_differences().iter().filter_map(|change| change.property_path()).collect();
    if changed.is_empty() {
        Finding::fine(SUBJECT, format!("Bedrock may assume `{name}`"))
    } else {
        let found = format!("`{name}` was changed beside CloudFormation: {}", changed.join(", "));
        Finding::wrong(SUBJECT, found, RESTORE)
    }
}

/// Returns true if a statement of a trust policy lets Bedrock assume its role. IAM accepts one value in place of each list.
fn is_assumed_by_bedrock(policy: &Value) -> bool {
    let has = |value: &Value, texts: &[&str]| {
        each(value)
            .iter()
            .filter_map(Value::as_str)
            .any(|text| texts.iter().any(|known| text.eq_ignore_ascii_case(known)))
    };
    each(&policy["Statement"]).iter().any(|statement| {
        statement["Effect"] == "Allow"
            && has(&statement["Action"], &["sts:AssumeRole", "sts:*", "*"])
            && has(&statement["Principal"]["Service"], &[BEDROCK])
    })
}

fn each(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::*;
    use aws_sdk_cloudformation::types::PropertyDifference;
    use rstest::rstest;
    use serde_json::json;

    fn drift(status: &str, trust: &Value, changed: &[&str]) -> StackResourceDrift {
        let differences = changed.iter().map(|path| PropertyDifference::builder().property_path(*path).build());
        StackResourceDrift::builder()
            .physical_resource_id("the-role")
            .stack_resource_drift_status(status.into())
            .actual_properties(json!({ "AssumeRolePolicyDocument": trust }).to_string())
            .set_property_differences(Some(differences.collect()))
            .build()
    }

    fn trust(effect: &str, action: &Value, service: &Value) -> Value {
        let other = json!({ "Effect": "Deny", "Principal": "*", "Action": "sts:TagSession" });
        json!({ "Statement": [other, { "Effect": effect, "Action": action, "Principal": { "Service": service } }] })
    }

    fn of_bedrock() -> Value {
        trust("Allow", &json!("sts:AssumeRole"), &json!(BEDROCK))
    }

    #[rstest]
    #[case("IN_SYNC", &[], State::Fine, "Bedrock may assume `the-role`")]
    #[case("MODIFIED", &["/Description"], State::Wrong, "changed beside CloudFormation: /Description")]
    #[case("DELETED", &[], State::Wrong, "`the-role` was deleted")]
    #[case("UNKNOWN", &[], State::Unknown, "iam:GetRole")]
    #[case("UNSUPPORTED", &[], State::Unknown, "cannot compare")]
    #[case("A_NEW_ONE", &[], State::Unknown, "cannot compare")]
    fn a_changed_role_is_reported(
        #[case] status: &str,
        #[case] changed: &[&str],
        #[case] state: State,
        #[case] expected: &str,
    ) {
        let finding = of_drift(&drift(status, &of_bedrock(), changed));
        assert_eq!(finding.state, state, "{finding}");
        assert!(finding.to_string().contains(expected), "{finding}");
    }

    #[rstest]
    #[case(of_bedrock(), State::Fine)]
    #[case(trust("Allow", &json!(["sts:TagSession", "sts:AssumeRole"]), &json!(["ec2.amazonaws.com", BEDROCK])), State::Fine)]
    #[case(json!({ "Statement": of_bedrock()["Statement"][1] }), State::Fine)]
    #[case(trust("Deny", &json!("sts:AssumeRole"), &json!(BEDROCK)), State::Wrong)]
    #[case(trust("Allow", &json!("sts:TagSession"), &json!(BEDROCK)), State::Wrong)]
    #[case(trust("Allow", &json!("sts:AssumeRole"), &json!("lambda.amazonaws.com")), State::Wrong)]
    #[case(json!("not a policy"), State::Wrong)]
    #[case(Value::Null, State::Wrong)]
    fn a_role_that_bedrock_may_not_assume_is_reported(#[case] trust: Value, #[case] expected: State) {
        let finding = of_drift(&drift("MODIFIED", &trust, &[]));
        assert_eq!(finding.state, expected, "{finding}");
        assert_eq!(finding.to_string().contains("does not let"), expected == State::Wrong, "{finding}");
    }
}
