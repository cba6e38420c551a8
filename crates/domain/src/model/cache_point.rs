//! Cache points: marks in a request up to which Bedrock caches its prompt.
//!
//! They are put into requests on demand only, when these are sent: Bedrock refuses them in batch, and stored records stay as
//! they are. A record that does not have the expected form is sent as it is.

use super::Family;
use crate::reference::estimated_tokens;

/// Cache point of the requests with one prompt, after everything that they have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachePoint {
    /// Bytes with which each `modelInput` begins, without and with the mark.
    head: (Vec<u8>, Vec<u8>),
    /// Bytes with which it ends, likewise.
    tail: (Vec<u8>, Vec<u8>),
    /// If true, text of the row must follow the head, since no block may be empty.
    splits_text: bool,
    /// Estimated number of tokens up to the mark.
    pub tokens: u64,
}

/// Parts of a request that are the same in all requests with one prompt.
#[derive(Debug, Clone, Copy)]
pub(super) struct CommonParts<'a> {
    pub(super) family: Family,
    /// Body up to the text of the user message; `None` if an image precedes it.
    pub(super) before_text: Option<&'a str>,
    /// Beginning of the text of the user message, escaped; empty if it begins with a cell.
    pub(super) text: &'a [u8],
    /// Body after the text.
    pub(super) after_text: &'a str,
    /// System prompt.
    pub(super) system: Option<&'a str>,
}

impl CachePoint {
    /// Creates the cache point, if the family has them and there is something in common.
    pub(super) fn of(parts: CommonParts<'_>) -> Option<Self> {
        let CommonParts { family, before_text, text, after_text, system } = parts;
        let system_bytes = system.map_or(0, str::len) as u64;
        let tail = after_text.as_bytes().to_vec();
        if let Some(before) = before_text.filter(|_| has_words(text)) {
            let head = [before.as_bytes(), text].concat();
            let marked = [&head, marked_end_of_text(family)?.as_bytes()].concat();
            let tokens = estimated_tokens(system_bytes + text.len() as u64);
            return Some(Self { head: (head, marked), tail: (tail.clone(), tail), splits_text: true, tokens });
        }
        let (plain, marked) = system_fields(family, system?)?;
        let at = after_text.rfind(&plain)?;
        let marked = [&after_text[..at], &marked, &after_text[at + plain.len()..]].concat().into_bytes();
        let tokens = estimated_tokens(system_bytes);
        Some(Self { head: (Vec::new(), Vec::new()), tail: (tail, marked), splits_text: false, tokens })
    }

    /// Returns `model_input` with the mark; `None` if it is not a request with this prompt, or has nothing after the mark.
    pub fn mark(&self, model_input: &[u8]) -> Option<Vec<u8>> {
        let rest = model_input.strip_prefix(self.head.0.as_slice())?.strip_suffix(self.tail.0.as_slice())?;
        (!self.splits_text || has_words(rest)).then(|| [&self.head.1, rest, &self.tail.1].concat())
    }
}

/// Returns true if an escaped text is more than whitespace, in any script, and control characters: models refuse blocks
/// without anything else.
fn has_words(escaped: &[u8]) -> bool {
    let text = serde_json::from_slice::<String>(&[b"\"", escaped, b"\""].concat());
    text.is_ok_and(|text| text.chars().any(|letter| !letter.is_whitespace() && !letter.is_control()))
}

