//! Prefetching of the images of the next rows while the current ones are rendered.

use super::prompted_rows::{PromptAssignment, PromptedRows};
use crate::error::EngineError;
use crate::images::{FetchedImage, ImageColumn, ImageFetcher, Pending};
use arrow_array::Array;
use bedrock_batch_domain::row_error::RowError;
use std::collections::VecDeque;
use std::sync::Arc;

/// Number of rows whose images are fetched together.
const ROWS_PER_FETCH: usize = 64;
/// Size of images, in base64, at which rows are passed on. Together with the images in flight, it limits memory.
const MAX_BATCH_BYTES: usize = 32 << 20;

/// Rows whose images are not fetched yet.
pub(super) struct WithoutImages {
    pub(super) rows: PromptedRows,
    /// Index of the input row of each row, if an input row has become several, which share its image.
    pub(super) shared: Option<Vec<u64>>,
}

impl WithoutImages {
    /// Returns the rows, if they have no images.
    pub(super) fn into_rows(self) -> PromptedRows {
        self.rows
    }

    /// Removes and returns the first rows, about as many as wanted, without separating rows that share an image.
    fn split(&mut self, wanted: usize) -> PromptedRows {
        let all = self.rows.ids.len();
        let mut end = wanted.min(all);
        if let Some(shared) = &self.shared {
            while end < all && end > 0 && shared[end] == shared[end - 1] {
                end += 1;
            }
            self.shared = Some(shared[end..].to_vec());
        }
        let (rows, ids) = (&self.rows.rows, &self.rows.ids);
        let prompts = match &mut self.rows.prompts {
            PromptAssignment::First => PromptAssignment::First,
            PromptAssignment::Each(prompts) => PromptAssignment::Each(prompts.drain(..end).collect()),
        };
        let first = PromptedRows {
            rows: rows.slice(0, end),
            ids: ids.slice(0, end),
            own_ids: self.rows.own_ids,
            may_be_set_aside: self.rows.may_be_set_aside,
            prompts,
            images: None,
        };
        self.rows.rows = rows.slice(end, all - end);
        self.rows.ids = ids.slice(end, all - end);
        first
    }
}

/// Iterator over rows with their images, which fetches those of the next rows in advance.
pub(super) struct ImagesAhead<'a, I> {
    source: I,
    fetcher: &'a ImageFetcher,
    column: &'a str,
    remaining: Option<WithoutImages>,
    in_flight: VecDeque<Result<InFlight, EngineError>>,
}

struct InFlight {
    rows: WithoutImages,
    /// For each row, the index of its image among those that are fetched.
    places: VecDeque<Option<usize>>,
    images: Pending,
    /// Latest image, with its index.
    latest: Option<(usize, Result<Arc<FetchedImage>, RowError>)>,
}

impl<'a, I: Iterator<Item = Result<WithoutImages, EngineError>>> ImagesAhead<'a, I> {
    pub(super) fn new(source: I, fetcher: &'a ImageFetcher, column: &'a str) -> Self {
        Self { source, fetcher, column, remaining: None, in_flight: VecDeque::new() }
    }

    /// Starts to fetch the images of the next rows.
    fn start_next(&mut self) -> Option<Result<InFlight, EngineError>> {
        let mut remaining = match self.remaining.take() {
            Some(remaining) => remaining,
            None => match self.source.next()? {
                Ok(rows) => rows,
                Err(error) => return Some(Err(error)),
            },
        };
        let shared = remaining.shared.clone();
        let rows = remaining.split(ROWS_PER_FETCH);
        if remaining.rows.ids.len() > 0 {
            self.remaining = Some(remaining);
        }
        Some(self.start(rows, shared.as_deref()))
    }

    /// Starts to fetch the images of these rows. Images of rows that are not sent are not fetched, and shared ones only once.
    fn start(&self, rows: PromptedRows, shared: Option<&[u64]>) -> Result<InFlight, EngineError> {
        let column = rows.rows.column_by_name(self.column);
        let column = column.ok_or_else(|| EngineError::internal("the rows lack the column of the images"))?;
        let cells = ImageColumn::new(self.column, column)?;
        let mut wanted = Vec::new();
        let mut last: Option<(u64, usize)> = None;
        let places = (0..rows.ids.len()).map(|row| {
            rows.prompt_of(row).ok()?;
            let input_row = shared.map(|shared| shared[row]);
            if let (Some(input_row), Some((before, place))) = (input_row, last)
                && input_row == before
            {
                return Some(place);
            }
            wanted.push(cells.cell(row));
            let place = wanted.len() - 1;
            last = input_row.map(|input_row| (input_row, place));
            Some(place)
        });
        let places = places.collect();
        let images = self.fetcher.start(wanted);
        Ok(InFlight { rows: WithoutImages { rows, shared: None }, places, images, latest: None })
    }
}

impl<I: Iterator<Item = Result<WithoutImages, EngineError>>> Iterator for ImagesAhead<'_, I> {
    type Item = Result<PromptedRows, EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.in_flight.is_empty() {
            let first = self.start_next()?;
            self.in_flight.push_back(first);
        }
        if self.in_flight.len() < 2
            && let Some(next) = self.start_next()
        {
            self.in_flight.push_back(next);
        }
        let mut first = match self.in_flight.pop_front()? {
            Ok(first) => first,
            Err(error) => return Some(Err(error)),
        };
        let arrived = first.arrived();
        if !first.places.is_empty() {
            self.in_flight.push_front(Ok(first));
        }
        Some(arrived)
    }
}

impl InFlight {
    /// Returns the next rows with their images, up to the maximum size of a batch. Rows whose image cannot be fetched are not
    /// sent, and get the reason.
    fn arrived(&mut self) -> Result<PromptedRows, EngineError> {
        let (mut images, mut without, mut bytes) = (Vec::new(), Vec::new(), 0);
        while bytes < MAX_BATCH_BYTES {
            let Some(place) = self.places.pop_front() else { break };
            let image = match place {
                Some(place) => Some(self.image(place)?),
                None => None,
            };
            match image {
                Some(Ok(image)) => {
                    bytes += image.base64.len();
                    images.push(Some(image));
                }
                Some(Err(why)) => {
                    without.push((images.len(), why));
                    images.push(None);
                }
                None => images.push(None),
            }
        }
        let mut rows = self.rows.split(images.len());
        let mut prompts: Vec<Result<usize, RowError>> =
            (0..images.len()).map(|row| rows.prompt_of(row).map_err(RowError::clone)).collect();
        for (row, why) in without {
            prompts[row] = Err(why);
        }
        rows.images = Some(images);
        rows.prompts = PromptAssignment::Each(prompts);
        Ok(rows)
    }

    /// Returns the image at this index. Indexes must be in order, and may be repeated.
    fn image(&mut self, place: usize) -> Result<Result<Arc<FetchedImage>, RowError>, EngineError> {
        if let Some((at, image)) = &self.latest
            && *at == place
        {
            return Ok(image.clone());
        }
        let fetched = self.images.next();
        let fetched = fetched.ok_or_else(|| EngineError::internal("fewer images were fetched than rows have"))??;
        let image = fetched.map(Arc::new);
        self.latest = Some((place, image.clone()));
        Ok(image)
    }
}
