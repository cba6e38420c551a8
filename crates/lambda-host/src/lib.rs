//! Common parts of the Lambda binaries: logging, the environment, and errors under their contract names.

mod execution_status;
mod inputs;
mod panics;
mod settings;

pub use bedrock_batch_domain::contract::environment;
pub use execution_status::ExecutionStatusChange;
pub use inputs::{deployment, input_reader};
pub use settings::{bucket, optional, required};

use bedrock_batch_engine::EngineError;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::{Instant, SystemTime};

/// Serves invocations until the execution environment is shut down. Logs are JSON lines on stdout; payloads are never
/// logged.
///
/// # Errors
/// Returns an error if the Lambda runtime cannot be reached.
pub async fn serve<I, O, F>(use_case: impl Fn(I) -> F) -> Result<(), Error>
where
    I: DeserializeOwned + Send + 'static,
    O: Serialize + Send + 'static,
    F: Future<Output = Result<O, EngineError>> + Send + 'static,
{
    serve_until(|input, _| use_case(input)).await
}

/// Serves invocations like [`serve`], for use cases that need to know their deadline.
///
/// # Errors
/// Returns an error if the Lambda runtime cannot be reached.
pub async fn serve_until<I, O, F>(use_case: impl Fn(I, Instant) -> F) -> Result<(), Error>
where
    I: DeserializeOwned + Send + 'static,
    O: Serialize + Send + 'static,
    F: Future<Output = Result<O, EngineError>> + Send + 'static,
{
    lambda_runtime::run(service_fn(move |event: LambdaEvent<I>| {
        let left = event.context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
        // Boxed: the runtime wraps the future in layers whose types would exceed the compiler's limits.
        let answer = Box::pin(panics::caught(use_case(event.payload, Instant::now() + left)));
        async move { answer.await.map_err(|error| diagnostic(&error)) }
    }))
    .await
}

/// Sets up logging; to be called first.
pub fn log_as_json() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    // The runtime would log full error messages, which may contain the user's data: they belong in the execution, not in
    // a log. Its own span contains only the request id.
    let filter = match "lambda_runtime::layers=off".parse() {
        Ok(silent) => filter.add_directive(silent),
        Err(_) => filter,
    };
    tracing_subscriber::fmt().json().with_env_filter(filter).with_current_span(true).with_ansi(false).init();
}

/// Converts an error to the form that Step Functions sees: Retry and Catch match on `errorType`.
fn diagnostic(error: &EngineError) -> Diagnostic {
    tracing::error!(error_type = error.name(), "invocation_failed");
    Diagnostic { error_type: error.name().to_owned(), error_message: error.message() }
}
