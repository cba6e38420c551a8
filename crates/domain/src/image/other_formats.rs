//! Recognition of file formats that models do not accept, for a helpful message.

/// Returns the name of the format, by its first bytes.
pub(super) fn name(bytes: &[u8]) -> Option<&'static str> {
    let known: [(&[u8], &str); 14] = [
        (b"BM", "a BMP image"),
        (b"II*\0", "a TIFF image"),
        (b"MM\0*", "a TIFF image"),
        (b"II+\0", "a TIFF image"),
        (b"MM\0+", "a TIFF image"),
        (b"%PDF-", "a PDF document"),
        (b"8BPS", "a Photoshop file"),
        (b"\xff\x0a", "a JPEG XL image"),
        (b"\0\0\0\x0cJXL ", "a JPEG XL image"),
        (b"\0\0\0\x0cjP  ", "a JPEG 2000 image"),
        (b"\0\0\x01\0", "an icon"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"\x1f\x8b", "a gzip archive"),
        (b"\x1aE\xdf\xa3", "a video"),
    ];
    let by_beginning = known.iter().find(|(beginning, _)| bytes.starts_with(beginning)).map(|(_, name)| *name);
    by_beginning.or_else(|| of_iso_media(bytes)).or_else(|| of_text(bytes))
}

/// Recognizes HEIC, AVIF and videos, which share a container that names its brand.
fn of_iso_media(bytes: &[u8]) -> Option<&'static str> {
    if bytes.get(4..8)? != b"ftyp" {
        return None;
    }
    Some(match bytes.get(8..12)? {
        b"avif" | b"avis" => "an AVIF image",
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" => "a HEIC image",
        b"mif1" | b"msf1" => "a HEIF image",
        _ => "a video",
    })
}

/// Recognizes SVG, HTML and XML, which a comment or a declaration may precede.
fn of_text(bytes: &[u8]) -> Option<&'static str> {
    const MAX_INSPECTED_BYTES: usize = 1024;
    let start = bytes.get(..MAX_INSPECTED_BYTES).unwrap_or(bytes);
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    if !start.starts_with(b"<") {
        return None;
    }
    let text = String::from_utf8_lossy(start).to_ascii_lowercase();
    match text {
        text if text.contains("<svg") => Some("an SVG image"),
        text if text.contains("<html") || text.contains("<!doctype html") => Some("an HTML page"),
        _ => Some("an XML document"),
    }
}
