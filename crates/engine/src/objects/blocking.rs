//! Work on a thread of its own.

use crate::error::EngineError;

/// Runs work that reads and writes through `std::io` on a thread where it may block.
///
/// # Errors
/// Returns the error of `work`, or one that says that its thread died.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
) -> Result<T, EngineError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(EngineError::died("a worker thread", error)))
}
