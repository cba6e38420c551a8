use super::*;
use crate::row_error::Reason;
use proptest::prelude::*;
use rstest::rstest;

const LIMITS: ImageLimits = ImageLimits { max_bytes: 1_000, max_side: Some(8_000) };

/// Returns a file as cameras write it: a preview within the first segment, fill bytes before a marker.
fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let preview = [0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0, 1, 0, 1, 0xff, 0xd9];
    let frame = [[8], [1]];
    [
        &[0xff, 0xd8, 0xff, 0xe1, 0, 2 + 13][..],
        &preview,
        &[0xff, 0xff, 0xff, 0xc2, 0, 11],
        &frame[0],
        &height.to_be_bytes(),
        &width.to_be_bytes(),
        &frame[1],
        &[1, 0x11, 0],
        &[0xff, 0xda, 0, 8, 1, 1, 0, 0, 0x3f, 0],
        &[1, 2, 0xff, 0, 3, 0xff, 0xd0, 4, 0xff, 0xd9],
    ]
    .concat()
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let chunk = |kind: &[u8], data: &[u8]| {
        [&u32::try_from(data.len()).unwrap().to_be_bytes()[..], kind, data, b"sum!"].concat()
    };
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IHDR", &header), chunk(b"IDAT", b"IEND?"), chunk(b"IEND", b"")].concat()
}

fn gif(width: u16, height: u16) -> Vec<u8> {
    [
        &b"GIF89a"[..],
        &width.to_le_bytes(),
        &height.to_le_bytes(),
        &[0x80, 0, 0],
        &[0; 6],
        &[0x21, 0xf9, 4, 0, 0, 0, 0, 0],
        &[0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 3, 0x3b, 0x3b, 0x3b, 0],
        &[0x3b],
    ]
    .concat()
}

fn riff(kind: &[u8], data: &[u8]) -> Vec<u8> {
    let length = |length: usize| u32::try_from(length).unwrap().to_le_bytes();
    [b"RIFF", &length(12 + data.len())[..], b"WEBP", kind, &length(data.len()), data].concat()
}

fn webp(kind: &str, width: u32, height: u32) -> Vec<u8> {
    let short = |side: u32| u16::try_from(side).unwrap().to_le_bytes();
    match kind {
        // With the scaling bits set.
        "VP8 " => {
            let scaled = short(width | 0x4000);
            riff(b"VP8 ", &[&[0, 0, 0, 0x9d, 0x01, 0x2a][..], &scaled, &short(height), &[0; 4]].concat())
        }
        "VP8L" => {
            let bits = (width - 1) | (height - 1) << 14;
            riff(b"VP8L", &[&[0x2f][..], &bits.to_le_bytes(), &[0; 9]].concat())
        }
        _ => {
            let three = |side: u32| (side - 1).to_le_bytes()[..3].to_vec();
            riff(b"VP8X", &[vec![0; 4], three(width), three(height)].concat())
        }
    }
}

#[rstest]
#[case(jpeg(8_000, 1), MediaType::Jpeg)]
#[case(png(1, 8_000), MediaType::Png)]
#[case(gif(8_000, 8_000), MediaType::Gif)]
#[case(webp("VP8 ", 8_000, 3), MediaType::Webp)]
#[case(webp("VP8L", 3, 8_000), MediaType::Webp)]
#[case(webp("VP8X", 8_000, 8_000), MediaType::Webp)]
fn images_are_recognized_by_their_bytes(#[case] bytes: Vec<u8>, #[case] media_type: MediaType) {
    assert_eq!(inspect(&bytes, &LIMITS), Ok(media_type));
    let followed = [&bytes[..], b"what a camera appends"].concat();
    assert_eq!(inspect(&followed, &LIMITS), Ok(media_type));
    // Every truncation is detected, except within the checksum of PNG's last chunk, which is empty.
    for end in 30..bytes.len() - if media_type == MediaType::Png { 4 } else { 0 } {
        assert_eq!(inspect(&bytes[..end], &LIMITS), Err(ImageProblem::CutOff(media_type)), "{end}");
    }
    for end in 1..30 {
        assert!(inspect(&bytes[..end], &LIMITS).is_err(), "{end}");
    }
}

#[rstest]
#[case(jpeg(8_001, 1), 8_001, 1)]
#[case(png(1, 8_001), 1, 8_001)]
#[case(gif(9_000, 9_000), 9_000, 9_000)]
#[case(webp("VP8 ", 8_001, 3), 8_001, 3)]
#[case(webp("VP8L", 3, 8_001), 3, 8_001)]
#[case(webp("VP8X", 16_777_216, 8_000), 16_777_216, 8_000)]
fn too_many_pixels_are_reported(#[case] bytes: Vec<u8>, #[case] width: u32, #[case] height: u32) {
    assert_eq!(inspect(&bytes, &LIMITS), Err(ImageProblem::TooManyPixels { width, height, max: 8_000 }));
    assert!(inspect(&bytes, &ImageLimits { max_side: None, ..LIMITS }).is_ok());
}

