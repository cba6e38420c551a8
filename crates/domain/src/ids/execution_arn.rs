//! ARNs of executions of Step Functions.

use super::{Arn, name_of_text};
use crate::problem::Problem;
use serde::{Deserialize, Serialize};

/// Maximum number of characters of the name of an execution.
const MAX_NAME_CHARS: usize = 80;

/// ARN of an execution: `arn:<partition>:states:<region>:<account>:execution:<state machine>:<name>`.
///
/// The name is one that `StartExecution` takes: 1 to 80 characters, without white space, control characters and
/// `<>{}[]?*"#%\^|~$&,;:/` and backquotes (Step Functions API Reference). The other parts are not checked further: the state
/// machine of a child of a Distributed Map has a slash in its name.
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
        let execution = Arn::resource_of(text, "states", "execution:").and_then(|resource| resource.split_once(':'));
        if execution.is_some_and(|(machine, name)| !machine.is_empty() && is_execution_name(name)) {
            return Ok(Self(text.to_owned()));
        }
        let rule = "is not the ARN of an execution: `arn:aws:states:<region>:<account>:execution:<machine>:<name>`";
        Err(Problem::new("the execution", text, rule).remedy("copy it from the Step Functions console"))
    }

    /// Parts of the ARN, whose form was checked.
    fn parts(&self) -> Arn<'_> {
        Arn::parse(&self.0).unwrap_or_default()
    }

    /// Returns the partition of AWS: `aws`, `aws-cn`, …
    pub fn partition(&self) -> &str {
        self.parts().partition
    }

    /// Returns the region.
    pub fn region(&self) -> &str {
        self.parts().region
    }

    /// Returns the name of the state machine.
    pub fn state_machine(&self) -> &str {
        self.parts().resource.split(':').nth(1).unwrap_or_default()
    }

    /// Returns the name of the execution.
    pub fn name(&self) -> &str {
        self.parts().resource.split(':').nth(2).unwrap_or_default()
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

fn is_execution_name(text: &str) -> bool {
    let fits = |c: char| !c.is_whitespace() && !c.is_control() && !"<>{}[]?*\"#%\\^|~`$&,;:/".contains(c);
    (1..=MAX_NAME_CHARS).contains(&text.chars().count()) && text.chars().all(fits)
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
    #[case("arn:aws:states:eu-west-1:1:execution:m:orders+of=2026@home.ü")]
    #[case("arn:aws-cn:states:cn-north-1:1:execution:m/Jobs:0a1b2c3d-0000-0000-0000-000000000000")]
    fn executions_of_any_name_and_children_of_maps_are_read(#[case] text: &str) {
        assert_eq!(ExecutionArn::parse(text).unwrap().as_str(), text);
    }

    #[rstest]
    #[case("")]
    #[case("p")]
    #[case("arn:aws:states:eu-west-1:1:stateMachine:m")]
    #[case("arn:aws:states:eu-west-1:1:execution:m")]
    #[case("arn:aws:states:eu-west-1:1:execution:m:")]
    #[case("arn:aws:states:eu-west-1:1:execution::n")]
    #[case("arn:aws:states:eu-west-1:1:execution:m:a b")]
    #[case("arn:aws:states:eu-west-1:1:execution:m:a/b")]
    #[case("arn:aws:states:eu-west-1:1:express:m:name:0f9a")]
    #[case("arn:aws:lambda:eu-west-1:1:execution:m:n")]
    fn other_texts_are_refused_with_value_rule_and_remedy(#[case] text: &str) {
        let problem = ExecutionArn::parse(text).unwrap_err().to_string();
        assert!(problem.contains(": is not the ARN of an execution: "), "{problem}");
        assert!(problem.contains("; copy it from"), "{problem}");
    }

    #[test]
    fn names_have_80_characters_at_most() {
        let named = |length| ExecutionArn::parse(&format!("arn:aws:states:r:1:execution:m:{}", "ü".repeat(length)));
        assert!(named(80).is_ok() && named(81).is_err());
    }

    #[test]
    fn a_stage_is_an_execution_of_the_batch_orchestrator() {
        let stage = ExecutionArn::parse(PIPELINE).unwrap().of_stage("p-0-00000000");
        let expected = "arn:aws:states:eu-west-1:123456789012:execution:bedrock-batch-orchestrator-1:p-0-00000000";
        assert_eq!(stage.as_str(), expected);
        assert_eq!(ExecutionArn::parse(expected), Ok(stage));
    }
}
