//! Vectors from hashes.

use crate::backend::EmbeddingReply;
use crate::chance::{self, Numbers};
use crate::families::prompt::{EmbeddingPrompt, tokens};

/// Returns a vector of the requested dimensions, of length 1 if it is to be normalized. Equal inputs get equal vectors;
/// they have no other meaning.
pub(super) fn vector(base: &str, prompt: &EmbeddingPrompt) -> EmbeddingReply {
    let image = prompt.image.map(hex::encode).unwrap_or_default();
    let mut numbers = Numbers::from(chance::number(0, &[base, &prompt.text, &image]));
    let mut vector: Vec<f64> = (0..prompt.dimensions).map(|_| numbers.next_share() * 2.0 - 1.0).collect();
    let length = vector.iter().map(|part| part * part).sum::<f64>().sqrt();
    if prompt.normalize && length > 0.0 {
        for part in &mut vector {
            *part /= length;
        }
    }
    // Eight digits are what a 32-bit float holds.
    for part in &mut vector {
        *part = (*part * 1e8).round() / 1e8;
    }
    EmbeddingReply { vector, input_tokens: tokens(&prompt.text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request_of(text: &str, dimensions: usize) -> EmbeddingPrompt {
        EmbeddingPrompt { text: text.into(), image: None, dimensions, normalize: true }
    }

    #[test]
    fn a_vector_has_length_one_and_its_dimensions() {
        for dimensions in [256, 384, 512, 1024] {
            let reply = vector("a.b", &request_of("hello there", dimensions));
            assert_eq!(reply.vector.len(), dimensions);
            let length: f64 = reply.vector.iter().map(|part| part * part).sum();
            assert!((length - 1.0).abs() < 1e-5, "{length}");
            assert_eq!(reply.input_tokens, 3);
        }
    }

    #[test]
    fn equal_texts_have_equal_vectors_and_others_others() {
        assert_eq!(vector("a.b", &request_of("one", 256)), vector("a.b", &request_of("one", 256)));
        assert_ne!(vector("a.b", &request_of("one", 256)), vector("a.b", &request_of("two", 256)));
    }
}
