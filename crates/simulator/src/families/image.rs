//! Images inside requests.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::families::ask::{ImageHash, Refusal, image_hash};
use crate::families::node::Node;

/// 3.75 MB, taken as the bytes before base64.
pub(crate) const CLAUDE_MAX_BYTES: usize = 3_932_160;
/// Nova's limit is on the whole inline payload.
pub(crate) const NOVA_MAX_BYTES: usize = 25_000_000;

/// Reads an image in base64; `format` is what the request says it is (`png`, `jpeg`, `gif`, `webp`), if it does.
pub(crate) fn read(data: &Node<'_>, format: Option<&str>, max_bytes: usize) -> Result<ImageHash, Refusal> {
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
        _ => Ok(image_hash(&bytes)),
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
