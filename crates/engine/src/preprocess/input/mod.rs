//! Input of a run: its objects, the number of its rows, and the run's view of them. Nothing is written.

mod batches;
mod csv_columns;
mod dataset_shape;
mod objects;
mod partitions;
mod previous_run;
mod references;
mod shape;

use super::view::View;
use crate::config_object::resolve_config;
use crate::error::EngineError;
use crate::hub::Hub;
use crate::objects::{Bucket, blocking};
use crate::prompt_objects::read_generated;
use crate::rows::table_shape::{TableInspection, TableShape};
use crate::rows::unified::MissingColumns;
use arrow_array::RecordBatch;
use bedrock_batch_domain::columns::Column;
use bedrock_batch_domain::input::{InputType, OnMissingColumns, RowSource, RunRequest};
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::prompt::Prompt;
use bedrock_batch_domain::readable::ReadableInputs;
use bedrock_batch_domain::s3_uri::S3Uri;
pub(super) use csv_columns::columns_without_text;
use objects::Sources;
use previous_run::{answers_of, columns_after};
use serde_json::Value;
use tokio::runtime::Handle;

/// Reader of the inputs of runs: tables, images, datasets, and answers of earlier runs.
#[derive(Debug, Clone)]
pub struct InputReader {
    /// Bucket of the stack.
    pub bucket: Bucket,
    /// Names of other buckets that runs may read.
    pub input_buckets: Vec<String>,
    /// Prefixes that inputs must be under; without any, they may be anywhere in these buckets.
    pub input_prefixes: Vec<S3Uri>,
    /// The Hugging Face Hub.
    pub hub: Hub,
}

/// Rows of a request.
#[derive(Debug, Clone)]
pub(super) struct Input {
    pub(super) sources: Sources,
    pub(super) shape: TableShape,
    pub(super) view: View,
}

/// Columns of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputSummary {
    /// Names of the columns, as used by the run.
    pub columns: Vec<String>,
    /// Problems of columns that cannot be written as CSV.
    pub no_csv: Vec<Problem>,
}

impl InputReader {
    /// Reads only the columns of a request's input; of a dataset, those of its first file with rows.
    ///
    /// # Errors
    /// Returns `InvalidInput` if there is no input or it cannot be read, and an error if S3 fails.
    pub async fn inspect(&self, request: &RunRequest) -> Result<InputSummary, EngineError> {
        let input = self.find_up_to(1, request, None).await?;
        let no_csv = columns_without_text(&input.view.schema(&input.shape.schema));
        Ok(InputSummary { columns: input.view.names(), no_csv })
    }

    /// Returns the execution input in the object that `input` names, or `input` itself.
    ///
    /// # Errors
    /// Returns `InvalidInput` if the object is not a valid input, and an error if S3 fails.
    pub async fn resolve_config(&self, input: Value) -> Result<Value, EngineError> {
        resolve_config(self.bucket.client(), &self.readable(), input).await
    }

    /// Reads the generated prompt that a request names, if it names one.
    ///
    /// # Errors
    /// Returns `InvalidInput` with all problems of its files, and an error if S3 fails.
    pub async fn generated_prompt(&self, request: &RunRequest) -> Result<Option<Prompt>, EngineError> {
        let Some(source) = request.prompt_config.template_source() else { return Ok(None) };
        read_generated(self.bucket.client(), &self.readable(), source).await.map(Some)
    }

    /// Finds the rows of a request, and reads them as far as necessary to count them. `pinned` is the commit at which an
    /// earlier attempt has read the dataset.
    pub(super) async fn find(&self, request: &RunRequest, pinned: Option<&str>) -> Result<Input, EngineError> {
        self.find_up_to(dataset_shape::max_rows(request), request, pinned).await
    }

    /// `max_rows` limits the files of a dataset that are opened, which may be thousands.
    async fn find_up_to(
        &self,
        max_rows: u64,
        request: &RunRequest,
        pinned: Option<&str>,
    ) -> Result<Input, EngineError> {
        let rows = &request.rows;
        let (mut sources, previous) = match (&rows.previous_run, &rows.dataset, &rows.s3_uri) {
            (Some(previous), _, _) => {
                let (sources, plan) = answers_of(&self.bucket, previous).await?;
                (sources, Some((previous, plan)))
            }
            (None, Some(dataset), _) => (Sources::of_dataset(self.hub.find(dataset, pinned).await?), None),
            (None, None, Some(uri)) => (self.find_objects(uri, rows).await?, None),
            (None, None, None) => return Err(Problem::without_value("s3_uri", "is required").into()),
        };
        let (client, with_types) = (self.bucket.client().clone(), request.infer_types);
        let missing = match request.rows.table.on_missing_columns {
            OnMissingColumns::Null => MissingColumns::AreNull,
            OnMissingColumns::Error => MissingColumns::AreProblems,
        };
        let (sources, shape) = blocking(move || {
            let runtime = Handle::current();
            let table = TableInspection::new(missing);
            let shape = match &mut sources.dataset {
                Some(dataset) => dataset_shape::inspect(&runtime, dataset, max_rows, table)?,
                None => shape::inspect(&runtime, &client, &mut sources, with_types, table)?,
            };
            Ok((sources, shape))
        })
        .await?;
        let names: Vec<String> = shape.schema.fields().iter().map(|field| field.name().clone()).collect();
        let view = match &previous {
            Some((previous, plan)) => {
                let columns = columns_after(plan, names, &previous.stage_name);
                let view = View::new(columns, &request.rows.column_mappings)?;
                let prefix = plan.request.answers.output_column_prefix.as_deref();
                view.after(&previous.stage_name, request.rows.include_failed, &plan.prompts, prefix)
            }
            None => View::new(names.into_iter().map(Column::of_input).collect(), &request.rows.column_mappings)?,
        };
        Ok(Input { sources, shape, view })
    }

    /// Reads all rows of an input, in order. To be used on a blocking thread.
    pub(super) fn batches<'a>(
        &'a self,
        runtime: &'a Handle,
        input: &'a Input,
    ) -> impl Iterator<Item = Result<RecordBatch, EngineError>> + 'a {
        batches::batches(runtime, self.bucket.client(), &input.sources, &input.shape)
    }

    async fn find_objects(&self, named: &str, rows: &RowSource) -> Result<Sources, EngineError> {
        let uri = S3Uri::parse(named).map_err(|rule| Problem::new("s3_uri", named, rule))?;
        if let Some(problem) = self.readable().problem("s3_uri", &uri) {
            return Err(problem.into());
        }
        let client = self.bucket.client();
        let pinned = match &rows.s3_etag {
            Some(etag) => Some(objects::pinned(client, &uri, etag).await?),
            None => None,
        };
        if rows.input_type == InputType::Image && objects::names_images(client, &uri).await? {
            objects::check_unused(rows, objects::Format::Images)?;
            return Ok(Sources::of_images(&uri, pinned.map(|object| object.etag)));
        }
        let sources = objects::find(client, &uri, pinned, rows).await?;
        if let Some(prefix) = &sources.prefix {
            self.check_partition(prefix).await?;
        }
        Ok(sources)
    }

    /// Returns the places that inputs may be in.
    pub(super) fn readable(&self) -> ReadableInputs<'_> {
        ReadableInputs { own: self.bucket.name(), others: &self.input_buckets, prefixes: &self.input_prefixes }
    }
}
