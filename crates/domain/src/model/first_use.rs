//! First use of a model of another company than Amazon, which an administrator has to prepare once per account.

/// Words in Bedrock's messages about an account that is not subscribed to a model, or whose form about the use case is missing. They
/// are not documented; these are the wordings of public reports.
const WORDS: [&str; 4] = ["aws-marketplace:", "aws marketplace", "use case details", "use-case form"];

/// Remedy for the first use of a model.
const REMEDY: &str = "an administrator accepts the terms of the model once for this account, which takes effect within some 15 \
    minutes: docs/runbook.md, section `First use of a provider's models`";

/// Returns the remedy if Bedrock refuses a model because the account has not used it before.
pub fn first_use_remedy(message: &str) -> Option<&'static str> {
    let message = message.to_lowercase();
    WORDS.iter().any(|words| message.contains(words)).then_some(REMEDY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        "Model access is denied due to IAM user or service role is not authorized to perform the required AWS Marketplace actions \
        (aws-marketplace:ViewSubscriptions, aws-marketplace:Subscribe) to enable access to this model. If you recently fixed this \
        issue, try again after 5 minutes."
    )]
    #[case(
        "Model use case details have not been submitted for this account. Fill out the Anthropic use case details form before \
        using the model. If you have already filled out the form, try again in 15 minutes."
    )]
    #[case("You have not filled out the required use-case form for this model.")]
    fn the_first_use_has_a_remedy_of_its_own(#[case] message: &str) {
        assert!(first_use_remedy(message).is_some_and(|remedy| remedy.contains("docs/runbook.md")));
    }

    #[rstest]
    #[case("You don't have access to the model with the specified model ID.")]
    #[case("")]
    fn other_refusals_have_not(#[case] message: &str) {
        assert_eq!(first_use_remedy(message), None);
    }
}