#[test]
fn too_many_bytes_are_reported() {
    let image = png(1, 1);
    let limits = |max_bytes| ImageLimits { max_bytes, ..LIMITS };
    let bytes = image.len() as u64;
    assert!(inspect(&image, &limits(bytes)).is_ok());
    let problem = inspect(&image, &limits(bytes - 1)).unwrap_err();
    assert_eq!(
        problem.to_string(),
        "the file has 62 bytes, and at most 61 are taken; scale the image down or compress it more"
    );
}

#[rstest]
#[case(b"", "the file is empty; upload it again")]
#[case(b"BM6\0\0\0\0", "the file is a BMP image, and models take JPEG, PNG, GIF and WEBP; convert it")]
#[case(b"II*\0\x08\0\0\0", "a TIFF image")]
#[case(b"MM\0*\0\0\0\x08", "a TIFF image")]
#[case(b"\0\0\0\x18ftypheic\0\0\0\0", "a HEIC image")]
#[case(b"\0\0\0\x18ftypmif1\0\0\0\0", "a HEIF image")]
#[case(b"\0\0\0\x1cftypavif\0\0\0\0", "an AVIF image")]
#[case(b"\0\0\0\x20ftypisom\0\0\0\0", "a video")]
#[case(b"<svg xmlns='http://www.w3.org/2000/svg'>", "an SVG image")]
#[case(b"\xef\xbb\xbf <?xml version='1.0'?>\n<!-- drawn -->\n<SVG>", "an SVG image")]
#[case(b"<!DOCTYPE html><title>404</title>", "an HTML page")]
#[case(b"<Error><Code>AccessDenied</Code></Error>", "an XML document")]
#[case(b"%PDF-1.7", "a PDF document")]
#[case(b"image_path,text\na.jpg,b\n", "of no known image format")]
#[case(b"\x89PN", "of no known image format")]
#[case(b"RIFF\x24\0\0\0WAVEfmt ", "of no known image format")]
#[case(b"\xff\xd8\xff\xd9", "the JPEG file is broken: it ends before its picture begins; save it anew")]
#[case(b"\xff\xd8\xff\xe0\0\x01", "a segment has no length")]
#[case(b"\xff\xd8\xff\xe0\0\x02abc", "there is no segment where one should begin")]
#[case(b"\x89PNG\r\n\x1a\n\0\0\0\0CgBI", "Apple")]
#[case(b"\x89PNG\r\n\x1a\n\0\0\0\0IDATxxxx", "does not begin with its header")]
#[case(b"GIF89a\x01\0\x01\0\0\0\0\x07", "there is no block")]
#[case(b"RIFF\x10\0\0\0WEBPALPH\0\0\0\0", "of no known kind")]
fn files_that_are_not_valid_images_are_reported(#[case] bytes: &[u8], #[case] expected: &str) {
    let problem = inspect(bytes, &LIMITS).unwrap_err();
    assert!(problem.to_string().contains(expected), "{problem}");
    assert!(Reason::from(problem.code()).words().starts_with("image "));
}

#[rstest]
#[case(b"\xff\xd8\xff\xe0", true)]
#[case(b"\x89PNG\r\n\x1a\n", true)]
#[case(b"\0\0\0\x18ftypheic\0\0\0\0", true)]
#[case(b"<svg xmlns='http://www.w3.org/2000/svg'>", true)]
#[case(b"%PDF-1.7", false)]
#[case(b"<!DOCTYPE html>", false)]
#[case(b"# Photos of the shop", false)]
#[case(b"", false)]
fn a_file_is_an_image_by_its_first_bytes(#[case] bytes: &[u8], #[case] expected: bool) {
    assert_eq!(looks_like_image(bytes), expected);
}

#[test]
fn an_image_without_a_size_is_broken() {
    for bytes in [jpeg(0, 1), png(1, 0), gif(0, 0), webp("VP8 ", 0, 1)] {
        assert!(matches!(inspect(&bytes, &LIMITS), Err(ImageProblem::Broken(_, "it gives no size"))));
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        noise in proptest::collection::vec(any::<u8>(), 0..200),
        places in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let _ = inspect(&noise, &LIMITS);
        let images = [
            jpeg(9, 9), png(9, 9), gif(9, 9), webp("VP8 ", 9, 9), webp("VP8L", 9, 9), webp("VP8X", 9, 9),
        ];
        for mut image in images {
            let beginning = image[..12].to_vec();
            let _ = inspect(&[&beginning[..], &noise].concat(), &LIMITS);
            let _ = inspect(&[&image[..], &noise].concat(), &LIMITS);
            for (place, byte) in &places {
                let at = place.index(image.len());
                image[at] = *byte;
            }
            let _ = inspect(&image, &LIMITS);
            let _ = inspect(&image[..cut.index(image.len())], &LIMITS);
        }
    }
}
