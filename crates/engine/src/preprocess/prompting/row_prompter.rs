//! Conversion of the rows of an input to prompted rows: the run's view of them, with ids, one row per prompt, and images.

use super::images_ahead::{ImagesAhead, WithoutImages};
use super::prompted_rows::{PromptAssignment, PromptedRows, first_rows};
use super::record_ids::RecordIds;
use crate::error::EngineError;
use crate::images::ImageFetcher;
use crate::preprocess::own_columns::{with_first_column, with_prompts};
use crate::preprocess::view::{NotSent, View};
use crate::rows::cell_text::as_text;
use arrow_array::{RecordBatch, StringArray, UInt64Array};
use arrow_select::take::take_record_batch;
use bedrock_batch_domain::prompt::PromptPlan;
use bedrock_batch_domain::record_id::RecordId;
use bedrock_batch_domain::row_error::RowError;

/// Approximate maximum memory of the rows of a batch after they were repeated for their prompts.
const MAX_REPEATED_BYTES: usize = 64 << 20;

/// Adds ids, prompts and images to rows.
#[derive(Debug, Clone, Copy)]
pub(in crate::preprocess) struct RowPrompter<'a> {
    pub(in crate::preprocess) view: &'a View,
    pub(in crate::preprocess) prompts: &'a PromptPlan,
    /// Column that selects the prompts.
    pub(in crate::preprocess) choosing: Option<&'a str>,
    /// Fetcher of images, and the column that names them.
    pub(in crate::preprocess) images: Option<(&'a ImageFetcher, &'a str)>,
}

