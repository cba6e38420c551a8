//! PNG format: chunks from IHDR, which contains the size, to IEND.

use super::container::{Fault, Size};
use super::cursor::Cursor;

pub(super) fn walk(bytes: &[u8]) -> Result<Size, Fault> {
    let mut cursor = Cursor::at(bytes, 8);
    let mut size = None;
    loop {
        let length = u32::from_be_bytes(cursor.array()?);
        let kind = cursor.array::<4>()?;
        let mut data = cursor;
        match (&kind, size) {
            (b"IHDR", None) => {
                let (width, height) = (data.array()?, data.array()?);
                size = Some(Size { width: u32::from_be_bytes(width), height: u32::from_be_bytes(height) });
            }
            // Apple's variant of PNG begins with this chunk; only Apple's software reads it.
            (b"CgBI", None) => return Err(Fault::Broken("it is of Apple's own variant of PNG")),
            (_, None) => return Err(Fault::Broken("it does not begin with its header")),
            (b"IEND", Some(size)) => return Ok(size),
            _ => {}
        }
        // The data and its checksum.
        cursor.skip(usize::try_from(length).unwrap_or(usize::MAX))?;
        cursor.skip(4)?;
    }
}
