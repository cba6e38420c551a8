//! Server that accepts every connection and then is silent: before it responds, or in the middle of a body.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Server of one object, for any request.
#[derive(Debug, Clone)]
pub(crate) struct SilentServer {
    /// Content of the object; `None` if the server never responds.
    object: Option<Arc<Vec<u8>>>,
    /// Number of responses that stop in the middle.
    halves: u32,
    requests: Arc<AtomicU32>,
}

impl SilentServer {
    /// Creates a server that never responds.
    pub(crate) fn mute() -> Self {
        Self { object: None, halves: 0, requests: Arc::default() }
    }

    /// Creates a server whose first `halves` responses stop after half of what is requested of `object`.
    pub(crate) fn stopping(object: &[u8], halves: u32) -> Self {
        Self { object: Some(Arc::new(object.to_vec())), halves, requests: Arc::default() }
    }

    /// Returns the number of requests so far.
    pub(crate) fn requests(&self) -> u32 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Starts the server and returns its URL.
    pub(crate) async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = self.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let server = server.clone();
                tokio::spawn(async move { server.answer(connection).await });
            }
        });
        format!("http://{address}")
    }

    async fn answer(&self, mut connection: TcpStream) {
        let mut request = Vec::new();
        while !request.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
            match connection.read_buf(&mut request).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        if let Some(object) = &self.object {
            let body = &object[first_byte(&String::from_utf8_lossy(&request))..];
            let head = format!("HTTP/1.1 200 OK\r\netag: e\r\ncontent-length: {}\r\n\r\n", body.len());
            let sent = if number < self.halves { &body[..body.len() / 2] } else { body };
            let _ = connection.write_all(&[head.as_bytes(), sent].concat()).await;
        }
        // The connection stays open without another byte.
        std::future::pending::<()>().await;
    }
}

/// Returns the position of the first byte of the range that a request names.
fn first_byte(request: &str) -> usize {
    let range = request.lines().find_map(|line| line.strip_prefix("range: bytes="));
    range.and_then(|range| range.split('-').next()?.parse().ok()).unwrap_or(0)
}
