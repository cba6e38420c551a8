//! Finds the JSON that a prompt shows as the form of its answer.
//!
//! Prompts write it for readers, not for parsers: `"confidence": 0.0-1.0`, `"tags": ["...", ...]`. So values that are no
//! JSON are read up to the next comma or bracket.

use crate::backend::material;

/// A form to be filled in.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Skeleton {
    Object(Vec<(String, Skeleton)>),
    List(Vec<Skeleton>),
    Text(String),
    /// A number, a word, or anything else without quotes.
    Bare(String),
}

/// A form, and the text around it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Form {
    pub(super) skeleton: Skeleton,
    pub(super) rest: String,
}

/// Maximum distance between the word JSON and the object that it declares to be the form of the answer.
const MAX_DISTANCE: usize = 200;

/// Returns the first object of a text that closely follows the word JSON, else the last object. An object needs at least one
/// key in quotes. Text between tags is data, unless there is no other object.
pub(super) fn find(text: &str) -> Option<Form> {
    let mut objects: Vec<(usize, usize, Skeleton)> = Vec::new();
    let mut at = 0;
    while let Some(start) = text.get(at..).and_then(|rest| rest.find('{')).map(|found| found + at) {
        let mut reader = Reader { text, at: start };
        match reader.object(0) {
            Some(skeleton @ Skeleton::Object(_)) => {
                objects.push((start, reader.at, skeleton));
                at = reader.at;
            }
            _ => at = start + 1,
        }
    }
    let data = material::spans(text);
    let is_data = |(start, ..): &(usize, usize, Skeleton)| data.iter().any(|span| span.contains(start));
    if !objects.iter().all(is_data) {
        objects.retain(|object| !is_data(object));
    }
    let announced = |start: usize| {
        let before: String = text.get(..start).unwrap_or_default().chars().rev().take(MAX_DISTANCE).collect();
        before.to_ascii_lowercase().contains("nosj")
    };
    let chosen = objects.iter().position(|(start, ..)| announced(*start)).or(objects.len().checked_sub(1))?;
    let (start, end, skeleton) = objects.swap_remove(chosen);
    let rest = format!("{}{}", text.get(..start)?, text.get(end..)?);
    Some(Form { skeleton, rest })
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

/// Deeper nesting does not occur in forms that prompts show.
const DEEPEST: usize = 16;

impl Reader<'_> {
    fn object(&mut self, depth: usize) -> Option<Skeleton> {
        self.expect('{')?;
        let mut fields = Vec::new();
        loop {
            self.skip(|letter| letter.is_whitespace() || letter == ',' || letter == '.');
            if self.expect('}').is_some() {
                return (!fields.is_empty()).then_some(Skeleton::Object(fields));
            }
            let key = self.string()?;
            self.skip(char::is_whitespace);
            self.expect(':')?;
            fields.push((key, self.value(depth)?));
        }
    }

    fn list(&mut self, depth: usize) -> Option<Skeleton> {
        self.expect('[')?;
        let mut items = Vec::new();
        loop {
            self.skip(|letter| letter.is_whitespace() || letter == ',');
            if self.expect(']').is_some() {
                return Some(Skeleton::List(items));
            }
            items.push(self.value(depth)?);
        }
    }

    fn value(&mut self, depth: usize) -> Option<Skeleton> {
        if depth >= DEEPEST {
            return None;
        }
        self.skip(char::is_whitespace);
        match self.peek()? {
            '{' => self.object(depth + 1),
            '[' => self.list(depth + 1),
            '"' => {
                let text = self.string()?;
                // `"a" | "b"` and `"a" or a note`: the note is for the reader.
                let more = self.take(|letter| !matches!(letter, ',' | '}' | ']' | '\n'));
                let others = more.split('|').skip(1).map(|other| other.trim().trim_matches('"'));
                let alternatives: Vec<&str> = std::iter::once(text.as_str()).chain(others).collect();
                Some(Skeleton::Text(alternatives.join("|")))
            }
            _ => {
                let bare = self.take(|letter| !matches!(letter, ',' | '}' | ']' | '\n' | '{' | '['));
                let bare = bare.trim();
                (!bare.is_empty()).then(|| Skeleton::Bare(bare.to_owned()))
            }
        }
    }

    fn string(&mut self) -> Option<String> {
        self.expect('"')?;
        let mut read = String::new();
        loop {
            match self.next()? {
                '"' => return Some(read),
                '\\' => match self.next()? {
                    'n' => read.push('\n'),
                    other => read.push(other),
                },
                letter => read.push(letter),
            }
        }
    }

    fn expect(&mut self, wanted: char) -> Option<()> {
        (self.peek()? == wanted).then(|| self.at += wanted.len_utf8())
    }

    fn skip(&mut self, skipped: impl Fn(char) -> bool) {
        self.take(skipped);
    }

    fn take(&mut self, taken: impl Fn(char) -> bool) -> String {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest.find(|letter| !taken(letter)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default().to_owned()
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.at += letter.len_utf8();
        Some(letter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Skeleton {
        Skeleton::Text(text.into())
    }

    fn bare(text: &str) -> Skeleton {
        Skeleton::Bare(text.into())
    }

    #[test]
    fn a_form_written_for_readers_is_read() {
        let prompt = "Classify. Return this exact JSON format:\n{\n \"category\": \"pants|t-shirt\",\n \"confidence\": \
                      0.0-1.0,\n \"keywords\": [\"...\", ...],\n \"fit\": \"slim\" | \"wide\",\n \"ok\": true|false\n}\nThanks";
        let found = find(prompt).unwrap();
        let Skeleton::Object(fields) = found.skeleton else { panic!() };
        let expected = [
            ("category", text("pants|t-shirt")),
            ("confidence", bare("0.0-1.0")),
            ("keywords", Skeleton::List(vec![text("..."), bare("...")])),
            ("fit", text("slim|wide")),
            ("ok", bare("true|false")),
        ];
        assert_eq!(fields, expected.map(|(key, value)| (key.to_owned(), value)));
        assert_eq!(found.rest, "Classify. Return this exact JSON format:\n\nThanks");
    }

    #[test]
    fn the_form_is_the_object_announced_as_json_else_the_last() {
        let key = |prompt: &str| match find(prompt).unwrap().skeleton {
            Skeleton::Object(fields) => fields.into_iter().next().unwrap().0,
            _ => panic!(),
        };
        let filler = "x ".repeat(150);
        assert_eq!(key(&format!(r#"As JSON: {{"form": ""}} {filler} Data: {{"data": 1}}"#)), "form");
        assert_eq!(key(r#"Data: {"data": 1} Fill in {"form": ""}"#), "form");
        assert_eq!(key(r#"<d>JSON: {"data": 1}</d> Answer as JSON: {"form": ""}"#), "form");
        assert_eq!(key(r#"Answer like <example>{"form": ""}</example>"#), "form");
    }

    #[test]
    fn braces_alone_are_no_form() {
        for text in
            ["{}", "{name}", "no", "{", "{\"a\"", "{\"a\":", "a } b { c", "{{{{", "{\"a\": [", "\u{1f600}{\u{1f600}"]
        {
            assert_eq!(find(text), None, "{text}");
        }
        assert_eq!(find(&"{\"a\":".repeat(5_000)), None);
    }
}
