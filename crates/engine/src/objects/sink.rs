//! Interface of destinations of objects, with its promises.

use std::io::{self, Write};

/// Destination of objects: S3, or a folder or memory for benchmarks and tests.
pub trait ObjectSink {
    /// Writer of one object.
    type Writer: ClosableWrite;

    /// Starts writing the object `key`.
    ///
    /// # Errors
    /// Returns an error if the object cannot be created.
    fn create(&self, key: &str) -> io::Result<Self::Writer>;
}

/// Writer whose object exists only once it is closed: an incomplete object is never visible.
pub trait ClosableWrite: Write + Send {
    /// Completes the object.
    ///
    /// # Errors
    /// Returns an error if the last bytes cannot be written.
    fn close(self) -> io::Result<()>;
}
