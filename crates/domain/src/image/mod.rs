//! Images: their formats, recognized by their bytes, and the limits of models.
//!
//! Nothing is decoded. [`inspect`] walks the containers of the four formats that Bedrock's models accept only as far as
//! necessary: to the dimensions, and to the end, so that a truncated file is detected before it causes any cost.

mod cursor;
mod gif;
mod inspect;
mod jpeg;
mod limits;
mod media_type;
mod other_formats;
mod png;
mod problem;
mod webp;

pub use inspect::inspect;
pub use limits::ImageLimits;
pub use media_type::MediaType;
pub use problem::ImageProblem;

/// Dimensions found by the walk through a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Size {
    width: u32,
    height: u32,
}

/// Reason why a file cannot be walked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The file ends before the end of its format.
    CutOff,
    /// The file violates its format, with a description.
    Broken(&'static str),
}
