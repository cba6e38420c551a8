//! Images that people really have, made up after public reports: each is sent as what its bytes are, or refused with the reason.
//! `tests/fixtures/image_troubles/` has them.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a test that reads files")]

use bedrock_batch_domain::image::{ImageLimits, ImageTraits, inspect, looks_like_image};
use bedrock_batch_domain::model::Family;
use rstest::rstest;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/image_troubles")
}

/// Returns the media type of an image that is sent, with what a model may see otherwise, or the reason why it is not sent.
fn found(bytes: &[u8]) -> String {
    let limits = ImageLimits::of(Family::AnthropicMessages);
    match inspect(bytes, &limits) {
        Ok(media_type) => {
            let ImageTraits { is_turned, is_animated } = ImageTraits::of(bytes, media_type);
            let name = |flag: bool, name: &str| if flag { format!(", {name}") } else { String::new() };
            format!("{}{}{}", media_type.mime(), name(is_turned, "turned"), name(is_animated, "animated"))
        }
        Err(problem) => problem.to_string(),
    }
}

#[rstest]
#[case::jpeg_as_png("jpeg_named.png", "image/jpeg")]
#[case::png_as_jpeg("png_named.jpg", "image/png")]
#[case::heic_as_jpeg("heic_named.jpg", "the file is a HEIC image")]
#[case::avif_as_webp("avif_named.webp", "the file is an AVIF image")]
#[case::tiff_as_png("tiff_named.png", "the file is a TIFF image")]
#[case::page_as_jpeg("html_error_page_named.jpg", "the file is an HTML page")]
#[case::pdf_as_jpeg("pdf_named.jpg", "the file is a PDF document")]
#[case::text_as_jpeg("text_named.jpg", "the file is of no known image format")]
#[case::saved_by_chrome("chrome_saved.jfif", "image/jpeg")]
#[case::dot_at_the_end("dot_at_end.jpg.", "image/jpeg")]
#[case::upper_case("UPPER.JPG", "image/jpeg")]
#[case::plain("plain.jpg", "image/jpeg")]
#[case::too_wide("9000_wide.png", "9000 x 1 pixels")]
#[case::wide("8000_wide.png", "image/png")]
#[case::one_pixel("1x1.png", "image/png")]
#[case::extreme_ratio("extreme_ratio_1x4000.png", "image/png")]
#[case::no_width("zero_width.png", "it gives no size")]
#[case::cut_off("cut_off.jpg", "the JPEG file is cut off")]
#[case::nothing("zero_bytes.jpg", "the file is empty")]
#[case::large_preview("thumbnail_larger_than_picture.jpg", "image/jpeg")]
#[case::two_pictures("mpo_two_pictures.jpg", "image/jpeg")]
#[case::turned("exif_orientation_6.jpg", "image/jpeg, turned")]
#[case::printing_colours("cmyk_adobe.jpg", "image/jpeg")]
#[case::three_components("three_components.jpg", "image/jpeg")]
#[case::sixteen_bits("16_bit.png", "image/png")]
#[case::grey_with_alpha("grey_alpha.png", "image/png")]
#[case::animated_png("apng.png", "image/png, animated")]
#[case::animated_gif("animated.gif", "image/gif, animated")]
#[case::animated_webp("animated.webp", "image/webp, animated")]
#[case::still_gif("still.gif", "image/gif")]
#[case::still_webp("still.webp", "image/webp")]
#[case::bmp("bmp.bmp", "the file is a BMP image")]
#[case::heic("phone.heic", "the file is a HEIC image")]
#[case::svg("svg.svg", "the file is an SVG image")]
fn troubles_of_images_are_sent_or_refused_as_they_should(#[case] file: &str, #[case] expected: &str) {
    let bytes = std::fs::read(folder().join(file)).unwrap();
    let found = found(&bytes);
    assert!(if expected.starts_with("image/") { found == expected } else { found.contains(expected) }, "{found}");
    let is_no_image = ["HTML", "PDF", "no known", "empty"].iter().any(|word| expected.contains(word));
    assert_eq!(looks_like_image(&bytes), !is_no_image);
}

#[test]
fn every_file_is_tried() {
    let tried = include_str!("image_troubles.rs");
    for file in std::fs::read_dir(folder()).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(tried.contains(&format!("\"{name}\"")), "{name}");
    }
}
