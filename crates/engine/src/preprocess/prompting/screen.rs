//! Rows that are not worth a request: the model would refuse it, or have nothing to answer.

use super::prompted_rows::{PromptAssignment, PromptedRows};
use crate::error::EngineError;
use crate::records::cells_of;
use crate::rows::cell_text::as_text;
use arrow_array::{Array, ArrayRef, StringArray};
use arrow_schema::DataType;
use bedrock_batch_domain::model::RecordWriter;
use bedrock_batch_domain::printable::is_blank;
use bedrock_batch_domain::row_error::{RowError, RowErrorCode};
use std::collections::BTreeMap;

/// Rules by which rows are not sent.
#[derive(Debug, Clone, Copy)]
pub(in crate::preprocess) struct Screen<'a> {
    /// Writers of records, by the number of the prompt.
    pub(in crate::preprocess) records: &'a [RecordWriter],
    /// If true, rows are sent although all cells that their prompt shows are blank.
    pub(in crate::preprocess) sends_blank_rows: bool,
    /// Maximum number of characters of the text that an embedding model reads.
    pub(in crate::preprocess) max_text_chars: Option<u64>,
}

impl Screen<'_> {
    /// Gives the rows that are not worth a request the reason why they are not sent.
    pub(in crate::preprocess) fn applied_to(self, mut rows: PromptedRows) -> Result<PromptedRows, EngineError> {
        let mut refused: Vec<(usize, RowError)> = Vec::new();
        for (prompt, of_prompt) in rows_by_prompt(&rows) {
            let Some(records) = self.records.get(prompt).filter(|records| !records.columns().is_empty()) else {
                continue;
            };
            let shown = if self.sends_blank_rows { Vec::new() } else { shown_cells(records, &rows)? };
            let texts = if self.max_text_chars.is_some() || records.prefill_shows_columns() {
                Some(cells_of(records, &rows.rows)?)
            } else {
                None
            };
            for row in of_prompt {
                // An image is something to answer about.
                let is_blank =
                    !shown.is_empty() && rows.image(row).is_none() && shown.iter().all(|cells| cells.is_blank(row));
                let why = match &texts {
                    _ if is_blank => Some(RowErrorCode::BlankRow.into()),
                    Some(texts) => self.too_long(texts.of_row(row)).or_else(|| {
                        let has_bad_prefill = records.refuses_prefill(|column| texts.cell(column, row));
                        has_bad_prefill.then(|| RowErrorCode::PrefillBlank.into())
                    }),
                    None => None,
                };
                refused.extend(why.map(|why| (row, why)));
            }
        }
        if refused.is_empty() {
            return Ok(rows);
        }
        let prompts = (0..rows.ids.len()).map(|row| rows.prompt_of(row).map_err(RowError::clone));
        let mut prompts: Vec<Result<usize, RowError>> = prompts.collect();
        for (row, why) in refused {
            prompts[row] = Err(why);
        }
        rows.prompts = PromptAssignment::Each(prompts);
        Ok(rows)
    }

    fn too_long<'t>(self, mut cells: impl Iterator<Item = &'t str>) -> Option<RowError> {
        let (max, text) = (self.max_text_chars?, cells.next()?);
        // A character has at least one byte.
        if text.len() as u64 <= max {
            return None;
        }
        let chars = text.chars().count() as u64;
        let detail = format!("{chars} characters, and at most {max} fit");
        (chars > max).then(|| RowError::new(RowErrorCode::TextTooLong, detail))
    }
}

/// Returns the rows of each prompt. A run may have a thousand prompts, of which a batch has a few.
fn rows_by_prompt(rows: &PromptedRows) -> BTreeMap<usize, Vec<usize>> {
    let mut by_prompt: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for row in 0..rows.ids.len() {
        if let Ok(prompt) = rows.prompt_of(row) {
            by_prompt.entry(prompt).or_default().push(row);
        }
    }
    by_prompt
}

