//! From the rows of an input to rows that are asked: seen as the run sees them, numbered, each with its prompts, one row
//! for each of them, and with its image.

use super::asked_rows::{AskedRows, Asks, first_rows};
use super::columns::{with_first_column, with_prompts};
use super::held_batch::NotSent;
use super::images_ahead::{ImagesAhead, WithoutImages};
use super::record_ids::RecordIds;
use super::view::{NotAsked, View, suffixed};
use crate::error::EngineError;
use crate::images::ImageFetcher;
use crate::rows::cell_text::as_text;
use arrow_array::{RecordBatch, StringArray, UInt64Array};
use arrow_select::take::take_record_batch;
use bedrock_batch_domain::prompt::PromptPlan;

/// What rows are asked, and how they are seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) view: &'a View,
    pub(super) prompts: &'a PromptPlan,
    /// The column that says which prompts.
    pub(super) choosing: Option<&'a str>,
    /// What gets images, and the column that names them.
    pub(super) images: Option<(&'a ImageFetcher, &'a str)>,
}

/// Why a row has no prompt, for counting.
const NO_PROMPT: &str = "no prompt for it";

impl<'a> Asking<'a> {
    /// The first `most` rows of `batches`, asked.
    pub(super) fn rows(
        self,
        batches: impl Iterator<Item = Result<RecordBatch, EngineError>> + 'a,
        most: u64,
    ) -> Box<dyn Iterator<Item = Result<AskedRows, EngineError>> + 'a> {
        let mut ids = RecordIds::default();
        let asked = first_rows(batches, most).map(move |batch| self.ask(&batch?, &mut ids));
        match self.images {
            Some((fetcher, column)) => Box::new(ImagesAhead::new(asked, fetcher, column)),
            None => Box::new(asked.map(|asked| asked.map(WithoutImages::into_rows))),
        }
    }

    /// How many rows the first ones of `batches` are asked as, which prompts they are asked, and how many they are: as
    /// many as make at most `most_records`.
    pub(super) fn survey(
        self,
        batches: impl Iterator<Item = Result<RecordBatch, EngineError>> + 'a,
        most: u64,
        most_records: u64,
    ) -> Result<Survey, EngineError> {
        let mut survey = Survey::default();
        for batch in first_rows(batches, most) {
            let (rows, failed) = self.view.of(&batch?)?;
            for choice in self.choices(&rows, failed)? {
                let records = choice.as_ref().map_or(1, |prompts| prompts.len()) as u64;
                if survey.asked + records > most_records {
                    return Ok(survey);
                }
                survey.rows += 1;
                survey.asked += records;
                survey.used.extend(choice.ok().into_iter().flatten());
            }
        }
        Ok(survey)
    }

    fn ask(self, batch: &RecordBatch, ids: &mut RecordIds) -> Result<WithoutImages, EngineError> {
        let (rows, failed) = self.view.of(batch)?;
        let own_ids = RecordIds::are_own(&rows);
        let ids = ids.of(&rows)?;
        let rows = with_first_column(&rows, &ids)?;
        if !self.prompts.names_prompts() {
            let asks = failed.map_or(Asks::First, |failed| {
                Asks::Each(failed.into_iter().map(|failed| failed.map_or(Ok(0), Err)).collect())
            });
            let rows = AskedRows { rows, ids, own_ids, asks, images: None };
            return Ok(WithoutImages { rows, shared: None });
        }
        let choices = self.choices(&rows, failed)?;
        if self.prompts.expands() { self.expand(&rows, &ids, choices) } else { self.map(&rows, ids, own_ids, choices) }
    }

    /// The prompts of each row, or why there are none.
    fn choices(
        self,
        rows: &RecordBatch,
        failed: Option<NotAsked>,
    ) -> Result<Vec<Result<Vec<usize>, NotSent>>, EngineError> {
        let column = self.choosing.and_then(|name| Some((name, rows.column_by_name(name)?)));
        let Some((name, column)) = column else {
            return Err(EngineError::Transient("the column that says the prompts went missing".to_owned()));
        };
        let values = as_text(column)?;
        let mut failed = failed.into_iter().flatten();
        let choices = values.iter().map(|value| match failed.next().flatten() {
            Some(failed) => Err(failed),
            None => match self.prompts.choose(name, value.unwrap_or_default()) {
                Ok(prompts) => Ok(prompts.to_vec()),
                Err(why) => Err(NotSent { text: format!("not sent: {NO_PROMPT}: {why}"), reason: NO_PROMPT.into() }),
            },
        });
        Ok(choices.collect())
    }

    fn prompt_names(self, asks: &[Result<usize, NotSent>]) -> StringArray {
        let name = |number: &usize| self.prompts.prompts.get(*number).map(|named| named.id.as_str());
        asks.iter().map(|ask| ask.as_ref().ok().and_then(name)).collect()
    }

    fn map(
        self,
        rows: &RecordBatch,
        ids: StringArray,
        own_ids: bool,
        choices: Vec<Result<Vec<usize>, NotSent>>,
    ) -> Result<WithoutImages, EngineError> {
        let asks: Vec<Result<usize, NotSent>> =
            choices.into_iter().map(|choice| choice.map(|prompts| prompts.first().copied().unwrap_or(0))).collect();
        let rows = with_prompts(rows, self.prompt_names(&asks))?;
        let rows = AskedRows { rows, ids, own_ids, asks: Asks::Each(asks), images: None };
        Ok(WithoutImages { rows, shared: None })
    }

    /// A row for each prompt, under ids of their own; one row where there is no prompt.
    fn expand(
        self,
        rows: &RecordBatch,
        ids: &StringArray,
        choices: Vec<Result<Vec<usize>, NotSent>>,
    ) -> Result<WithoutImages, EngineError> {
        let (mut places, mut asks, mut own_ids) = (Vec::new(), Vec::new(), Vec::new());
        for (place, choice) in choices.into_iter().enumerate() {
            let mut add = |number: usize, ask: Result<usize, NotSent>| {
                places.push(place as u64);
                own_ids.push(suffixed(ids.value(place), number));
                asks.push(ask);
            };
            match choice {
                Ok(prompts) => prompts.into_iter().zip(1..).for_each(|(prompt, number)| add(number, Ok(prompt))),
                Err(why) => add(0, Err(why)),
            }
        }
        let places = UInt64Array::from(places);
        let rows = take_record_batch(rows, &places)
            .map_err(|error| EngineError::Transient(format!("rows cannot be repeated: {error}")))?;
        let ids: StringArray = own_ids.iter().map(|id| Some(id.as_str())).collect();
        let rows = with_prompts(&with_first_column(&rows, &ids)?, self.prompt_names(&asks))?;
        let rows = AskedRows { rows, ids, own_ids: true, asks: Asks::Each(asks), images: None };
        Ok(WithoutImages { rows, shared: Some(places.values().to_vec()) })
    }
}

/// What a first look at all rows found.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Rows of the input that are taken.
    pub(super) rows: u64,
    /// Rows that they are asked as.
    pub(super) asked: u64,
    /// The numbers of the prompts that they are asked.
    pub(super) used: std::collections::BTreeSet<usize>,
}
