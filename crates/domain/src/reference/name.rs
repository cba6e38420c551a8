//! Names of references, as they appear in placeholders.

/// Prefix of the placeholders of references.
const PREFIX: &str = "reference.";
/// Maximum number of characters of a name.
const MAX_NAME_CHARS: usize = 50;

/// Returns the name of the reference that the placeholder `{placeholder}` inserts, if it is not that of a column.
pub fn reference_of(placeholder: &str) -> Option<&str> {
    placeholder.strip_prefix(PREFIX).filter(|name| name_rule(name).is_none())
}

/// Returns the rule that `name` breaks as the name of a reference, if it breaks one.
pub fn name_rule(name: &str) -> Option<String> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    let is_valid = !name.is_empty() && name.len() <= MAX_NAME_CHARS && name.chars().all(fits);
    (!is_valid).then(|| {
        format!("is the name of a reference: it must have 1 to {MAX_NAME_CHARS} characters a-z, A-Z, 0-9, `_` and `-`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("reference.codes", Some("codes"))]
    #[case("reference.IMDRF_a-1", Some("IMDRF_a-1"))]
    #[case("reference.", None)]
    #[case("reference.a.b", None)]
    #[case("reference.a b", None)]
    #[case("references.a", None)]
    #[case("Reference.a", None)]
    #[case(" reference.a", None)]
    #[case("codes", None)]
    fn placeholders_of_references_are_distinguished_from_columns(
        #[case] placeholder: &str,
        #[case] expected: Option<&str>,
    ) {
        assert_eq!(reference_of(placeholder), expected);
    }

    #[test]
    fn names_have_a_maximum_length() {
        assert_eq!(name_rule(&"x".repeat(50)), None);
        assert!(name_rule(&"x".repeat(51)).unwrap().contains("must have 1 to 50 characters"));
    }
}
