//! Credentials and region.

use super::finding::Finding;
use aws_config::SdkConfig;
use bedrock_batch_domain::ids::Arn;
use bedrock_batch_engine::AwsFailure;

/// Account that the credentials belong to.
pub(super) struct Account {
    /// Its number.
    pub(super) id: String,
    /// Region of this session.
    pub(super) region: String,
}

/// Checks the credentials and the region; `None` without either.
pub(super) async fn examine(config: &SdkConfig, findings: &mut Vec<Finding>) -> Option<Account> {
    let region = config.region().map(ToString::to_string);
    findings.push(match &region {
        Some(region) => Finding::fine("region", region),
        None => Finding::wrong(
            "region",
            "none is set",
            "`export AWS_REGION=…`, or for the local stack `. .local/env` in the folder of the repository",
        ),
    });
    // STS needs a region as well.
    let region = region?;
    let identity = aws_sdk_sts::Client::new(config).get_caller_identity().send().await;
    match identity {
        Ok(identity) => {
            let id = identity.account().unwrap_or_default().to_owned();
            // The name of a session may be that of a person.
            let principal = identity.arn().and_then(Arn::parse).map(|arn| principal(arn.resource)).unwrap_or_default();
            findings.push(Finding::fine("credentials", format!("account {id}, {principal}")));
            Some(Account { id, region })
        }
        Err(error) => {
            let found = format!("sts:GetCallerIdentity: {}", AwsFailure::of(&error));
            findings.push(Finding::wrong("credentials", found, "log in (`aws sso login`), or set AWS_PROFILE"));
            None
        }
    }
}

/// Returns the kind and the name of the principal of an ARN's resource, without that of its session.
fn principal(resource: &str) -> String {
    let mut parts = resource.split('/');
    match (parts.next(), parts.next()) {
        (Some("assumed-role"), Some(role)) => format!("role {role}"),
        (Some(kind), Some(_)) => format!("{kind} {}", resource.rsplit('/').next().unwrap_or_default()),
        (first, _) => first.unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("assumed-role/Admin/ann@example.com", "role Admin")]
    #[case("user/division/ann", "user ann")]
    #[case("root", "root")]
    #[case("", "")]
    fn principals_are_named_without_their_session(#[case] resource: &str, #[case] expected: &str) {
        assert_eq!(principal(resource), expected);
    }
}
