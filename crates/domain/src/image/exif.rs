//! Orientation in the Exif data of an image: a TIFF header, then directories of tags, of which the first has it.

use super::container::Fault;
use super::cursor::Cursor;

const ORIENTATION: u16 = 0x0112;

/// Returns true if the data says that the picture is shown turned or mirrored. Damaged data says nothing.
pub(super) fn is_turned(data: &[u8]) -> bool {
    let data = data.strip_prefix(b"Exif\0\0").unwrap_or(data);
    orientation(data).is_ok_and(|orientation| matches!(orientation, Some(2..=8)))
}

fn orientation(data: &[u8]) -> Result<Option<u16>, Fault> {
    let is_little_endian = match data.get(..4) {
        Some(b"II*\0") => true,
        Some(b"MM\0*") => false,
        _ => return Ok(None),
    };
    let short = |bytes: [u8; 2]| if is_little_endian { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) };
    let long = |bytes: [u8; 4]| if is_little_endian { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) };
    let directory = long(Cursor::at(data, 4).array()?);
    let mut cursor = Cursor::at(data, usize::try_from(directory).unwrap_or(usize::MAX));
    let entries = short(cursor.array()?);
    for _ in 0..entries {
        let tag = short(cursor.array()?);
        // Type and count: one number of two bytes, which is in the entry itself.
        cursor.skip(6)?;
        let value = short(cursor.array()?);
        cursor.skip(2)?;
        if tag == ORIENTATION {
            return Ok(Some(value));
        }
    }
    Ok(None)
}
