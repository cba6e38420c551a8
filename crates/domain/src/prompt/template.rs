//! Templates such as `Write a joke about {topic}.`: literal text and column placeholders. `{{` and `}}` are literal braces.

use super::named_braces::names_in_braces;
use std::collections::BTreeSet;

/// Part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Literal text.
    Literal(String),
    /// Cell of this column.
    Column(String),
}

impl Piece {
    /// Returns the column whose cell it is, if it is one.
    pub fn column(&self) -> Option<&str> {
        match self {
            Self::Column(name) => Some(name),
            Self::Literal(_) => None,
        }
    }
}

/// Mistake in a template, with its position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{rule}; {remedy}")]
pub struct TemplateMistake {
    /// Part of the template that is not valid.
    pub rule: String,
    /// Remedy.
    pub remedy: &'static str,
}

/// Remedy for a brace that belongs to the text.
pub(super) const DOUBLE_THE_BRACE: &str = "write `{{` for a brace, and `}}` for its end";

/// Parsed template.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// Returns the problem with its position (line and column, from 1): an unpaired brace, or a placeholder without a name.
    pub fn parse(text: &str) -> Result<Self, TemplateMistake> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let position = || position(text, text.len() - rest.len() + at);
            literal.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            let after = &rest[at + 1..];
            if let Some(after) = after.strip_prefix(brace) {
                literal.push_str(brace);
                rest = after;
                continue;
            }
            if brace == "}" {
                return Err(mistake(format!("a lone `}}` at {}", position()), "write `}}` for a brace"));
            }
            let Some(end) = after.find(['{', '}']).filter(|end| after[*end..].starts_with('}')) else {
                return Err(mistake(format!("a `{{` at {} without its `}}`", position()), DOUBLE_THE_BRACE));
            };
            let name = &after[..end];
            if name.trim().is_empty() {
                let remedy = "write `{column}`, or `{{` and `}}` for braces";
                return Err(mistake(format!("a placeholder without a name at {}", position()), remedy));
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

    /// Creates a template without placeholders.
    pub fn literal(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { pieces: if text.is_empty() { Vec::new() } else { vec![Piece::Literal(text)] } }
    }

    /// Returns this template with another one after it.
    #[must_use]
    pub fn followed_by(mut self, other: Self) -> Self {
        for piece in other.pieces {
            match (&piece, self.pieces.last_mut()) {
                (Piece::Literal(text), Some(Piece::Literal(before))) => before.push_str(text),
                _ => self.pieces.push(piece),
            }
        }
        self
    }

    /// Reads a text in which only those names in braces are placeholders for which `is_column` is true; all other braces are
    /// literal.
    pub fn of_names(text: &str, is_column: impl Fn(&str) -> bool) -> Self {
        let (mut pieces, mut from) = (Vec::new(), 0);
        for found in names_in_braces(text).filter(|found| is_column(found.name)) {
            if found.begin > from {
                pieces.push(Piece::Literal(text[from..found.begin].to_owned()));
            }
            pieces.push(Piece::Column(found.name.to_owned()));
            from = found.end();
        }
        if from < text.len() {
            pieces.push(Piece::Literal(text[from..].to_owned()));
        }
        Self { pieces }
    }

    /// Returns its parts, in order; literals are never adjacent.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Replaces the placeholders for which `text_of` returns a text by this text, which is not read as a template.
    #[must_use]
    pub fn filled<'t>(self, text_of: impl Fn(&str) -> Option<&'t str>) -> Self {
        let mut pieces: Vec<Piece> = Vec::new();
        for piece in self.pieces {
            let literal = match &piece {
                Piece::Literal(text) => Some(text.as_str()),
                Piece::Column(name) => text_of(name),
            };
            match (literal, pieces.last_mut()) {
                (Some(text), Some(Piece::Literal(before))) => before.push_str(text),
                (Some(text), _) => pieces.push(Piece::Literal(text.to_owned())),
                (None, _) => pieces.push(piece),
            }
        }
        Self { pieces }
    }

    /// Returns the columns that it inserts, each once.
    pub fn columns(&self) -> BTreeSet<&str> {
        self.pieces.iter().filter_map(Piece::column).collect()
    }
}

