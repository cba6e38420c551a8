//! Options of both ways to preprocess.

use std::path::PathBuf;

/// The prompt, and the limits of a chunk.
#[derive(Debug, clap::Args)]
pub(crate) struct SharedOptions {
    /// Prompt template
    #[arg(long, default_value = "prompt-templates/sentiment_classifier.toml")]
    pub(crate) template: PathBuf,
    /// Maximum number of records in a chunk
    #[arg(long, default_value_t = 100_000)]
    pub(crate) max_records_per_job: u32,
}
