//! Images in S3: which there are, as rows, and their bytes, as records hold them.

mod fetch;
mod get;
mod listing;
mod place;

pub use fetch::{CONCURRENCY, ImageFetcher, Pending};
pub use get::FetchedImage;
pub use listing::{ImageCount, ImageRows, count, is_image_name};
pub use place::Buckets;
