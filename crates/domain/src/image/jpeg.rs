//! JPEG format (ITU-T T.81, annex B): segments up to the first scan, then coded data up to the end marker.

use super::container::{Fault, Size};
use super::cursor::Cursor;
use memchr::memmem::rfind;

const END: u8 = 0xd9;
pub(super) const SCAN: u8 = 0xda;

pub(super) fn walk(bytes: &[u8]) -> Result<Size, Fault> {
    let mut cursor = Cursor::at(bytes, 2);
    let mut size = None;
    loop {
        match marker(&mut cursor)? {
            kind if is_alone(kind) => {}
            END => return Err(Fault::Broken("it ends before its picture begins")),
            kind => {
                let segment = cursor;
                let length = usize::from(u16::from_be_bytes(cursor.array()?));
                let rest = length.checked_sub(2).ok_or(Fault::Broken("a segment has no length"))?;
                cursor.skip(rest)?;
                if is_frame(kind) {
                    size.get_or_insert(frame(segment)?);
                }
                if kind == SCAN {
                    break;
                }
            }
        }
    }
    // In coded data, 0xff is followed by 0 or a restart marker, so an end marker really is the end. Bytes after it are
    // common (cameras append previews) and harmless.
    let scan = bytes.get(cursor.position()..).unwrap_or_default();
    rfind(scan, &[0xff, END]).ok_or(Fault::CutOff)?;
    size.ok_or(Fault::Broken("it gives no size"))
}

/// Returns true for a marker without a segment.
pub(super) fn is_alone(kind: u8) -> bool {
    matches!(kind, 0x01 | 0xd0..=0xd8)
}

/// Reads the next marker, which any number of fill bytes may precede.
pub(super) fn marker(cursor: &mut Cursor<'_>) -> Result<u8, Fault> {
    if cursor.byte()? != 0xff {
        return Err(Fault::Broken("there is no segment where one should begin"));
    }
    loop {
        match cursor.byte()? {
            0xff => {}
            found => return Ok(found),
        }
    }
}

/// Returns true for a start of frame; three numbers of that range have other meanings.
fn is_frame(kind: u8) -> bool {
    matches!(kind, 0xc0..=0xcf) && !matches!(kind, 0xc4 | 0xc8 | 0xcc)
}

/// Reads a frame header: length, precision, then the number of lines and of samples per line.
fn frame(mut segment: Cursor<'_>) -> Result<Size, Fault> {
    segment.skip(3)?;
    let height = u16::from_be_bytes(segment.array()?);
    let width = u16::from_be_bytes(segment.array()?);
    Ok(Size { width: width.into(), height: height.into() })
}
