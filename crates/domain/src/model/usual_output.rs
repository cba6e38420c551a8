//! Outputs of models in their usual form, with a single text: they are read in one pass, in a third of the time that `serde_json` needs.
//! Everything else is left to it, and both give the same reply.

use super::CachedTokens;
use super::output::{Reply, ReplyPayload};
use crate::json_scanner::JsonScanner;
use std::borrow::Cow;

/// Parts of an output, each of which may be named once.
#[derive(Default)]
struct Parts<'a> {
    text: Option<Cow<'a, str>>,
    stop_reason: Option<&'a str>,
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read: Option<u64>,
    cache_written: Option<u64>,
    /// True once there were numbers of tokens.
    has_usage: bool,
}

impl<'a> Parts<'a> {
    /// Returns the reply, whose input tokens are those outside of the cache and those in it.
    fn reply(self) -> Option<Reply<'a>> {
        let cached = CachedTokens::reported(self.cache_read, self.cache_written);
        Some(Reply {
            payload: Some(ReplyPayload::Text(self.text?)),
            stop_reason: self.stop_reason.map(Cow::Borrowed),
            input_tokens: self.input_tokens.map(|tokens| tokens.saturating_add(cached.total())),
            output_tokens: self.output_tokens,
            cached,
        })
    }

    /// Reads the numbers of tokens, whose names are these: of the input, of the output, read from the cache and written to it.
    fn read_usage(&mut self, scanner: &mut JsonScanner<'a>, names: [&[u8]; 4]) -> Option<()> {
        if std::mem::replace(&mut self.has_usage, true) {
            return None;
        }
        let Self { input_tokens, output_tokens, cache_read, cache_written, .. } = self;
        let mut numbers = [input_tokens, output_tokens, cache_read, cache_written];
        scanner.object(|scanner, name| match names.iter().position(|known| *known == name) {
            Some(at) => once(numbers[at], scanner.number()?),
            // Nova's own names, which count only if the other ones are missing.
            None if name.ends_with(b"TokenCount") => None,
            None => scanner.skip_value(),
        })
    }
}

/// Reads an output of Anthropic Messages; returns it with its length.
pub(super) fn anthropic(bytes: &[u8]) -> Option<(Reply<'_>, usize)> {
    const USAGE: [&[u8]; 4] =
        [b"input_tokens", b"output_tokens", b"cache_read_input_tokens", b"cache_creation_input_tokens"];
    let (mut scanner, mut parts) = (JsonScanner::of_bytes(bytes)?, Parts::default());
    scanner.object(|scanner, name| match name {
        b"content" if parts.text.is_none() => {
            scanner.expect(b'[')?;
            let mut kind = None;
            scanner.object(|scanner, name| match name {
                b"type" => once(&mut kind, scanner.plain_text()?),
                b"text" => once(&mut parts.text, scanner.text()?),
                _ => scanner.skip_value(),
            })?;
            scanner.expect(b']')?;
            (kind == Some("text") && parts.text.is_some()).then_some(())
        }
        b"content" => None,
        b"stop_reason" => once(&mut parts.stop_reason, scanner.plain_text()?),
        b"usage" => parts.read_usage(scanner, USAGE),
        _ => scanner.skip_value(),
    })?;
    Some((parts.reply()?, scanner.position()))
}

/// Reads an output of Converse or Nova; returns it with its length.
pub(super) fn converse(bytes: &[u8]) -> Option<(Reply<'_>, usize)> {
    const USAGE: [&[u8]; 4] = [b"inputTokens", b"outputTokens", b"cacheReadInputTokens", b"cacheWriteInputTokens"];
    let (mut scanner, mut parts) = (JsonScanner::of_bytes(bytes)?, Parts::default());
    let (mut output, mut message) = (None, None);
    scanner.object(|scanner, name| match name {
        b"output" => once(&mut output, ()).and_then(|()| {
            scanner.object(|scanner, name| match name {
                b"message" => once(&mut message, ()).and_then(|()| read_message(scanner, &mut parts)),
                _ => scanner.skip_value(),
            })
        }),
        b"stopReason" => once(&mut parts.stop_reason, scanner.plain_text()?),
        b"usage" => parts.read_usage(scanner, USAGE),
        _ => scanner.skip_value(),
    })?;
    Some((parts.reply()?, scanner.position()))
}

fn read_message<'a>(scanner: &mut JsonScanner<'a>, parts: &mut Parts<'a>) -> Option<()> {
    scanner.object(|scanner, name| match name {
        b"content" if parts.text.is_none() => {
            scanner.expect(b'[')?;
            scanner.object(|scanner, name| match name {
                b"text" => once(&mut parts.text, scanner.text()?),
                _ => scanner.skip_value(),
            })?;
            scanner.expect(b']')?;
            parts.text.is_some().then_some(())
        }
        b"content" => None,
        _ => scanner.skip_value(),
    })
}

/// Sets what has no value yet.
fn once<T>(place: &mut Option<T>, value: T) -> Option<()> {
    place.replace(value).is_none().then_some(())
}

#[cfg(test)]
mod tests {
    use super::super::anthropic::Output as AnthropicOutput;
    use super::super::converse::Output as ConverseOutput;
    use super::super::output::ModelOutput;
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;

