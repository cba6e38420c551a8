//! Values of the fields that a payload leaves out.

/// Defaults of one deployment.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassifierDefaults {
    /// Model.
    pub model_id: String,
    /// Number of reports per file of answered rows.
    pub batch_size: u32,
    /// Maximum number of concurrent requests on demand.
    pub max_workers: u32,
    /// Maximum number of requests on demand per second.
    pub rate_limit: f64,
}
