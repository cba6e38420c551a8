//! Properties of images that can be sent, of which a model may see something else than people do.

use super::container::Fault;
use super::cursor::Cursor;
use super::{MediaType, exif, gif, jpeg};

/// Properties of an image. Models get it as it is: what they do about them is not documented for all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImageTraits {
    /// True if its Exif data says that viewers turn or mirror it.
    pub is_turned: bool,
    /// True if it has several frames.
    pub is_animated: bool,
}

impl ImageTraits {
    /// Returns the properties of an image that [`super::inspect`] has found to be of this type. Never fails: what cannot be read
    /// is not there.
    pub fn of(bytes: &[u8], media_type: MediaType) -> Self {
        let mut found = Self::default();
        // What was found before the file turned out to be odd counts.
        let _ = match media_type {
            MediaType::Jpeg => found.of_jpeg(bytes),
            MediaType::Png => found.of_png(bytes),
            MediaType::Gif => found.of_gif(bytes),
            MediaType::Webp => found.of_webp(bytes),
        };
        found
    }

    fn of_jpeg(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        const APP1: u8 = 0xe1;
        let mut cursor = Cursor::at(bytes, 2);
        loop {
            let kind = jpeg::marker(&mut cursor)?;
            if kind == jpeg::SCAN {
                return Ok(());
            }
            if jpeg::is_alone(kind) {
                continue;
            }
            let begin = cursor.position();
            let length = usize::from(u16::from_be_bytes(cursor.array()?));
            cursor.skip(length.saturating_sub(2))?;
            let data = bytes.get(begin + 2..cursor.position()).unwrap_or_default();
            if kind == APP1 && data.starts_with(b"Exif\0\0") {
                self.is_turned = exif::is_turned(data);
                return Ok(());
            }
        }
    }

    fn of_png(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let mut cursor = Cursor::at(bytes, 8);
        loop {
            let length = usize::try_from(u32::from_be_bytes(cursor.array()?)).unwrap_or(usize::MAX);
            let kind = cursor.array::<4>()?;
            let begin = cursor.position();
            cursor.skip(length)?;
            match &kind {
                b"acTL" => self.is_animated = true,
                b"eXIf" => self.is_turned = exif::is_turned(bytes.get(begin..cursor.position()).unwrap_or_default()),
                b"IEND" => return Ok(()),
                _ => {}
            }
            cursor.skip(4)?;
        }
    }

    fn of_gif(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.is_animated = gif::frames(bytes)? > 1;
        Ok(())
    }

