//! Reader of Thrift's compact protocol, as far as needed to find single fields of Parquet's headers without allocating memory for
//! the others.

use std::io::{self, Read};

/// Maximum depth of nested values; Parquet's headers have fewer than ten.
const MAX_DEPTH: u8 = 32;

/// Kinds of values that are not read by their value.
pub(super) const BINARY: u8 = 8;
pub(super) const LIST: u8 = 9;
pub(super) const STRUCT: u8 = 12;
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const DOUBLE: u8 = 7;
const SET: u8 = 10;
const MAP: u8 = 11;

/// Reader of consecutive values.
pub(super) struct Thrift<R> {
    input: R,
    /// Number of bytes that were read.
    pub(super) length: u64,
}

/// Field of a structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ThriftField {
    pub(super) id: i64,
    pub(super) kind: u8,
}

impl<R: Read> Thrift<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, length: 0 }
    }

    /// Reads the beginning of the next field of a structure; `None` at its end. `latest` is the id of the field before it.
    pub(super) fn field(&mut self, latest: &mut i64) -> io::Result<Option<ThriftField>> {
        let first = self.byte()?;
        let kind = first & 0x0f;
        if kind == 0 {
            return Ok(None);
        }
        let id = match first >> 4 {
            0 => self.integer()?,
            delta => latest.saturating_add(i64::from(delta)),
        };
        *latest = id;
        Ok(Some(ThriftField { id, kind }))
    }

    /// Reads an integer of up to 64 bits.
    pub(super) fn integer(&mut self) -> io::Result<i64> {
        let coded = self.varint()?;
        Ok((coded >> 1).cast_signed() ^ -(coded & 1).cast_signed())
    }

    /// Reads the beginning of a list: the kind of its elements, and their number.
    pub(super) fn list(&mut self) -> io::Result<(u8, u64)> {
        let first = self.byte()?;
        let length = match first >> 4 {
            15 => self.varint()?,
            short => u64::from(short),
        };
        Ok((first & 0x0f, length))
    }

    /// Reads over the value of a field.
    pub(super) fn skip(&mut self, kind: u8) -> io::Result<()> {
        match kind {
            // The kind is the value.
            TRUE | FALSE => Ok(()),
            _ => self.skip_value(kind, MAX_DEPTH),
        }
    }

    /// Reads over an element of a list.
    pub(super) fn skip_element(&mut self, kind: u8) -> io::Result<()> {
        self.skip_value(kind, MAX_DEPTH)
    }

    fn skip_value(&mut self, kind: u8, depth: u8) -> io::Result<()> {
        let Some(inner) = depth.checked_sub(1) else { return Err(invalid()) };
        match kind {
            TRUE | FALSE | BYTE => self.byte().map(drop),
            4..=6 => self.varint().map(drop),
            DOUBLE => self.skip_bytes(8),
            BINARY => {
                let length = self.varint()?;
                self.skip_bytes(length)
            }
            LIST | SET => {
                let (kind, length) = self.list()?;
                (0..length).try_for_each(|_| self.skip_value(kind, inner))
            }
            MAP => {
                let length = self.varint()?;
                let kinds = if length == 0 { 0 } else { self.byte()? };
                (0..length).try_for_each(|_| {
                    self.skip_value(kinds >> 4, inner)?;
                    self.skip_value(kinds & 0x0f, inner)
                })
            }
            STRUCT => {
                let mut latest = 0;
                while let Some(field) = self.field(&mut latest)? {
                    if field.kind != TRUE && field.kind != FALSE {
                        self.skip_value(field.kind, inner)?;
                    }
                }
                Ok(())
            }
            _ => Err(invalid()),
        }
    }

    fn skip_bytes(&mut self, length: u64) -> io::Result<()> {
        let skipped = io::copy(&mut self.input.by_ref().take(length), &mut io::sink())?;
        self.length += skipped;
        if skipped < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    fn varint(&mut self) -> io::Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(invalid())
    }

    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.input.read_exact(&mut byte)?;
        self.length += 1;
        Ok(byte[0])
    }
}

fn invalid() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a header is not valid Thrift")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..200), kind in 0u8..16) {
            let mut thrift = Thrift::new(bytes.as_slice());
            let _ = thrift.skip(kind);
            prop_assert!(thrift.length <= bytes.len() as u64);
        }
    }

    #[test]
    fn values_are_read_and_skipped() {
        // {1: -3, 2: [{}, {}], 20: "ab", 21: true}
        let bytes = [0x15, 5, 0x19, 0x2c, 0, 0, 0x08, 40, 2, b'a', b'b', 0x11, 0];
        let mut thrift = Thrift::new(bytes.as_slice());
        let mut latest = 0;
        assert_eq!(thrift.field(&mut latest).unwrap(), Some(ThriftField { id: 1, kind: 5 }));
        assert_eq!(thrift.integer().unwrap(), -3);
        assert_eq!(thrift.field(&mut latest).unwrap(), Some(ThriftField { id: 2, kind: LIST }));
        assert_eq!(thrift.list().unwrap(), (STRUCT, 2));
        thrift.skip_element(STRUCT).unwrap();
        thrift.skip_element(STRUCT).unwrap();
        assert_eq!(thrift.field(&mut latest).unwrap(), Some(ThriftField { id: 20, kind: BINARY }));
        thrift.skip(BINARY).unwrap();
        let last = thrift.field(&mut latest).unwrap().unwrap();
        thrift.skip(last.kind).unwrap();
        assert_eq!((last.id, thrift.field(&mut latest).unwrap(), thrift.length), (21, None, bytes.len() as u64));
    }

    #[test]
    fn deep_nesting_is_refused() {
        let lists = vec![0x19; 100_000];
        assert!(Thrift::new(lists.as_slice()).skip(LIST).is_err());
    }
}
