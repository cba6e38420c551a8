//! Images in S3 and in rows: their listing as rows, and their bytes in the form that records contain.

mod address_hint;
mod cell;
mod fetch;
mod get;
mod listing;
mod place;
mod sniff;

pub use cell::{ImageCell, ImageColumn};
pub use fetch::{CONCURRENCY, ImageFetcher, Pending};
pub use get::FetchedImage;
pub use listing::{ImageCount, ImageRows, ObjectKind, count, is_image_name};
pub use place::Buckets;
pub use sniff::FIRST_BYTES;
