//! Images in S3: their listing as rows, and their bytes in the form that records contain.

mod fetch;
mod get;
mod listing;
mod place;

pub use fetch::{CONCURRENCY, ImageFetcher, Pending};
pub use get::FetchedImage;
pub use listing::{ImageCount, ImageRows, count, is_image_name};
pub use place::Buckets;
