//! Common parts of the Lambda binaries: logging, the environment, and errors under their contract names.

mod execution_status;
mod inputs;
mod log_lines;
#[cfg(test)]
mod memory_writer;
mod metric_lines;
mod panics;
mod settings;
mod traces;

pub use bedrock_batch_domain::contract::environment;
pub use execution_status::ExecutionStatusChange;
pub use inputs::{deployment, input_reader};
pub use settings::{bucket, names, optional, required};

use bedrock_batch_domain::problem::Problem;
use bedrock_batch_engine::EngineError;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use log_lines::LogLines;
use metric_lines::{MetricLines, is_metric};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::time::{Instant, SystemTime};
use traces::Traced;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

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
    serve_invocations(|input, _, _| use_case(input)).await
}

/// Serves invocations like [`serve`], for use cases that need the id of the request, which all attempts of Lambda at one
/// asynchronous invocation share.
///
/// # Errors
/// Returns an error if the Lambda runtime cannot be reached.
pub async fn serve_identified<I, O, F>(use_case: impl Fn(I, String) -> F) -> Result<(), Error>
where
    I: DeserializeOwned + Send + 'static,
    O: Serialize + Send + 'static,
    F: Future<Output = Result<O, EngineError>> + Send + 'static,
{
    serve_invocations(|input, _, request_id| use_case(input, request_id)).await
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
    serve_invocations(|input, deadline, _| use_case(input, deadline)).await
}

async fn serve_invocations<I, O, F>(use_case: impl Fn(I, Instant, String) -> F) -> Result<(), Error>
where
    I: DeserializeOwned + Send + 'static,
    O: Serialize + Send + 'static,
    F: Future<Output = Result<O, EngineError>> + Send + 'static,
{
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        let left = event.context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
        // Boxed: the runtime wraps the future in layers whose types would exceed the compiler's limits.
        let request_id = event.context.request_id;
        let traced = Traced::begin(event.context.xray_trace_id.as_deref(), event.payload.get());
        let answer = read_event(event.payload.get())
            .map(|input| Box::pin(panics::caught(use_case(input, Instant::now() + left, request_id))));
        async move {
            let answer = match answer {
                Ok(answer) => answer.await,
                Err(invalid) => Err(invalid),
            };
            if let Some(traced) = traced {
                traced.end(answer.is_err());
            }
            answer.map_err(|error| diagnostic(&error))
        }
    }))
    .await
}

/// Reads the event of an invocation. The Lambda runtime would name an error after a Rust type, which no state machine knows.
/// The event is read from its text, since a JSON value has lost the order of members, which means something in a prompt.
fn read_event<I: DeserializeOwned>(event: &str) -> Result<I, EngineError> {
    serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(event)).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { "the event".to_owned() } else { format!("the event's field {path}") };
        Problem::without_value(field, error.into_inner().to_string()).into()
    })
}

/// Sets up logging; to be called first.
pub fn log_as_json() {
    // The default would print the message of a panic as it is, and it may quote the user's data. The error has the message.
    std::panic::set_hook(Box::new(|panic| {
        tracing::error!(location = panic.location().map(tracing::field::display), "function_panicked");
    }));
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    // The runtime would log full error messages, which may contain the user's data: they belong in the execution, not in
    // a log. Its own span contains only the request id.
    let filter = match "lambda_runtime::layers=off".parse() {
        Ok(silent) => filter.add_directive(silent),
        Err(_) => filter,
    };
    let lines = tracing_subscriber::fmt::layer().json().with_current_span(true).with_ansi(false);
    let lines =
        lines.with_writer(LogLines::stdout).with_filter(filter).with_filter(filter_fn(|about| !is_metric(about)));
    let namespace: Option<String> = optional(environment::METRICS_NAMESPACE).ok().flatten();
    let metrics = namespace.map(|namespace| MetricLines::new(namespace, LogLines::stdout));
    tracing_subscriber::registry().with(lines).with(metrics).init();
}

/// Converts an error to the form that Step Functions sees: Retry and Catch match on `errorType`.
fn diagnostic(error: &EngineError) -> Diagnostic {
    tracing::error!(error_type = error.name(), "invocation_failed");
    Diagnostic { error_type: error.name().to_owned(), error_message: error.message() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bedrock_batch_domain::ids::RunId;

    #[test]
    fn an_event_with_an_invalid_name_is_an_invalid_input_that_says_what_to_do() {
        assert_eq!(read_event::<RunId>("\"tickets-1\"").unwrap().as_str(), "tickets-1");
        let error = read_event::<RunId>("\"a b\"").unwrap_err();
        assert_eq!(error.name(), "InvalidInput");
        let message = error.message();
        assert!(message.starts_with("the event: the run id is `a b`: is not a valid run id: "), "{message}");
        assert!(message.contains("; copy it from"), "{message}");
    }

    #[test]
    fn an_event_with_a_field_of_another_type_names_the_field() {
        #[derive(Debug, serde::Deserialize)]
        #[expect(dead_code, reason = "only reading it matters")]
        struct Event {
            job: Job,
        }
        #[derive(Debug, serde::Deserialize)]
        #[expect(dead_code, reason = "only reading it matters")]
        struct Job {
            records: u32,
        }
        let message = read_event::<Event>(r#"{"job": {"records": "x"}}"#).unwrap_err().message();
        assert!(message.starts_with("the event's field job.records: invalid type: "), "{message}");
    }

    #[test]
    fn members_are_read_in_the_order_of_the_text() {
        #[derive(serde::Deserialize)]
        struct Input {
            #[serde(deserialize_with = "bedrock_batch_domain::input::deserialize_input")]
            input: serde_json::Value,
        }
        let event = r#"{"input": {"prompt": {"output_schema": {"fields": {"b": "$.b", "a": "$.a"}}}}}"#;
        let read = read_event::<Input>(event).unwrap().input;
        assert_eq!(read["prompt"]["output_schema"]["fields"], serde_json::json!([["b", "$.b"], ["a", "$.a"]]));
    }
}