impl<'a> RowPrompter<'a> {
    /// Returns the first `max_rows` prompted rows of `batches`.
    pub(in crate::preprocess) fn rows(
        self,
        batches: impl Iterator<Item = Result<RecordBatch, EngineError>> + 'a,
        max_rows: u64,
    ) -> Box<dyn Iterator<Item = Result<PromptedRows, EngineError>> + 'a> {
        let mut ids = RecordIds::default();
        let parts = first_rows(batches, max_rows).flat_map(move |batch| self.parts(batch));
        let prompted = parts.map(move |batch| self.prompt(&batch?, &mut ids));
        match self.images {
            Some((fetcher, column)) => Box::new(ImagesAhead::new(prompted, fetcher, column)),
            None => Box::new(prompted.map(|rows| rows.map(WithoutImages::into_rows))),
        }
    }

    /// Counts the first rows of `batches` that yield at most `max_records` prompted rows, and collects the prompts they use.
    pub(in crate::preprocess) fn survey(
        self,
        batches: impl Iterator<Item = Result<RecordBatch, EngineError>> + 'a,
        max_rows: u64,
        max_records: u64,
    ) -> Result<Survey, EngineError> {
        let mut survey = Survey::default();
        for batch in first_rows(batches, max_rows) {
            let (rows, failed) = self.view.of(&batch?)?;
            for choice in self.choices(&rows, failed)? {
                let records = choice.as_ref().map_or(1, |prompts| prompts.len()) as u64;
                if survey.records + records > max_records {
                    return Ok(survey);
                }
                survey.rows += 1;
                survey.records += records;
                survey.used.extend(choice.ok().into_iter().flatten());
            }
        }
        Ok(survey)
    }

    /// Divides a batch whose rows, repeated for each of their prompts, would take too much memory.
    fn parts(self, batch: Result<RecordBatch, EngineError>) -> Vec<Result<RecordBatch, EngineError>> {
        let Ok(rows) = &batch else { return vec![batch] };
        let all = rows.num_rows();
        let repeated = rows.get_array_memory_size().saturating_mul(self.prompts.max_per_row());
        let parts = repeated.div_ceil(MAX_REPEATED_BYTES).clamp(1, all.max(1));
        if parts == 1 || !self.prompts.expands() {
            return vec![batch];
        }
        let size = all.div_ceil(parts);
        (0..all).step_by(size).map(|from| Ok(rows.slice(from, size.min(all - from)))).collect()
    }

    fn prompt(self, batch: &RecordBatch, ids: &mut RecordIds) -> Result<WithoutImages, EngineError> {
        let (rows, failed) = self.view.of(batch)?;
        let own_ids = RecordIds::are_own(&rows);
        let ids = ids.of(&rows)?;
        let rows = with_first_column(&rows, &ids)?;
        if !self.prompts.names_prompts() {
            let prompts = failed.map_or(PromptAssignment::First, |failed| {
                PromptAssignment::Each(failed.into_iter().map(|failed| failed.map_or(Ok(0), Err)).collect())
            });
            let rows = PromptedRows { rows, ids, own_ids, may_be_set_aside: true, prompts, images: None };
            return Ok(WithoutImages { rows, shared: None });
        }
        let choices = self.choices(&rows, failed)?;
        if self.prompts.expands() { self.expand(&rows, &ids, choices) } else { self.map(&rows, ids, own_ids, choices) }
    }

    /// Returns the prompts of each row, or the reason why it has none.
    fn choices(
        self,
        rows: &RecordBatch,
        failed: Option<NotSent>,
    ) -> Result<Vec<Result<Vec<usize>, RowError>>, EngineError> {
        let column = self.choosing.and_then(|name| Some((name, rows.column_by_name(name)?)));
        let Some((name, column)) = column else {
            return Err(EngineError::internal("the rows lack the column that selects the prompt"));
        };
        let values = as_text(column)?;
        let mut failed = failed.into_iter().flatten();
        let choices = values.iter().map(|value| match failed.next().flatten() {
            Some(failed) => Err(failed),
            None => match self.prompts.choose(name, value.unwrap_or_default()) {
                Ok(prompts) => Ok(prompts.to_vec()),
                Err(why) => Err(why.into()),
            },
        });
        Ok(choices.collect())
    }

    fn prompt_names(self, assigned: &[Result<usize, RowError>]) -> StringArray {
        let name = |number: &usize| self.prompts.prompts.get(*number).map(|named| named.id.as_str());
        assigned.iter().map(|prompt| prompt.as_ref().ok().and_then(name)).collect()
    }

    fn map(
        self,
        rows: &RecordBatch,
        ids: StringArray,
        own_ids: bool,
        choices: Vec<Result<Vec<usize>, RowError>>,
    ) -> Result<WithoutImages, EngineError> {
        let assigned: Vec<Result<usize, RowError>> =
            choices.into_iter().map(|choice| choice.map(|prompts| prompts.first().copied().unwrap_or(0))).collect();
        let rows = with_prompts(rows, self.prompt_names(&assigned))?;
        let rows = PromptedRows {
            rows,
            ids,
            own_ids,
            may_be_set_aside: true,
            prompts: PromptAssignment::Each(assigned),
            images: None,
        };
        Ok(WithoutImages { rows, shared: None })
    }

    /// Returns one row per prompt, with ids of their own; one row if there is no prompt.
    fn expand(
        self,
        rows: &RecordBatch,
        ids: &StringArray,
        choices: Vec<Result<Vec<usize>, RowError>>,
    ) -> Result<WithoutImages, EngineError> {
        let (mut places, mut assigned, mut own_ids) = (Vec::new(), Vec::new(), Vec::new());
        for (place, choice) in choices.into_iter().enumerate() {
            let mut add = |number: u64, prompt: Result<usize, RowError>| {
                places.push(place as u64);
                own_ids.push(RecordId::new(ids.value(place), number).to_string());
                assigned.push(prompt);
            };
            match choice {
                Ok(prompts) => prompts.into_iter().zip(1..).for_each(|(prompt, number)| add(number, Ok(prompt))),
                Err(why) => add(0, Err(why)),
            }
        }
        let places = UInt64Array::from(places);
        let rows = take_record_batch(rows, &places)
            .map_err(|error| EngineError::internal("cannot repeat rows for their prompts").caused_by(error))?;
        let ids: StringArray = own_ids.iter().map(|id| Some(id.as_str())).collect();
        let rows = with_prompts(&with_first_column(&rows, &ids)?, self.prompt_names(&assigned))?;
        // Rows that are combined at the end have to stay in order.
        let may_be_set_aside = !self.prompts.is_wide();
        let rows = PromptedRows {
            rows,
            ids,
            own_ids: true,
            may_be_set_aside,
            prompts: PromptAssignment::Each(assigned),
            images: None,
        };
        Ok(WithoutImages { rows, shared: Some(places.values().to_vec()) })
    }
}

