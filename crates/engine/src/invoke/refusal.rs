//! Classification of failed requests: whether they concern the record, the model, or the whole invocation.

use super::answer_line::RecordFailure;
use super::backoff;
use crate::error::{AwsFailure, EngineError, chain};
use aws_sdk_bedrockruntime::error::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bedrock_batch_domain::model::refuses_model;
use std::error::Error;
use std::time::Duration;

/// Status of a request that timed out.
pub(super) const TIMED_OUT: u16 = 408;
/// Status of a request that could not be delivered.
const UNREACHABLE: u16 = 503;

/// Failed request.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Transient failure, to be retried, no sooner than the server requests.
    Transient(RecordFailure, Option<Duration>),
    /// Permanent refusal of this record.
    Record(RecordFailure),
    /// Refusal of the model, with code and message.
    Model(String, String),
    /// Refusal of the caller, which would affect all other records too.
    Caller(EngineError),
}

/// Status, headers and error of a response, as far as they are read.
#[derive(Debug, Clone, Copy)]
struct Response<'a> {
    status: u16,
    retry_after: Option<&'a str>,
    code: &'a str,
    message: &'a str,
}

/// Classifies a failure. `model_answers` is true if the model has answered other records.
pub(super) fn read<E>(error: &SdkError<E>, model_answers: bool) -> Refusal
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let unanswered = |error_code: u16| {
        let failure = RecordFailure { error_code, error_message: chain(error), retryable: true };
        Refusal::Transient(failure, None)
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
    // A model that answers exists and is permitted, so that the reason for a refusal must be in the request.
    let concerns_record = model_answers && code == "ValidationException";
    if refuses_model(code, message) && !concerns_record {
        return Refusal::Model(code.to_owned(), message.to_owned());
    }
    let is_transient = matches!(status, 408 | 409 | 424 | 425 | 429 | 500..)
        || ["ThrottlingException", "ServiceQuotaExceededException"].contains(&code);
    let text = [code, message].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ");
    if !is_transient && matches!(status, 401 | 403) {
        let failure = AwsFailure { status: Some(status), code: code.to_owned(), message: message.to_owned() };
        return Refusal::Caller(EngineError::from_aws_failure(
            "bedrock:InvokeModel",
            "cannot invoke the model",
            failure,
        ));
    }
    // An exceeded quota has the status 400, which later rounds would take for a permanent refusal of the record.
    let error_code = if is_transient && status == 400 { 429 } else { status };
    let failure = RecordFailure { error_code, error_message: text, retryable: is_transient };
    if is_transient {
        Refusal::Transient(failure, response.retry_after.and_then(backoff::requested_wait))
    } else {
        Refusal::Record(failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn kind(status: u16, code: &str, message: &str, model_answers: bool) -> &'static str {
        match answered(Response { status, retry_after: None, code, message }, model_answers) {
            Refusal::Transient(failure, _) => {
                assert!(failure.retryable);
                "transient"
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
    #[case(429, "ThrottlingException", "transient")]
    #[case(429, "ModelNotReadyException", "transient")]
    #[case(400, "ServiceQuotaExceededException", "transient")]
    #[case(408, "ModelTimeoutException", "transient")]
    #[case(424, "ModelErrorException", "transient")]
    #[case(500, "InternalServerException", "transient")]
    #[case(503, "ServiceUnavailableException", "transient")]
    #[case(502, "", "transient")]
    #[case(400, "ValidationException", "record")]
    #[case(413, "", "record")]
    #[case(403, "AccessDeniedException", "model")]
    #[case(404, "ResourceNotFoundException", "model")]
    #[case(403, "ExpiredTokenException", "caller")]
    #[case(403, "InvalidSignatureException", "caller")]
    fn each_error_is_classified(#[case] status: u16, #[case] code: &str, #[case] expected: &str) {
        assert_eq!(kind(status, code, "some message", false), expected);
    }

    #[test]
    fn a_model_that_has_answered_is_not_unavailable() {
        assert_eq!(kind(400, "ValidationException", INVALID_ID, false), "model");
        assert_eq!(kind(400, "ValidationException", INVALID_ID, true), "record");
        assert_eq!(kind(403, "AccessDeniedException", "no", true), "model", "access can be revoked");
    }

    #[test]
    fn an_exceeded_quota_is_transient() {
        let response =
            Response { status: 400, retry_after: Some("7"), code: "ServiceQuotaExceededException", message: "" };
        let Refusal::Transient(failure, wait) = answered(response, false) else { panic!("it is transient") };
        assert_eq!((failure.error_code, wait), (429, Some(Duration::from_secs(7))));
    }

    proptest! {
        #[test]
        fn throttling_and_server_errors_are_transient(status in prop_oneof![Just(429u16), 500u16..600], message in any::<String>()) {
            prop_assert_eq!(kind(status, "", &message, false), "transient");
        }
    }
}
