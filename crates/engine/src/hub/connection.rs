//! HTTP client: the one that the AWS SDK is built on, with the same TLS library and the certificates of the system.

use super::retry_policy::RetryPolicy;
use crate::error::EngineError;
use bytes::Bytes;
use http_body_util::Empty;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::ring;
use std::time::Duration;

/// Client for requests without a body. It follows no redirects and uses no proxies.
pub(super) type HttpClient = Client<HttpsConnector<HttpConnector>, Empty<Bytes>>;

/// Time after which an idle connection is closed: less than the usual limits of servers.
const IDLE: Duration = Duration::from_secs(15);

/// Creates the client.
pub(super) fn client(policy: RetryPolicy) -> Result<HttpClient, EngineError> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(policy.connect_timeout));
    let tls = HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(ring::default_provider())
        .map_err(|error| EngineError::internal("cannot read the system's certificates").caused_by(error))?;
    let connector = tls.https_or_http().enable_http1().wrap_connector(tcp);
    let mut builder = Client::builder(TokioExecutor::new());
    builder.pool_idle_timeout(IDLE).pool_timer(TokioTimer::new());
    Ok(builder.build(connector))
}
