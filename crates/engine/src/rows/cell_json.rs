//! JSON text of lists, structures and maps, where Arrow's own would stop a run or show something else than the same value by itself:
//! keys of maps that are no texts, bytes, and times that no calendar has.

use super::binary_text::{byte_cells, text_of};
use super::flat_text::{FORMAT, NO_TEXT, flat_text};
use arrow_array::cast::AsArray;
use arrow_array::{Array, MapArray, StringArray};
use arrow_cast::display::ArrayFormatter;
use arrow_json::writer::{NullableEncoder, make_encoder};
use arrow_json::{Encoder, EncoderFactory, EncoderOptions};
use arrow_schema::{ArrowError, FieldRef};
use std::sync::Arc;

/// Encoders of values that Arrow does not encode as wanted.
#[derive(Debug)]
struct CellEncoders;

/// Returns the way in which cells are written as JSON.
pub(super) fn options() -> EncoderOptions {
    EncoderOptions::default().with_explicit_nulls(true).with_encoder_factory(Arc::new(CellEncoders))
}

impl EncoderFactory for CellEncoders {
    fn make_default_encoder<'a>(
        &self,
        field: &'a FieldRef,
        array: &'a dyn Array,
        options: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        let of_type = array.data_type();
        let map = array.as_map_opt().filter(|map| !map.key_type().is_string());
        let encoder: Box<dyn Encoder + 'a> = match (map, byte_cells(array)) {
            (Some(map), _) => Box::new(MapEncoder::new(field, map, options)?),
            (None, Some(cells)) => Box::new(BytesEncoder(cells)),
            (None, None) if of_type.is_temporal() => {
                Box::new(TimeEncoder(ArrayFormatter::try_new(array, &FORMAT)?, String::new()))
            }
            (None, None) => return Ok(None),
        };
        Ok(Some(NullableEncoder::new(encoder, array.nulls().cloned())))
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    // Writing to memory does not fail.
    let _ = serde_json::to_writer(out, text);
}

struct BytesEncoder<'a>(Box<dyn Fn(usize) -> &'a [u8] + 'a>);

impl Encoder for BytesEncoder<'_> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        write_text(&text_of((self.0)(row)), out);
    }
}

/// Encoder of times, with a text that is used again.
struct TimeEncoder<'a>(ArrayFormatter<'a>, String);

impl Encoder for TimeEncoder<'_> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        self.1.clear();
        let text = if self.0.value(row).write(&mut self.1).is_ok() { &self.1 } else { NO_TEXT };
        write_text(text, out);
    }
}

/// Encoder of maps whose keys are written as text.
struct MapEncoder<'a> {
    offsets: &'a [i32],
    keys: StringArray,
    values: NullableEncoder<'a>,
}

impl<'a> MapEncoder<'a> {
    fn new(field: &'a FieldRef, map: &'a MapArray, options: &'a EncoderOptions) -> Result<Self, ArrowError> {
        let keys = flat_text(map.keys())?;
        Ok(Self { offsets: map.value_offsets(), keys, values: make_encoder(field, map.values(), options)? })
    }
}

impl Encoder for MapEncoder<'_> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        let place = |row: usize| self.offsets.get(row).and_then(|offset| usize::try_from(*offset).ok()).unwrap_or(0);
        let (begin, end) = (place(row), place(row + 1));
        out.push(b'{');
        let mut is_first = true;
        for entry in begin..end {
            if !std::mem::take(&mut is_first) {
                out.push(b',');
            }
            write_text(if self.keys.is_null(entry) { "" } else { self.keys.value(entry) }, out);
            out.push(b':');
            if self.values.is_null(entry) {
                out.extend_from_slice(b"null");
            } else {
                self.values.encode(entry, out);
            }
        }
        out.push(b'}');
    }
}
