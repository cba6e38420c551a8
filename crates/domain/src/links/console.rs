//! Executions of Step Functions: their links into the AWS console, and the ARNs of sibling executions.

/// Returns the link to an execution in the console, or `None` for an ARN of another form or of a partition with an unknown
/// console.
pub fn execution_link(execution_arn: &str) -> Option<String> {
    let parts: Vec<&str> = execution_arn.split(':').collect();
    let &["arn", partition, "states", region, _, "execution", _, _] = parts.as_slice() else { return None };
    let host = match partition {
        "aws" => format!("{region}.console.aws.amazon.com"),
        "aws-cn" => format!("{region}.console.amazonaws.cn"),
        "aws-us-gov" => "console.amazonaws-us-gov.com".to_owned(),
        _ => return None,
    };
    Some(format!("https://{host}/states/home?region={region}#/v2/executions/details/{execution_arn}"))
}

/// Returns the ARN of the execution `name` of the batch orchestrator in the same stack as the pipeline orchestrator of
/// `pipeline_execution`.
pub fn sibling_execution(pipeline_execution: &str, name: &str) -> Option<String> {
    let (machine, _) = pipeline_execution.rsplit_once(':')?;
    let batch = machine.replace(":bedrock-pipeline-orchestrator", ":bedrock-batch-orchestrator");
    Some(format!("{batch}:{name}"))
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
        assert_eq!(execution_link(&arn), link);
    }

    #[test]
    fn other_arns_have_no_link() {
        assert_eq!(execution_link(""), None);
        assert_eq!(execution_link("arn:aws:states:eu-west-1:1:stateMachine:m"), None);
    }

    #[test]
    fn the_sibling_is_an_execution_of_the_batch_orchestrator() {
        let pipeline = "arn:aws:states:eu-west-1:1:execution:bedrock-pipeline-orchestrator-1:p";
        let stage = "arn:aws:states:eu-west-1:1:execution:bedrock-batch-orchestrator-1:p-0-00000000";
        assert_eq!(sibling_execution(pipeline, "p-0-00000000").as_deref(), Some(stage));
    }
}
