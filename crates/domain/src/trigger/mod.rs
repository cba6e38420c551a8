//! Uploads under `trigger/`: what an upload means, and the execution that it starts.

mod execution_name;
mod merge;
mod upload;

pub use execution_name::execution_name;
pub use merge::{MOST_INPUT_BYTES, is_pipeline, with_input};
pub use upload::{Meaning, Upload, error_key, meaning};
