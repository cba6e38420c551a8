//! The promises of whatever objects are written to.

use std::io::{self, Write};

/// Destination of objects: S3, or a folder or memory for benchmarks and tests.
pub trait ObjectSink {
    /// A writer of one object.
    type Writer: ClosableWrite;

    /// Begins the object `key`.
    ///
    /// # Errors
    /// Returns an error if the object cannot be begun.
    fn create(&self, key: &str) -> io::Result<Self::Writer>;
}

/// A writer whose object exists only once it is closed: half an object is never seen.
pub trait ClosableWrite: Write + Send {
    /// Completes the object.
    ///
    /// # Errors
    /// Returns an error if the last bytes cannot be written.
    fn close(self) -> io::Result<()>;
}
