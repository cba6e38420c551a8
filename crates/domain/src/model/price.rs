//! Prices of tokens and images.

use serde::{Deserialize, Serialize};

/// Price in US dollars per million tokens, and per image if a model counts images. See `models.toml` for the sources of the
/// figures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// Price per million input tokens.
    pub input: f64,
    /// Price per million output tokens; 0 for embeddings.
    pub output: f64,
    /// Price per input image, for models whose tokens do not include images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<f64>,
}

impl Price {
    /// Creates a price without a separate price for images.
    pub const fn of_tokens(input: f64, output: f64) -> Self {
        Self { input, output, image: None }
    }

    /// Multiplies the price by a factor.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self { input: self.input * factor, output: self.output * factor, image: self.image.map(|image| image * factor) }
    }

    /// Returns the cost of tokens and images in US dollars. If a model has no price for images, its tokens include them.
    pub fn cost_usd(self, input_tokens: u64, output_tokens: u64, images: u64) -> f64 {
        let tokens = (self.input * input_tokens as f64 + self.output * output_tokens as f64) / 1e6;
        tokens + self.image.unwrap_or(0.0) * images as f64
    }
}
