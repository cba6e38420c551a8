//! The parts of an ARN.

use crate::printable::is_hidden;
use std::fmt;

/// Parts of an ARN, `arn:<partition>:<service>:<region>:<account>:<resource>`, as the AWS General Reference has them ("Amazon
/// Resource Names"). Region and account are empty for some services; the resource may contain further colons and slashes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Arn<'a> {
    /// Partition of AWS: `aws`, `aws-cn`, …
    pub partition: &'a str,
    /// Service: `states`, `bedrock`, …
    pub service: &'a str,
    /// Region, or nothing.
    pub region: &'a str,
    /// Account, or nothing.
    pub account: &'a str,
    /// Resource, in the form of the service.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Splits an ARN into its parts; returns `None` if the text is not an ARN. One with hidden characters is not: ARNs
    /// of events are shown in logs and emails.
    pub fn parse(text: &'a str) -> Option<Self> {
        if text.contains(is_hidden) {
            return None;
        }
        let mut parts = text.strip_prefix("arn:")?.splitn(5, ':');
        let mut next = || parts.next();
        let arn = Self { partition: next()?, service: next()?, region: next()?, account: next()?, resource: next()? };
        (![arn.partition, arn.service, arn.resource].contains(&"")).then_some(arn)
    }

    /// Returns what follows `kind` in the resource of an ARN of `service`; `None` if the text is not such an ARN.
    pub(super) fn resource_of(text: &'a str, service: &str, kind: &str) -> Option<&'a str> {
        Self::parse(text).filter(|arn| arn.service == service)?.resource.strip_prefix(kind)
    }
}

impl fmt::Display for Arn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, service, region, account, resource } = self;
        write!(f, "arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("arn:aws:states:eu-west-1:123456789012:execution:m:n", ["aws", "states", "eu-west-1", "123456789012", "execution:m:n"])]
    #[case("arn:aws:bedrock:us-east-1::foundation-model/m-v1:0", ["aws", "bedrock", "us-east-1", "", "foundation-model/m-v1:0"])]
    #[case("arn:aws:s3:::bucket/key", ["aws", "s3", "", "", "bucket/key"])]
    fn an_arn_is_split_into_its_parts(#[case] text: &str, #[case] parts: [&str; 5]) {
        let [partition, service, region, account, resource] = parts;
        assert_eq!(Arn::parse(text), Some(Arn { partition, service, region, account, resource }));
    }

    #[rstest]
    #[case("")]
    #[case("arn")]
    #[case("arn:aws:s3::")]
    #[case("arn:aws:s3:::")]
    #[case("arn:::::x")]
    #[case("ARN:aws:s3:::bucket")]
    #[case("s3://bucket/key")]
    #[case::delete("arn:aws:states:eu-west-1:1:execution:m\u{7f}achine:n")]
    #[case::line("arn:aws:states:eu-west-1\n:1:execution:m:n")]
    #[case::direction("arn:aws:bedrock:eu-west-1:\u{202e}1:model-invocation-job/a")]
    fn other_texts_are_not_arns(#[case] text: &str) {
        assert_eq!(Arn::parse(text), None);
    }
}
