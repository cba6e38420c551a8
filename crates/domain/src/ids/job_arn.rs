//! ARNs of batch jobs of Bedrock.

use super::{Arn, name_of_text};
use crate::problem::Problem;
use serde::{Deserialize, Serialize};

/// ARN of a batch job: `arn:<partition>:bedrock:<region>:<account>:model-invocation-job/<id>`.
///
/// Ids have 12 lower-case letters and digits (response of `CreateModelInvocationJob`, Bedrock API Reference). Their length
/// is not checked: it decides nothing here, and another one must not end runs whose jobs are paid for. Their characters are,
/// since the id is a part of keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JobArn(String);

name_of_text!(JobArn);

impl JobArn {
    /// Reads the ARN of a job.
    ///
    /// # Errors
    /// Returns a problem if the text has another form.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let id = Arn::resource_of(text, "bedrock", "model-invocation-job/");
        if id.is_some_and(|id| !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric())) {
            return Ok(Self(text.to_owned()));
        }
        let rule = "is not the ARN of a batch job: `arn:aws:bedrock:<region>:<account>:model-invocation-job/<id>`";
        Err(Problem::new("the batch job", text, rule).remedy("copy it from the Bedrock console"))
    }

    /// Id of the job, which names the folder of its answers.
    pub fn id(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn the_id_is_the_end_of_the_arn() {
        let text = "arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:model-invocation-job/abcdefghwxyz";
        let arn: JobArn = serde_json::from_value(text.into()).unwrap();
        assert_eq!(arn.id(), "abcdefghwxyz");
        assert_eq!(serde_json::to_value(&arn).unwrap(), text);
    }

    #[rstest]
    #[case("")]
    #[case("abcdefghwxyz")]
    #[case("arn:aws:bedrock:eu-west-1:1:model-invocation-job/")]
    #[case("arn:aws:bedrock:eu-west-1:1:model-invocation-job/a/b")]
    #[case("arn:aws:bedrock:eu-west-1:1:model-invocation-job/..")]
    #[case("arn:aws:bedrock:eu-west-1:1:foundation-model/abc")]
    #[case("arn:aws:states:eu-west-1:1:model-invocation-job/abc")]
    fn other_texts_are_refused_with_value_rule_and_remedy(#[case] text: &str) {
        let problem = JobArn::parse(text).unwrap_err().to_string();
        assert!(problem.contains(": is not the ARN of a batch job: "), "{problem}");
        assert!(problem.contains("; copy it from"), "{problem}");
    }
}
