//! Input tokens in Bedrock's cache of prompts.

use serde::{Deserialize, Serialize};

/// Numbers of input tokens that were read from the cache, or written to it. They are among the input tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CachedTokens {
    /// Tokens read from the cache.
    #[serde(rename = "cache_read_input_tokens", default, skip_serializing_if = "is_zero")]
    pub read: u64,
    /// Tokens written to the cache.
    #[serde(rename = "cache_write_input_tokens", default, skip_serializing_if = "is_zero")]
    pub written: u64,
}

impl CachedTokens {
    /// Creates the numbers as a model reports them.
    pub(super) fn reported(read: Option<u64>, written: Option<u64>) -> Self {
        Self { read: read.unwrap_or(0), written: written.unwrap_or(0) }
    }

    /// Returns both together.
    pub fn total(self) -> u64 {
        self.read.saturating_add(self.written)
    }

    /// Adds `more`.
    pub fn add(&mut self, more: Self) {
        self.read = self.read.saturating_add(more.read);
        self.written = self.written.saturating_add(more.written);
    }
}

fn is_zero<T: Default + PartialEq>(number: &T) -> bool {
    *number == T::default()
}
