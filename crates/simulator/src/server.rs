//! The process: listens, prints its address, and ends on a signal.

use std::io::Write;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::options::Options;
use crate::simulator::{SetupError, Simulator};

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// Returns an error if the simulator cannot be set up, or the address cannot be bound.
pub async fn run(options: Options) -> Result<(), SetupError> {
    require_own_endpoint("S3")?;
    require_own_endpoint("EVENTBRIDGE")?;
    let aws = bedrock_batch_aws::sdk_config().await;
    let simulator = Arc::new(Simulator::new(&options, &aws)?);
    let listening = |error: std::io::Error| SetupError(format!("--listen {}: {error}", options.listen));
    let listener = TcpListener::bind(options.listen).await.map_err(listening)?;
    let address = listener.local_addr().map_err(listening)?;
    if let Some(path) = &options.port_file {
        std::fs::write(path, address.port().to_string())
            .map_err(|error| SetupError(format!("--port-file {}: {error}", path.display())))?;
    }
    let mut stdout = std::io::stdout();
    // The parent process may have stopped reading, which is no reason to stop.
    let _ = writeln!(stdout, "listening on http://{address}").and_then(|()| stdout.flush());
    let signals = |error: std::io::Error| SetupError(format!("cannot wait for signals: {error}"));
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate()).map_err(signals)?, signal(SignalKind::interrupt()).map_err(signals)?);
    let told_to_end = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    let app = crate::router(Arc::clone(&simulator));
    let served = tokio::select! {
        served = async { axum::serve(listener, app).await } => served,
        () = told_to_end => Ok(()),
    };
    simulator.reset();
    served.map_err(|error| SetupError(format!("serving ended: {error}")))
}

/// Without an endpoint of its own, S3 and EventBridge would be the real ones.
fn require_own_endpoint(service: &str) -> Result<(), SetupError> {
    let own = ["AWS_ENDPOINT_URL".to_owned(), format!("AWS_ENDPOINT_URL_{service}")];
    if own.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty())) {
        return Ok(());
    }
    Err(SetupError(format!(
        "set AWS_ENDPOINT_URL to the local stack ({service}): this is never run against AWS itself"
    )))
}
