//! S3 objects: the stack's bucket ([`Bucket`]), and objects as streams of bytes for code that reads and writes through
//! `std::io` on a blocking thread. [`ObjectSink`] has three implementations with the same promises: S3, a folder, memory.

mod block_reader;
mod blocking;
mod bucket;
mod folder;
mod listing;
mod memory;
mod range_reader;
mod read_ahead;
mod sink;
mod slow_requests;
mod small_object;
mod stream_reader;
mod upload;
mod whole_body;

pub use block_reader::{BlockReader, ChunkRead, RangeSource};
pub(crate) use blocking::blocking;
pub use bucket::Bucket;
pub use folder::{FolderSink, FolderWriter};
pub use listing::{ObjectMeta, Pages, head, list};
pub use memory::{MemorySink, MemoryWriter};
pub use range_reader::{ObjectRange, ObjectRangeReader};
pub use read_ahead::for_each_line_of;
pub use sink::{ClosableWrite, ObjectSink};
pub(crate) use slow_requests::slow;
pub use small_object::{SmallObject, read_small};
pub use stream_reader::StreamReader;
pub use upload::{ObjectWriter, Uploads};
