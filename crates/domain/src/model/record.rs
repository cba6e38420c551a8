//! Writing records: one JSON line for the model from one row, with everything that does not depend on the row made
//! once.

use super::Family;
use super::family::Instructions;
use crate::input::Inference;
use crate::json_text::push_escaped;
use crate::prompt::{Piece, Template};

/// Writes `{"recordId":…,"modelInput":…}` lines. Made once a run.
#[derive(Debug, Clone)]
pub struct RecordWriter {
    columns: Vec<String>,
    before_text: Vec<u8>,
    text: Vec<Segment>,
    after_text: Vec<u8>,
}

#[derive(Debug, Clone)]
enum Segment {
    /// Literal text, escaped already.
    Escaped(Vec<u8>),
    /// The cell of `columns[i]`.
    Cell(usize),
}

impl RecordWriter {
    /// A writer for this family, template and parameters. `system` and `prefill` are the template's own; the
    /// request's go before the one and instead of the other.
    pub fn new(
        family: Family,
        template: &Template,
        inference: &Inference,
        system: Option<&str>,
        prefill: Option<&str>,
    ) -> Self {
        let systems: Vec<&str> = inference.system_prompt.as_deref().into_iter().chain(system).collect();
        let system = systems.join("\n\n");
        let with = Instructions {
            inference,
            system: (!system.is_empty()).then_some(system.as_str()),
            prefill: effective_prefill(inference, prefill),
        };
        let (before, after) = split_at_text(family, with);
        let mut columns: Vec<String> = Vec::new();
        let text = template.pieces().iter().map(|piece| match piece {
            Piece::Literal(literal) => {
                let mut escaped = Vec::with_capacity(literal.len());
                push_escaped(&mut escaped, literal);
                Segment::Escaped(escaped)
            }
            Piece::Column(name) => {
                let index = columns.iter().position(|c| c == name).unwrap_or_else(|| {
                    columns.push(name.clone());
                    columns.len() - 1
                });
                Segment::Cell(index)
            }
        });
        let text = text.collect();
        let before_text = [b"\",\"modelInput\":", before.as_bytes()].concat();
        let after_text = [after.as_bytes(), b"}\n"].concat();
        Self { columns, before_text, text, after_text }
    }

    /// The columns whose cells [`RecordWriter::push_line`] asks for, by position.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Appends one line, its line feed included. `cell(i)` is the row's cell of `columns()[i]`.
    pub fn push_line<'a>(&self, line: &mut Vec<u8>, record_id: &str, cell: impl Fn(usize) -> &'a str) {
        line.extend_from_slice(b"{\"recordId\":\"");
        push_escaped(line, record_id);
        line.extend_from_slice(&self.before_text);
        for segment in &self.text {
            match segment {
                Segment::Escaped(literal) => line.extend_from_slice(literal),
                Segment::Cell(index) => push_escaped(line, cell(*index)),
            }
        }
        line.extend_from_slice(&self.after_text);
    }
}

/// The first words of every answer: the request's, else the template's.
pub fn effective_prefill<'a>(inference: &'a Inference, template_prefill: Option<&'a str>) -> Option<&'a str> {
    inference.prefill.as_deref().or(template_prefill).filter(|text| !text.is_empty())
}

/// The JSON of `modelInput` before and after the place of the text.
fn split_at_text(family: Family, with: Instructions<'_>) -> (String, String) {
    let mut mark = "@@".to_owned();
    loop {
        let body = family.model_input(&mark, with).to_string();
        // A system prompt may hold the mark too: then a longer one is tried.
        if body.matches(&mark).count() == 1
            && let Some((before, after)) = body.split_once(&mark)
        {
            return (before.to_owned(), after.to_owned());
        }
        mark.push('@');
        mark.insert(0, '#');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn line(family: Family, inference: &Inference, cell: &str) -> Value {
        let template = Template::parse("About {a}: \"{a}\"").unwrap();
        let writer = RecordWriter::new(family, &template, inference, Some("Be @@ brief."), None);
        assert_eq!(writer.columns(), ["a"]);
        let mut out = Vec::new();
        writer.push_line(&mut out, "r1", |_| cell);
        assert_eq!(out.last(), Some(&b'\n'));
        serde_json::from_slice(&out).unwrap()
    }

    #[rstest]
    #[case(Family::AnthropicMessages, json!({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 1024,
        "system": "First.\n\nBe @@ brief.", "temperature": 0.5, "messages": [
            {"role": "user", "content": [{"type": "text", "text": "About x\ny: \"x\ny\""}]},
            {"role": "assistant", "content": [{"type": "text", "text": "{"}]}]}))]
    #[case(Family::Nova, json!({"system": [{"text": "First.\n\nBe @@ brief."}], "messages": [
            {"role": "user", "content": [{"text": "About x\ny: \"x\ny\""}]},
            {"role": "assistant", "content": [{"text": "{"}]}],
        "inferenceConfig": {"maxTokens": 1024, "temperature": 0.5}}))]
    #[case(Family::Converse, json!({"system": [{"text": "First.\n\nBe @@ brief."}], "messages": [
            {"role": "user", "content": [{"text": "About x\ny: \"x\ny\""}]}],
        "inferenceConfig": {"maxTokens": 1024, "temperature": 0.5}}))]
    #[case(Family::TitanTextEmbeddings, json!({"inputText": "About x\ny: \"x\ny\"", "dimensions": 1024,
        "normalize": true, "embeddingTypes": ["float"]}))]
    fn each_family_gets_its_own_body(#[case] family: Family, #[case] body: Value) {
        let inference = Inference {
            temperature: Some(0.5),
            system_prompt: Some("First.".into()),
            prefill: Some("{".into()),
            ..Inference::default()
        };
        assert_eq!(line(family, &inference, "x\ny"), json!({"recordId": "r1", "modelInput": body}));
    }

    proptest! {
        #[test]
        fn any_cell_arrives_as_it_is(cell in any::<String>()) {
            let value = line(Family::Nova, &Inference::default(), &cell);
            prop_assert_eq!(
                value["modelInput"]["messages"][0]["content"][0]["text"].as_str().unwrap(),
                format!("About {cell}: \"{cell}\"")
            );
        }
    }
}
