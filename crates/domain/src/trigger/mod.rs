//! Uploads under `trigger/`: the action for an upload, and the execution that it starts.

mod execution_name;
mod merge;
mod slots;
mod upload;

pub use execution_name::execution_name;
pub use merge::{MAX_INPUT_BYTES, is_pipeline, with_input};
pub use slots::{SlotState, UploadSlots, has_ended};
pub use upload::{Upload, UploadAction, action_for, error_key};
