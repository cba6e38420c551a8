//! Prices of tokens and images.

use super::CachedTokens;
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
    /// Price per million input tokens that are read from the cache of prompts; else derived from `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<f64>,
    /// Price per million input tokens that are written to it; else derived from `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<f64>,
}

/// Prices of cached tokens relative to `input`, unless they are given: those of Claude models.
const CACHE_READ_SHARE: f64 = 0.1;
const CACHE_WRITE_SHARE: f64 = 1.25;

impl Price {
    /// Creates a price without a separate price for images.
    pub const fn of_tokens(input: f64, output: f64) -> Self {
        Self { input, output, image: None, cache_read: None, cache_write: None }
    }

    /// Multiplies the price by a factor.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        let times = |price: Option<f64>| price.map(|price| price * factor);
        Self {
            input: self.input * factor,
            output: self.output * factor,
            image: times(self.image),
            cache_read: times(self.cache_read),
            cache_write: times(self.cache_write),
        }
    }

    /// Returns the cost of tokens and images in US dollars. If a model has no price for images, its tokens include them.
    pub fn cost_usd(self, input_tokens: u64, output_tokens: u64, images: u64) -> f64 {
        let tokens = (self.input * input_tokens as f64 + self.output * output_tokens as f64) / 1e6;
        tokens + self.image.unwrap_or(0.0) * images as f64
    }

    /// Returns the difference in US dollars that cached tokens make to a cost that has them as input tokens: negative if more
    /// was read from the cache than written to it.
    pub fn cache_difference_usd(self, cached: CachedTokens) -> f64 {
        let read = self.cache_read.unwrap_or(self.input * CACHE_READ_SHARE);
        let write = self.cache_write.unwrap_or(self.input * CACHE_WRITE_SHARE);
        ((read - self.input) * cached.read as f64 + (write - self.input) * cached.written as f64) / 1e6
    }
}
