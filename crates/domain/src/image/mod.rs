//! Images: their formats, recognized by their bytes, and the limits of models.
//!
//! Nothing is decoded. [`inspect`] walks the containers of the four formats that Bedrock's models accept only as far as
//! necessary: to the dimensions, and to the end, so that a truncated file is detected before it causes any cost.

mod container;
mod cursor;
mod exif;
mod gif;
mod inspect;
mod jpeg;
mod limits;
mod media_type;
mod other_formats;
mod png;
mod problem;
mod traits;
mod webp;

pub use inspect::{inspect, looks_like_image};
pub use limits::ImageLimits;
pub use media_type::MediaType;
pub use problem::ImageProblem;
pub use traits::ImageTraits;
