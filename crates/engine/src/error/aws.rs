//! Errors of AWS calls, classified by their codes.

use super::{AwsOperation, EngineError, chain};
use aws_sdk_s3::error::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bedrock_batch_domain::printable;
use std::error::Error;
use std::fmt;

/// Reference to the runbook's section about denied calls, for messages.
const REMEDY: &str = "docs/runbook.md, section `AccessDenied`, says whose role needs what";

/// Fragments of the codes of throttled requests.
const THROTTLED: [&str; 5] =
    ["Throttl", "TooManyRequests", "SlowDown", "ProvisionedThroughputExceeded", "RequestLimit"];

/// Codes about outdated credentials. The role may still have the permission: a later attempt has a new session, or the
/// correct time (a Lambda function that was frozen signs with an old one). On a user's machine nothing is retried anyway.
const STALE_CREDENTIALS: [&str; 7] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidSignatureException",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
];

/// Codes about permissions: of the caller, of the caller for a key, or of credentials that AWS does not know at all. Although
/// a change in IAM may take seconds, these are not retried: each missing permission would delay a run by minutes.
const DENIED: [&str; 14] = [
    "AccessDenied",
    "AccessDeniedException",
    "AccountProblem",
    "AllAccessDisabled",
    "AuthorizationError",
    "AuthorizationErrorException",
    "DecryptionFailure",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "UnauthorizedOperation",
    "UnrecognizedClientException",
];

/// Codes of KMS for a key that cannot be used, without the prefix `KMS` or `Kms` that other services add.
const KEY_UNUSABLE: [&str; 5] = ["AccessDenied", "Disabled", "InvalidState", "NotFound", "OptInRequired"];

/// Codes of invalid requests, and of missing resources that belong to the stack. Codes in none of the lists are treated as
/// transient: unnecessary attempts cost minutes, a missing attempt costs a run.
const INVALID_REQUEST: [&str; 16] = [
    "EntityTooLarge",
    "InvalidArgument",
    "InvalidArn",
    "InvalidName",
    "InvalidParameter",
    "InvalidParameterException",
    "InvalidParameterValue",
    "InvalidRequest",
    "KeyTooLongError",
    "MalformedXML",
    "NoSuchBucket",
    "ResourceNotFoundException",
    "SerializationException",
    "StateMachineDoesNotExist",
    "ValidationError",
    "ValidationException",
];

/// Words of IAM before the action that is denied, and the maximum length of its name.
const BEFORE_ACTION: &str = "not authorized to perform: ";
const MAX_ACTION_BYTES: usize = 100;

/// Maximum number of characters of a message of AWS, which may quote what it was sent.
const MAX_MESSAGE_CHARS: usize = 4000;

/// Response of AWS to a failed call: the source of an [`EngineError`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AwsFailure {
    /// Status of the response, if there was one.
    pub status: Option<u16>,
    /// AWS's error code; empty if there was no response, or one without a body.
    pub code: String,
    /// AWS's message, or the SDK's if there was no response.
    pub message: String,
}

impl fmt::Display for AwsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = if self.code.is_empty() { "" } else { ": " };
        let (code, message) =
            (printable::error_name(&self.code), printable::shortened(&self.message, MAX_MESSAGE_CHARS));
        write!(f, "{code}{separator}{message}")
    }
}

impl Error for AwsFailure {}

