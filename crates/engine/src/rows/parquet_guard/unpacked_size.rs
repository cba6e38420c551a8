//! Check that a compressed page is as large as its header says. The reader bounds what Snappy, Zstandard and LZ4 decompress to,
//! but not Gzip and Brotli.

use parquet::basic::Compression;
use std::io::{self, Read};

/// Maximum factor by which Gzip and LZ4 compress.
const MAX_GZIP_FACTOR: u64 = 1032;
const MAX_LZ4_FACTOR: u64 = 255;

/// Returns the maximum size of a page with `compressed` bytes that the reader would decompress whatever the header says; `None`
/// if it respects the header.
pub(super) fn unbounded_size(codec: Compression, compressed: u64) -> Option<u64> {
    match codec {
        Compression::GZIP(_) => Some(compressed.saturating_mul(MAX_GZIP_FACTOR)),
        // The framed form, which the reader tries last.
        Compression::LZ4 => Some(compressed.saturating_mul(MAX_LZ4_FACTOR)),
        Compression::BROTLI(_) => Some(u64::MAX),
        _ => None,
    }
}

/// Returns true if the data decompresses to more than `declared` bytes. Damaged data is left to the reader.
pub(super) fn is_larger(codec: Compression, compressed: &[u8], declared: u64) -> bool {
    match codec {
        Compression::GZIP(_) => has_more(flate2::read::MultiGzDecoder::new(compressed), declared),
        Compression::BROTLI(_) => has_more(brotli::Decompressor::new(compressed, 64 * 1024), declared),
        _ => true,
    }
}

fn has_more(mut input: impl Read, declared: u64) -> bool {
    let mut buffer = vec![0; 64 * 1024];
    let mut bytes = 0;
    loop {
        match input.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => return false,
            Ok(read) => bytes += read as u64,
        }
        if bytes > declared {
            return true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::basic::{BrotliLevel, GzipLevel};
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn brotli(bytes: &[u8]) -> Vec<u8> {
        let mut compressed = Vec::new();
        brotli::CompressorWriter::new(&mut compressed, 4096, 5, 20).write_all(bytes).unwrap();
        compressed
    }

    #[test]
    fn a_page_that_is_larger_than_declared_is_found() {
        let page = vec![0; 1 << 20];
        let (gzip_codec, brotli_codec) =
            (Compression::GZIP(GzipLevel::default()), Compression::BROTLI(BrotliLevel::default()));
        for (codec, compressed) in [(gzip_codec, gzip(&page)), (brotli_codec, brotli(&page))] {
            assert!(compressed.len() < 5_000);
            assert!(!is_larger(codec, &compressed, 1 << 20));
            assert!(is_larger(codec, &compressed, (1 << 20) - 1));
            assert!(!is_larger(codec, b"no data", 10));
        }
        let compressed = gzip(&page);
        assert!(
            is_larger(gzip_codec, &compressed[..compressed.len() / 2], 10),
            "what comes before damaged data counts"
        );
    }
}
