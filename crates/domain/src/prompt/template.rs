//! `Tell a joke about {topic}.`: literal text and column placeholders. `{{` and `}}` are braces.

use std::collections::BTreeSet;

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text that goes out as it is.
    Literal(String),
    /// The cell of this column.
    Column(String),
}

/// A parsed template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with it, and where (line and column, from 1): a lone brace, or a placeholder without a name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let place = || place(text, text.len() - rest.len() + at);
            literal.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            let after = &rest[at + 1..];
            if let Some(after) = after.strip_prefix(brace) {
                literal.push_str(brace);
                rest = after;
                continue;
            }
            if brace == "}" {
                return Err(format!("a lone `}}` at {}; write `}}}}` for a brace", place()));
            }
            let Some(end) = after.find(['{', '}']).filter(|end| after[*end..].starts_with('}')) else {
                return Err(format!("a `{{` at {} without its `}}`; write `{{{{` for a brace", place()));
            };
            let name = &after[..end];
            if name.trim().is_empty() {
                return Err(format!("a placeholder without a name at {}; write `{{column}}`", place()));
            }
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            pieces.push(Piece::Column(name.to_owned()));
            rest = &after[end + 1..];
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(Self { pieces })
    }

    /// Its parts, in order; literals never stand side by side.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The columns that it needs, each once.
    pub fn columns(&self) -> BTreeSet<&str> {
        let names = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Column(name) => Some(name.as_str()),
            Piece::Literal(_) => None,
        });
        names.collect()
    }
}

fn place(text: &str, offset: usize) -> String {
    let before = &text[..offset];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
    format!("line {line}, column {column}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn rendered(template: &Template, cell: impl Fn(&str) -> String) -> String {
        let parts = template.pieces().iter().map(|piece| match piece {
            Piece::Literal(text) => text.clone(),
            Piece::Column(name) => cell(name),
        });
        parts.collect()
    }

    #[rstest]
    #[case("a {b} c", "a <b> c")]
    #[case("{a}{b}", "<a><b>")]
    #[case("{{a}} {a}", "{a} <a>")]
    #[case("{{{a}}}", "{<a>}")]
    #[case("no placeholder", "no placeholder")]
    #[case("", "")]
    #[case("{Größe in cm}", "<Größe in cm>")]
    fn renders(#[case] template: &str, #[case] expected: &str) {
        let template = Template::parse(template).unwrap();
        assert_eq!(rendered(&template, |name| format!("<{name}>")), expected);
    }

    #[rstest]
    #[case("a\n b}", "a lone `}` at line 2, column 3")]
    #[case("{a", "a `{` at line 1, column 1 without its `}`")]
    #[case("{a {b}", "without its `}`")]
    #[case("x {} y", "a placeholder without a name at line 1, column 3")]
    fn refuses(#[case] template: &str, #[case] expected: &str) {
        let error = Template::parse(template).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "[{}a\\nü]{0,40}") {
            let _ = Template::parse(&text);
        }

        #[test]
        fn doubled_braces_give_any_text_back(text in "\\PC{0,60}") {
            let escaped = text.replace('{', "{{").replace('}', "}}");
            let template = Template::parse(&escaped).unwrap();
            prop_assert_eq!(rendered(&template, |_| unreachable!()), text);
        }

        #[test]
        fn cells_are_never_read_as_templates(cell in "[{}ab]{0,20}") {
            let template = Template::parse("<{x}|{x}>").unwrap();
            prop_assert_eq!(rendered(&template, |_| cell.clone()), format!("<{cell}|{cell}>"));
        }
    }
}