impl AwsFailure {
    /// Extracts the failure from the SDK's error.
    pub fn of<E: ProvideErrorMetadata + Error + 'static>(error: &SdkError<E>) -> Self {
        Self {
            status: error.raw_response().map(|response| response.status().as_u16()),
            code: error.code().unwrap_or_default().to_owned(),
            // The SDK's own text is just "service error" or "dispatch failure": the details are in its sources.
            message: error.message().map_or_else(|| chain(error), str::to_owned),
        }
    }

    fn is_one_of(&self, codes: &[&str]) -> bool {
        codes.contains(&self.code.as_str())
    }

    /// Returns the action that AWS's message names: a call may need others than its own, such as `iam:PassRole` or `kms:Decrypt`.
    fn denied_action(&self) -> Option<&str> {
        let action = self.message.split_once(BEFORE_ACTION)?.1.split_whitespace().next()?;
        let is_name =
            |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let (service, name) = action.split_once(':')?;
        (action.len() <= MAX_ACTION_BYTES && is_name(service) && is_name(name)).then_some(action)
    }

    fn is_denied(&self) -> bool {
        let of_a_key = self.code.starts_with("KMS") || self.code.starts_with("Kms");
        self.is_one_of(&DENIED)
            || (of_a_key && KEY_UNUSABLE.iter().any(|word| self.code.contains(word)))
            // A denied HEAD has no body, and so no code.
            || (self.status.is_some_and(|status| matches!(status, 401 | 403)) && !self.is_one_of(&STALE_CREDENTIALS))
    }
}

impl EngineError {
    /// Creates the error of a failed AWS call, whose kind depends on AWS's error code. `context` describes the call and names
    /// the resource.
    pub fn from_aws<E: AwsOperation>(context: impl AsRef<str>, error: &SdkError<E>) -> Self {
        if matches!(error, SdkError::ConstructionFailure(_)) {
            // The request was never sent: a parameter is missing or invalid.
            return Self::internal(context.as_ref()).caused_by(AwsFailure::of(error));
        }
        Self::from_aws_failure(E::ACTION, context, AwsFailure::of(error))
    }

