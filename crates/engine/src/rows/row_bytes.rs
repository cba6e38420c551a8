//! Sizes of rows as text, whatever they share: a dictionary or a view has a text once, and each copy of its row has it again.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ByteViewType, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, GenericByteArray, GenericByteViewArray, types::ByteArrayType};
use arrow_schema::DataType;

/// Returns the sizes of a column's cells.
pub(super) fn cell_bytes(column: &dyn Array) -> Vec<usize> {
    let rows = column.len();
    match column.data_type() {
        DataType::Utf8 => of_texts(column.as_string::<i32>()),
        DataType::LargeUtf8 => of_texts(column.as_string::<i64>()),
        DataType::Binary => of_texts(column.as_binary::<i32>()),
        DataType::LargeBinary => of_texts(column.as_binary::<i64>()),
        DataType::Utf8View => of_views(column.as_string_view()),
        DataType::BinaryView => of_views(column.as_binary_view()),
        DataType::FixedSizeBinary(width) => vec![usize::try_from(*width).unwrap_or_default(); rows],
        DataType::Struct(_) => {
            let mut bytes = vec![0; rows];
            for field in column.as_struct().columns() {
                add(&mut bytes, &cell_bytes(field));
            }
            bytes
        }
        DataType::List(_) => of_list(column.as_list::<i32>().value_offsets(), column.as_list::<i32>().values()),
        DataType::LargeList(_) => of_list(column.as_list::<i64>().value_offsets(), column.as_list::<i64>().values()),
        DataType::Map(_, _) => of_list(column.as_map().value_offsets(), column.as_map().entries()),
        DataType::FixedSizeList(_, length) => {
            let values = cell_bytes(column.as_fixed_size_list().values());
            let length = usize::try_from(*length).unwrap_or_default();
            (0..rows).map(|row| values.iter().skip(row * length).take(length).sum()).collect()
        }
        DataType::Dictionary(key, _) => of_dictionary(column, key),
        other => vec![other.primitive_width().unwrap_or(1); rows],
    }
}

fn add(sums: &mut [usize], more: &[usize]) {
    for (sum, bytes) in sums.iter_mut().zip(more) {
        *sum = sum.saturating_add(*bytes);
    }
}

fn of_texts<T: ByteArrayType>(column: &GenericByteArray<T>) -> Vec<usize> {
    (0..column.len()).map(|row| AsRef::<[u8]>::as_ref(column.value(row)).len()).collect()
}

fn of_views<T: ByteViewType>(column: &GenericByteViewArray<T>) -> Vec<usize> {
    // The lower half of a view is the length of its text.
    column.views().iter().map(|view| (*view & 0xffff_ffff) as usize).collect()
}

fn of_list<O: Copy + TryInto<usize>>(offsets: &[O], values: &dyn Array) -> Vec<usize> {
    let values = cell_bytes(values);
    let place = |offset: O| offset.try_into().unwrap_or(usize::MAX);
    let cells = offsets.windows(2).map(|pair| values.get(place(pair[0])..place(pair[1])));
    cells
        .map(|cell| cell.map_or(0, |cell| cell.iter().fold(0_usize, |sum, bytes| sum.saturating_add(*bytes))))
        .collect()
}

fn of_dictionary(column: &dyn Array, key: &DataType) -> Vec<usize> {
    macro_rules! of_keys {
        ($key:ty) => {{
            let column = column.as_dictionary::<$key>();
            let values = cell_bytes(column.values());
            let bytes = |key: Option<usize>| key.and_then(|key| values.get(key)).copied().unwrap_or_default();
            column.keys_iter().map(bytes).collect()
        }};
    }
    match key {
        DataType::Int8 => of_keys!(Int8Type),
        DataType::Int16 => of_keys!(Int16Type),
        DataType::Int32 => of_keys!(Int32Type),
        DataType::Int64 => of_keys!(Int64Type),
        DataType::UInt8 => of_keys!(UInt8Type),
        DataType::UInt16 => of_keys!(UInt16Type),
        DataType::UInt32 => of_keys!(UInt32Type),
        DataType::UInt64 => of_keys!(UInt64Type),
        _ => vec![0; column.len()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::builder::{ListBuilder, StringDictionaryBuilder, StringViewBuilder};
    use arrow_array::{ArrayRef, Int32Array, StringArray, StructArray};
    use arrow_schema::Field;
    use std::sync::Arc;

    #[test]
    fn texts_count_once_per_row_however_they_are_shared() {
        let long = "x".repeat(100);
        let mut views = StringViewBuilder::new();
        views.append_value(&long);
        views.append_null();
        views.append_value("short");
        let views: ArrayRef = Arc::new(views.finish());
        assert_eq!(cell_bytes(&views), [100, 0, 5]);
        assert_eq!(cell_bytes(&views.slice(1, 2)), [0, 5]);

        let mut dictionary = StringDictionaryBuilder::<Int32Type>::new();
        for text in [&long, &long] {
            dictionary.append_value(text);
        }
        dictionary.append_null();
        assert_eq!(cell_bytes(&dictionary.finish()), [100, 100, 0]);

        let mut list = ListBuilder::new(StringViewBuilder::new());
        list.append_value([Some("ab"), Some(&long)]);
        list.append_value([None::<&str>; 0]);
        list.append_value([Some("c")]);
        let list: ArrayRef = Arc::new(list.finish());
        assert_eq!(cell_bytes(&list), [102, 0, 1]);
        assert_eq!(cell_bytes(&list.slice(2, 1)), [1]);

        let fields = vec![
            (Arc::new(Field::new("a", DataType::Utf8, true)), Arc::new(StringArray::from(vec!["abc"])) as ArrayRef),
            (Arc::new(Field::new("b", DataType::Int32, true)), Arc::new(Int32Array::from(vec![1])) as ArrayRef),
        ];
        assert_eq!(cell_bytes(&StructArray::from(fields)), [7]);
    }
}
