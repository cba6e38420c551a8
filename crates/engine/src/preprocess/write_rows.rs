//! Writing of all rows of a request as chunks.

use super::chunks::{ChunkWriteSpec, Written, count_lines, dry_run, write_chunks};
use super::input::InputReader;
use super::prompting::{RowPrompter, Screen};
use super::row_budget::RowBudget;
use super::validated_request::ValidatedRequest;
use crate::error::EngineError;
use crate::images::{Buckets, CONCURRENCY, ImageFetcher};
use crate::objects::ObjectSink;
use crate::records::{RunWriters, record_writers};
use bedrock_batch_domain::check::EMBEDDING_INPUT;
use bedrock_batch_domain::chunk_plan::Chunker;
use bedrock_batch_domain::image::ImageLimits;
use bedrock_batch_domain::input::InputType;
use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::layout::Layout;
use tokio::runtime::Handle;

/// Writes the rows within the budget. To be used on a blocking thread.
pub(super) fn write_rows(
    inputs: &InputReader,
    checked: &ValidatedRequest,
    budget: RowBudget,
    layout: &Layout,
    sink: &impl ObjectSink,
) -> Result<Written, EngineError> {
    let runtime = Handle::current();
    let records = record_writers(RunWriters {
        request: &checked.request,
        family: checked.resolved.model.family,
        prompts: &checked.resolved.prompts,
        has_embedding_input: checked.input.view.names().iter().any(|name| name == EMBEDDING_INPUT),
    })?;
    let limits = &checked.resolved.model.limits;
    let has_rows_parts = checked.resolved.prompts.has_rows_parts();
    let max_block = if has_rows_parts { budget.limits.max_block_records(records.len()) } else { 1 };
    let max_line_bytes = Chunker::max_line_bytes_in_blocks(budget.limits, max_block);
    let max_record_bytes = limits.max_record_bytes.min(max_line_bytes);
    let images = match checked.request.rows.input_type {
        InputType::Text => None,
        InputType::Image => Some(image_fetcher(&runtime, inputs, checked, max_record_bytes)),
    };
    let images = images.as_ref().map(|fetcher| (fetcher, checked.request.rows.image_column.as_str()));
    let mut spec = ChunkWriteSpec {
        layout,
        records: &records,
        limits: budget.limits,
        max_record_bytes,
        rows: budget.records,
        // The records of a row have to stay together, but duplicates are set aside.
        deduplicate: checked.request.invocation.deduplicate && !checked.resolved.prompts.is_wide(),
        lines: None,
    };
    let screen = Screen {
        records: &records,
        sends_blank_rows: checked.request.sending.ask_blank_rows,
        max_text_chars: checked.resolved.model.max_text_chars,
    };
    let prompted = || {
        let batches = inputs.batches(&runtime, &checked.input);
        let rows = RowPrompter { images, ..checked.prompter() }.rows(batches, budget.taken);
        rows.map(|rows| screen.applied_to(rows?))
    };
    let minimum = budget.limits.min_records;
    // There are few enough rows to read them twice.
    let per_request = checked.request.rows_per_request();
    let few_rows = 2 * u64::from(minimum) * u64::from(per_request);
    let few = budget.lane == Lane::Batch && spec.deduplicate && budget.records < few_rows;
    if few && dry_run(&spec, prompted())?.too_few_without_duplicates(minimum, per_request) {
        // In batch, at half the price, all rows cost less than the distinct ones on demand.
        spec.deduplicate = false;
    }
    if budget.lane == Lane::Batch && Chunker::needs_exact_count(budget.limits) {
        let lines = count_lines(&spec, prompted())?;
        budget.check(lines)?;
        spec.lines = Some(lines);
    }
    write_chunks(&spec, prompted(), sink)
}

/// Creates a fetcher of images that the model accepts and that fit into a record.
fn image_fetcher(
    runtime: &Handle,
    inputs: &InputReader,
    checked: &ValidatedRequest,
    max_record_bytes: u64,
) -> ImageFetcher {
    let buckets = Buckets {
        own: inputs.bucket.name().to_owned(),
        others: inputs.input_buckets.clone(),
        prefixes: inputs.input_prefixes.clone(),
    };
    let limits = ImageLimits::of(checked.resolved.model.family).within_record(max_record_bytes);
    let fetcher = ImageFetcher::new(runtime, inputs.bucket.client(), buckets, limits, CONCURRENCY);
    let sources = &checked.input.sources;
    match sources.place.clone().zip(sources.place_etag.clone()) {
        Some((image, etag)) => fetcher.pinned(image, etag),
        None => fetcher,
    }
}
