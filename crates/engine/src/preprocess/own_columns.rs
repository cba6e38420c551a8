//! Addition of internal columns to the user's.

use crate::error::EngineError;
use arrow_array::builder::StringBuilder;
use arrow_array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use arrow_schema::{DataType, Field, Schema};
use bedrock_batch_domain::columns::{NOT_SENT, PROMPT, RECORD_ID, REQUEST, ROW_ERROR};
use bedrock_batch_domain::row_error::RowError;
use std::sync::Arc;

/// Returns the rows with `record_id` as the first column, in place of an existing one.
pub(super) fn with_first_column(batch: &RecordBatch, ids: &StringArray) -> Result<RecordBatch, EngineError> {
    let mut fields = vec![Field::new(RECORD_ID, DataType::Utf8, false)];
    let mut columns: Vec<ArrayRef> = vec![Arc::new(ids.clone())];
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if field.name() != RECORD_ID {
            fields.push(field.as_ref().clone());
            columns.push(Arc::clone(column));
        }
    }
    batch_of(fields, columns)
}

/// Adds the reason why each row has no record: as data, which postprocess reads, and in words, which versions without codes
/// read.
pub(super) fn with_row_errors<'e>(
    batch: &RecordBatch,
    errors: impl Iterator<Item = Option<&'e RowError>>,
) -> Result<RecordBatch, EngineError> {
    let (mut words, mut coded) = (StringBuilder::new(), StringBuilder::new());
    for error in errors {
        words.append_option(error.map(ToString::to_string));
        let error = error.map(serde_json::to_string).transpose().map_err(std::io::Error::from)?;
        coded.append_option(error);
    }
    let mut fields: Vec<Field> = batch.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
    let mut columns = batch.columns().to_vec();
    for (name, mut column) in [(NOT_SENT, words), (ROW_ERROR, coded)] {
        fields.push(Field::new(name, DataType::Utf8, true));
        columns.push(Arc::new(column.finish()));
    }
    batch_of(fields, columns)
}

/// Adds the prompt of each row.
pub(super) fn with_prompts(batch: &RecordBatch, prompts: StringArray) -> Result<RecordBatch, EngineError> {
    let mut fields: Vec<Field> = batch.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
    fields.push(Field::new(PROMPT, DataType::Utf8, true));
    let mut columns = batch.columns().to_vec();
    columns.push(Arc::new(prompts));
    batch_of(fields, columns)
}

/// Adds the number of each row's request.
pub(super) fn with_requests(batch: &RecordBatch, requests: Vec<Option<u64>>) -> Result<RecordBatch, EngineError> {
    let mut fields: Vec<Field> = batch.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
    fields.push(Field::new(REQUEST, DataType::UInt64, true));
    let mut columns = batch.columns().to_vec();
    columns.push(Arc::new(UInt64Array::from(requests)));
    batch_of(fields, columns)
}

/// Creates a batch of these columns.
pub(super) fn batch_of(fields: Vec<Field>, columns: Vec<ArrayRef>) -> Result<RecordBatch, EngineError> {
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .map_err(|error| EngineError::internal("columns do not fit together").caused_by(error))
}