/// Column that a prompt shows, as far as needed to find blank cells.
enum ShownCells {
    Texts(StringArray),
    /// Values of other types are blank only where they are null.
    Values(ArrayRef),
}

impl ShownCells {
    fn is_blank(&self, row: usize) -> bool {
        match self {
            Self::Texts(texts) => texts.is_null(row) || is_blank(texts.value(row)),
            Self::Values(values) => values.is_null(row),
        }
    }
}

fn shown_cells(records: &RecordWriter, rows: &PromptedRows) -> Result<Vec<ShownCells>, EngineError> {
    let columns = records.columns().iter().filter_map(|name| rows.rows.column_by_name(name));
    let cells = columns.map(|column| {
        Ok(match column.data_type() {
            DataType::Dictionary(..) => ShownCells::Texts(as_text(column)?),
            // Bytes may be a text.
            of if of.is_string() || of.is_binary() => ShownCells::Texts(as_text(column)?),
            DataType::Null => ShownCells::Texts(StringArray::new_null(column.len())),
            _ => ShownCells::Values(column.clone()),
        })
    });
    cells.collect()
}

#[cfg(test)]
mod tests {
    use super::super::prompted_rows::numbered;
    use super::*;
    use crate::images::FetchedImage;
    use arrow_array::{Float64Array, Int64Array, RecordBatch};
    use bedrock_batch_domain::image::{ImageTraits, MediaType};
    use bedrock_batch_domain::input::Inference;
    use bedrock_batch_domain::model::{Family, RecordOptions};
    use bedrock_batch_domain::prompt::{Prompt, PromptPlan, Template};
    use rstest::rstest;
    use std::sync::Arc;

    fn writer(family: Family, template: &str) -> RecordWriter {
        RecordWriter::new(family, &Template::parse(template).unwrap(), &Inference::default(), None, None, false)
    }

    fn rows(columns: Vec<(&str, ArrayRef)>) -> PromptedRows {
        let columns = columns.into_iter().map(|(name, column)| (name, column, true));
        let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
        numbered(std::iter::once(Ok(batch)), 99).next().unwrap().unwrap()
    }

    fn texts(cells: &[Option<&str>]) -> ArrayRef {
        Arc::new(StringArray::from(cells.to_vec()))
    }

    /// Returns for each row whether it is sent, or the code of the reason why it is not.
    fn screened(screen: Screen<'_>, rows: PromptedRows) -> Vec<Option<RowErrorCode>> {
        let rows = screen.applied_to(rows).unwrap();
        (0..rows.ids.len()).map(|row| rows.prompt_of(row).err().map(|why| why.reason.code)).collect()
    }

