//! Writer of records: one JSON line per row, with everything that does not depend on the row prepared once.

use super::Family;
use super::around_rows::AroundRows;
use super::cache_point::{CachePoint, CommonParts};
use super::frame::{Frame, ImagePart};
use super::instructions::Instructions;
use super::structured_output::sent_schema;
use crate::input::Inference;
use crate::json_text::push_escaped;
use crate::prompt::{Piece, ROW_ID, Template};
use serde_json::Value;
use std::io::Write as _;

/// Writes `{"recordId":…,"modelInput":…}` lines. Created once per run.
#[derive(Debug, Clone)]
pub struct RecordWriter {
    columns: Vec<String>,
    frame: Frame,
    text: Vec<Segment>,
    /// If true, the text part is omitted for an image without a text.
    text_may_be_absent: bool,
    family: Family,
    system: Option<String>,
    with_image: bool,
    /// Text around the rows of a request.
    pub(super) around_rows: AroundRows,
}

#[derive(Debug, Clone)]
enum Segment {
    /// Literal text, already escaped.
    Escaped(Vec<u8>),
    /// Cell of `columns[i]`.
    Cell(usize),
    /// Number of the row within its request.
    RowNumber,
}

impl RecordWriter {
    /// Creates a writer for this family, template and parameters. `system` and `prefill` are those of the template; the
    /// request's system prompt is placed before the former, and its prefill replaces the latter. If `with_image` is true,
    /// records have an image, for families that accept images.
    pub fn new(
        family: Family,
        template: &Template,
        inference: &Inference,
        system: Option<&str>,
        prefill: Option<&str>,
        with_image: bool,
    ) -> Self {
        Self::with_schema(family, template, inference, (system, prefill), with_image, None)
    }

    /// Creates a writer whose records make the model's answer match `response_schema`, if there is one, for families that
    /// accept schemas.
    pub fn with_schema(
        family: Family,
        template: &Template,
        inference: &Inference,
        (system, prefill): (Option<&str>, Option<&str>),
        with_image: bool,
        response_schema: Option<&Value>,
    ) -> Self {
        let schema = response_schema.map(sent_schema);
        let systems: Vec<&str> = inference.system_prompt.as_deref().into_iter().chain(system).collect();
        let system = systems.join("\n\n");
        let with = Instructions {
            inference,
            system: (!system.is_empty()).then_some(system.as_str()),
            prefill: effective_prefill(inference, prefill),
            schema: schema.as_ref(),
        };
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
        let text_may_be_absent = family == Family::TitanMultimodalEmbeddings;
        let frame = Frame::new(family, with, with_image);
        let system = with.system.map(str::to_owned);
        let around_rows = AroundRows::default();
        Self { columns, frame, text, text_may_be_absent, family, system, with_image, around_rows }
    }

    /// Writes requests of up to `max_rows` rows: the template of this writer is that of one row, in which `{row_id}` is the
    /// number of the row, and `outer` is the text around the rows, in place of its `{rows}`.
    #[must_use]
    pub fn of_rows(mut self, outer: &Template, max_rows: usize) -> Self {
        self.around_rows = AroundRows::new(outer, max_rows);
        let number = self.columns.iter().position(|column| column == ROW_ID);
        if let Some(number) = number {
            self.columns.remove(number);
            for segment in &mut self.text {
                match segment {
                    Segment::Cell(index) if *index == number => *segment = Segment::RowNumber,
                    Segment::Cell(index) if *index > number => *index -= 1,
                    _ => {}
                }
            }
        }
        self
    }

    /// Returns the columns whose cells [`RecordWriter::push_line`] reads, by position.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Returns the cache point of requests on demand, after what all records have in common.
    pub fn cache_point(&self) -> Option<CachePoint> {
        let frame = &self.frame;
        let begins_with = match self.text.as_slice() {
            _ if self.around_rows.max_rows.is_some() => self.around_rows.before.as_slice(),
            [Segment::Escaped(text), _, ..] => text.as_slice(),
            _ => &[],
        };
        let before = format!("{}{}{}", frame.before_image, frame.before_text_part, frame.before_text);
        CachePoint::of(CommonParts {
            family: self.family,
            before_text: (!self.with_image).then_some(before.as_str()),
            text: begins_with,
            after_text: &format!("{}{}", frame.after_text, frame.after),
            system: self.system.as_deref(),
        })
    }

