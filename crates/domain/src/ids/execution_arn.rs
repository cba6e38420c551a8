//! ARNs of executions of Step Functions.

use super::name_of_text;
use crate::problem::Problem;
use serde::{Deserialize, Serialize};

/// ARN of an execution: `arn:<partition>:states:<region>:<account>:execution:<state machine>:<name>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ExecutionArn(String);

name_of_text!(ExecutionArn);

impl ExecutionArn {
    /// Parses the ARN of an execution.
    ///
    /// # Errors
    /// Returns a problem if the text has another form.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let parts: Vec<&str> = text.split(':').collect();
        match parts.as_slice() {
            ["arn", _, "states", _, _, "execution", machine, name] if !machine.is_empty() && !name.is_empty() => {
                Ok(Self(text.to_owned()))
            }
            _ => {
                let rule =
                    "is not the ARN of an execution: `arn:aws:states:<region>:<account>:execution:<machine>:<name>`";
                Err(Problem::new("the execution", text, rule).remedy("copy it from the Step Functions console"))
            }
        }
    }

    /// Returns a part of the ARN between colons, counted from 0. [`Self::parse`] has checked that there are eight.
    fn part(&self, at: usize) -> &str {
        self.0.split(':').nth(at).unwrap_or_default()
    }

    /// Returns the partition of AWS: `aws`, `aws-cn`, …
    pub fn partition(&self) -> &str {
        self.part(1)
    }

    /// Returns the region.
    pub fn region(&self) -> &str {
        self.part(3)
    }

    /// Returns the name of the state machine.
    pub fn state_machine(&self) -> &str {
        self.part(6)
    }

    /// Returns the name of the execution.
    pub fn name(&self) -> &str {
        self.part(7)
    }

    /// Returns the ARN of the execution with this name in the batch orchestrator that was deployed with the pipeline
    /// orchestrator of this execution.
    #[must_use]
    pub fn of_stage(&self, name: &str) -> Self {
        let (before, _) = self.0.rsplit_once(':').unwrap_or_default();
        let batch = before.replace(":bedrock-pipeline-orchestrator", ":bedrock-batch-orchestrator");
        Self(format!("{batch}:{name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const PIPELINE: &str = "arn:aws:states:eu-west-1:123456789012:execution:bedrock-pipeline-orchestrator-1:p";

    #[test]
    fn parts_are_those_of_the_arn() {
        let arn = ExecutionArn::parse(PIPELINE).unwrap();
        assert_eq!((arn.partition(), arn.region()), ("aws", "eu-west-1"));
        assert_eq!((arn.state_machine(), arn.name()), ("bedrock-pipeline-orchestrator-1", "p"));
        assert_eq!(serde_json::to_value(&arn).unwrap(), PIPELINE);
    }

    #[rstest]
    #[case("")]
    #[case("p")]
    #[case("arn:aws:states:eu-west-1:1:stateMachine:m")]
    #[case("arn:aws:states:eu-west-1:1:execution:m")]
    #[case("arn:aws:states:eu-west-1:1:execution:m:")]
    #[case("arn:aws:states:eu-west-1:1:express:m:name:0f9a")]
    fn other_texts_are_refused_with_value_rule_and_remedy(#[case] text: &str) {
        let problem = ExecutionArn::parse(text).unwrap_err().to_string();
        assert!(problem.contains(": is not the ARN of an execution: "), "{problem}");
        assert!(problem.contains("; copy it from"), "{problem}");
    }

    #[test]
    fn a_stage_is_an_execution_of_the_batch_orchestrator() {
        let stage = ExecutionArn::parse(PIPELINE).unwrap().of_stage("p-0-00000000");
        let expected = "arn:aws:states:eu-west-1:123456789012:execution:bedrock-batch-orchestrator-1:p-0-00000000";
        assert_eq!(stage.as_str(), expected);
        assert_eq!(ExecutionArn::parse(expected), Ok(stage));
    }
}