/// Result of a survey of all rows.
#[derive(Debug, Default)]
pub(in crate::preprocess) struct Survey {
    /// Number of rows of the input that are used.
    pub(in crate::preprocess) rows: u64,
    /// Number of prompted rows that they become.
    pub(in crate::preprocess) records: u64,
    /// Numbers of the prompts that they use.
    pub(in crate::preprocess) used: std::collections::BTreeSet<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::FolderSink;
    use crate::postprocess::{JoinJob, PromptsRead, Reading, join};
    use crate::preprocess::chunks::{ChunkWriteSpec, write_chunks};
    use crate::rows::parquet_read::ParquetRows;
    use crate::rows::shared_file::SharedFile;
    use arrow_array::ArrayRef;
    use arrow_array::cast::AsArray;
    use bedrock_batch_domain::chunk_plan::ChunkLimits;
    use bedrock_batch_domain::columns::{Column, PROMPT, prefixed};
    use bedrock_batch_domain::input::{Inference, OutputFormat};
    use bedrock_batch_domain::layout::Layout;
    use bedrock_batch_domain::model::{Family, RecordWriter};
    use bedrock_batch_domain::prompt::{Choice, ExpandedLayout, NamedPrompt, Prompt, Template};
    use bedrock_batch_domain::row_error::RowErrorCode;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::sync::Arc;

    fn prompts(expanded: bool) -> PromptPlan {
        let prompt = Prompt::parse("description = \"d\"\ntemplate = \"{kind}\"").unwrap();
        let named = |id: &str| NamedPrompt { id: id.into(), prompt: prompt.clone() };
        let choice = if expanded {
            let by_value = BTreeMap::from([("both".to_owned(), vec![1, 0]), ("one".to_owned(), vec![1])]);
            Choice::Expanded { column: "kind".into(), by_value, default: None, layout: ExpandedLayout::Long }
        } else {
            let by_value = BTreeMap::from([("both".to_owned(), 0), ("one".to_owned(), 1)]);
            Choice::Mapped {
                columns: vec!["kind".into()],
                by_value,
                default: None,
                by_name: false,
                unusable: BTreeMap::new(),
            }
        };
        PromptPlan { choice, prompts: vec![named("a"), named("b")], ..PromptPlan::default() }
    }

    fn batch(kinds: &[&str]) -> RecordBatch {
        let column: ArrayRef = Arc::new(StringArray::from(kinds.to_vec()));
        RecordBatch::try_from_iter([("kind", column)]).unwrap()
    }

