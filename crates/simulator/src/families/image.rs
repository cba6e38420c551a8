//! Images inside requests.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::families::ask::{Image, Refusal, image_hash};
use crate::families::node::Node;

/// 3.75 MB, taken as the bytes before base64.
pub(crate) const CLAUDE_MAX_BYTES: usize = 3_932_160;
/// Nova's limit is on the whole inline payload.
pub(crate) const NOVA_MAX_BYTES: usize = 25_000_000;

/// Reads an image in base64; `format` is what the request says it is (`png`, `jpeg`, `gif`, `webp`), if it does.
pub(crate) fn read(data: &Node<'_>, format: Option<&str>, max_bytes: usize) -> Result<Image, Refusal> {
    let bytes = STANDARD.decode(data.text()?).map_err(|_| data.refuse("the image is not valid base64"))?;
    if bytes.len() > max_bytes {
        return Err(data.refuse(&format!("the image has {} bytes, more than the {max_bytes} allowed", bytes.len())));
    }
    let Some(found) = format_of(&bytes) else {
        return Err(Refusal::invalid("Could not process image"));
    };
    match format {
        Some(said) if said != found => {
            Err(data.refuse(&format!("the image was specified as {said}, but appears to be {found}")))
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
    fn a_png_may_say_what_it_shows() {
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
