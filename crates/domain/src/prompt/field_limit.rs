//! Limits of the fields of answers to the values of references.

use super::Prompt;
use crate::extract::{FieldValue, Unparsed};
use crate::matching::AllowedValues;
use crate::problem::Problem;
use crate::reference::{Reference, ValueSource};

/// Values that a field of answers may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldLimit {
    /// Index of the field among those of its prompt.
    field: usize,
    /// Name of the field.
    name: String,
    /// Source of the values.
    source: String,
    known: AllowedValues,
}

/// Returns the limits of these `fields` of the prompt `id`, as far as their references are among `references`.
///
/// # Errors
/// Returns a problem for each reference that does not have the values.
pub(super) fn limits_of(
    (id, prompt): (&str, &Prompt),
    fields: &[String],
    references: &[Reference],
) -> Result<Vec<FieldLimit>, Vec<Problem>> {
    let (mut limits, mut problems) = (Vec::new(), Vec::new());
    for (name, source) in &prompt.allowed_values {
        let problem = |rule: &str| Problem::new(format!("prompt `{id}`, allowed_values.{name}"), source, rule);
        let values = match ValueSource::parse(source) {
            Ok(parsed) => parsed.values(references).map_err(|rule| format!("this reference {rule}")),
            Err(rule) => Err(rule.to_owned()),
        };
        match (fields.iter().position(|known| known == name), values) {
            (Some(field), Ok(Some(values))) => {
                let known = AllowedValues::new(values.iter().map(|value| value.trim()), []);
                limits.push(FieldLimit { field, name: name.clone(), source: source.clone(), known });
            }
            (_, Err(rule)) => problems.push(problem(&rule)),
            (None, Ok(_)) => problems.push(problem("is not a field of the answers to this prompt")),
            (Some(_), Ok(None)) => {}
        }
    }
    if problems.is_empty() { Ok(limits) } else { Err(problems) }
}

impl FieldLimit {
    /// Holds the field among `fields` to its values: each text, and each element of a list, becomes the value that it matches.
    /// Returns true if it was written differently. A field without a value stays so.
    ///
    /// # Errors
    /// Returns an error if a value is not allowed.
    fn hold(&self, fields: &mut [Option<FieldValue>]) -> Result<bool, Unparsed> {
        let not_allowed = || Unparsed::NotAllowed { field: self.name.clone(), origin: self.source.clone() };
        let mut is_changed = false;
        let mut hold = |text: &mut String| -> Result<(), Unparsed> {
            let value = self.known.find(text).ok_or_else(not_allowed)?;
            if value != text {
                value.clone_into(text);
                is_changed = true;
            }
            Ok(())
        };
        match fields.get_mut(self.field).and_then(Option::as_mut) {
            None => {}
            Some(FieldValue::Text(text)) => hold(text)?,
            Some(FieldValue::List(elements)) => {
                for element in elements {
                    hold(element.as_mut().ok_or_else(not_allowed)?)?;
                }
            }
            // A code may be a number in the answer; it keeps its type.
            Some(other) => drop(self.known.find(&other.clone().into_text()).ok_or_else(not_allowed)?),
        }
        Ok(is_changed)
    }
}

/// Holds fields to their limits. Returns the indexes of those that were written differently.
///
/// # Errors
/// Returns an error if a value is not allowed.
pub fn hold_to_limits(limits: &[FieldLimit], fields: &mut [Option<FieldValue>]) -> Result<Vec<usize>, Unparsed> {
    let mut changed = Vec::new();
    for limit in limits {
        if limit.hold(fields)? {
            changed.push(limit.field);
        }
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::ReferenceSource;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn prompt(allowed: &str) -> Prompt {
        let schema = "[output_schema]\ntype = \"json\"\nfields = { note = \"$.note\", code = \"$.code\" }";
        let text = format!("description = \"d\"\ntemplate = \"t\"\n{schema}\n[allowed_values]\n{allowed}");
        Prompt::parse(&text).unwrap()
    }

    fn codes() -> Vec<Reference> {
        let uri = "s3://bucket/codes.csv".to_owned();
        let source = ReferenceSource { name: "codes".to_owned(), uri, etag: String::new() };
        vec![Reference::read(source, b"Code,Term\nA01,Leak\nA0101,Slow leak\n7,Other\n").unwrap()]
    }

    fn limits(allowed: &str) -> Result<Vec<FieldLimit>, Vec<String>> {
        let names = ["note", "code"].map(str::to_owned);
        limits_of(("triage", &prompt(allowed)), &names, &codes())
            .map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    fn held(value: Value) -> Result<(Option<FieldValue>, Vec<usize>), String> {
        let limits = limits("code = \"reference.codes.Code\"").unwrap();
        let value = serde_json::from_value(value).unwrap();
        let mut fields = vec![Some(FieldValue::Text("free text".to_owned())), value];
        let changed = hold_to_limits(&limits, &mut fields).map_err(|unparsed| unparsed.to_string())?;
        assert_eq!(fields[0], Some(FieldValue::Text("free text".to_owned())));
        Ok((fields[1].clone(), changed))
    }

    #[rstest]
    #[case(json!("A01"), json!("A01"), false)]
    #[case(json!(" a0101 "), json!("A0101"), true)]
    #[case(json!(["A01", "a0101"]), json!(["A01", "A0101"]), true)]
    #[case(json!([]), json!([]), false)]
    #[case(json!(7), json!(7), false)]
    #[case(json!(null), json!(null), false)]
    fn allowed_values_are_written_as_in_the_reference(
        #[case] value: Value,
        #[case] expected: Value,
        #[case] is_changed: bool,
    ) {
        let expected: Option<FieldValue> = serde_json::from_value(expected).unwrap();
        assert_eq!(held(value), Ok((expected, if is_changed { vec![1] } else { vec![] })));
    }

    #[rstest]
    #[case(json!("A02"))]
    #[case(json!("Leak"))]
    #[case(json!(""))]
    #[case(json!(["A01", "A02"]))]
    #[case(json!(["A01", null]))]
    #[case(json!(8))]
    #[case(json!(true))]
    #[case(json!("{\"code\":\"A01\"}"))]
    fn other_values_are_not_allowed_and_not_quoted(#[case] value: Value) {
        let expected = "the field `code` of the answer has a value that is not in `reference.codes.Code`";
        assert_eq!(held(value), Err(expected.to_owned()));
    }

    #[test]
    fn sources_without_the_values_are_problems() {
        let problems = limits("code = \"reference.codes.Cod\"\nnote = \"reference.codes\"").unwrap_err();
        assert_eq!(problems.len(), 2, "{problems:?}");
        let expected = "prompt `triage`, allowed_values.code is `reference.codes.Cod`: this reference does not have the column \
                        `Cod`; the columns are `Code`, `Term`";
        assert_eq!(problems[0], expected);
        assert_eq!(limits("code = \"reference.unknown.Code\""), Ok(vec![]), "its content is not known yet");
    }

    proptest! {
        #[test]
        fn no_value_outside_the_reference_passes(text in "( )?[aA]?0?[01]{0,3}( )?") {
            match held(json!(text)) {
                Ok((Some(FieldValue::Text(value)), _)) => {
                    prop_assert!(["A01", "A0101"].contains(&value.as_str()), "{}", value);
                    prop_assert_eq!(value.to_lowercase(), text.trim().to_lowercase());
                }
                Ok(other) => prop_assert!(false, "{:?}", other),
                Err(_) => prop_assert!(!["a01", "a0101"].contains(&text.trim().to_lowercase().as_str())),
            }
        }
    }
}
