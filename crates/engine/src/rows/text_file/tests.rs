use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use rstest::rstest;
use std::io::Write;

fn read(bytes: &[u8], encoding: Option<&str>) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    let read = TextFile::open(bytes, "a.csv", TextKind::Csv, encoding)
        .and_then(|mut file| file.read_to_end(&mut text).map_err(EngineError::from));
    read.map(|_| text).map_err(|error| error.message())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut file = GzEncoder::new(Vec::new(), Compression::fast());
    file.write_all(bytes).unwrap();
    file.finish().unwrap()
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut file = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::fast());
    file.write_all(bytes).unwrap();
    file.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ::zstd::encode_all(bytes, 1).unwrap()
}

fn utf_16(text: &str, is_little: bool) -> Vec<u8> {
    let units = text.encode_utf16();
    units.flat_map(|unit| if is_little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
}

const TEXT: &str = "id,text\n1,Größe €5 👩\n";

#[rstest]
#[case::plain(TEXT.as_bytes().to_vec(), None)]
#[case::mark([b"\xef\xbb\xbf", TEXT.as_bytes()].concat(), None)]
#[case::marks([b"\xef\xbb\xbf\xef\xbb\xbf", TEXT.as_bytes()].concat(), None)]
#[case::gzip(gzip(TEXT.as_bytes()), None)]
#[case::several_members([gzip(b"id,text\n"), gzip(&TEXT.as_bytes()[8..])].concat(), None)]
#[case::zstd(zstd(TEXT.as_bytes()), None)]
#[case::several_frames([zstd(b"id,text\n"), zstd(&TEXT.as_bytes()[8..])].concat(), None)]
#[case::bzip2(bzip2(TEXT.as_bytes()), None)]
#[case::utf_16_le(utf_16(&format!("\u{feff}{TEXT}"), true), None)]
#[case::utf_16_be(utf_16(&format!("\u{feff}{TEXT}"), false), None)]
#[case::utf_16_said(utf_16(&format!("\u{feff}{TEXT}"), false), Some("utf-16"))]
#[case::without_a_mark(utf_16(TEXT, true), Some("utf-16le"))]
#[case::both(gzip(&utf_16(&format!("\u{feff}{TEXT}"), true)), None)]
#[case::dos([TEXT.as_bytes(), b"\x1a\0\0\0"].concat(), None)]
fn files_are_read_as_their_first_bytes_say(#[case] bytes: Vec<u8>, #[case] encoding: Option<&str>) {
    assert_eq!(read(&bytes, encoding).unwrap(), TEXT.as_bytes());
}

#[rstest]
#[case("windows-1252", b"\x80 Gr\xf6\xdfe", "€ Größe")]
#[case("cp1252", b"\x93a\x94", "“a”")]
#[case("latin-1", b"\x80", "€")]
#[case("iso-8859-15", b"\xa4", "€")]
#[case("shift_jis", b"\x93\xfa", "日")]
fn encodings_are_read_when_they_are_named(#[case] encoding: &str, #[case] bytes: &[u8], #[case] expected: &str) {
    assert_eq!(read(bytes, Some(encoding)).unwrap(), expected.as_bytes());
}

#[test]
fn every_encoding_of_inputs_is_known() {
    for name in bedrock_batch_domain::input::ENCODINGS {
        let label = if name == "latin-1" { "latin1" } else { name };
        assert!(encoding_rs::Encoding::for_label(label.as_bytes()).is_some(), "{name}");
    }
}

#[rstest]
#[case::undefined("windows-1252", b"a\x81b\n")]
#[case::half_of_a_pair("utf-16le", b"a\0\x00\xd8b\0")]
#[case::cut_off("utf-16le", b"a\0b")]
#[case::multi_byte("shift_jis", b"a\x93")]
fn bytes_that_are_not_valid_stay_so(#[case] encoding: &str, #[case] bytes: &[u8]) {
    let text = read(bytes, Some(encoding)).unwrap();
    assert!(text[0] == b'a' && std::str::from_utf8(&text).is_err(), "{text:?}");
}

#[test]
fn a_file_may_consist_of_bytes_that_are_not_valid() {
    let bytes = vec![0xff; 1 << 20];
    assert!(read(&bytes, Some("shift_jis")).unwrap() == bytes, "each of them stays one");
}

#[rstest]
#[case::utf_16(&utf_16(TEXT, true), None, "a.csv: looks like UTF-16LE without a mark: every other byte is zero; set csv.encoding to `utf-16le`, or save it as UTF-8, e.g. `iconv -f utf-16le -t utf-8`")]
#[case::utf_16_be(&utf_16(TEXT, false), None, "looks like UTF-16BE without a mark")]
#[case::utf_32(b"\xff\xfe\0\0a\0\0\0", None, "is in UTF-32")]
#[case::said_otherwise(TEXT.as_bytes(), Some("windows-1252"), "is UTF-8, and csv.encoding is `windows-1252`; leave csv.encoding out")]
#[case::marked_otherwise(b"\xff\xfea\0", Some("utf-8"), "is UTF-16LE, and csv.encoding is `utf-8`")]
#[case::parquet(b"PAR1...", None, "a.csv: is a Parquet file, not a CSV; name it `.parquet`")]
#[case::xlsx(
    b"PK\x03\x04...",
    None,
    "perhaps an Excel workbook (.xlsx), not a CSV; name it `.xlsx` if it is a workbook"
)]
#[case::html(b"\n<!DOCTYPE html>\n", None, "is an HTML page, not a CSV; download the file again")]
#[case::json(b"{\"a\": 1}\n{\"a\": 2}\n", None, "is JSON, not a CSV")]
#[case::xz(b"\xfd7zXZ\0...", None, "is a file compressed with xz; compress it with gzip, zstd or bzip2")]
#[case::twice(&gzip(&gzip(b"a")), None, "is a file that was compressed twice; decompress it once")]
#[case::in_gzip(&gzip(b"PK\x03\x04..."), None, "perhaps an Excel workbook")]
fn other_files_are_told_in_the_words_of_users(
    #[case] bytes: &[u8],
    #[case] encoding: Option<&str>,
    #[case] expected: &str,
) {
    let message = read(bytes, encoding).unwrap_err();
    assert!(message.contains(expected), "{message}");
}

