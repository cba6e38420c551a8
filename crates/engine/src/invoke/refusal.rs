//! What a failed request means: for the record, for the model, or for the whole invocation.

use super::answer_line::RecordFailure;
use super::backoff;
use crate::error::{AwsFailure, EngineError, chain};
use aws_sdk_bedrockruntime::error::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bedrock_batch_domain::model::refuses_model;
use std::error::Error;
use std::time::Duration;

/// The status of a request that nobody answered in time.
pub(super) const TIMED_OUT: u16 = 408;
/// The status of a request that did not get through.
const UNREACHABLE: u16 = 503;

/// A failed request.
#[derive(Debug)]
pub(super) enum Refusal {
    /// May pass: to be sent again, no sooner than the server asks for.
    Passing(RecordFailure, Option<Duration>),
    /// This record is refused for good.
    Record(RecordFailure),
    /// The model is refused: the error's name and message.
    Model(String, String),
    /// We are refused: no other record would fare better.
    Caller(EngineError),
}

/// The status and headers of an answer, as far as they matter.
#[derive(Debug, Clone, Copy)]
struct Response<'a> {
    status: u16,
    retry_after: Option<&'a str>,
    code: &'a str,
    message: &'a str,
}

/// Reads a failure. `model_answers`: the model has answered other records.
pub(super) fn read<E>(error: &SdkError<E>, model_answers: bool) -> Refusal
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let unanswered = |error_code: u16| {
        let failure = RecordFailure { error_code, error_message: chain(error), retryable: true };
        Refusal::Passing(failure, None)
    };
    match error {
        SdkError::ServiceError(context) => {
            let (headers, service) = (context.raw().headers(), context.err());
            let response = Response {
                status: context.raw().status().as_u16(),
                retry_after: headers.get("retry-after"),
                code: service.code().unwrap_or_default(),
                message: service.message().unwrap_or_default(),
            };
            answered(response, model_answers)
        }
        SdkError::TimeoutError(_) => unanswered(TIMED_OUT),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => unanswered(TIMED_OUT),
        SdkError::ConstructionFailure(_) => {
            Refusal::Caller(EngineError::internal("cannot build a request to Bedrock").caused_by(chain(error)))
        }
        _ => unanswered(UNREACHABLE),
    }
}

fn answered(response: Response<'_>, model_answers: bool) -> Refusal {
    let Response { status, code, message, .. } = response;
    // A model that answers exists and is allowed: then what a request is refused for lies in the request.
    let of_the_record = model_answers && code == "ValidationException";
    if refuses_model(code, message) && !of_the_record {
        return Refusal::Model(code.to_owned(), message.to_owned());
    }
    let passes = matches!(status, 408 | 409 | 424 | 425 | 429 | 500..)
        || ["ThrottlingException", "ServiceQuotaExceededException"].contains(&code);
    let text = [code, message].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ");
    if !passes && matches!(status, 401 | 403) {
        let failure = AwsFailure { status: Some(status), code: code.to_owned(), message: message.to_owned() };
        return Refusal::Caller(EngineError::from_aws_failure(
            "bedrock:InvokeModel",
            "cannot invoke the model",
            failure,
        ));
    }
    // A quota comes as 400, which would tell later rounds that the record is refused for good.
    let error_code = if passes && status == 400 { 429 } else { status };
    let failure = RecordFailure { error_code, error_message: text, retryable: passes };
    if passes {
        Refusal::Passing(failure, response.retry_after.and_then(backoff::asked_for))
    } else {
        Refusal::Record(failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn meaning(status: u16, code: &str, message: &str, model_answers: bool) -> &'static str {
        match answered(Response { status, retry_after: None, code, message }, model_answers) {
            Refusal::Passing(failure, _) => {
                assert!(failure.retryable);
                "passing"
            }
            Refusal::Record(failure) => {
                assert!(!failure.retryable && failure.error_code == status);
                "record"
            }
            Refusal::Model(..) => "model",
            Refusal::Caller(_) => "caller",
        }
    }

    const INVALID_ID: &str = "The provided model identifier is invalid.";

    #[rstest]
    #[case(429, "ThrottlingException", "passing")]
    #[case(429, "ModelNotReadyException", "passing")]
    #[case(400, "ServiceQuotaExceededException", "passing")]
    #[case(408, "ModelTimeoutException", "passing")]
    #[case(424, "ModelErrorException", "passing")]
    #[case(500, "InternalServerException", "passing")]
    #[case(503, "ServiceUnavailableException", "passing")]
    #[case(502, "", "passing")]
    #[case(400, "ValidationException", "record")]
    #[case(413, "", "record")]
    #[case(403, "AccessDeniedException", "model")]
    #[case(404, "ResourceNotFoundException", "model")]
    #[case(403, "ExpiredTokenException", "caller")]
    #[case(403, "InvalidSignatureException", "caller")]
    fn each_error_has_its_meaning(#[case] status: u16, #[case] code: &str, #[case] expected: &str) {
        assert_eq!(meaning(status, code, "some message", false), expected);
    }

    #[test]
    fn a_model_that_has_answered_is_not_unavailable() {
        assert_eq!(meaning(400, "ValidationException", INVALID_ID, false), "model");
        assert_eq!(meaning(400, "ValidationException", INVALID_ID, true), "record");
        assert_eq!(meaning(403, "AccessDeniedException", "no", true), "model", "access can be taken away");
    }

    #[test]
    fn a_quota_is_no_refusal_of_the_record() {
        let response =
            Response { status: 400, retry_after: Some("7"), code: "ServiceQuotaExceededException", message: "" };
        let Refusal::Passing(failure, wait) = answered(response, false) else { panic!("it passes") };
        assert_eq!((failure.error_code, wait), (429, Some(Duration::from_secs(7))));
    }

    proptest! {
        #[test]
        fn what_asks_for_patience_is_sent_again(status in prop_oneof![Just(429u16), 500u16..600], message in any::<String>()) {
            prop_assert_eq!(meaning(status, "", &message, false), "passing");
        }
    }
}
