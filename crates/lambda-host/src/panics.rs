//! Panics of use cases, as errors under a contract name.

use bedrock_batch_engine::EngineError;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// Runs a use case; a panic becomes an error of kind `Internal`, which no state machine retries. The Lambda runtime catches
/// panics too, but names them after a Rust type, which says nothing to the reader of an execution.
pub(crate) async fn caught<T>(use_case: impl Future<Output = Result<T, EngineError>>) -> Result<T, EngineError> {
    let mut use_case = pin!(use_case);
    std::future::poll_fn(move |context| {
        // After a panic the future is never polled again, so that nothing sees a state that was left half changed.
        let polled = catch_unwind(AssertUnwindSafe(|| use_case.as_mut().poll(context)));
        polled.unwrap_or_else(|panic| Poll::Ready(Err(error_of(panic.as_ref()))))
    })
    .await
}

fn error_of(panic: &(dyn Any + Send)) -> EngineError {
    let literal = panic.downcast_ref::<&str>().copied();
    let message = literal.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message");
    EngineError::internal(format!("the function panicked: {message}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_internal_error_with_its_message() {
        let error = caught(async { if true { panic!("row {} is gone", 7) } else { Ok(()) } }).await.unwrap_err();
        assert_eq!((error.name(), error.message().as_str()), ("Internal", "the function panicked: row 7 is gone"));
    }

    #[tokio::test]
    async fn a_use_case_that_does_not_panic_is_left_alone() {
        assert_eq!(caught(async { Ok(1) }).await.unwrap(), 1);
        let error = caught::<()>(async { Err(EngineError::transient("S3 is away")) }).await.unwrap_err();
        assert_eq!(error.name(), "Transient");
    }
}
