//! Finding the rows of a request: tables, images, or the answers of an earlier run.

use super::csv_columns::columns_without_text;
use super::run::{Preprocessor, blocking};
use super::sources::{self, Format, Shape, Sources};
use super::view::View;
use crate::error::EngineError;
use crate::objects::{Found, get_json, head, list};
use bedrock_batch_domain::check::{Resolved, output_columns};
use bedrock_batch_domain::columns::Column;
use bedrock_batch_domain::input::{InputType, OutputFormat, PreviousRun, RunRequest};
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::plan::Plan;
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::s3_uri::S3Uri;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::runtime::Handle;

/// The rows of a request, found and looked at.
#[derive(Debug, Clone)]
pub(super) struct Input {
    pub(super) sources: Sources,
    pub(super) shape: Shape,
    pub(super) view: View,
}

/// What a look at an input found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// The columns, as the run will see them.
    pub columns: Vec<String>,
    /// What is wrong with them for whoever writes CSV.
    pub no_csv: Vec<Problem>,
}

impl Preprocessor {
    /// Looks at a request's input without asking anything.
    ///
    /// # Errors
    /// `InvalidInput` if there is no input, or one that cannot be read; else as S3 fails.
    pub async fn look(self: &Arc<Self>, request: &RunRequest) -> Result<Looked, EngineError> {
        let input = self.find_input(request).await?;
        let no_csv = columns_without_text(&input.view.schema(&input.shape.schema));
        Ok(Looked { columns: input.view.names(), no_csv })
    }

    pub(super) async fn find_input(self: &Arc<Self>, request: &RunRequest) -> Result<Input, EngineError> {
        let (sources, previous) = match (&request.rows.previous_run, &request.rows.s3_uri) {
            (Some(previous), _) => {
                let (sources, plan) = self.answers_of(previous).await?;
                (sources, Some((previous, plan)))
            }
            (None, Some(uri)) => (self.find_objects(uri, request.rows.input_type).await?, None),
            (None, None) => return Err(Problem::without_value("s3_uri", "is required").into()),
        };
        let (this, in_thread, with_types) = (Arc::clone(self), sources.clone(), request.infer_types);
        let shape = blocking(move || sources::look(&Handle::current(), &this.s3, &in_thread, with_types)).await?;
        let names: Vec<String> = shape.schema.fields().iter().map(|field| field.name().clone()).collect();
        let view = match &previous {
            Some((previous, plan)) => {
                let columns = columns_after(plan, names, &previous.stage_name);
                let view = View::new(columns, &request.rows.column_mappings)?;
                view.after(&previous.stage_name, request.rows.include_failed, &plan.prompts)
            }
            None => View::new(names.into_iter().map(Column::of_input).collect(), &request.rows.column_mappings)?,
        };
        Ok(Input { sources, shape, view })
    }

    async fn find_objects(&self, named: &str, input_type: InputType) -> Result<Sources, EngineError> {
        let uri = S3Uri::parse(named).map_err(|rule| Problem::new("s3_uri", named, rule))?;
        if !self.readable_buckets().contains(&uri.bucket.as_str()) {
            let rule = format!("the stack may read the buckets {} only", self.readable_buckets().join(", "));
            let remedy = "copy the data, or add the bucket to the context key `inputBuckets` and deploy";
            return Err(Problem::new("s3_uri", named, rule).remedy(remedy).into());
        }
        if input_type == InputType::Image && sources::names_images(&self.s3, &uri).await? {
            return Ok(Sources::of_images(&uri));
        }
        sources::find(&self.s3, &uri).await
    }

    /// The buckets that a run may read.
    pub(crate) fn readable_buckets(&self) -> Vec<&str> {
        std::iter::once(&self.bucket).chain(&self.input_buckets).map(String::as_str).collect()
    }

    /// The files of answered rows of an earlier run, in the order of its rows, and its plan.
    async fn answers_of(&self, previous: &PreviousRun) -> Result<(Sources, Plan), EngineError> {
        let run_id = &previous.run_id;
        let problem = |rule: &str| Problem::new("previous_run.run_id", run_id, rule);
        let there = |key: String| async move { head(&self.s3, &S3Uri::new(&self.bucket, key)).await };
        if there(Layout::plan_key(run_id)).await?.is_none() {
            let rule = "there is no such run, or it ended before anything was submitted";
            return Err(problem(rule).remedy("check its name").into());
        }
        if there(Layout::summary_key(run_id)).await?.is_none() {
            let rule = "this run is not through: it has no summary";
            return Err(problem(rule).remedy("wait for its end, or collect what it has").into());
        }
        let plan: Plan = get_json(&self.s3, &self.bucket, &Layout::plan_key(run_id)).await?;
        let layout = Layout::new(&plan.request.job_name_prefix, run_id);
        let parquet = plan.request.output_formats.contains(&OutputFormat::Parquet);
        let (format, ending) = if parquet { (Format::Parquet, "parquet") } else { (Format::Csv, "csv") };
        let folder = S3Uri::new(&self.bucket, layout.output_prefix());
        let found = list(&self.s3, &folder).await?;
        let mut found: HashMap<String, Found> = found.into_iter().map(|found| (found.uri.key.clone(), found)).collect();
        let mut objects = Vec::new();
        for key in layout.output_keys(&plan, ending) {
            match found.remove(&key) {
                Some(object) => objects.push(object),
                None => return Err(problem(&format!("its file s3://{}/{key} is gone", self.bucket)).into()),
            }
        }
        Ok((Sources::of_run(run_id, format, objects), plan))
    }
}

/// The columns of a run's answered rows, and where each comes from.
fn columns_after(plan: &Plan, names: Vec<String>, stage_name: &str) -> Vec<Column> {
    let asked =
        Resolved { model: plan.model.clone(), on_demand: plan.on_demand.clone(), prompts: plan.prompts.clone() };
    let known = output_columns(&asked, &plan.columns, stage_name);
    let mut origins: HashMap<String, String> = known.into_iter().map(|column| (column.name, column.origin)).collect();
    let columns = names.into_iter().map(|name| {
        let origin = origins.remove(&name).unwrap_or_else(|| stage_name.to_owned());
        Column { name, origin }
    });
    columns.collect()
}
