//! The constant JSON of records around the parts that vary per row: created once, by rendering markers and locating them.

use super::Family;
use super::instructions::{Instructions, MediaName};
use crate::image::MediaType;

/// Image of one record.
#[derive(Debug, Clone, Copy)]
pub struct ImagePart<'a> {
    /// Media type of the image.
    pub media_type: MediaType,
    /// Bytes of the image in base64.
    pub base64: &'a str,
}

/// Pieces of `modelInput`: the image part and the text part may be omitted. The text is within its part.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) before_image: String,
    image: Vec<ImagePiece>,
    pub(super) before_text_part: String,
    pub(super) before_text: String,
    pub(super) after_text: String,
    pub(super) after: String,
}

#[derive(Debug, Clone)]
enum ImagePiece {
    Fixed(String),
    Mime,
    Format,
    Base64,
}

impl Frame {
    pub(super) fn new(family: Family, with: Instructions<'_>, with_image: bool) -> Self {
        let mut marker = "@@".to_owned();
        loop {
            // A system prompt may contain the marker too: then a longer one is tried.
            if let Some(frame) = Self::around(&marker, family, with, with_image) {
                return frame;
            }
            marker.push('@');
            marker.insert(0, '#');
        }
    }

    fn around(marker: &str, family: Family, with: Instructions<'_>, with_image: bool) -> Option<Self> {
        let [text, mime, format, base64] = ["t", "m", "f", "b"].map(|kind| format!("{marker}{kind}"));
        let named = MediaName { mime: &mime, format: &format };
        let image = if with_image { family.image(named, &base64) } else { None };
        // The parts as they appear in the body, with the commas that are omitted together with them.
        let (image_part, text_part) = match family {
            Family::TitanMultimodalEmbeddings => {
                (image.as_ref().map(|image| format!(",\"inputImage\":{image}")), format!(",\"inputText\":\"{text}\""))
            }
            _ => (image.as_ref().map(|image| format!("{image},")), text.clone()),
        };
        let image_part = image_part.unwrap_or_default();
        let body = family.model_input(&text, image, with).to_string();
        if body.matches(marker).count() != image_part.matches(marker).count() + 1 {
            return None;
        }
        // Without an image this splits before the body.
        let (before_image, rest) = body.split_once(&image_part)?;
        let (before_text_part, after) = rest.split_once(&text_part)?;
        let (before_text, after_text) = text_part.split_once(&text)?;
        Some(Self {
            before_image: before_image.to_owned(),
            image: image_pieces(&image_part, marker),
            before_text_part: before_text_part.to_owned(),
            before_text: before_text.to_owned(),
            after_text: after_text.to_owned(),
            after: after.to_owned(),
        })
    }

    /// Writes the image part, or nothing if records of this frame have no image.
    pub(super) fn push_image(&self, line: &mut Vec<u8>, image: ImagePart<'_>) {
        for piece in &self.image {
            // Neither names nor base64 contain characters that JSON escapes.
            let text = match piece {
                ImagePiece::Fixed(text) => text,
                ImagePiece::Mime => image.media_type.mime(),
                ImagePiece::Format => image.media_type.format(),
                ImagePiece::Base64 => image.base64,
            };
            line.extend_from_slice(text.as_bytes());
        }
    }
}

fn image_pieces(part: &str, marker: &str) -> Vec<ImagePiece> {
    let mut pieces = Vec::new();
    for (index, text) in part.split(marker).enumerate() {
        let mut fixed = text;
        // Each piece except the first begins with the letter that identifies the marker.
        if let (1.., Some(kind)) = (index, text.chars().next()) {
            pieces.push(match kind {
                'm' => ImagePiece::Mime,
                'f' => ImagePiece::Format,
                _ => ImagePiece::Base64,
            });
            fixed = &text[1..];
        }
        pieces.push(ImagePiece::Fixed(fixed.to_owned()));
    }
    pieces
}
