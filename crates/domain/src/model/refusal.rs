//! Classification of Bedrock's refusals: of the model, which another model may replace, or of a single record.

/// Error codes that always concern the model.
const MODEL_ERROR_CODES: [&str; 2] = ["AccessDeniedException", "ResourceNotFoundException"];

/// Phrases by which a `ValidationException` concerns the model. They are not documented; these are the wordings of public
/// reports. Phrases that also occur in refusals of a request's content ("not supported" alone) are not included: an unknown
/// refusal is attributed to one record, so that a run never loses its model because of it.
const MODEL_ERROR_PHRASES: [&str; 14] = [
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

/// Returns true if Bedrock refuses the model itself as unavailable or not permitted, and so every request to it.
pub fn refuses_model(error_code: &str, message: &str) -> bool {
    if MODEL_ERROR_CODES.contains(&error_code) {
        return true;
    }
    let message = message.to_lowercase().replace(['\u{2018}', '\u{2019}'], "'");
    error_code == "ValidationException" && MODEL_ERROR_PHRASES.iter().any(|phrase| message.contains(phrase))
}

/// Remedy for a refused model.
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
    fn access_errors_concern_the_model(#[case] message: &str) {
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
    fn some_validation_errors_concern_the_model(#[case] message: &str) {
        assert!(refuses_model("ValidationException", message));
        assert!(!refuses_model("ThrottlingException", message), "only errors that reject the request");
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
    fn other_validation_errors_concern_the_record(#[case] message: &str) {
        assert!(!refuses_model("ValidationException", message));
    }

    #[test]
    fn a_missing_model_is_refused() {
        assert!(refuses_model("ResourceNotFoundException", "Model not found."));
    }

    proptest! {
        #[test]
        fn transient_faults_never_concern_the_model(message in any::<String>(), code in "(Throttling|InternalServer|Model[A-Z][a-z]+)Exception") {
            prop_assert!(!refuses_model(&code, &message));
        }
    }
}
