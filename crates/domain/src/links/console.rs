//! Links of executions into the AWS console.

use crate::ids::ExecutionArn;

/// Returns the link to an execution in the console, or `None` for a partition with an unknown console.
pub fn execution_link(execution_arn: &ExecutionArn) -> Option<String> {
    let region = execution_arn.region();
    let host = match execution_arn.partition() {
        "aws" => format!("{region}.console.aws.amazon.com"),
        "aws-cn" => format!("{region}.console.amazonaws.cn"),
        "aws-us-gov" => "console.amazonaws-us-gov.com".to_owned(),
        _ => return None,
    };
    Some(format!("https://{host}/states/home?region={region}#/v2/executions/details/{execution_arn}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("aws", "eu-west-1", Some("https://eu-west-1.console.aws.amazon.com/"))]
    #[case("aws-cn", "cn-north-1", Some("https://cn-north-1.console.amazonaws.cn/"))]
    #[case("aws-us-gov", "us-gov-west-1", Some("https://console.amazonaws-us-gov.com/"))]
    #[case("aws-iso", "us-iso-east-1", None)]
    fn every_partition_has_its_own_console(#[case] partition: &str, #[case] region: &str, #[case] host: Option<&str>) {
        let arn = format!("arn:{partition}:states:{region}:1:execution:machine:name");
        let link = host.map(|host| format!("{host}states/home?region={region}#/v2/executions/details/{arn}"));
        assert_eq!(execution_link(&arn.parse().unwrap()), link);
    }
}
