//! What Bedrock's refusal of a request is about: the model, which another one may stand in for, or the record.

/// Errors that are about the model, whatever their message.
const ABOUT_THE_MODEL: [&str; 2] = ["AccessDeniedException", "ResourceNotFoundException"];

/// Words by which a `ValidationException` is about the model. They are not documented; these are the wordings of public
/// reports. Words that a refusal of a request's content may have as well ("not supported" alone) are not among them: a
/// refusal that is not understood concerns one record, and never costs a run its model.
const WORDS: [&str; 14] = [
    "model identifier is invalid",
    "model id is invalid",
    "on-demand throughput",
    "support the model that you provided",
    "the model is not supported",
    "the model isn't supported",
    "model is not supported in",
    "model isn't supported in",
    "model not found",
    "end of its life",
    "end of life",
    "marked by provider as legacy",
    "account is not authorized",
    "operation not allowed",
];

/// Whether Bedrock refuses the model itself as unavailable or not permitted, so that every request to it is refused.
pub fn refuses_model(error_code: &str, message: &str) -> bool {
    if ABOUT_THE_MODEL.contains(&error_code) {
        return true;
    }
    let message = message.to_lowercase().replace(['\u{2018}', '\u{2019}'], "'");
    error_code == "ValidationException" && WORDS.iter().any(|words| message.contains(words))
}

/// What a user can do about it.
pub const REMEDY: &str = "grant access to the model in this region, name an inference profile in inference_profile_arn, \
                          or another model in fallback_model_id";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("You don't have access to the model with the specified model ID.")]
    #[case("User: arn:aws:sts::1:assumed-role/x is not authorized to perform: bedrock:InvokeModel")]
    #[case("Access denied. This Model is marked by provider as Legacy")]
    fn denied_access_is_about_the_model(#[case] message: &str) {
        assert!(refuses_model("AccessDeniedException", message));
    }

    #[rstest]
    #[case("The provided model identifier is invalid.")]
    #[case("Invocation of model ID m with on-demand throughput isn\u{2019}t supported. Retry your request with the ID")]
    #[case("The provided model doesn't support on-demand throughput.")]
    #[case("This action doesn't support the model that you provided. Try again with a supported text or chat model.")]
    #[case("This model version has reached the end of its life. Please refer to the AWS documentation")]
    #[case("The model isn\u{2019}t supported in this Region.")]
    #[case("Operation not allowed")]
    #[case("Your account is not authorized to invoke this API operation.")]
    fn so_are_some_validation_errors(#[case] message: &str) {
        assert!(refuses_model("ValidationException", message));
        assert!(!refuses_model("ThrottlingException", message), "only what says that the request is wrong");
    }

    #[rstest]
    #[case("messages: text content blocks must be non-empty")]
    #[case("Malformed input request: #: extraneous key [temprature] is not permitted, please reformat your input")]
    #[case("`temperature` and `top_p` cannot both be specified for this model. Please use only one.")]
    #[case("prompt is too long: 205000 tokens > 200000 maximum")]
    #[case("Tool use with this model is not supported.")]
    #[case("This model doesn't support the image content block that you provided.")]
    #[case("The model returned the following errors: Input is too long for requested model.")]
    #[case("")]
    fn others_are_about_the_record(#[case] message: &str) {
        assert!(!refuses_model("ValidationException", message));
    }

    #[test]
    fn a_model_that_is_not_found_is_refused() {
        assert!(refuses_model("ResourceNotFoundException", "Model not found."));
    }

    proptest! {
        #[test]
        fn passing_faults_are_never_about_the_model(message in any::<String>(), code in "(Throttling|InternalServer|Model[A-Z][a-z]+)Exception") {
            prop_assert!(!refuses_model(&code, &message));
        }
    }
}