/// Returns true if a placeholder with this name is rather a JSON object whose braces are not doubled: `{"label": "x"}`.
pub(crate) fn looks_like_json(name: &str) -> bool {
    let name = name.trim_start();
    name.starts_with('"') || (name.starts_with('\'') && name.contains("':"))
}

fn mistake(rule: String, remedy: &'static str) -> TemplateMistake {
    TemplateMistake { rule, remedy }
}

fn position(text: &str, offset: usize) -> String {
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
    fn placeholders_are_replaced_and_doubled_braces_kept(#[case] template: &str, #[case] expected: &str) {
        let template = Template::parse(template).unwrap();
        assert_eq!(rendered(&template, |name| format!("<{name}>")), expected);
    }

    #[rstest]
    #[case("a\n b}", "a lone `}` at line 2, column 3")]
    #[case("{a", "a `{` at line 1, column 1 without its `}`")]
    #[case("{a {b}", "without its `}`")]
    #[case("x {} y", "a placeholder without a name at line 1, column 3")]
    fn invalid_templates_are_refused(#[case] template: &str, #[case] expected: &str) {
        let error = Template::parse(template).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[rstest]
    #[case("\"label\": \"x\"", true)]
    #[case("\n  \"label\"", true)]
    #[case("'label': 'x'", true)]
    #[case("label", false)]
    #[case("Driver's \"name\"", false)]
    #[case("'s-Hertogenbosch", false)]
    fn objects_are_distinguished_from_placeholders(#[case] name: &str, #[case] expected: bool) {
        assert_eq!(looks_like_json(name), expected);
    }

    #[rstest]
    #[case("You work for {company}.", "You work for <company>.")]
    #[case("{company}{x}{company}", "<company>{x}<company>")]
    #[case("{\"company\": \"{company}\"}", "{\"company\": \"<company>\"}")]
    #[case("{", "{")]
    #[case("", "")]
    fn only_names_of_columns_are_placeholders_of_a_text(#[case] text: &str, #[case] expected: &str) {
        let template = Template::of_names(text, |name| name == "company");
        assert_eq!(rendered(&template, |name| format!("<{name}>")), expected);
    }

    proptest! {
        #[test]
        fn a_text_without_columns_stays_as_it_is(text in "[{}a ü]{0,40}") {
            prop_assert_eq!(rendered(&Template::of_names(&text, |_| false), |_| unreachable!()), text);
        }

        #[test]
        fn parsing_never_panics(text in "[{}a\\nü]{0,40}") {
            let _ = Template::parse(&text);
        }

        #[test]
        fn text_with_doubled_braces_is_rendered_unchanged(text in "\\PC{0,60}") {
            let escaped = text.replace('{', "{{").replace('}', "}}");
            let template = Template::parse(&escaped).unwrap();
            prop_assert_eq!(rendered(&template, |_| unreachable!()), text);
        }

        #[test]
        fn inserted_texts_are_never_interpreted_as_templates(text in "[{}abx]{0,20}") {
            let template = Template::parse("<{x}|{y}{x}>").unwrap().filled(|name| (name == "x").then_some(text.as_str()));
            prop_assert_eq!(template.columns().into_iter().collect::<Vec<_>>(), ["y"]);
            let are_adjacent = |pair: &[Piece]| pair.iter().all(|piece| matches!(piece, Piece::Literal(_)));
            prop_assert!(!template.pieces().windows(2).any(are_adjacent), "literals are never adjacent");
            prop_assert_eq!(rendered(&template, |_| "cell".to_owned()), format!("<{text}|cell{text}>"));
        }

        #[test]
        fn cells_are_never_interpreted_as_templates(cell in "[{}ab]{0,20}") {
            let template = Template::parse("<{x}|{x}>").unwrap();
            prop_assert_eq!(rendered(&template, |_| cell.clone()), format!("<{cell}|{cell}>"));
        }
    }
}
