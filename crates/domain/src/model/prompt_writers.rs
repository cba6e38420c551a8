//! Writers of the records of all prompts of a run.

use super::{Family, InstructionTexts, RecordWriter};
use crate::input::{Inference, InputType, RunRequest};
use crate::problem::Problem;
use crate::prompt::{PromptPlan, Template};

/// What records have, in the same way for all prompts of a run.
#[derive(Debug, Clone, Copy)]
pub struct RecordOptions {
    /// True if a record has an image.
    pub with_image: bool,
    /// True if records make the model's answer match the response schema of their prompt.
    pub enforce_schema: bool,
    /// Maximum number of rows per request, for prompts with a part that is repeated for each row.
    pub max_rows: usize,
}

impl Default for RecordOptions {
    fn default() -> Self {
        Self { with_image: false, enforce_schema: false, max_rows: 1 }
    }
}

impl RecordOptions {
    /// Returns the options of a request.
    pub fn of(request: &RunRequest) -> Self {
        Self {
            with_image: request.rows.input_type == InputType::Image,
            enforce_schema: request.answers.enforce_schema,
            max_rows: request.rows_per_request() as usize,
        }
    }
}

impl PromptPlan {
    /// Creates a writer of records for each prompt, with references inserted.
    ///
    /// # Errors
    /// Returns an error if a template is invalid; loaded prompts are valid.
    pub fn record_writers(
        &self,
        family: Family,
        inference: &Inference,
        options: RecordOptions,
    ) -> Result<Vec<RecordWriter>, Problem> {
        let writers = self.prompts.iter().map(|named| {
            let invalid = |rule: String| Problem::without_value(format!("prompt `{}`", named.id), rule);
            let template = self.filled(named.prompt.parsed_template().map_err(invalid)?);
            let texts = InstructionTexts::of_prompt(self, inference, &named.prompt);
            let schema = named.prompt.response_schema.as_ref().filter(|_| options.enforce_schema);
            let writer = |template: &Template| {
                RecordWriter::with_schema(family, template, inference, &texts, options.with_image, schema)
            };
            Ok(match &named.prompt.rows {
                Some(rows) => {
                    let row = self.filled(rows.parsed_template().map_err(invalid)?);
                    writer(&row).of_rows(&template, options.max_rows)
                }
                None => writer(&template),
            })
        });
        writers.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prompt::Prompt;
    use crate::record_id::RequestId;
    use crate::reference::{Reference, ReferenceSource};
    use serde_json::Value;

    fn plan(prompt: &str) -> PromptPlan {
        let source = ReferenceSource { name: "codes".into(), uri: "s3://bucket/codes.txt".into(), etag: String::new() };
        let reference = Reference::read(source, "A: {a}\nB".as_bytes()).unwrap();
        let plan = PromptPlan::single("triage", Prompt::parse(&format!("description = \"d\"\n{prompt}")).unwrap());
        PromptPlan { references: vec![reference], ..plan }
    }

    #[test]
    fn references_are_inserted_around_and_into_the_rows_of_a_request() {
        let outer = "template = 'Use {reference.codes} for: {rows}'";
        let plan = plan(&format!("{outer}\nrows = {{ template = '{{row_id}} {{a}} ({{reference.codes}})' }}"));
        let options = RecordOptions { max_rows: 2, ..RecordOptions::default() };
        let writers = plan.record_writers(Family::Nova, &Inference::default(), options).unwrap();
        assert_eq!(writers[0].columns(), ["a"]);
        let mut rows = Vec::new();
        for (number, cell) in [(1, "x"), (2, "{reference.codes}")] {
            writers[0].push_row(&mut rows, number, |_| cell);
        }
        let mut line = Vec::new();
        writers[0].push_request(&mut line, RequestId { first: "r", rows: 2 }, &rows);
        let record: Value = serde_json::from_slice(&line).unwrap();
        let text = record["modelInput"]["messages"][0]["content"][0]["text"].as_str();
        let expected = "Use A: {a}\nB for: 1 x (A: {a}\nB)\n2 {reference.codes} (A: {a}\nB)";
        assert_eq!(text, Some(expected), "neither references nor cells are read as templates");

        let point = writers[0].cache_point().unwrap();
        let input = &line[line.windows(13).position(|part| part == b"\"modelInput\":").unwrap() + 13..line.len() - 2];
        let marked: Value = serde_json::from_slice(&point.mark(input).unwrap()).unwrap();
        let content = &marked["messages"][0]["content"];
        assert_eq!(content[0]["text"], "Use A: {a}\nB for: ", "all requests have the text before the rows in common");
        assert_eq!(content[1]["text"], expected.strip_prefix("Use A: {a}\nB for: ").unwrap());
    }
}