    fn of_webp(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let mut cursor = Cursor::at(bytes, 12);
        loop {
            let kind = cursor.array::<4>()?;
            let length = usize::try_from(u32::from_le_bytes(cursor.array()?)).unwrap_or(usize::MAX);
            let begin = cursor.position();
            cursor.skip(length)?;
            match &kind {
                b"ANIM" => self.is_animated = true,
                b"EXIF" => self.is_turned = exif::is_turned(bytes.get(begin..cursor.position()).unwrap_or_default()),
                _ => {}
            }
            // Chunks begin at even positions.
            cursor.skip(length % 2)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn traits(is_turned: bool, is_animated: bool) -> ImageTraits {
        ImageTraits { is_turned, is_animated }
    }

    fn exif(orientation: u16, is_little_endian: bool) -> Vec<u8> {
        let short = |number: u16| if is_little_endian { number.to_le_bytes() } else { number.to_be_bytes() };
        let long = |number: u32| if is_little_endian { number.to_le_bytes() } else { number.to_be_bytes() };
        let header: &[u8] = if is_little_endian { b"II*\0" } else { b"MM\0*" };
        let entry = |tag: u16, value: u16| [&short(tag)[..], &short(3), &long(1), &short(value), &[0, 0]].concat();
        [header, &long(8), &short(2), &entry(0x010f, 7), &entry(0x0112, orientation), &long(0)].concat()
    }

    fn jpeg(exif: &[u8]) -> Vec<u8> {
        let data = [b"Exif\0\0", exif].concat();
        let length = u16::try_from(data.len() + 2).unwrap().to_be_bytes();
        let first = [0xff, 0xd8, 0xff, 0xe0, 0, 4, b'J', b'F', 0xff, 0xff, 0xe1];
        [&first[..], &length, &data, &[0xff, 0xda, 0, 2, 1, 0xff, 0xd9]].concat()
    }

    fn png(chunks: &[(&[u8], &[u8])]) -> Vec<u8> {
        let chunk = |(kind, data): &(&[u8], &[u8])| {
            [&u32::try_from(data.len()).unwrap().to_be_bytes()[..], kind, data, b"sum!"].concat()
        };
        [b"\x89PNG\r\n\x1a\n".to_vec(), chunks.iter().flat_map(chunk).collect()].concat()
    }

    fn webp(chunks: &[(&[u8], &[u8])]) -> Vec<u8> {
        let chunk = |(kind, data): &(&[u8], &[u8])| {
            let padding = vec![0; data.len() % 2];
            [kind, &u32::try_from(data.len()).unwrap().to_le_bytes()[..], data, &padding].concat()
        };
        [b"RIFF____WEBP".to_vec(), chunks.iter().flat_map(chunk).collect()].concat()
    }

    #[rstest]
    #[case::upright(1, false)]
    #[case::turned(6, true)]
    #[case::mirrored(2, true)]
    #[case::turned_left(8, true)]
    #[case::unknown(9, false)]
    #[case::none(0, false)]
    fn the_orientation_is_read_from_all_formats(#[case] orientation: u16, #[case] is_turned: bool) {
        for is_little_endian in [false, true] {
            let exif = exif(orientation, is_little_endian);
            assert_eq!(ImageTraits::of(&jpeg(&exif), MediaType::Jpeg), traits(is_turned, false));
            let image = png(&[(b"IHDR", b"."), (b"eXIf", &exif), (b"IEND", b"")]);
            assert_eq!(ImageTraits::of(&image, MediaType::Png), traits(is_turned, false));
            let prefixed = [b"Exif\0\0".as_slice(), &exif].concat();
            for data in [&exif, &prefixed] {
                let image = webp(&[(b"VP8X", b"odd"), (b"EXIF", data)]);
                assert_eq!(ImageTraits::of(&image, MediaType::Webp), traits(is_turned, false));
            }
        }
    }

    #[test]
    fn several_frames_are_recognized() {
        let frame = [0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 1, 0x3b, 0];
        let gif = |frames: usize| [&b"GIF89a\x01\0\x01\0\0\0\0"[..], &frame.repeat(frames), b";"].concat();
        let png = |kind: &[u8]| png(&[(b"IHDR", b"."), (kind, b"12345678"), (b"IEND", b"")]);
        let webp = |kind: &[u8]| webp(&[(b"VP8X", b"1234567890"), (kind, b"123456")]);
        let animated = [(gif(2), MediaType::Gif), (png(b"acTL"), MediaType::Png), (webp(b"ANIM"), MediaType::Webp)];
        for (image, media_type) in animated {
            assert_eq!(ImageTraits::of(&image, media_type), traits(false, true), "{media_type:?}");
        }
        let still = [(gif(1), MediaType::Gif), (png(b"tEXt"), MediaType::Png), (webp(b"VP8 "), MediaType::Webp)];
        for (image, media_type) in still {
            assert_eq!(ImageTraits::of(&image, media_type), ImageTraits::default(), "{media_type:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(noise in proptest::collection::vec(any::<u8>(), 0..80), at in 0usize..60, byte: u8) {
            let mut images = vec![jpeg(&exif(6, true)), png(&[(b"eXIf", &exif(6, false))]), webp(&[(b"EXIF", &noise)]), noise];
            for image in &mut images {
                if let Some(changed) = image.get_mut(at) {
                    *changed = byte;
                }
                for media_type in [MediaType::Jpeg, MediaType::Png, MediaType::Gif, MediaType::Webp] {
                    let _ = ImageTraits::of(image, media_type);
                }
            }
        }
    }
}
