//! Size limits of images.

use crate::model::Family;

/// Limits of a model family for one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageLimits {
    /// Maximum size of the file in bytes.
    pub max_bytes: u64,
    /// Maximum number of pixels of the longer side; `None` if no limit is known.
    pub max_side: Option<u32>,
}

/// 3.75 MB. Bedrock's documentation does not specify whether that is 3,750,000 or 3.75 × 2^20 bytes, nor whether it is
/// before or after base64; the smaller number before base64 is assumed, since it corresponds to 5 MB of base64.
const MAX_CLAUDE_BYTES: u64 = 3_750_000;
const MAX_CLAUDE_SIDE: u32 = 8_000;
/// Three quarters of Nova's limit, which is 25 MB of inline payload including base64. The text sent with the image is
/// counted when the size of the whole record is checked.
const MAX_NOVA_BYTES: u64 = 25_000_000 / 4 * 3;
const MAX_NOVA_SIDE: u32 = 8_000;
/// The smaller of 25 MB and 5 MB: the model's documentation has stated both.
const MAX_TITAN_BYTES: u64 = 5_000_000;

impl ImageLimits {
    /// Returns the limits of a family. The documentation of Converse has the same limits as Anthropic's.
    pub fn of(family: Family) -> Self {
        let (max_bytes, max_side) = match family {
            Family::AnthropicMessages | Family::Converse => (MAX_CLAUDE_BYTES, Some(MAX_CLAUDE_SIDE)),
            Family::Nova => (MAX_NOVA_BYTES, Some(MAX_NOVA_SIDE)),
            Family::TitanMultimodalEmbeddings => (MAX_TITAN_BYTES, None),
            // Accepts no images.
            Family::TitanTextEmbeddings => (0, None),
        };
        Self { max_bytes, max_side }
    }

    /// Tightens the limits for a maximum record size: an image whose base64 alone is larger fits into no record.
    #[must_use]
    pub fn within_record(self, max_record_bytes: u64) -> Self {
        Self { max_bytes: self.max_bytes.min(max_record_bytes / 4 * 3), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_nova_includes_base64() {
        assert_eq!(ImageLimits::of(Family::Nova).max_bytes, 18_750_000);
        assert_eq!(ImageLimits::of(Family::Nova).within_record(10_000_000).max_bytes, 7_500_000);
        let claude = ImageLimits::of(Family::AnthropicMessages);
        assert_eq!(claude.within_record(10_000_000), claude);
    }
}