    /// Appends one line, including its line feed. `cell(i)` is the row's cell of `columns()[i]`. `image` is placed before the
    /// text, if this writer was created for images; without an image the record has only the text.
    pub fn push_line<'a>(
        &self,
        line: &mut Vec<u8>,
        record_id: &str,
        cell: impl Fn(usize) -> &'a str,
        image: Option<ImagePart<'_>>,
    ) {
        line.extend_from_slice(b"{\"recordId\":\"");
        push_escaped(line, record_id);
        line.extend_from_slice(b"\",\"modelInput\":");
        line.extend_from_slice(self.frame.before_image.as_bytes());
        if let Some(image) = image {
            self.frame.push_image(line, image);
        }
        line.extend_from_slice(self.frame.before_text_part.as_bytes());
        let text_part = line.len();
        line.extend_from_slice(self.frame.before_text.as_bytes());
        let text = line.len();
        self.push_text(line, 1, cell);
        if self.text_may_be_absent && image.is_some() && line.len() == text {
            line.truncate(text_part);
        } else {
            line.extend_from_slice(self.frame.after_text.as_bytes());
        }
        line.extend_from_slice(self.frame.after.as_bytes());
        line.extend_from_slice(b"}\n");
    }

    /// Appends the text of a row, escaped; `number` is that of the row within its request.
    pub(super) fn push_text<'a>(&self, line: &mut Vec<u8>, number: usize, cell: impl Fn(usize) -> &'a str) {
        for segment in &self.text {
            match segment {
                Segment::Escaped(literal) => line.extend_from_slice(literal),
                Segment::Cell(index) => push_escaped(line, cell(*index)),
                Segment::RowNumber => {
                    // Writing to memory cannot fail.
                    let _ = write!(line, "{number}");
                }
            }
        }
    }

    /// Returns the constant JSON before and after the text of a record without an image, after its id.
    pub(super) fn around_text(&self) -> ([&str; 3], [&str; 2]) {
        let Frame { before_image, before_text_part, before_text, after_text, after, .. } = &self.frame;
        ([before_image, before_text_part, before_text], [after_text, after])
    }
}

