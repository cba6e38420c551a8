//! What tokens cost.

use serde::{Deserialize, Serialize};

/// US dollars per million tokens. See `models.toml` for where the figures are from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// Per million tokens read.
    pub input: f64,
    /// Per million tokens written; 0 for embeddings.
    pub output: f64,
}

impl Price {
    /// US dollars for so many tokens.
    pub fn cost_usd(self, input_tokens: u64, output_tokens: u64) -> f64 {
        (self.input * input_tokens as f64 + self.output * output_tokens as f64) / 1e6
    }
}
