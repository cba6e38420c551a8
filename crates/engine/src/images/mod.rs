//! Placeholder to be replaced on merge.
use crate::error::EngineError;
/// A fetched image.
#[derive(Debug)]
pub struct FetchedImage {
    /// Type.
    pub media_type: bedrock_batch_domain::image::MediaType,
    /// Base64.
    pub base64: String,
    /// SHA-256 of the bytes.
    pub digest: [u8; 32],
}
/// Why there is none.
#[derive(Debug)]
pub struct NotFetched {
    /// For counting.
    pub reason: String,
    /// For `error`.
    pub text: String,
}
/// Fetches.
#[derive(Debug)]
pub struct ImageFetcher;
/// Being fetched.
#[derive(Debug)]
pub struct Pending;
impl ImageFetcher {
    /// Starts.
    pub fn start(&self, _cells: Vec<Option<String>>) -> Pending {
        Pending
    }
}
impl Pending {
    /// Waits.
    ///
    /// # Errors
    /// As S3 fails.
    pub fn wait(self) -> Result<Vec<Result<FetchedImage, NotFetched>>, EngineError> {
        Ok(Vec::new())
    }
}
/// Rows of images.
pub struct ImageRows;
/// What lies under a prefix.
pub struct Listing {
    /// Images.
    pub images: u64,
    /// Others.
    pub ignored: u64,
}
use arrow_schema::SchemaRef;
use aws_sdk_s3::Client;
use bedrock_batch_domain::s3_uri::S3Uri;
use tokio::runtime::Handle;
impl ImageRows {
    /// Columns.
    pub fn schema() -> SchemaRef {
        std::sync::Arc::new(arrow_schema::Schema::empty())
    }
    /// New.
    pub fn new(_: &Handle, _: &Client, _: &S3Uri) -> Self {
        Self
    }
}
impl Iterator for ImageRows {
    type Item = Result<arrow_array::RecordBatch, EngineError>;
    fn next(&mut self) -> Option<Self::Item> {
        None
    }
}
/// Counts.
///
/// # Errors
/// As S3 fails.
pub fn count_images(_: &Handle, _: &Client, _: &S3Uri) -> Result<Listing, EngineError> {
    Ok(Listing { images: 0, ignored: 0 })
}
