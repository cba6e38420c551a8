//! Beginnings of answers that differ from row to row, since the prefill of their prompt shows columns.

use super::prompts_read::PromptsRead;
use crate::error::EngineError;
use crate::rows::cell_text::as_text;
use arrow_array::{Array, RecordBatch, StringArray};
use bedrock_batch_domain::columns::PROMPT;
use bedrock_batch_domain::prompt::{Piece, Template};
use std::collections::BTreeMap;

/// Beginnings of the answers of all rows of a chunk; none if they do not differ.
#[derive(Debug, Default)]
pub(super) struct RowPrefills {
    texts: String,
    /// End of each row's text.
    ends: Vec<usize>,
}

impl RowPrefills {
    /// Adds the rows of a batch, which has the columns that prefills show.
    pub(super) fn add(&mut self, rows: &RecordBatch, prompts: &PromptsRead) -> Result<(), EngineError> {
        let mut columns: BTreeMap<&str, StringArray> = BTreeMap::new();
        for name in prompts.prefill_columns() {
            let column = rows.column_by_name(name).ok_or_else(|| {
                EngineError::corrupt(format!("the rows lack the column `{name}`, which a prefill shows"))
            })?;
            columns.insert(name, as_text(column)?);
        }
        if columns.is_empty() {
            return Ok(());
        }
        let of_rows = rows.column_by_name(PROMPT).map(as_text).transpose()?;
        for row in 0..rows.num_rows() {
            let prompt = of_rows.as_ref().map(|ids| ids.is_valid(row).then(|| ids.value(row)));
            let prompt = prompt.map_or(0, |id| prompts.number(id));
            for piece in prompts.sent_prefill(prompt).map(Template::pieces).unwrap_or_default() {
                match piece {
                    Piece::Literal(text) => self.texts.push_str(text),
                    Piece::Column(name) => {
                        let cell = columns.get(name.as_str()).filter(|cells| cells.is_valid(row));
                        self.texts.push_str(cell.map_or("", |cells| cells.value(row)));
                    }
                }
            }
            self.ends.push(self.texts.len());
        }
        Ok(())
    }

    /// Returns the beginning of the answer to a row, if those of rows differ.
    pub(super) fn of(&self, row: usize) -> Option<&str> {
        let end = *self.ends.get(row)?;
        let begin = row.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        self.texts.get(begin..end)
    }
}

#[cfg(test)]
mod tests {
    use crate::objects::FolderSink;
    use crate::postprocess::{JobAnswers, JobAttempt, JoinJob, PromptsRead, Reading, join};
    use crate::rows::parquet_read::ParquetRows;
    use crate::rows::parquet_write::ParquetFile;
    use crate::rows::shared_file::SharedFile;
    use arrow_array::cast::AsArray;
    use arrow_array::{ArrayRef, RecordBatch, StringArray};
    use bedrock_batch_domain::columns::{NOT_SENT, PROMPT, RECORD_ID};
    use bedrock_batch_domain::input::{Inference, OutputFormat};
    use bedrock_batch_domain::model::Family;
    use bedrock_batch_domain::prompt::{Choice, ExpandedLayout, NamedPrompt, Prompt, PromptPlan};
    use bytes::Bytes;
    use std::collections::BTreeMap;
    use std::io::Read;
    use std::sync::Arc;

    /// Returns a plan whose prompts, by name, have these prefills, and fields of JSON.
    fn plan(prefills: &[(&str, &str)]) -> PromptPlan {
        let prompts = prefills.iter().map(|(id, prefill)| {
            let fields = "[output_schema]\ntype = \"json\"\nfields = { of = \"$.of\", is = \"$.is\" }";
            let toml = format!("description = \"d\"\ntemplate = \"{{name}}\"\nprefill = '{prefill}'\n{fields}");
            NamedPrompt { id: (*id).to_owned(), prompt: Prompt::parse(&toml).unwrap() }
        });
        let choice = match prefills {
            [_] => Choice::Single,
            _ => Choice::Expanded {
                column: "kind".to_owned(),
                by_value: BTreeMap::default(),
                default: Some(vec![0, 1]),
                layout: ExpandedLayout::default(),
            },
        };
        PromptPlan { choice, prompts: prompts.collect(), ..PromptPlan::default() }
    }

    fn rows() -> Bytes {
        let column = |cells: [Option<&str>; 3]| Arc::new(StringArray::from(cells.to_vec())) as ArrayRef;
        let columns = [
            (RECORD_ID, column([Some("a"), Some("b"), Some("c")]), true),
            ("name", column([Some("Acme"), Some("{name}\""), None]), true),
            (PROMPT, column([Some("one"), Some("two"), Some("one")]), true),
            (NOT_SENT, column([None; 3]), true),
        ];
        let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
        let mut file = ParquetFile::create(Vec::new(), batch.schema()).unwrap();
        file.write(&batch).unwrap();
        file.finish().unwrap().into()
    }

    /// Joins the same answer to all rows, and returns their responses and the field `of`.
    fn joined(plan: &PromptPlan, answer: &str) -> Vec<(String, Option<String>)> {
        let prompts = PromptsRead::new(plan, &Inference::default()).unwrap();
        let outputs = [(OutputFormat::Parquet, "out".to_owned())];
        let job = JoinJob::new(Family::Nova, Reading { retry_on: &[], prompts: &prompts }, &outputs);
        let line = |id: &str| {
            let message = serde_json::json!({"role": "assistant", "content": [{"text": answer}]});
            let output = serde_json::json!({"output": {"message": message}, "stopReason": "end_turn"});
            serde_json::json!({"recordId": id, "modelOutput": output}).to_string() + "\n"
        };
        let lines = std::io::Cursor::new(["a", "b", "c"].map(line).concat());
        let lines = std::iter::once(Box::new(lines) as Box<dyn Read>);
        let answers = JobAnswers { job: JobAttempt::first(3, "m"), answers: Box::new(lines) };
        let folder = tempfile::tempdir().unwrap();
        let sink = FolderSink { folder: folder.path().to_owned() };
        join(&job, &rows(), "rows", std::iter::once(answers), &sink).unwrap();
        let out = SharedFile::open(&folder.path().join("out")).unwrap();
        let batch = ParquetRows::open(out, "out", None).unwrap().1.next().unwrap().unwrap();
        let column = |name: &str| batch.column_by_name(name).unwrap().as_string::<i32>().clone();
        let (responses, of) = (column("response"), column("of"));
        let rows = responses.iter().zip(of.iter());
        rows.map(|(response, of)| (response.unwrap().to_owned(), of.map(str::to_owned))).collect()
    }

    const NAMED: &str = "{\"of\": \"{name}";

    #[test]
    fn each_answer_begins_with_the_prefill_of_its_row() {
        let mut plan = plan(&[("one", NAMED), ("two", "So: ")]);
        plan.instruction_columns = ["name".to_owned()].into();
        let found = joined(&plan, "!\", \"is\": 1}");
        let expected = [
            ("{\"of\": \"Acme!\", \"is\": 1}".to_owned(), Some("Acme!".to_owned())),
            ("So: !\", \"is\": 1}".to_owned(), None),
            ("{\"of\": \"!\", \"is\": 1}".to_owned(), Some("!".to_owned())),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_plan_without_columns_in_instructions_is_read_as_before() {
        let found = joined(&plan(&[("one", NAMED)]), "\", \"is\": 1}");
        let literal = ("{\"of\": \"{name}\", \"is\": 1}".to_owned(), Some("{name}".to_owned()));
        assert_eq!(found, vec![literal; 3], "it was sent as it stands");
    }
}