    proptest! {
        #[test]
        fn every_row_comes_out_with_its_prompts_or_its_reason(
            kinds in prop::collection::vec(prop_oneof![Just("both"), Just(" ONE"), Just("other"), Just("")], 1..40),
            expanded in any::<bool>(), cut in 0usize..40, max_rows in 0u64..50, max_records in 0u64..60,
        ) {
            let plan = prompts(expanded);
            let view = View::new(vec![Column::of_input("kind")], &BTreeMap::new()).unwrap();
            let prompter = RowPrompter { view: &view, prompts: &plan, choosing: Some("kind"), images: None };
            let (one, two) = kinds.split_at(cut.min(kinds.len()));
            let batches = || [one, two].into_iter().filter(|part| !part.is_empty()).map(|part| Ok(batch(part)));
            let survey = prompter.survey(batches(), max_rows, max_records).unwrap();
            prop_assert!(survey.rows <= max_rows && survey.records <= max_records);
            let mut found: Vec<(String, Option<String>, bool)> = Vec::new();
            for rows in prompter.rows(batches(), survey.rows) {
                let rows = rows.unwrap();
                let prompts = rows.rows.column_by_name(PROMPT).unwrap().as_string::<i32>();
                for (row, prompt) in prompts.iter().enumerate() {
                    found.push((rows.ids.value(row).to_owned(), prompt.map(str::to_owned), rows.prompt_of(row).is_ok()));
                }
            }
            prop_assert_eq!(found.len() as u64, survey.records);
            let mut expected = Vec::new();
            for (row, kind) in kinds.iter().take(usize::try_from(survey.rows).unwrap()).enumerate() {
                let sent: &[&str] = match (kind.trim().to_lowercase().as_str(), expanded) {
                    ("both", true) => &["b", "a"],
                    ("both", false) => &["a"],
                    ("one", _) => &["b"],
                    _ => &[],
                };
                let id = |number: usize| if expanded { format!("r{row:09}-{number:03}") } else { format!("r{row:09}") };
                if sent.is_empty() {
                    expected.push((id(0), None, false));
                }
                expected.extend(sent.iter().enumerate().map(|(n, p)| (id(n + 1), Some((*p).to_owned()), true)));
            }
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn very_many_rows_that_are_not_sent_are_in_separate_files() {
        let plan = prompts(false);
        let view = View::new(vec![Column::of_input("kind")], &BTreeMap::new()).unwrap();
        let prompter = RowPrompter { view: &view, prompts: &plan, choosing: Some("kind"), images: None };
        let mut kinds = vec!["other"; 30_000];
        kinds[25_000..25_120].fill("one");
        let batches = kinds.chunks(1000).map(|part| Ok(batch(part)));
        let records = ["a", "b"].map(|_| {
            let template = Template::parse("{kind}").unwrap();
            RecordWriter::new(Family::Nova, &template, &Inference::default(), None, None, false)
        });
        let layout = Layout::new(&"p".parse().unwrap(), &"r".parse().unwrap());
        let limits =
            ChunkLimits { min_records: 100, max_records: 100, max_bytes: 1 << 20, max_chunks: None, small_last: true };
        let spec = ChunkWriteSpec {
            layout: &layout,
            records: &records,
            limits,
            max_record_bytes: 1 << 20,
            rows: 30_000,
            deduplicate: false,
            lines: Some(120),
        };
        let folder = tempfile::tempdir().unwrap();
        let sink = FolderSink { folder: folder.path().to_owned() };
        let written = write_chunks(&spec, prompter.rows(batches, 30_000), &sink).unwrap();
        assert_eq!(written.chunks.iter().sum::<u32>(), 120);
        assert_eq!((written.rows, written.same), (30_000, 0));
        assert_eq!(written.rejected, BTreeMap::from([(RowErrorCode::NoPrompt.into(), 29_880)]));
        let rows_in = |key: String| {
            let file = SharedFile::open(&folder.path().join(key)).unwrap();
            ParquetRows::open(file, "rows", None).unwrap().0.rows
        };
        let in_chunks: u64 = (0..2).map(|chunk| rows_in(layout.rows_key(chunk))).sum();
        let files = u32::try_from(written.duplicates.len()).unwrap();
        let apart: u64 = (0..files).map(|file| rows_in(layout.duplicate_rows_key(file))).sum();
        assert_eq!(in_chunks + apart, 30_000);
        assert!(in_chunks < 20_200, "{in_chunks} rows in two chunks");
        assert!(written.duplicates.iter().all(|rows| *rows <= 100), "files are as small as chunks");
    }

    #[test]
    fn rows_that_failed_before_are_sent_only_with_include_failed() {
        let plan = PromptPlan::single("a", Prompt::parse("description = \"d\"\ntemplate = \"{kind}\"").unwrap());
        let kinds: ArrayRef = Arc::new(StringArray::from(vec!["x", "y"]));
        let errors: ArrayRef = Arc::new(StringArray::from(vec![None, Some("lost")]));
        let batch = RecordBatch::try_from_iter_with_nullable([("kind", kinds, true), ("error", errors, true)]).unwrap();
        for include_failed in [false, true] {
            let columns = ["kind", "error"].map(Column::of_input).to_vec();
            let view = View::new(columns, &BTreeMap::new()).unwrap().after("classify", include_failed, &plan, None);
            let prompter = RowPrompter { view: &view, prompts: &plan, choosing: None, images: None };
            let rows = prompter.rows(std::iter::once(Ok(batch.clone())), 9).next().unwrap().unwrap();
            assert!(rows.prompt_of(0).is_ok());
            match rows.prompt_of(1) {
                Ok(_) => assert!(include_failed),
                Err(why) => {
                    assert_eq!(why.to_string(), "not sent: failed in stage classify: lost");
                    assert_eq!((why.reason.words().as_ref(), include_failed), ("failed in stage classify", false));
                }
            }
        }
    }

    #[test]
    fn rows_that_failed_in_a_stage_are_counted_under_its_whole_name() {
        let plan = PromptPlan::single("a", Prompt::parse("description = \"d\"\ntemplate = \"{kind}\"").unwrap());
        let kinds: ArrayRef = Arc::new(StringArray::from(vec!["x", "y"]));
        let errors: ArrayRef = Arc::new(StringArray::from(vec![None, Some("lost: for good")]));
        let batch = RecordBatch::try_from_iter_with_nullable([("kind", kinds, true), ("error", errors, true)]).unwrap();
        let columns = ["kind", "error"].map(Column::of_input).to_vec();
        let view = View::new(columns.clone(), &BTreeMap::new()).unwrap().after("mood: v2", false, &plan, None);
        let prompter = RowPrompter { view: &view, prompts: &plan, choosing: None, images: None };
        let template = Template::parse("{kind}").unwrap();
        let records = [RecordWriter::new(Family::Nova, &template, &Inference::default(), None, None, false)];
        let layout = Layout::new(&"p".parse().unwrap(), &"r".parse().unwrap());
        let limits =
            ChunkLimits { min_records: 1, max_records: 100, max_bytes: 1 << 20, max_chunks: None, small_last: true };
        let spec = ChunkWriteSpec {
            layout: &layout,
            records: &records,
            limits,
            max_record_bytes: 1 << 20,
            rows: 2,
            deduplicate: false,
            lines: None,
        };
        let folder = tempfile::tempdir().unwrap();
        let sink = FolderSink { folder: folder.path().to_owned() };
        write_chunks(&spec, prompter.rows(std::iter::once(Ok(batch)), 2), &sink).unwrap();
        let rows = SharedFile::open(&folder.path().join(layout.rows_key(0))).unwrap();
        let prompts = PromptsRead::new(&plan, &Inference::default()).unwrap();
        let outputs = [(OutputFormat::Parquet, "out".to_owned())];
        let reading = Reading { retry_on: &[], prompts: &prompts };
        let job = JoinJob { columns: &columns, ..JoinJob::new(Family::Nova, reading, &outputs) };
        let counts = join(&job, &rows, "rows", std::iter::empty(), &sink).unwrap().counts;
        assert_eq!(counts.failed.get("failed in stage mood: v2"), Some(&1), "{:?}", counts.failed);
        assert_eq!(counts.failed_codes.get(&RowErrorCode::FailedInEarlierStage), Some(&1));
        let out = SharedFile::open(&folder.path().join("out")).unwrap();
        let answered = ParquetRows::open(out, "out", None).unwrap().1.next().unwrap().unwrap();
        let error = answered.column_by_name("error").unwrap().as_string::<i32>().value(1);
        assert_eq!(error, "not sent: failed in stage mood: v2: lost: for good");
    }

    #[test]
    fn answers_to_several_prompts_get_ids_of_their_own_as_input() {
        for prefix in [None, Some("llm_")] {
            ids_after_several_prompts(prefix);
        }
    }

    fn ids_after_several_prompts(prefix: Option<&str>) {
        let (before, prompt_id, error) = (prompts(true), prefixed(prefix, "prompt_id"), prefixed(prefix, "error"));
        let text = |cells: Vec<Option<&str>>| Arc::new(StringArray::from(cells)) as ArrayRef;
        let rows = [
            ("record_id", text(vec![Some("r0"), Some("r0"), Some("r1")]), true),
            (prompt_id.as_str(), text(vec![Some("b"), Some("a"), None]), true),
            (error.as_str(), text(vec![None, None, Some("lost")]), true),
        ];
        let batch = RecordBatch::try_from_iter_with_nullable(rows).unwrap();
        let columns = ["record_id", prompt_id.as_str(), error.as_str()].map(Column::of_input).to_vec();
        let view = View::new(columns, &BTreeMap::new()).unwrap().after("first", false, &before, prefix);
        let plan = PromptPlan::default();
        let prompter = RowPrompter { view: &view, prompts: &plan, choosing: None, images: None };
        let rows = prompter.rows(std::iter::once(Ok(batch)), 9).next().unwrap().unwrap();
        assert_eq!(rows.ids, StringArray::from(vec!["r0-002", "r0-001", "r1-000"]));
        assert!(rows.prompt_of(1).is_ok() && rows.prompt_of(2).is_err(), "a row that failed before is not sent");
    }
}
