//! Names of a deployed stack, as `infra/lib/settings/names.ts` makes them: of a stage, or of the deployment without one.

use bedrock_batch_domain::ids::StateMachineArn;
use bedrock_batch_domain::problem::Problem;

const STACK: &str = "BedrockBatchOrchestratorStack";
const BATCH: &str = "bedrock-batch-orchestrator";
const PIPELINE: &str = "bedrock-pipeline-orchestrator";

/// Maximum number of characters of a stage.
const MAX_STAGE_CHARS: usize = 12;

/// Name of a deployment: lowercase letters, digits and single hyphens, the context key `stage`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stage(String);

impl Stage {
    /// Reads a stage.
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        let is_part = |part: &str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        let begins_well = text.starts_with(|c: char| c.is_ascii_lowercase());
        if begins_well && text.len() <= MAX_STAGE_CHARS && text.split('-').all(is_part) {
            return Ok(Self(text.to_owned()));
        }
        let rule = "must have 1 to 12 lowercase letters, digits and single hyphens, and begin with a letter";
        Err(Problem::new("the stage", text, rule).remedy("name it as its deployment does, with `-c stage=…`"))
    }

    /// The stage as text.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns the name of the whole stack of a stage, or of the deployment without one.
pub(super) fn cloudformation_stack(stage: Option<&Stage>) -> String {
    stage.map_or_else(|| STACK.to_owned(), |stage| format!("{STACK}-{}", stage.as_str()))
}

/// Returns the ARN of the batch orchestrator of a stage, or of the deployment without one.
pub(super) fn batch_orchestrator(
    partition: &str,
    region: &str,
    account: &str,
    stage: Option<&Stage>,
) -> Result<StateMachineArn, Problem> {
    let name = match stage {
        Some(stage) => format!("{BATCH}-{}-{region}-{account}", stage.as_str()),
        None => format!("{BATCH}-{account}"),
    };
    StateMachineArn::of_parts(partition, region, account, &name)
}

/// Returns the ARN of the pipeline orchestrator that was deployed with a batch orchestrator.
pub(super) fn pipeline_orchestrator_beside(batch: &StateMachineArn) -> Result<StateMachineArn, Problem> {
    let name = match batch.name().strip_prefix(BATCH) {
        Some(rest) => format!("{PIPELINE}{rest}"),
        None => format!("{PIPELINE}-{}", batch.account()),
    };
    StateMachineArn::of_parts(batch.partition(), batch.region(), batch.account(), &name)
}

/// Returns the name of the bucket that was deployed with a batch orchestrator.
pub(super) fn bucket_beside(batch: &StateMachineArn, account: &str) -> String {
    match stage_of(batch) {
        Some(stage) => format!("bedrock-batch-{stage}-{account}-{}-an", batch.region()),
        None => format!("batch-inference-bucket-{account}"),
    }
}

/// Returns the stage in the name of a batch orchestrator.
fn stage_of(batch: &StateMachineArn) -> Option<&str> {
    let end = format!("-{}-{}", batch.region(), batch.account());
    batch.name().strip_prefix(BATCH)?.strip_prefix('-')?.strip_suffix(&end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const ACCOUNT: &str = "123456789012";

    fn arn(name: &str) -> StateMachineArn {
        format!("arn:aws:states:eu-west-1:{ACCOUNT}:stateMachine:{name}").parse().unwrap()
    }

    #[rstest]
    #[case::without_a_stage(
        None,
        "bedrock-batch-orchestrator-123456789012",
        "bedrock-pipeline-orchestrator-123456789012",
        "batch-inference-bucket-123456789012"
    )]
    #[case::of_a_stage(
        Some("dev-2"),
        "bedrock-batch-orchestrator-dev-2-eu-west-1-123456789012",
        "bedrock-pipeline-orchestrator-dev-2-eu-west-1-123456789012",
        "bedrock-batch-dev-2-123456789012-eu-west-1-an"
    )]
    fn names_are_those_of_the_template(
        #[case] stage: Option<&str>,
        #[case] batch: &str,
        #[case] pipeline: &str,
        #[case] bucket: &str,
    ) {
        let stage = stage.map(|stage| Stage::parse(stage).unwrap());
        let machine = batch_orchestrator("aws", "eu-west-1", ACCOUNT, stage.as_ref()).unwrap();
        assert_eq!(machine, arn(batch));
        assert_eq!(pipeline_orchestrator_beside(&machine).unwrap(), arn(pipeline));
        assert_eq!(bucket_beside(&machine, ACCOUNT), bucket);
    }

    #[test]
    fn a_stage_is_a_stack_of_its_own() {
        assert_eq!(cloudformation_stack(None), "BedrockBatchOrchestratorStack");
        let stage = Stage::parse("dev-2").unwrap();
        assert_eq!(cloudformation_stack(Some(&stage)), "BedrockBatchOrchestratorStack-dev-2");
    }

    #[test]
    fn a_state_machine_of_another_name_has_the_default_bucket_and_pipelines() {
        let other = arn("my-own");
        assert_eq!(pipeline_orchestrator_beside(&other).unwrap(), arn("bedrock-pipeline-orchestrator-123456789012"));
        assert_eq!(bucket_beside(&other, ACCOUNT), "batch-inference-bucket-123456789012");
    }

    #[rstest]
    #[case("")]
    #[case("Dev")]
    #[case("1dev")]
    #[case("dev-")]
    #[case("a--b")]
    #[case("thirteenchars")]
    #[case("d\u{e9}v")]
    fn a_text_that_is_no_stage_is_refused(#[case] text: &str) {
        Stage::parse(text).unwrap_err();
    }
}
