//! The header of a Parquet page, as far as it says how large the page becomes.

use super::thrift::{STRUCT, Thrift};
use std::io::{self, Read};

/// Maximum size of a header. The smallest and the largest value of the page may be in it.
const MAX_HEADER_BYTES: u64 = 16 << 20;

/// Sizes that the header of a page declares.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct PageHeader {
    /// Size of the header itself.
    pub(super) length: u64,
    pub(super) is_dictionary: bool,
    pub(super) bytes: u64,
    pub(super) compressed_bytes: u64,
    /// Number of values, including null.
    pub(super) values: u64,
    /// If true, values share their beginnings, so that each may be as long as the page.
    pub(super) shares_prefixes: bool,
    /// Bytes at the beginning of the page that are not compressed.
    pub(super) uncompressed_prefix: u64,
    pub(super) is_compressed: bool,
}

const DICTIONARY_PAGE: i64 = 2;
const DELTA_BYTE_ARRAY: i64 = 7;
const INTEGER_KINDS: std::ops::RangeInclusive<u8> = 4..=6;

impl PageHeader {
    /// Reads a header.
    pub(super) fn read(input: impl Read) -> io::Result<Self> {
        let mut thrift = Thrift::new(input.take(MAX_HEADER_BYTES));
        let mut header = Self { is_compressed: true, ..Self::default() };
        let mut latest = 0;
        while let Some(field) = thrift.field(&mut latest)? {
            match (field.id, field.kind) {
                (1..=3, kind) if INTEGER_KINDS.contains(&kind) => {
                    let value = thrift.integer()?;
                    match field.id {
                        1 => header.is_dictionary = value == DICTIONARY_PAGE,
                        2 => header.bytes = size(value)?,
                        _ => header.compressed_bytes = size(value)?,
                    }
                }
                // The headers of data pages and of dictionaries.
                (5 | 7, STRUCT) => header.read_values(&mut thrift, 2)?,
                // The header of data pages of the second version.
                (8, STRUCT) => header.read_values(&mut thrift, 4)?,
                _ => thrift.skip(field.kind)?,
            }
        }
        header.length = thrift.length;
        Ok(header)
    }

    /// Reads the header of one kind of page, in which the encoding has the id `encoding`.
    fn read_values(&mut self, thrift: &mut Thrift<impl Read>, encoding: i64) -> io::Result<()> {
        const VALUES: i64 = 1;
        const FALSE: u8 = 2;
        let is_second_version = encoding == 4;
        let mut latest = 0;
        while let Some(field) = thrift.field(&mut latest)? {
            match field.id {
                id if INTEGER_KINDS.contains(&field.kind) => {
                    let value = thrift.integer()?;
                    if id == VALUES {
                        self.values = size(value)?;
                    } else if id == encoding {
                        self.shares_prefixes = value == DELTA_BYTE_ARRAY;
                    } else if is_second_version && (id == 5 || id == 6) {
                        self.uncompressed_prefix += size(value)?;
                    }
                }
                7 if is_second_version => self.is_compressed = field.kind != FALSE,
                _ => thrift.skip(field.kind)?,
            }
        }
        Ok(())
    }
}

fn size(value: i64) -> io::Result<u64> {
    u64::try_from(value).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "a page header has a negative size"))
}
