//! Blocking work on a separate thread.

use crate::error::EngineError;

/// Runs work that reads and writes through `std::io` on a thread that may block.
///
/// # Errors
/// Returns the error of `work`, or an error if its thread died.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
) -> Result<T, EngineError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(EngineError::died("a worker thread", error)))
}
