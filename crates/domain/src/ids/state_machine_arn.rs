//! ARNs of state machines of Step Functions.

use super::{Arn, ExecutionArn, name_of_text};
use crate::problem::Problem;
use serde::{Deserialize, Serialize};

/// ARN of a state machine: `arn:<partition>:states:<region>:<account>:stateMachine:<name>` (Step Functions Developer Guide).
/// ARNs of versions and aliases, which have a further part, are not accepted: executions are found by the name alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StateMachineArn(String);

name_of_text!(StateMachineArn);

impl StateMachineArn {
    /// Reads the ARN of a state machine.
    ///
    /// # Errors
    /// Returns a problem if the text has another form.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let name = Arn::resource_of(text, "states", "stateMachine:");
        if name.is_some_and(|name| !name.is_empty() && !name.contains(':')) {
            return Ok(Self(text.to_owned()));
        }
        let rule = "is not the ARN of a state machine: `arn:aws:states:<region>:<account>:stateMachine:<name>`";
        Err(Problem::new("the state machine", text, rule).remedy("copy it from the outputs of the stack"))
    }

    /// Makes the ARN of a state machine of its parts.
    ///
    /// # Errors
    /// Returns a problem if they do not make an ARN.
    pub fn of_parts(partition: &str, region: &str, account: &str, name: &str) -> Result<Self, Problem> {
        Self::parse(&format!("arn:{partition}:states:{region}:{account}:stateMachine:{name}"))
    }

    /// Parts of the ARN, whose form was checked.
    fn parts(&self) -> Arn<'_> {
        Arn::parse(&self.0).unwrap_or_default()
    }

    /// Partition of AWS: `aws`, `aws-cn`, …
    pub fn partition(&self) -> &str {
        self.parts().partition
    }

    /// Region.
    pub fn region(&self) -> &str {
        self.parts().region
    }

    /// Account.
    pub fn account(&self) -> &str {
        self.parts().account
    }

    /// Name of the state machine.
    pub fn name(&self) -> &str {
        self.parts().resource.split(':').nth(1).unwrap_or_default()
    }

    /// Returns the ARN of its execution of this name.
    ///
    /// # Errors
    /// Returns a problem if no execution can have this name.
    pub fn execution(&self, name: &str) -> Result<ExecutionArn, Problem> {
        let (partition, region, account, machine) = (self.partition(), self.region(), self.account(), self.name());
        ExecutionArn::parse(&format!("arn:{partition}:states:{region}:{account}:execution:{machine}:{name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const MACHINE: &str = "arn:aws-cn:states:cn-north-1:123456789012:stateMachine:bedrock-batch-orchestrator-1";

    #[test]
    fn parts_are_those_of_the_arn() {
        let arn = StateMachineArn::parse(MACHINE).unwrap();
        assert_eq!((arn.partition(), arn.region(), arn.account()), ("aws-cn", "cn-north-1", "123456789012"));
        assert_eq!(arn.name(), "bedrock-batch-orchestrator-1");
        let again = StateMachineArn::of_parts(arn.partition(), arn.region(), arn.account(), arn.name());
        assert_eq!(again, Ok(arn));
    }

    #[test]
    fn an_execution_is_named_beside_its_machine() {
        let arn = StateMachineArn::parse(MACHINE).unwrap();
        let expected = "arn:aws-cn:states:cn-north-1:123456789012:execution:bedrock-batch-orchestrator-1:tickets-1";
        assert_eq!(arn.execution("tickets-1").unwrap().as_str(), expected);
        assert!(arn.execution("a:b").is_err() && arn.execution("").is_err());
    }

    #[rstest]
    #[case("")]
    #[case("bedrock-batch-orchestrator-1")]
    #[case("arn:aws:states:eu-west-1:1:stateMachine:")]
    #[case("arn:aws:states:eu-west-1:1:stateMachine:m:PROD")]
    #[case("arn:aws:states:eu-west-1:1:execution:m:n")]
    fn other_texts_are_refused_with_value_rule_and_remedy(#[case] text: &str) {
        let problem = StateMachineArn::parse(text).unwrap_err().to_string();
        assert!(problem.contains(": is not the ARN of a state machine: "), "{problem}");
        assert!(problem.contains("; copy it from"), "{problem}");
    }
}
