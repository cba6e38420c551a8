//! Writer of records: one JSON line per row, with everything that does not depend on the row prepared once.

use super::Family;
use super::around_rows::AroundRows;
use super::cache_point::{CachePoint, CommonParts};
use super::frame::{Frame, ImagePart};
use super::instruction_texts::InstructionTexts;
use super::instructions::Instructions;
use super::segments::{CellMarks, Segment, push_segments, segments_of};
use super::structured_output::sent_schema;
use crate::input::Inference;
use crate::json_text::push_escaped;
use crate::prompt::{ROW_ID, Template};
use serde_json::Value;

/// Writes `{"recordId":…,"modelInput":…}` lines. Created once per run.
#[derive(Debug, Clone)]
pub struct RecordWriter {
    columns: Vec<String>,
    frame: Frame,
    /// What precedes and what follows image and text, both of which may show cells: those of system prompt and prefill.
    before: Vec<Segment>,
    after: Vec<Segment>,
    text: Vec<Segment>,
    /// Prefill, if it shows columns.
    prefill: Option<Vec<Segment>>,
    /// If true, the text part is omitted for an image without a text.
    text_may_be_absent: bool,
    family: Family,
    system: Option<String>,
    with_image: bool,
    /// Text around the rows of a request.
    pub(super) around_rows: AroundRows,
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
        let texts = InstructionTexts::literal(inference, system, prefill);
        Self::with_schema(family, template, inference, &texts, with_image, None)
    }

    /// Creates a writer for a system prompt and a prefill that may show columns, and whose records make the model's answer
    /// match `response_schema`, if there is one, for families that accept schemas.
    pub fn with_schema(
        family: Family,
        template: &Template,
        inference: &Inference,
        texts: &InstructionTexts,
        with_image: bool,
        response_schema: Option<&Value>,
    ) -> Self {
        let schema = response_schema.map(sent_schema);
        let written = schema.as_ref().map(Value::to_string);
        let others = inference.stop_sequences.iter().map(String::as_str).chain(written.as_deref());
        let marks = CellMarks::absent_from(texts.literals().chain(others));
        let mut columns: Vec<String> = Vec::new();
        let text = segments_of(template, &mut columns);
        let [system, prefill] = [&texts.system, &texts.prefill].map(|text| marks.marked(text, &mut columns));
        let with = Instructions {
            inference,
            system: (!system.is_empty()).then_some(system.as_str()),
            prefill: (!prefill.is_empty()).then_some(prefill.as_str()),
            schema: schema.as_ref(),
        };
        let text_may_be_absent = family == Family::TitanMultimodalEmbeddings;
        let frame = Frame::new(family, with, with_image);
        let (before, after) = (marks.segments_of(&frame.before_image), marks.segments_of(&frame.after));
        let has_columns = !texts.prefill.columns().is_empty();
        let prefill = has_columns.then(|| segments_of(&texts.prefill, &mut columns));
        let system = with.system.map(str::to_owned);
        let around_rows = AroundRows::default();
        Self {
            columns,
            frame,
            before,
            after,
            text,
            prefill,
            text_may_be_absent,
            family,
            system,
            with_image,
            around_rows,
        }
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

    /// Returns the cache point of requests on demand, after what all records have in common. A system prompt comes before all
    /// else, so that requests in which it shows a column have nothing in common.
    pub fn cache_point(&self) -> Option<CachePoint> {
        if self.before.iter().chain(&self.after).any(|segment| matches!(segment, Segment::Cell(_))) {
            return None;
        }
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
        push_segments(line, &self.before, 1, &cell);
        if let Some(image) = image {
            self.frame.push_image(line, image);
        }
        line.extend_from_slice(self.frame.before_text_part.as_bytes());
        let text_part = line.len();
        line.extend_from_slice(self.frame.before_text.as_bytes());
        let text = line.len();
        self.push_text(line, 1, &cell);
        if self.text_may_be_absent && image.is_some() && line.len() == text {
            line.truncate(text_part);
        } else {
            line.extend_from_slice(self.frame.after_text.as_bytes());
        }
        push_segments(line, &self.after, 1, &cell);
        line.extend_from_slice(b"}\n");
    }

    /// Appends the text of a row, escaped; `number` is that of the row within its request.
    pub(super) fn push_text<'a>(&self, line: &mut Vec<u8>, number: usize, cell: impl Fn(usize) -> &'a str) {
        push_segments(line, &self.text, number, &cell);
    }

    /// Returns true if the prefill shows columns.
    pub fn prefill_shows_columns(&self) -> bool {
        self.prefill.is_some()
    }

    /// Returns true if the prefill of a row, which shows columns, is one that the model refuses: an empty one, or for Claude models one
    /// that ends in white space. A prefill without columns is checked before the run.
    pub fn refuses_prefill<'a>(&self, cell: impl Fn(usize) -> &'a str) -> bool {
        let Some(prefill) = &self.prefill else { return false };
        let mut escaped = Vec::new();
        push_segments(&mut escaped, prefill, 1, &cell);
        let text = serde_json::from_slice::<String>(&[b"\"", escaped.as_slice(), b"\""].concat());
        let refuses_space = self.family == Family::AnthropicMessages;
        text.is_ok_and(|text| text.is_empty() || (refuses_space && text.ends_with(char::is_whitespace)))
    }

    /// Returns the constant JSON before and after the text of a record without an image, after its id.
    pub(super) fn around_text(&self) -> ([&str; 3], [&str; 2]) {
        let Frame { before_image, before_text_part, before_text, after_text, after, .. } = &self.frame;
        ([before_image, before_text_part, before_text], [after_text, after])
    }
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
            let texts = InstructionTexts::default();
            let writer = RecordWriter::with_schema(family, &template, &inference, &texts, false, schema);
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

    /// Creates the writer of a prompt with a system prompt and a prefill that show columns.
    fn with_columns(family: Family, system: &str, prefill: &str) -> RecordWriter {
        let template = Template::parse("About {a}").unwrap();
        let named = |text: &str| Template::of_names(text, |name| ["a", "b"].contains(&name));
        let texts = InstructionTexts { system: named(system), prefill: named(prefill) };
        RecordWriter::with_schema(family, &template, &Inference::default(), &texts, true, None)
    }

    #[rstest]
    fn cells_are_inserted_into_system_prompt_and_prefill(
        #[values(Family::AnthropicMessages, Family::Nova)] family: Family,
        #[values(None, Some(IMAGE))] image: Option<ImagePart<'_>>,
    ) {
        let writer = with_columns(family, "For {b}: {c} {\"x\": 1}", "{\"of\": \"{b}{a}");
        assert_eq!(writer.columns(), ["a", "b"]);
        assert!(writer.cache_point().is_none(), "requests have nothing in common");
        let mut out = Vec::new();
        writer.push_line(&mut out, "r", |column| ["x\n", "{a}\"@@t"][column], image);
        let input = serde_json::from_slice::<Value>(&out).unwrap()["modelInput"].take();
        let system = if family == Family::Nova { &input["system"][0]["text"] } else { &input["system"] };
        assert_eq!(system, "For {a}\"@@t: {c} {\"x\": 1}", "cells are never templates");
        let last = |list: &Value| list.as_array().unwrap().last().unwrap()["text"].clone();
        assert_eq!(last(&input["messages"][1]["content"]), "{\"of\": \"{a}\"@@tx\n");
        assert_eq!(last(&input["messages"][0]["content"]), "About x\n");
    }

    #[rstest]
    #[case("{b}", "x", false)]
    #[case("{b}", "x\n", true)]
    #[case("{b}", "", true)]
    #[case("So: {b}", "", true)]
    #[case("So:{b}", "", false)]
    #[case("{b} ", "x", true)]
    #[case("{b}:", " ", false)]
    #[case("So: ", "x", false)]
    fn a_row_whose_prefill_is_refused_is_recognized(#[case] prefill: &str, #[case] cell: &str, #[case] refused: bool) {
        let cells = |column: usize| ["a", cell][column.min(1)];
        let refuses = |family| {
            let writer = with_columns(family, "", prefill);
            let at = writer.columns().iter().position(|column| column == "b");
            writer.refuses_prefill(|column| if Some(column) == at { cell } else { cells(0) })
        };
        let is_empty = prefill == "{b}" && cell.is_empty();
        assert_eq!((refuses(Family::AnthropicMessages), refuses(Family::Nova)), (refused, is_empty));
    }

    proptest! {
        #[test]
        fn cells_of_instructions_are_transferred_unchanged(cell in any::<String>(), literal in any::<String>()) {
            let literal = literal.replace(['{', '}'], "");
            let writer = with_columns(Family::AnthropicMessages, &format!("{literal}{{b}}{literal}"), "{b}");
            let mut out = Vec::new();
            writer.push_line(&mut out, "r", |_| &cell, None);
            let line = serde_json::from_slice::<Value>(&out).unwrap();
            prop_assert_eq!(line["modelInput"]["system"].as_str().unwrap(), format!("{literal}{cell}{literal}"));
        }

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
