//! Gate that lets the requests of concurrent functions through one by one, in an order that the test chooses.

use tokio::sync::{mpsc, oneshot};

/// Fate of a request, and of the function that sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The request is performed, and answered.
    Perform,
    /// The function dies before the request is performed.
    DieBefore,
    /// The function dies after the request was performed, without its response.
    DieAfter,
}

/// Gate, as the services see it.
#[derive(Debug, Clone)]
pub(crate) struct Gate(mpsc::UnboundedSender<(usize, oneshot::Sender<Decision>)>);

impl Gate {
    /// Creates a gate, and the receiver of the requests that wait at it.
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<(usize, oneshot::Sender<Decision>)>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    /// Waits for the decision about a request of this function.
    pub(crate) async fn pass(&self, function: usize) -> Decision {
        let (sender, receiver) = oneshot::channel();
        self.0.send((function, sender)).unwrap();
        receiver.await.unwrap_or(Decision::DieBefore)
    }
}
