//! Images inside requests.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::families::ask::{ImageHash, Refusal, image_hash};
use crate::families::node::Node;

/// What a family takes of one image.
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
pub(crate) fn read(data: &Node<'_>, format: Option<&str>, rules: ImageRules) -> Result<ImageHash, Refusal> {
    let bytes = STANDARD.decode(data.text()?).map_err(|_| data.refuse("the image is not valid base64"))?;
    if bytes.len() > rules.max_bytes {
        let (found, most) = (bytes.len(), rules.max_bytes);
        return Err(data.refuse(&format!("image exceeds the maximum: {found} bytes > {most} bytes")));
    }
    let unreadable = || Refusal::invalid("Could not process image");
    let found = format_of(&bytes).ok_or_else(unreadable)?;
    if let Some(said) = format.filter(|said| *said != found) {
        return Err(data.refuse(&format!("the image was specified as {said}, but appears to be {found}")));
    }
    let size = imagesize::blob_size(&bytes).map_err(|_| unreadable())?;
    match rules.max_side {
        Some(most) if size.width.max(size.height) > most => {
            let problem = format!("At least one of the image dimensions exceed max allowed size: {most} pixels");
            Err(data.refuse(&problem))
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