/// Returns the beginning of every answer: that of the request, else that of the template.
pub fn effective_prefill<'a>(inference: &'a Inference, template_prefill: Option<&'a str>) -> Option<&'a str> {
    inference.prefill.as_deref().or(template_prefill).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::MediaType;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    const IMAGE: ImagePart<'_> = ImagePart { media_type: MediaType::Png, base64: "iVBORw0K+/==" };

    fn line(family: Family, inference: &Inference, cell: &str, image: Option<ImagePart<'_>>) -> Value {
        let template = Template::parse("About {a}: \"{a}\"").unwrap();
        let writer = RecordWriter::new(family, &template, inference, Some("Be @@ brief."), None, image.is_some());
        assert_eq!(writer.columns(), ["a"]);
        let mut out = Vec::new();
        writer.push_line(&mut out, "r1", |_| cell, image);
        assert_eq!(out.last(), Some(&b'\n'));
        serde_json::from_slice(&out).unwrap()
    }

    fn inference() -> Inference {
        Inference {
            temperature: Some(0.5),
            system_prompt: Some("First.".into()),
            prefill: Some("{".into()),
            ..Inference::default()
        }
    }

    fn body(family: Family) -> Value {
        match family {
            Family::AnthropicMessages => json!({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 1024,
                "system": "First.\n\nBe @@ brief.", "temperature": 0.5, "messages": [
                    {"role": "user", "content": [{"type": "text", "text": "About x\ny: \"x\ny\""}]},
                    {"role": "assistant", "content": [{"type": "text", "text": "{"}]}]}),
            Family::Nova => json!({"system": [{"text": "First.\n\nBe @@ brief."}], "messages": [
                    {"role": "user", "content": [{"text": "About x\ny: \"x\ny\""}]},
                    {"role": "assistant", "content": [{"text": "{"}]}],
                "inferenceConfig": {"maxTokens": 1024, "temperature": 0.5}}),
            Family::Converse => json!({"system": [{"text": "First.\n\nBe @@ brief."}], "messages": [
                    {"role": "user", "content": [{"text": "About x\ny: \"x\ny\""}]}],
                "inferenceConfig": {"maxTokens": 1024, "temperature": 0.5}}),
            Family::TitanTextEmbeddings => json!({"inputText": "About x\ny: \"x\ny\"", "dimensions": 1024,
                "normalize": true, "embeddingTypes": ["float"]}),
            Family::TitanMultimodalEmbeddings => json!({"inputText": "About x\ny: \"x\ny\"",
                "embeddingConfig": {"outputEmbeddingLength": 1024}}),
        }
    }

    #[rstest]
    fn each_family_gets_its_own_body(
        #[values(
            Family::AnthropicMessages,
            Family::Nova,
            Family::Converse,
            Family::TitanTextEmbeddings,
            Family::TitanMultimodalEmbeddings
        )]
        family: Family,
    ) {
        let expected = json!({"recordId": "r1", "modelInput": body(family)});
        assert_eq!(line(family, &inference(), "x\ny", None), expected);
    }

    #[rstest]
    #[case(Family::AnthropicMessages, json!({"type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0K+/=="}}))]
    #[case(Family::Nova, json!({"image": {"format": "png", "source": {"bytes": "iVBORw0K+/=="}}}))]
    #[case(Family::Converse, json!({"image": {"format": "png", "source": {"bytes": "iVBORw0K+/=="}}}))]
    fn an_image_goes_before_the_text(#[case] family: Family, #[case] block: Value) {
        let mut expected = body(family);
        expected["messages"][0]["content"].as_array_mut().unwrap().insert(0, block);
        let written = line(family, &inference(), "x\ny", Some(IMAGE));
        assert_eq!(written, json!({"recordId": "r1", "modelInput": expected}));
    }

    #[rstest]
    #[case("{a}", "a cat", Some(IMAGE), json!({"inputText": "a cat", "inputImage": "iVBORw0K+/=="}))]
    #[case("{a}", "", Some(IMAGE), json!({"inputImage": "iVBORw0K+/=="}))]
    #[case("", "unseen", Some(IMAGE), json!({"inputImage": "iVBORw0K+/=="}))]
    #[case("{a}", "a cat", None, json!({"inputText": "a cat"}))]
    #[case("{a}", "", None, json!({"inputText": ""}))]
    fn titan_accepts_a_text_an_image_or_both(
        #[case] template: &str,
        #[case] cell: &str,
        #[case] image: Option<ImagePart<'_>>,
        #[case] mut body: Value,
    ) {
        body["embeddingConfig"] = json!({"outputEmbeddingLength": 384});
        let inference = Inference { dimensions: Some(384), ..Inference::default() };
        let template = Template::parse(template).unwrap();
        let writer = RecordWriter::new(Family::TitanMultimodalEmbeddings, &template, &inference, None, None, true);
        let mut out = Vec::new();
        writer.push_line(&mut out, "r", |_| cell, image);
        assert_eq!(serde_json::from_slice::<Value>(&out).unwrap(), json!({"recordId": "r", "modelInput": body}));
    }

    #[rstest]
    #[case(Family::AnthropicMessages, "output_config", json!({"format": {"type": "json_schema",
        "schema": {"type": "object", "title": "@@t"}}}))]
    #[case(Family::Converse, "outputConfig", json!({"textFormat": {"type": "json_schema", "structure": {"jsonSchema":
        {"name": "answer", "schema": "{\"title\":\"@@t\",\"type\":\"object\"}"}}}}))]
    fn a_schema_is_sent_in_the_words_of_the_family(
        #[case] family: Family,
        #[case] field: &str,
        #[case] expected: Value,
    ) {
        let template = Template::parse("About {a}").unwrap();
        let schema = json!({"type": "object", "title": "@@t", "x-note": 1});
        let inference = Inference::default();
        let written = |schema: Option<&Value>| {
            let writer = RecordWriter::with_schema(family, &template, &inference, (None, None), false, schema);
            let mut out = Vec::new();
            writer.push_line(&mut out, "r", |_| "x", None);
            serde_json::from_slice::<Value>(&out).unwrap()["modelInput"].take()
        };
        let (mut with, without) = (written(Some(&schema)), written(None));
        assert_eq!(with.as_object_mut().unwrap().remove(field), Some(expected));
        assert_eq!(with, without);
    }

    #[test]
    fn images_are_ignored_without_support_and_optional_with_it() {
        let template = Template::parse("Hi").unwrap();
        let inference = Inference::default();
        let written = |with_image, image| {
            let writer = RecordWriter::new(Family::AnthropicMessages, &template, &inference, None, None, with_image);
            let mut out = Vec::new();
            writer.push_line(&mut out, "r", |_| "", image);
            serde_json::from_slice::<Value>(&out).unwrap()
        };
        assert_eq!(written(false, Some(IMAGE)), written(false, None));
        assert_eq!(written(true, None), written(false, None));
    }

    proptest! {
        #[test]
        fn any_cell_is_transferred_unchanged(cell in any::<String>()) {
            let value = line(Family::Nova, &Inference::default(), &cell, None);
            prop_assert_eq!(
                value["modelInput"]["messages"][0]["content"][0]["text"].as_str().unwrap(),
                format!("About {cell}: \"{cell}\"")
            );
        }

        #[test]
        fn no_system_prompt_displaces_image_and_text(system in "[@#tmfb\"{},:]{0,12}", cell in ".{0,9}") {
            let inference = Inference { system_prompt: Some(system), ..Inference::default() };
            let value = line(Family::AnthropicMessages, &inference, &cell, Some(IMAGE));
            let content = &value["modelInput"]["messages"][0]["content"];
            prop_assert_eq!(content[0]["source"]["data"].as_str().unwrap(), IMAGE.base64);
            prop_assert_eq!(content[1]["text"].as_str().unwrap(), format!("About {cell}: \"{cell}\""));
        }
    }
}