#[rstest]
#[case(gzip(TEXT.repeat(100).as_bytes()), "gzip")]
#[case(zstd(TEXT.repeat(100).as_bytes()), "Zstandard")]
#[case(bzip2(TEXT.repeat(100).as_bytes()), "bzip2")]
fn damaged_files_are_refused_and_not_tried_again(#[case] file: Vec<u8>, #[case] format: &str) {
    let cut = &file[..file.len() - 8];
    let mut text = Vec::new();
    let error = TextFile::open(cut, "a.csv", TextKind::Csv, None)
        .and_then(|mut file| file.read_to_end(&mut text).map_err(EngineError::from))
        .unwrap_err();
    assert_eq!(error.name(), "InvalidInput");
    let expected = format!("a.csv: cannot be decompressed as {format}: ");
    assert!(error.message().contains(&expected), "{}", error.message());
}

/// Source that breaks after its first bytes.
struct Breaking(Vec<u8>);

impl Read for Breaking {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() {
            return Err(EngineError::transient("the connection broke").into());
        }
        let length = buffer.len().min(self.0.len());
        buffer[..length].copy_from_slice(&self.0[..length]);
        self.0.drain(..length);
        Ok(length)
    }
}

#[rstest]
#[case(gzip(TEXT.as_bytes()))]
#[case(zstd(TEXT.as_bytes()))]
#[case(bzip2(TEXT.as_bytes()))]
#[case(utf_16(&format!("\u{feff}{TEXT}"), true))]
fn a_broken_connection_is_no_damage(#[case] file: Vec<u8>) {
    let cut = file[..file.len() - 9].to_vec();
    let mut text = Vec::new();
    let error = TextFile::open(Breaking(cut), "a.csv", TextKind::Csv, None)
        .and_then(|mut file| file.read_to_end(&mut text).map_err(EngineError::from))
        .unwrap_err();
    assert!(error.is_transient(), "{error:?}");
}

#[test]
fn a_few_bytes_that_become_very_many_are_refused() {
    let mut file = ::zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    let line = b"a,b\n".repeat(16_384);
    for _ in 0..200 {
        file.write_all(&line).unwrap();
    }
    let bomb = file.finish().unwrap();
    let mut text = TextFile::open(bomb.as_slice(), "a.csv", TextKind::Csv, None).unwrap();
    let error = EngineError::from(io::copy(&mut text, &mut io::sink()).unwrap_err());
    assert_eq!(error.name(), "InvalidInput");
    let message = error.message();
    assert!(message.contains("bytes of Zstandard have become more than 1 MiB; at most 1000 times"), "{message}");
}

proptest! {
    #[test]
    fn only_marks_and_zeros_at_the_end_are_left_out(text in "[a\u{1a}\u{0}]{0,40}", sizes in prop::collection::vec(1usize..9, 1..9)) {
        /// Gives a few bytes at a time.
        struct Slow<'a>(&'a [u8], std::iter::Cycle<std::vec::IntoIter<usize>>);
        impl Read for Slow<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let length = self.1.next().unwrap().min(buffer.len()).min(self.0.len());
                buffer[..length].copy_from_slice(&self.0[..length]);
                self.0 = &self.0[length..];
                Ok(length)
            }
        }
        let mut end = text_end::TextEnd::new(Slow(text.as_bytes(), sizes.into_iter().cycle()));
        let mut read = String::new();
        let mut buffer = [0; 64];
        loop {
            match end.read(&mut buffer).unwrap() {
                0 => break,
                length => read.push_str(std::str::from_utf8(&buffer[..length]).unwrap()),
            }
        }
        let expected = text.trim_end_matches('\0').trim_end_matches('\u{1a}');
        prop_assert_eq!(read, expected);
    }
}
