//! Images: what they are by their bytes, and whether a model takes them.
//!
//! Nothing is decoded. [`inspect`] walks the containers of the four formats that Bedrock's models take as far as it needs
//! to: to the dimensions, and to the end, so that a file that was cut off is found before anybody pays for it.

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

/// What the walk through a file found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Size {
    width: u32,
    height: u32,
}

/// Why a file cannot be walked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// It ends before its format says so.
    CutOff,
    /// It contradicts its format: what is wrong.
    Broken(&'static str),
}