    #[rstest]
    #[case("{text}", false, "x..x.x..")]
    #[case("{text} {number}", false, "xx.x.x.x")]
    #[case("{number}", false, "xx.....x")]
    #[case("{text}", true, "xxxxxxxx")]
    #[case("constant", false, "xxxxxxxx")]
    fn rows_without_any_text_to_show_are_not_sent(#[case] template: &str, #[case] sends: bool, #[case] expected: &str) {
        let (blank, hidden) = (" \t\r\n\u{a0}\u{3000}", "\u{feff}\u{200b}");
        let cells = [Some("a"), Some(""), Some(blank), Some("NaN"), Some(hidden), Some("-"), None, Some(" ")];
        let numbers = [Some(1), Some(2), None, None, None, None, None, Some(0)];
        let of_rows = rows(vec![("text", texts(&cells)), ("number", Arc::new(Int64Array::from(numbers.to_vec())))]);
        let records = [writer(Family::Nova, template)];
        let screen = Screen { records: &records, sends_blank_rows: sends, max_text_chars: None };
        let found: String =
            screened(screen, of_rows).iter().map(|code| if code.is_none() { 'x' } else { '.' }).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn each_row_is_screened_by_the_cells_of_its_own_prompt() {
        let column = |cells: [&str; 5]| texts(&cells.map(Some));
        let mut of_rows = rows(vec![("a", column(["", "", "x", "x", ""])), ("b", column(["x", "x", "", "", ""]))]);
        let no_prompt = Err(RowErrorCode::TextTooLong.into());
        of_rows.prompts = PromptAssignment::Each(vec![Ok(0), Ok(1), Ok(0), Ok(1), no_prompt]);
        let records = [writer(Family::Nova, "{a}"), writer(Family::Nova, "{b}")];
        let screen = Screen { records: &records, sends_blank_rows: false, max_text_chars: None };
        let blank = Some(RowErrorCode::BlankRow);
        assert_eq!(screened(screen, of_rows), [blank, None, None, blank, Some(RowErrorCode::TextTooLong)]);
    }

    #[test]
    fn a_row_with_an_image_is_sent_whatever_its_texts_are() {
        let mut of_rows = rows(vec![("text", texts(&[Some(""), None, None]))]);
        let image = FetchedImage {
            media_type: MediaType::Png,
            base64: String::new(),
            digest: [0; 32],
            traits: ImageTraits::default(),
        };
        of_rows.images = Some(vec![Some(Arc::new(image)), None, None]);
        let records = [writer(Family::Nova, "{text}")];
        let screen = Screen { records: &records, sends_blank_rows: false, max_text_chars: None };
        let blank = Some(RowErrorCode::BlankRow);
        assert_eq!(screened(screen, of_rows), [None, blank, blank]);
    }

    #[test]
    fn values_that_are_no_texts_are_blank_where_they_are_null() {
        let of_rows = rows(vec![("price", Arc::new(Float64Array::from(vec![Some(f64::NAN), None])))]);
        let records = [writer(Family::Nova, "{price}")];
        let screen = Screen { records: &records, sends_blank_rows: false, max_text_chars: None };
        assert_eq!(screened(screen, of_rows), [None, Some(RowErrorCode::BlankRow)]);
    }

    #[test]
    fn texts_over_the_limit_of_an_embedding_model_are_not_sent() {
        let fits = ["x".repeat(50), "ü".repeat(50)];
        let cells = [Some(fits[0].as_str()), Some(fits[1].as_str()), Some(&"ü".repeat(51)), Some("")];
        let records = [writer(Family::TitanTextEmbeddings, "{input_text}")];
        let screen = Screen { records: &records, sends_blank_rows: false, max_text_chars: Some(50) };
        let of_rows = screen.applied_to(rows(vec![("input_text", texts(&cells))])).unwrap();
        let reasons: Vec<String> =
            (0..4).map(|row| of_rows.prompt_of(row).err().map(ToString::to_string).unwrap_or_default()).collect();
        let expected = [
            "",
            "",
            "not sent: text too long for the model: 51 characters, and at most 50 fit",
            "not sent: all cells that the prompt shows are blank",
        ];
        assert_eq!(reasons, expected);
    }

    #[test]
    fn rows_whose_prefill_claude_refuses_are_not_sent() {
        let prompt = "description = \"d\"\ntemplate = \"{text}\"\nprefill = \"{name}\"";
        let plan = PromptPlan::single("a", Prompt::parse(prompt).unwrap());
        let plan = PromptPlan { instruction_columns: ["name".to_owned()].into(), ..plan };
        let records =
            plan.record_writers(Family::AnthropicMessages, &Inference::default(), RecordOptions::default()).unwrap();
        let names = texts(&[Some("Acme"), Some("Acme "), None]);
        let of_rows = rows(vec![("text", texts(&[Some("a"); 3])), ("name", names)]);
        let screen = Screen { records: &records, sends_blank_rows: false, max_text_chars: None };
        let refused = Some(RowErrorCode::PrefillBlank);
        assert_eq!(screened(screen, of_rows), [None, refused, refused]);
    }
}