/// Returns what ends a text block with a mark and begins the next one.
fn marked_end_of_text(family: Family) -> Option<&'static str> {
    match family {
        Family::AnthropicMessages => Some(r#"","type":"text","cache_control":{"type":"ephemeral"}},{"text":""#),
        Family::Nova => Some(r#"","cachePoint":{"type":"default"}},{"text":""#),
        Family::Converse => Some(r#""},{"cachePoint":{"type":"default"}},{"text":""#),
        Family::TitanTextEmbeddings | Family::TitanMultimodalEmbeddings => None,
    }
}

/// Returns the member `system` of a request as it is written, without and with a mark.
fn system_fields(family: Family, system: &str) -> Option<(String, String)> {
    let text = serde_json::Value::from(system);
    let blocks = format!(r#""system":[{{"text":{text}}}]"#);
    match family {
        Family::AnthropicMessages => Some((
            format!(r#""system":{text}"#),
            format!(r#""system":[{{"type":"text","text":{text},"cache_control":{{"type":"ephemeral"}}}}]"#),
        )),
        Family::Nova => Some((blocks, format!(r#""system":[{{"text":{text},"cachePoint":{{"type":"default"}}}}]"#))),
        Family::Converse => {
            Some((blocks, format!(r#""system":[{{"text":{text}}},{{"cachePoint":{{"type":"default"}}}}]"#)))
        }
        Family::TitanTextEmbeddings | Family::TitanMultimodalEmbeddings => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::MediaType;
    use crate::input::Inference;
    use crate::model::{ImagePart, RecordWriter};
    use crate::prompt::Template;
    use crate::record_line::split_line;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn writer(family: Family, template: &str, system: Option<&str>, with_image: bool) -> RecordWriter {
        let inference =
            Inference { stop_sequences: vec!["\"system\":\"Be brief.\"".to_owned()], ..Inference::default() };
        RecordWriter::new(family, &Template::parse(template).unwrap(), &inference, system, Some("{"), with_image)
    }

    fn input_of(writer: &RecordWriter, cell: &str, with_image: bool) -> Vec<u8> {
        let image = ImagePart { media_type: MediaType::Png, base64: "AAAA" };
        let mut line = Vec::new();
        writer.push_line(&mut line, "r1", |_| cell, with_image.then_some(image));
        split_line(line.trim_ascii_end()).unwrap().1.to_vec()
    }

    /// Returns the request with its mark, and without.
    fn marked(
        family: Family,
        template: &str,
        system: Option<&str>,
        cell: &str,
        with_image: bool,
    ) -> Option<(Value, Value)> {
        let writer = writer(family, template, system, with_image);
        let input = input_of(&writer, cell, with_image);
        let marked = writer.cache_point()?.mark(&input)?;
        Some((serde_json::from_slice(&marked).unwrap(), serde_json::from_slice(&input).unwrap()))
    }

    #[rstest]
    #[case(Family::AnthropicMessages, json!([
        {"type": "text", "text": "Codes: \"A\"\n", "cache_control": {"type": "ephemeral"}}, {"type": "text", "text": "a\ncat!"}]))]
    #[case(Family::Nova, json!([{"text": "Codes: \"A\"\n", "cachePoint": {"type": "default"}}, {"text": "a\ncat!"}]))]
    #[case(Family::Converse, json!([{"text": "Codes: \"A\"\n"}, {"cachePoint": {"type": "default"}}, {"text": "a\ncat!"}]))]
    fn the_mark_is_after_the_text_that_all_requests_have(#[case] family: Family, #[case] content: Value) {
        let (marked, mut plain) = marked(family, "Codes: \"A\"\n{x}!", Some("Be brief."), "a\ncat", false).unwrap();
        plain["messages"][0]["content"] = content;
        assert_eq!(marked, plain);
    }

    #[rstest]
    #[case(Family::AnthropicMessages, json!([{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]))]
    #[case(Family::Nova, json!([{"text": "Be brief.", "cachePoint": {"type": "default"}}]))]
    #[case(Family::Converse, json!([{"text": "Be brief."}, {"cachePoint": {"type": "default"}}]))]
    fn the_system_prompt_is_marked_if_the_text_begins_with_a_cell_or_an_image(
        #[case] family: Family,
        #[case] system: Value,
        #[values(("{x} is it", false), (" {x}", false), ("What is it? {x}", true))] (template, with_image): (
            &str,
            bool,
        ),
    ) {
        let (marked, mut plain) = marked(family, template, Some("Be brief."), "a cat", with_image).unwrap();
        plain["system"] = system;
        assert_eq!(marked, plain);
    }

    #[test]
    fn requests_without_anything_in_common_or_after_it_are_not_marked() {
        let claude = Family::AnthropicMessages;
        assert_eq!(marked(claude, "{x}", None, "a", false), None);
        assert_eq!(marked(claude, "Codes{x}", None, "", false), None, "no block may be empty");
        for blank in [" \n\t", "\u{a0}\u{3000}", "\u{b}\u{c}\u{1f}\u{85}"] {
            assert_eq!(marked(claude, "Codes{x}", None, blank, false), None, "{blank:?}");
            assert_eq!(marked(claude, &format!("{blank}{{x}}"), None, "a", false), None, "{blank:?}");
        }
        assert_eq!(marked(Family::TitanTextEmbeddings, "Codes{x}", None, "a", false), None);
        let point = writer(claude, "Codes{x}", Some("Be brief."), false).cache_point().unwrap();
        let other = |template, system| input_of(&writer(claude, template, system, false), "a", false);
        assert_eq!(point.mark(&other("Cats{x}", Some("Be brief."))), None, "another prompt");
        assert_eq!(point.mark(&other("Codes{x}", Some("Be long."))), None);
        assert_eq!((point.mark(b""), point.mark(b"{\"messages\"")), (None, None));
        assert_eq!(point.tokens, 4, "14 bytes");
    }

    proptest! {
        #[test]
        fn the_mark_changes_no_text(
            text in "[{}a\"\\\\\n ü]{0,9}", system in "[a\"\\\\\n]{1,5}", cell in ".{0,9}",
            family in prop::sample::select(vec![Family::AnthropicMessages, Family::Nova, Family::Converse]),
        ) {
            let template = format!("{}{{x}}", text.replace('{', "{{").replace('}', "}}"));
            if let Some((marked, plain)) = marked(family, &template, Some(&system), &cell, false) {
                let texts = |value: &Value| -> String {
                    value.as_array().unwrap().iter().filter_map(|block| block["text"].as_str()).collect()
                };
                let content = |request: &Value| texts(&request["messages"][0]["content"]);
                prop_assert_eq!(content(&marked), format!("{text}{cell}"));
                prop_assert_eq!(content(&plain), format!("{text}{cell}"));
                let system_of = |request: &Value| match &request["system"] {
                    Value::String(text) => text.clone(),
                    blocks => texts(blocks),
                };
                prop_assert_eq!(system_of(&marked), system);
                prop_assert_eq!(marked.to_string().matches("default").count() + marked.to_string().matches("ephemeral").count(), 1);
            }
        }
    }
}
