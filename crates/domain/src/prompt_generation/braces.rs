//! Braces of templates. `prompts.json` and templates in TOML have the same rules: those of `str.format` in Python.

/// Doubles the braces of `text`, so that a template shows it unchanged.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_are_doubled() {
        assert_eq!(escaped("{a} }{{"), "{{a}} }}{{{{");
    }
}
