//! S3 objects as streams of bytes, for code that reads and writes through `std::io` on a blocking thread.

mod block_reader;
mod json;
mod listing;
mod read_ahead;
mod stream_reader;
mod upload;

pub use block_reader::ObjectChunks;
pub use json::{get_json, put_json};
pub use listing::{Found, Pages, head, list};
pub use read_ahead::for_each_line_of;
pub use stream_reader::StreamReader;
pub use upload::{ObjectWriter, Uploads};

use bytes::Bytes;
use std::io::{self, Write};

/// Somewhere to write objects to: S3, or a folder for benchmarks and tests.
pub trait ObjectSink {
    /// A writer of one object.
    type Writer: ClosableWrite;

    /// Begins the object `key`.
    ///
    /// # Errors
    /// When it cannot be written to.
    fn create(&self, key: &str) -> io::Result<Self::Writer>;
}

/// A writer whose object exists only once it is closed: half an object is never seen.
pub trait ClosableWrite: Write + Send {
    /// Completes the object.
    ///
    /// # Errors
    /// When the last bytes cannot be written.
    fn close(self) -> io::Result<()>;
}

/// A piece of an object, on its way.
type Piece = io::Result<Bytes>;