    /// Creates the error of a failure that was already extracted; `action` is the IAM action of the call.
    pub fn from_aws_failure(action: &str, context: impl AsRef<str>, failure: AwsFailure) -> Self {
        let context = context.as_ref();
        let error = if THROTTLED.iter().any(|word| failure.code.contains(word)) {
            Self::throttled(context)
        } else if failure.is_denied() {
            let action = failure.denied_action().unwrap_or(action);
            Self::access_denied(format!("{context}: `{action}` is denied; {REMEDY}"))
        } else if failure.is_one_of(&INVALID_REQUEST) {
            Self::internal(context)
        } else if failure.code == "NoSuchKey" {
            Self::corrupt(context)
        } else {
            Self::transient(context)
        };
        error.caused_by(failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_s3::config::http::HttpResponse;
    use aws_sdk_s3::error::ErrorMetadata;
    use aws_sdk_s3::operation::head_object::HeadObjectError;
    use aws_sdk_s3::primitives::SdkBody;
    use rstest::rstest;

    fn failure(status: u16, code: &str) -> AwsFailure {
        AwsFailure { status: Some(status), code: code.to_owned(), message: "words of AWS".to_owned() }
    }

    fn name(status: u16, code: &str) -> &'static str {
        EngineError::from_aws_failure("s3:GetObject", "cannot read s3://b/k", failure(status, code)).name()
    }

    #[rstest]
    #[case(503, "SlowDown", "Throttled")]
    #[case(400, "ThrottlingException", "Throttled")]
    #[case(400, "ProvisionedThroughputExceededException", "Throttled")]
    #[case(400, "KmsThrottlingException", "Throttled")]
    #[case(500, "InternalError", "Transient")]
    #[case(503, "", "Transient")]
    #[case(412, "PreconditionFailed", "Transient")]
    #[case(400, "RequestTimeout", "Transient")]
    #[case(400, "ExpiredToken", "Transient")]
    #[case(403, "ExpiredTokenException", "Transient")]
    #[case(403, "RequestTimeTooSkewed", "Transient")]
    #[case(400, "SomethingNew", "Transient")]
    #[case(403, "AccessDenied", "AccessDenied")]
    #[case(400, "AccessDeniedException", "AccessDenied")]
    #[case(400, "UnrecognizedClientException", "AccessDenied")]
    #[case(400, "KmsAccessDeniedException", "AccessDenied")]
    #[case(400, "KMS.DisabledException", "AccessDenied")]
    #[case(403, "AuthorizationError", "AccessDenied")]
    #[case(400, "DecryptionFailure", "AccessDenied")]
    #[case(403, "", "AccessDenied")]
    #[case(404, "NoSuchKey", "Corrupt")]
    #[case(404, "NoSuchBucket", "Internal")]
    #[case(400, "ResourceNotFoundException", "Internal")]
    #[case(400, "ValidationException", "Internal")]
    fn the_code_decides_the_kind(#[case] status: u16, #[case] code: &str, #[case] expected: &str) {
        assert_eq!(name(status, code), expected);
    }

    #[test]
    fn a_call_without_a_response_is_transient() {
        let lost = AwsFailure { message: "dispatch failure: connection reset".to_owned(), ..AwsFailure::default() };
        let error = EngineError::from_aws_failure("s3:GetObject", "cannot read s3://b/k", lost);
        assert_eq!(
            (error.name(), error.message().as_str()),
            ("Transient", "cannot read s3://b/k: dispatch failure: connection reset")
        );
    }

    #[test]
    fn a_denied_call_names_action_resource_and_where_the_remedy_is() {
        let error = EngineError::from_aws_failure("s3:GetObject", "cannot read s3://b/k", failure(403, "AccessDenied"));
        assert_eq!(
            error.message(),
            "cannot read s3://b/k: `s3:GetObject` is denied; docs/runbook.md, section `AccessDenied`, says whose role \
             needs what: AccessDenied: words of AWS"
        );
    }

    #[rstest]
    #[case::other_action(
        "User: u is not authorized to perform: iam:PassRole on resource: r because no policy",
        "iam:PassRole"
    )]
    #[case::of_a_key(
        "User: u is not authorized to perform: kms:GenerateDataKey on the resource",
        "kms:GenerateDataKey"
    )]
    #[case::no_action("Access Denied", "s3:PutObject")]
    #[case::other_words("User: u is not authorized to perform: `rm -rf`", "s3:PutObject")]
    #[case::cut_off("User: u is not authorized to perform: ", "s3:PutObject")]
    fn the_action_is_that_of_the_message_if_it_names_one(#[case] message: &str, #[case] expected: &str) {
        let failure = AwsFailure { message: message.to_owned(), ..failure(403, "AccessDenied") };
        let message = EngineError::from_aws_failure("s3:PutObject", "cannot write s3://b/k", failure).message();
        assert!(message.starts_with(&format!("cannot write s3://b/k: `{expected}` is denied; ")), "{message}");
    }

    fn sdk_error(status: u16, metadata: ErrorMetadata) -> SdkError<HeadObjectError> {
        let response = HttpResponse::new(status.try_into().unwrap(), SdkBody::empty());
        SdkError::service_error(HeadObjectError::generic(metadata), response)
    }

    #[test]
    fn a_denied_head_request_without_a_code_is_recognized() {
        let error = EngineError::from_aws("cannot read s3://b/k", &sdk_error(403, ErrorMetadata::builder().build()));
        assert_eq!(error.name(), "AccessDenied", "{error:#}");
        assert!(error.to_string().contains("cannot read s3://b/k: `s3:GetObject` is denied"), "{error}");
    }

    #[test]
    fn the_source_of_an_error_is_the_response_of_aws() {
        let metadata = ErrorMetadata::builder().code("SlowDown").message("Reduce your request rate.").build();
        let error = EngineError::from_aws("cannot read s3://b/k", &sdk_error(503, metadata));
        let source = error.source().unwrap().downcast_ref::<AwsFailure>().unwrap();
        assert_eq!((error.name(), source.status, source.code.as_str()), ("Throttled", Some(503), "SlowDown"));
        assert_eq!(error.message(), "cannot read s3://b/k: SlowDown: Reduce your request rate.");
    }

    #[test]
    fn an_unsent_request_is_a_bug_and_a_lost_one_is_transient() {
        let name = |error: &SdkError<HeadObjectError>| EngineError::from_aws("cannot read s3://b/k", error).name();
        assert_eq!(name(&SdkError::construction_failure("the bucket is missing")), "Internal");
        assert_eq!(name(&SdkError::timeout_error("no answer within 5 s")), "Transient");
    }
}
