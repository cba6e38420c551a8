//! How large an image may be.

use crate::model::Family;

/// What a family takes of one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageLimits {
    /// Bytes of the file.
    pub max_bytes: u64,
    /// Pixels of the longer side; `None` where no limit is known.
    pub max_side: Option<u32>,
}

/// 3.75 MB. Bedrock's pages say neither whether that is 3,750,000 or 3.75 × 2^20 bytes nor whether it is before or after
/// base64; it is taken as the smaller number, before base64, since 5 MB of base64 come to that.
const CLAUDE_BYTES: u64 = 3_750_000;
const CLAUDE_SIDE: u32 = 8_000;
/// Nova's limit is 25 MB of inline payload, base64 included, so three quarters of it. The text that goes with the image
/// is counted when the whole record is.
const NOVA_BYTES: u64 = 25_000_000 / 4 * 3;
const NOVA_SIDE: u32 = 8_000;
/// The model's page has said both 25 MB and 5 MB: the smaller.
const TITAN_BYTES: u64 = 5_000_000;

impl ImageLimits {
    /// The limits of a family. Converse's own documentation has the same as Anthropic's.
    pub fn of(family: Family) -> Self {
        let (max_bytes, max_side) = match family {
            Family::AnthropicMessages | Family::Converse => (CLAUDE_BYTES, Some(CLAUDE_SIDE)),
            Family::Nova => (NOVA_BYTES, Some(NOVA_SIDE)),
            Family::TitanMultimodalEmbeddings => (TITAN_BYTES, None),
            // Takes none.
            Family::TitanTextEmbeddings => (0, None),
        };
        Self { max_bytes, max_side }
    }

    /// The same, for records of at most so many bytes: an image whose base64 alone is longer fits into none.
    #[must_use]
    pub fn within_record(self, max_record_bytes: u64) -> Self {
        Self { max_bytes: self.max_bytes.min(max_record_bytes / 4 * 3), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nova_takes_25_mb_with_base64() {
        assert_eq!(ImageLimits::of(Family::Nova).max_bytes, 18_750_000);
        assert_eq!(ImageLimits::of(Family::Nova).within_record(10_000_000).max_bytes, 7_500_000);
        let claude = ImageLimits::of(Family::AnthropicMessages);
        assert_eq!(claude.within_record(10_000_000), claude);
    }
}
