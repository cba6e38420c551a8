//! Failures of calls, which end no run.

use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// Reason why a call has no answer, in a word.
pub(super) type Failure = String;

/// Returns the code of a failed call. Messages are left out: they name accounts and roles.
pub(super) fn code_of(error: &impl ProvideErrorMetadata) -> Failure {
    error.code().unwrap_or("no answer").to_owned()
}
