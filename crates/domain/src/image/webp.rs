//! WEBP format: a RIFF file whose first chunk contains the size in one of three ways.

use super::container::{Fault, Size};
use super::cursor::Cursor;

pub(super) fn walk(bytes: &[u8]) -> Result<Size, Fault> {
    let mut cursor = Cursor::at(bytes, 4);
    let announced = u32::from_le_bytes(cursor.array()?);
    cursor.skip(4)?;
    let kind = cursor.array::<4>()?;
    cursor.skip(4)?;
    let size = match &kind {
        b"VP8 " => lossy(&mut cursor)?,
        b"VP8L" => lossless(&mut cursor)?,
        b"VP8X" => extended(&mut cursor)?,
        _ => return Err(Fault::Broken("its first part is of no known kind")),
    };
    if (bytes.len() as u64) < u64::from(announced) + 8 { Err(Fault::CutOff) } else { Ok(size) }
}

fn lossy(cursor: &mut Cursor<'_>) -> Result<Size, Fault> {
    cursor.skip(3)?;
    if cursor.array()? != [0x9d, 0x01, 0x2a] {
        return Err(Fault::Broken("its picture does not begin where it should"));
    }
    // The two bits above the 14 bits of the size specify scaling.
    let mut side = || Ok(u32::from(u16::from_le_bytes(cursor.array()?) & 0x3fff));
    Ok(Size { width: side()?, height: side()? })
}

fn lossless(cursor: &mut Cursor<'_>) -> Result<Size, Fault> {
    if cursor.byte()? != 0x2f {
        return Err(Fault::Broken("its picture does not begin where it should"));
    }
    let bits = u32::from_le_bytes(cursor.array()?);
    Ok(Size { width: (bits & 0x3fff) + 1, height: (bits >> 14 & 0x3fff) + 1 })
}

fn extended(cursor: &mut Cursor<'_>) -> Result<Size, Fault> {
    cursor.skip(4)?;
    let mut side = || {
        let [low, middle, high] = cursor.array()?;
        Ok(u32::from_le_bytes([low, middle, high, 0]) + 1)
    };
    Ok(Size { width: side()?, height: side()? })
}
