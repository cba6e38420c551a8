//! Inspection of the bytes of an image.

use super::container::Fault;
use super::{ImageLimits, ImageProblem, MediaType, gif, jpeg, other_formats, png, webp};

/// Returns the media type of an image that can be sent, determined from its bytes and never from its name.
///
/// # Errors
/// Returns the reason if the image cannot be sent.
pub fn inspect(bytes: &[u8], limits: &ImageLimits) -> Result<MediaType, ImageProblem> {
    if bytes.is_empty() {
        return Err(ImageProblem::Empty);
    }
    let Some(media_type) = MediaType::of(bytes) else {
        return Err(ImageProblem::OtherFormat(other_formats::name(bytes)));
    };
    if bytes.len() as u64 > limits.max_bytes {
        return Err(ImageProblem::TooManyBytes { bytes: bytes.len() as u64, max: limits.max_bytes });
    }
    let walked = match media_type {
        MediaType::Jpeg => jpeg::walk(bytes),
        MediaType::Png => png::walk(bytes),
        MediaType::Gif => gif::walk(bytes),
        MediaType::Webp => webp::walk(bytes),
    };
    let size = walked.map_err(|fault| match fault {
        Fault::CutOff => ImageProblem::CutOff(media_type),
        Fault::Broken(detail) => ImageProblem::Broken(media_type, detail),
    })?;
    let (width, height) = (size.width, size.height);
    if width == 0 || height == 0 {
        return Err(ImageProblem::Broken(media_type, "it gives no size"));
    }
    match limits.max_side {
        Some(max) if width.max(height) > max => Err(ImageProblem::TooManyPixels { width, height, max }),
        _ => Ok(media_type),
    }
}

/// Returns true if a file that begins with these bytes is an image, also one of a format that models do not accept.
pub fn looks_like_image(bytes: &[u8]) -> bool {
    MediaType::of(bytes).is_some() || other_formats::name(bytes).is_some_and(|name| name.ends_with("image"))
}

#[cfg(test)]
mod tests;
