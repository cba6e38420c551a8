//! Type of a column by the kinds of its values: no value loses digits or becomes another one.

use super::value::Kind;
use crate::rows::csv_infer::CellType;
use arrow_schema::{DataType, Field};

/// Type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonType {
    /// One value per row. Objects, and lists of anything but one kind of values, are text too, as JSON.
    Cell(CellType),
    /// A list of such values per row.
    List(CellType),
}

impl JsonType {
    /// Returns the type in Arrow.
    pub fn data_type(self) -> DataType {
        match self {
            Self::Cell(cell) => cell.data_type(),
            Self::List(cell) => DataType::new_list(cell.data_type(), true),
        }
    }

    /// Returns the field of a column of this type.
    pub(super) fn field(self, name: &str) -> Field {
        Field::new(name, self.data_type(), true)
    }
}

/// Kinds in the order in which messages name them.
const KINDS: [(Kind, &str); 8] = [
    (Kind::Boolean, "booleans"),
    (Kind::Integer, "integers"),
    (Kind::LongInteger, "integers over 2^53"),
    (Kind::Float, "floats"),
    (Kind::LongNumber, "numbers of more digits than 64 bits hold"),
    (Kind::Text, "texts"),
    (Kind::List, "lists"),
    (Kind::Object, "objects"),
];

/// Set of kinds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct KindSet(u8);

impl KindSet {
    const fn of(kinds: &[Kind]) -> Self {
        let (mut set, mut at) = (0, 0);
        while at < kinds.len() {
            set |= 1 << kinds[at] as u8;
            at += 1;
        }
        Self(set)
    }

    fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Returns the type that holds all values of these kinds as they are, if there is one.
    fn cell_type(self) -> Option<CellType> {
        const BOOLEANS: KindSet = KindSet::of(&[Kind::Boolean]);
        const INTEGERS: KindSet = KindSet::of(&[Kind::Integer, Kind::LongInteger]);
        const FLOATS: KindSet = KindSet::of(&[Kind::Integer, Kind::Float]);
        const TEXTS: KindSet = KindSet::of(&[Kind::Text]);
        // Without any value, a column has the type that it would have in a CSV.
        let types = [
            (TEXTS, CellType::Text),
            (BOOLEANS, CellType::Boolean),
            (INTEGERS, CellType::Integer),
            (FLOATS, CellType::Float),
        ];
        types.into_iter().find(|(set, _)| self.is_within(*set)).map(|(_, cell)| cell)
    }
}

/// Kinds of the values of a column.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ColumnKinds {
    counts: [u64; KINDS.len()],
    /// Kinds of the elements of its lists.
    elements: KindSet,
}

impl ColumnKinds {
    /// Adds a value.
    pub(super) fn add(&mut self, kind: Kind) {
        if let Some(count) = self.counts.get_mut(kind as usize) {
            *count += 1;
        }
    }

    /// Adds an element of a list.
    pub(super) fn add_element(&mut self, kind: Kind) {
        self.elements.0 |= KindSet::of(&[kind]).0;
    }

    fn kinds(&self) -> KindSet {
        let found = KINDS.iter().zip(self.counts).filter(|(_, count)| *count > 0);
        KindSet(found.fold(0, |set, ((kind, _), _)| set | KindSet::of(&[*kind]).0))
    }

    /// Returns the type of the column.
    pub(super) fn json_type(&self) -> JsonType {
        let kinds = self.kinds();
        if kinds == KindSet::of(&[Kind::List])
            && let Some(cell) = self.elements.cell_type()
        {
            return JsonType::List(cell);
        }
        JsonType::Cell(kinds.cell_type().unwrap_or(CellType::Text))
    }

    /// Returns the number of values that became text because no other type holds all of the column, and the kinds that it has.
    pub(super) fn became_text(&self) -> Option<(u64, String)> {
        const NESTED: KindSet = KindSet::of(&[Kind::List, Kind::Object]);
        let kinds = self.kinds();
        if kinds.cell_type().is_some() || kinds.is_within(NESTED) {
            return None;
        }
        let found = KINDS.iter().zip(self.counts).filter(|(_, count)| *count > 0);
        let (mut changed, mut names) = (0, Vec::new());
        for ((kind, name), count) in found {
            changed += if *kind == Kind::Text { 0 } else { count };
            names.push(*name);
        }
        Some((changed, names.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn kinds_of(values: &[Kind], elements: &[Kind]) -> ColumnKinds {
        let mut kinds = ColumnKinds::default();
        for kind in values {
            kinds.add(*kind);
        }
        for kind in elements {
            kinds.add_element(*kind);
        }
        kinds
    }

    #[test]
    fn kinds_are_in_the_order_of_their_names() {
        assert!(KINDS.iter().enumerate().all(|(at, (kind, _))| *kind as usize == at));
    }

    #[rstest]
    #[case(&[], &[], JsonType::Cell(CellType::Text), None)]
    #[case(&[Kind::Boolean], &[], JsonType::Cell(CellType::Boolean), None)]
    #[case(&[Kind::Integer, Kind::LongInteger], &[], JsonType::Cell(CellType::Integer), None)]
    #[case(&[Kind::Integer, Kind::Float], &[], JsonType::Cell(CellType::Float), None)]
    #[case::digits_of_ids(&[Kind::LongInteger, Kind::Float], &[], JsonType::Cell(CellType::Text), Some("integers over 2^53, floats"))]
    #[case(&[Kind::LongNumber], &[], JsonType::Cell(CellType::Text), Some("numbers of more digits than 64 bits hold"))]
    #[case(&[Kind::Text, Kind::Integer], &[], JsonType::Cell(CellType::Text), Some("integers, texts"))]
    #[case(&[Kind::Boolean, Kind::Integer], &[], JsonType::Cell(CellType::Text), Some("booleans, integers"))]
    #[case(&[Kind::List], &[Kind::Text], JsonType::List(CellType::Text), None)]
    #[case(&[Kind::List], &[], JsonType::List(CellType::Text), None)]
    #[case(&[Kind::List], &[Kind::Integer, Kind::Float], JsonType::List(CellType::Float), None)]
    #[case(&[Kind::List], &[Kind::Integer, Kind::Text], JsonType::Cell(CellType::Text), None)]
    #[case(&[Kind::List], &[Kind::LongNumber], JsonType::Cell(CellType::Text), None)]
    #[case(&[Kind::List], &[Kind::Object], JsonType::Cell(CellType::Text), None)]
    #[case(&[Kind::List, Kind::Object], &[Kind::Text], JsonType::Cell(CellType::Text), None)]
    #[case(&[Kind::List, Kind::Text], &[Kind::Text], JsonType::Cell(CellType::Text), Some("texts, lists"))]
    fn a_type_holds_all_values_of_its_column(
        #[case] values: &[Kind],
        #[case] elements: &[Kind],
        #[case] expected: JsonType,
        #[case] warned: Option<&str>,
    ) {
        let kinds = kinds_of(values, elements);
        assert_eq!(kinds.json_type(), expected);
        assert_eq!(kinds.became_text().map(|(_, kinds)| kinds).as_deref(), warned);
    }

    #[test]
    fn values_that_became_text_are_counted() {
        let kinds = kinds_of(&[Kind::Text, Kind::Text, Kind::Integer, Kind::Object], &[]);
        assert_eq!(kinds.became_text().unwrap().0, 2);
    }
}
