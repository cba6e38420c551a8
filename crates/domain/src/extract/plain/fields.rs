//! Fields of answers that are flat objects, checked by a simple schema.

use super::cell::PlainCell;
use super::rule::Rule;
use crate::extract::kinds::ColumnType;
use crate::json_scanner::{Scalar, Span};
use serde_json::Value;

/// Maximum number of members with a rule or a column.
const MAX_MEMBERS: usize = 64;

/// Reader of the fields of flat objects, for schemas that are simple enough. What it reads has the same fields in the general
/// way; what it does not read may have some as well.
#[derive(Debug, Clone)]
pub struct PlainFields {
    members: Vec<Member>,
    /// Members that must exist, and members that are fields, by their bits.
    required: u64,
    fields: u64,
    /// If true, other members are not allowed.
    is_closed: bool,
}

#[derive(Debug, Clone)]
struct Member {
    name: String,
    rule: Rule,
    /// Number of its field.
    field: Option<usize>,
    /// Type of the field's column, if it is declared.
    column: Option<ColumnType>,
}

/// Progress of reading an object.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// Members that were read, by their bits.
    seen: u64,
    /// Number of the member that is expected next: models write them in the same order.
    next: usize,
}

impl PlainFields {
    /// Returns a reader of these fields, each the member with this name, of objects that match `schema`; `None` if only the
    /// general way reads them.
    pub(crate) fn new<'f>(
        fields: impl Iterator<Item = (Option<&'f str>, Option<ColumnType>)>,
        schema: Option<&Value>,
    ) -> Option<Self> {
        let mut plain = Self { members: Vec::new(), required: 0, fields: 0, is_closed: false };
        for (number, (name, column)) in fields.enumerate() {
            let at = plain.member(name?)?;
            let member = plain.members.get_mut(at)?;
            if member.field.replace(number).is_some() {
                return None;
            }
            member.column = column;
            plain.fields |= 1 << at;
        }
        if let Some(schema) = schema {
            plain.hold(schema)?;
        }
        (plain.fields != 0).then_some(plain)
    }

    /// Adds the rules of a schema; returns `None` if it has a keyword that is not held here.
    fn hold(&mut self, schema: &Value) -> Option<()> {
        for (keyword, value) in schema.as_object()? {
            match keyword.as_str() {
                "$defs" | "definitions" | "$schema" | "description" | "title" => {}
                "type" if value == "object" => {}
                "additionalProperties" => self.is_closed = !value.as_bool()?,
                "required" => {
                    for name in value.as_array()? {
                        self.required |= 1 << self.member(name.as_str()?)?;
                    }
                }
                "properties" => {
                    for (name, property) in value.as_object()? {
                        let at = self.member(name)?;
                        self.members.get_mut(at)?.rule = Rule::of(property, schema)?;
                    }
                }
                _ => return None,
            }
        }
        // A member that is not described is another one.
        let is_described = |name: &str| schema.get("properties").is_some_and(|all| all.get(name).is_some());
        let all_described = || self.members.iter().all(|member| is_described(&member.name));
        (!self.is_closed || all_described()).then_some(())
    }

    /// Returns the number of a member, which is added if it is new; `None` if there are too many.
    fn member(&mut self, name: &str) -> Option<usize> {
        let known = self.members.iter().position(|member| member.name == name);
        let at = known.unwrap_or(self.members.len());
        if known.is_none() {
            // A name with escapes is never read here.
            self.members.push(Member { name: name.to_owned(), rule: Rule::any(), field: None, column: None });
        }
        (at < MAX_MEMBERS).then_some(at)
    }

    /// Reads a member of an object, whose value is written like `span` of `text`. Returns its field if it is one; `Err` leaves
    /// the object to the general way.
    pub(super) fn read(
        &self,
        reading: &mut Reading,
        name: &str,
        (span, scalar): (Span, Scalar),
        text: &str,
    ) -> Result<Option<usize>, ()> {
        let is_expected = self.members.get(reading.next).is_some_and(|member| member.name == name);
        let at = if is_expected {
            reading.next
        } else {
            match self.members.iter().position(|member| member.name == name) {
                Some(at) => at,
                None if self.is_closed => return Err(()),
                None => return Ok(None),
            }
        };
        reading.next = at + 1;
        let bit = 1 << at;
        let member = self.members.get(at).filter(|_| reading.seen & bit == 0).ok_or(())?;
        reading.seen |= bit;
        let is_of_column = matches!(
            (member.column, scalar),
            (None, _)
                | (_, Scalar::Null)
                | (Some(ColumnType::Integer), Scalar::Integer(_))
                | (Some(ColumnType::Float), Scalar::Integer(_) | Scalar::Float(_))
                | (Some(ColumnType::Boolean), Scalar::Boolean(_))
                | (Some(ColumnType::Text), Scalar::Text | Scalar::EscapedText)
        );
        if is_of_column && member.rule.is_held(scalar, span, text) { Ok(member.field) } else { Err(()) }
    }

    /// Returns true if the object that was read has all members that it needs, and any field.
    pub(super) fn is_complete(&self, reading: &Reading) -> bool {
        reading.seen & self.required == self.required && reading.seen & self.fields != 0
    }
}

/// Returns the cell of a value that is written from `begin` to `end` of its answer.
pub(super) fn cell_of(scalar: Scalar, begin: u32, end: u32) -> PlainCell {
    match scalar {
        Scalar::Null => PlainCell::Null,
        Scalar::Boolean(flag) => PlainCell::Boolean(flag),
        Scalar::Integer(number) => PlainCell::Integer(number),
        Scalar::Float(number) => PlainCell::Float(number),
        Scalar::Text => PlainCell::Text(begin + 1, end.saturating_sub(1)),
        Scalar::EscapedText => PlainCell::EscapedText(begin, end),
    }
}
