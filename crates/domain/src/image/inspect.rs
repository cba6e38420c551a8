//! Looking at the bytes of an image.

use super::{Fault, ImageLimits, ImageProblem, MediaType, gif, jpeg, other_formats, png, webp};

/// What the image is, if it can be sent: by its bytes, whatever its name says.
///
/// # Errors
/// Why it cannot be sent.
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
        Fault::Broken(why) => ImageProblem::Broken(media_type, why),
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

#[cfg(test)]
mod tests;
