//! GIF format: a header with the size, then blocks up to the trailer.

use super::container::{Fault, Size};
use super::cursor::Cursor;

pub(super) fn walk(bytes: &[u8]) -> Result<Size, Fault> {
    walk_frames(bytes).map(|(size, _)| size)
}

/// Returns the number of pictures.
pub(super) fn frames(bytes: &[u8]) -> Result<u32, Fault> {
    walk_frames(bytes).map(|(_, frames)| frames)
}

fn walk_frames(bytes: &[u8]) -> Result<(Size, u32), Fault> {
    let mut frames = 0u32;
    let mut cursor = Cursor::at(bytes, 6);
    let width = u16::from_le_bytes(cursor.array()?);
    let height = u16::from_le_bytes(cursor.array()?);
    let flags = cursor.byte()?;
    // Background and aspect ratio.
    cursor.skip(2)?;
    cursor.skip(color_table_bytes(flags))?;
    loop {
        match cursor.byte()? {
            0x3b => return Ok((Size { width: width.into(), height: height.into() }, frames)),
            // An extension: its label, then its data.
            0x21 => cursor.skip(1)?,
            // An image: its position, its color table, the code size, then its data.
            0x2c => {
                frames = frames.saturating_add(1);
                cursor.skip(8)?;
                let flags = cursor.byte()?;
                cursor.skip(color_table_bytes(flags))?;
                cursor.skip(1)?;
            }
            _ => return Err(Fault::Broken("there is no block where one should begin")),
        }
        loop {
            match cursor.byte()? {
                0 => break,
                length => cursor.skip(length.into())?,
            }
        }
    }
}

/// Returns the size in bytes of the color table that the flags announce.
fn color_table_bytes(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}
