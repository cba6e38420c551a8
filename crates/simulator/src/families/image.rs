//! Images inside requests.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::families::node::Node;
use crate::families::prompt::{Image, Refusal, image_hash};

/// Limits of a family for one image.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ImageRules {
    /// Before base64.
    max_bytes: usize,
    max_side: Option<usize>,
}

/// 3.75 MB, taken as the smaller number, and before base64.
pub(crate) const CLAUDE: ImageRules = ImageRules { max_bytes: 3_750_000, max_side: Some(8_000) };
/// 25 MB of inline payload, base64 included. What goes beside the image is not counted.
pub(crate) const NOVA: ImageRules = ImageRules { max_bytes: 18_750_000, max_side: Some(8_000) };
/// Documented as 25 MB once, and as 5 MB.
pub(crate) const TITAN: ImageRules = ImageRules { max_bytes: 5_000_000, max_side: None };

/// Reads an image in base64; `format` is what the request says it is (`png`, `jpeg`, `gif`, `webp`), if it does.
pub(crate) fn read(data: &Node<'_>, format: Option<&str>, rules: ImageRules) -> Result<Image, Refusal> {
    let bytes = STANDARD.decode(data.text()?).map_err(|_| data.refuse("the image is not valid base64"))?;
    if bytes.len() > rules.max_bytes {
        let (found, max) = (bytes.len(), rules.max_bytes);
        return Err(data.refuse(&format!("image exceeds the maximum: {found} bytes > {max} bytes")));
    }
    let unreadable = || Refusal::invalid("Could not process image");
    let found = format_of(&bytes).ok_or_else(unreadable)?;
    if let Some(said) = format.filter(|said| *said != found) {
        return Err(data.refuse(&format!("the image was specified as {said}, but appears to be {found}")));
    }
    let size = imagesize::blob_size(&bytes).map_err(|_| unreadable())?;
    match rules.max_side {
        Some(max) if size.width.max(size.height) > max => {
            let problem = format!("At least one of the image dimensions exceed max allowed size: {max} pixels");
            Err(data.refuse(&problem))
        }
        _ => Ok(Image { hash: image_hash(&bytes), caption: caption(&bytes).unwrap_or_default() }),
    }
}

fn format_of(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some("jpeg"),
        [0x89, b'P', b'N', b'G', ..] => Some("png"),
        [b'G', b'I', b'F', b'8', ..] => Some("gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("webp"),
        _ => None,
    }
}

/// The text under `Description` in a PNG (a `tEXt` chunk).
fn caption(bytes: &[u8]) -> Option<String> {
    let mut rest = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
    loop {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (kind, after) = after.split_first_chunk::<4>()?;
        let (content, after) = after.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        if kind == b"tEXt"
            && let Some(text) = content.strip_prefix(b"Description\0")
        {
            // Latin-1.
            return Some(text.iter().copied().map(char::from).collect());
        }
        let (_checksum, next) = after.split_first_chunk::<4>()?;
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
        for (kind, content) in chunks {
            bytes.extend(u32::try_from(content.len()).unwrap().to_be_bytes());
            bytes.extend(*kind);
            bytes.extend(*content);
            bytes.extend([0; 4]);
        }
        bytes
    }

    #[test]
    fn a_png_may_contain_a_description() {
        let described = png(&[(b"IHDR", &[0; 13]), (b"tEXt", b"Author\0me"), (b"tEXt", b"Description\0caf\xe9 noir")]);
        assert_eq!(caption(&described).as_deref(), Some("café noir"));
        for length in 0..described.len() {
            let _ = caption(&described[..length]);
        }
        for other in [png(&[(b"IHDR", &[0; 13])]), b"\xff\xd8\xff".to_vec(), Vec::new()] {
            assert_eq!(caption(&other), None);
        }
    }
}
