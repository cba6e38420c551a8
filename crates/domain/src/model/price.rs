//! What tokens cost.

use serde::{Deserialize, Serialize};

/// US dollars per million tokens, and per image where a model counts images. See `models.toml` for where the figures are from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// Per million tokens read.
    pub input: f64,
    /// Per million tokens written; 0 for embeddings.
    pub output: f64,
    /// Per image read, of models whose tokens do not include images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<f64>,
}

impl Price {
    /// A price of tokens alone.
    pub const fn of_tokens(input: f64, output: f64) -> Self {
        Self { input, output, image: None }
    }

    /// So many times this price.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self { input: self.input * factor, output: self.output * factor, image: self.image.map(|image| image * factor) }
    }

    /// US dollars for so many tokens and images. Where a model has no price of images, they are in its tokens.
    pub fn cost_usd(self, input_tokens: u64, output_tokens: u64, images: u64) -> f64 {
        let tokens = (self.input * input_tokens as f64 + self.output * output_tokens as f64) / 1e6;
        tokens + self.image.unwrap_or(0.0) * images as f64
    }
}
