//! Cells of an image column: the name of an image, or the image itself.

use crate::error::EngineError;
use crate::rows::cell_text::as_text;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StringArray};
use arrow_cast::cast;
use arrow_schema::DataType;
use bytes::Bytes;

/// Field of the bytes in the images of Hugging Face datasets.
const BYTES: &str = "bytes";
/// Field of the file's name in them.
const PATH: &str = "path";

/// Cell of an image column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageCell {
    /// Address or key of an image in S3; `None` if the row names none.
    Named(Option<String>),
    /// The image itself.
    Embedded {
        /// Name of the image, for messages.
        name: String,
        /// The file.
        bytes: Bytes,
    },
}

impl From<Option<&str>> for ImageCell {
    fn from(name: Option<&str>) -> Self {
        Self::Named(name.map(str::to_owned))
    }
}

/// Column of images.
#[derive(Debug)]
pub struct ImageColumn {
    names: StringArray,
    bytes: Option<ArrayRef>,
    label: String,
}

impl ImageColumn {
    /// Reads a column: texts, bytes, or the structures of `bytes` and `path` that the images of datasets are.
    ///
    /// # Errors
    /// Returns an error if the column has no text form.
    pub fn new(label: &str, column: &ArrayRef) -> Result<Self, EngineError> {
        let label = label.to_owned();
        let without_names = || StringArray::new_null(column.len());
        match column.data_type() {
            DataType::Struct(_) => {
                let cells = column.as_struct();
                // A null structure has no fields, whatever lies below it.
                let field = |name| cells.column_by_name(name).map(|field| masked(column, field)).transpose();
                let names = field(PATH)?.map_or_else(|| Ok(without_names()), |paths| as_text(&paths))?;
                let bytes = field(BYTES)?.filter(|bytes| is_binary(bytes.data_type()));
                let names =
                    if bytes.is_none() && cells.column_by_name(PATH).is_none() { as_text(column)? } else { names };
                Ok(Self { names, bytes: bytes.map(|bytes| as_binary(&bytes)).transpose()?, label })
            }
            kind if is_binary(kind) => Ok(Self { names: without_names(), bytes: Some(as_binary(column)?), label }),
            _ => Ok(Self { names: as_text(column)?, bytes: None, label }),
        }
    }

    /// The cell of a row.
    pub fn cell(&self, row: usize) -> ImageCell {
        let name = self.names.is_valid(row).then(|| self.names.value(row));
        match self.bytes.as_ref().filter(|bytes| bytes.is_valid(row)) {
            Some(bytes) => {
                let bytes = Bytes::copy_from_slice(bytes.as_binary::<i64>().value(row));
                let name = name.filter(|name| !name.is_empty());
                let name = name.map_or_else(|| self.label.clone(), |name| format!("{} `{name}`", self.label));
                ImageCell::Embedded { name, bytes }
            }
            None => ImageCell::from(name),
        }
    }
}

fn is_binary(kind: &DataType) -> bool {
    matches!(kind, DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_))
}

fn as_binary(column: &ArrayRef) -> Result<ArrayRef, EngineError> {
    cast(column, &DataType::LargeBinary)
        .map_err(|error| EngineError::internal("cannot read a column as bytes").caused_by(error))
}

/// The field of a structure, null where the structure is.
fn masked(of: &ArrayRef, field: &ArrayRef) -> Result<ArrayRef, EngineError> {
    let Some(valid) = of.nulls() else { return Ok(field.clone()) };
    let is_null = arrow_array::BooleanArray::new(!valid.inner(), None);
    arrow_select::nullif::nullif(field, &is_null)
        .map_err(|error| EngineError::internal("cannot read a column of structures").caused_by(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{BinaryArray, StructArray};
    use arrow_schema::Field;
    use std::sync::Arc;

    fn cells(column: &ArrayRef) -> Vec<ImageCell> {
        let rows = column.len();
        let column = ImageColumn::new("image", column).unwrap();
        (0..rows).map(|row| column.cell(row)).collect()
    }

    fn embedded(name: &str, bytes: &'static [u8]) -> ImageCell {
        ImageCell::Embedded { name: name.to_owned(), bytes: Bytes::from_static(bytes) }
    }

    #[test]
    fn images_of_datasets_are_structures_of_bytes_and_path() {
        let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![Some(&b"abc"[..]), Some(b"de"), None, Some(b"x")]));
        let paths: ArrayRef = Arc::new(StringArray::from(vec![Some("a.png"), None, Some("s3://b/c.png"), Some("y")]));
        let fields = vec![Field::new(BYTES, DataType::Binary, true), Field::new(PATH, DataType::Utf8, true)];
        let valid = vec![true, true, true, false].into();
        let column: ArrayRef = Arc::new(StructArray::new(fields.into(), vec![bytes, paths], Some(valid)));
        let expected = [
            embedded("image `a.png`", b"abc"),
            embedded("image", b"de"),
            ImageCell::from(Some("s3://b/c.png")),
            ImageCell::Named(None),
        ];
        assert_eq!(cells(&column), expected);
    }

    #[test]
    fn a_column_may_hold_names_or_bytes_alone() {
        let names: ArrayRef = Arc::new(StringArray::from(vec![Some("a.png"), None]));
        assert_eq!(cells(&names), [ImageCell::from(Some("a.png")), ImageCell::Named(None)]);
        let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![Some(&b"abc"[..]), None]));
        assert_eq!(cells(&bytes), [embedded("image", b"abc"), ImageCell::Named(None)]);
    }
}