    const ANTHROPIC_USAGE: &[&str] =
        &["input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "service_tier"];
    const CONVERSE_USAGE: &[&str] =
        &["inputTokens", "outputTokens", "cacheReadInputTokens", "cacheReadInputTokenCount", "x"];

    /// Returns the reply as `serde_json` reads it, with its length.
    fn read<'a, O: ModelOutput<'a> + Deserialize<'a>>(bytes: &'a [u8]) -> Option<(Reply<'a>, usize)> {
        let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<O>();
        let output = values.next()?.ok()?;
        Some((output.reply(), values.byte_offset()))
    }

    /// JSON of outputs: members that are known, doubled, of another type, or unknown.
    fn objects(names: &'static [&'static str], values: BoxedStrategy<String>) -> BoxedStrategy<String> {
        let member = (prop::sample::select(names), values).prop_map(|(name, value)| format!("\"{name}\": {value}"));
        prop::collection::vec(member, 0..5).prop_map(|members| format!("{{{}}}", members.join(","))).boxed()
    }

    fn scalars() -> BoxedStrategy<String> {
        prop_oneof![
            4 => Just("\"text\"".to_owned()),
            4 => any::<String>().prop_map(|text| serde_json::Value::from(text).to_string()),
            4 => (0_u64..999).prop_map(|number| number.to_string()),
            1 => Just("null".to_owned()),
            1 => Just("-1.5".to_owned()),
            1 => Just("\"\\u00e9\\ud83d\\ude00\"".to_owned()),
            1 => Just("\"\\x\"".to_owned()),
        ]
        .boxed()
    }

    proptest! {
        #[test]
        fn anthropic_outputs_have_the_reply_of_serde_json(json in {
            let block = objects(&["type", "text", "type", "text", "citations"], scalars());
            let value = prop_oneof![
                scalars(),
                block.prop_map(|block| format!("[{block}]")),
                Just("[{\"type\":\"text\",\"text\":\"a\\nb\"}]".to_owned()),
                objects(ANTHROPIC_USAGE, scalars()),
            ];
            objects(&["content", "content", "stop_reason", "usage", "id"], value.boxed())
        }) {
            if let Some(usual) = anthropic(json.as_bytes()) {
                prop_assert_eq!(Some(usual), read::<AnthropicOutput<'_>>(json.as_bytes()), "{}", json);
            }
        }

        #[test]
        fn converse_outputs_have_the_reply_of_serde_json(json in {
            let content = objects(&["text", "text", "cachePoint"], scalars()).prop_map(|block| format!("[{block}]"));
            let message = objects(&["content", "role"], prop_oneof![content, scalars()].boxed());
            let outer = objects(&["message", "other"], prop_oneof![message, scalars()].boxed());
            let whole = "{\"message\":{\"role\":\"assistant\",\"content\":[{\"text\":\"a\\nb\"}]}}".to_owned();
            let value = prop_oneof![scalars(), outer, Just(whole), objects(CONVERSE_USAGE, scalars())];
            objects(&["output", "output", "stopReason", "usage", "metrics"], value.boxed())
        }) {
            if let Some(usual) = converse(json.as_bytes()) {
                prop_assert_eq!(Some(usual), read::<ConverseOutput<'_>>(json.as_bytes()), "{}", json);
            }
        }
    }

    #[test]
    fn outputs_with_two_contents_are_left_to_serde_json() {
        let block = r#"{"type": "text", "text": "a"}"#;
        for second in ["{}", r#"{"type": "text"}"#, block] {
            let contents = format!(r#"{{"content": [{block}], "content": [{second}]}}"#);
            assert_eq!(anthropic(contents.as_bytes()), None, "{second}");
            let output = format!(r#"{{"output": {{"message": {contents}}}}}"#);
            assert_eq!(converse(output.as_bytes()), None, "{second}");
        }
    }

    #[test]
    fn recorded_outputs_are_read() {
        let json = br#"{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[{"type":"text","text":"Hel\nlo"}],
            "stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":2,"cache_creation_input_tokens":5,
            "cache_read_input_tokens":10,"cache_creation":{"ephemeral_5m_input_tokens":5},"output_tokens":4}} "#;
        let (reply, length) = anthropic(json).unwrap();
        assert_eq!(reply.payload, Some(ReplyPayload::Text("Hel\nlo".into())));
        assert_eq!(
            (reply.stop_reason.as_deref(), reply.input_tokens, reply.output_tokens),
            (Some("end_turn"), Some(17), Some(4))
        );
        assert_eq!((reply.cached.read, reply.cached.written, length), (10, 5, json.len() - 1));
        let json = br#"{"output":{"message":{"role":"assistant","content":[{"text":"Hello"}]}},"stopReason":"end_turn",
            "usage":{"inputTokens":12,"outputTokens":4,"totalTokens":16},"metrics":{"latencyMs":7}}"#;
        let (reply, _) = converse(json).unwrap();
        assert_eq!(reply.payload, Some(ReplyPayload::Text("Hello".into())));
        assert_eq!((reply.input_tokens, reply.output_tokens), (Some(12), Some(4)));
    }
}
