//! Validation of a request against its input and the rules of the deployment.

use super::input::{Input, InputReader, columns_without_text};
use super::prompting::RowPrompter;
use crate::copies::destination_problems;
use crate::error::{EngineError, collected};
use bedrock_batch_domain::check::{
    Catalog, Resolved, certain_prefix_problems, column_problems, columns_in_instructions, reference_problems, resolve,
};
use bedrock_batch_domain::input::{OutputFormat, RunRequest, StackLimits};
use bedrock_batch_domain::problem::{Problem, Problems};
use serde_json::Value;

/// Request whose model, prompts and input were found.
pub(super) struct ValidatedRequest {
    pub(super) request: RunRequest,
    pub(super) resolved: Resolved,
    pub(super) input: Input,
}

impl ValidatedRequest {
    /// Checks everything that can be checked before a row is read, and collects the problems of all parts. `pinned` is
    /// the commit at which an earlier attempt has read the dataset; `output_buckets` are the buckets that answers may be
    /// copied to besides the stack's own.
    pub(super) async fn check(
        input: &Value,
        inputs: &InputReader,
        limits: StackLimits,
        catalog: &Catalog<'_>,
        pinned: Option<&str>,
        output_buckets: &[String],
    ) -> Result<Self, EngineError> {
        let (request, mut problems) = RunRequest::read(input, limits);
        let Some(mut request) = request else {
            // The fields that exist are checked nevertheless, to report all problems at once.
            if let Some(id) = input.get("model_id").and_then(Value::as_str) {
                problems.extend(catalog.models.find(id).err());
            }
            Problems::check(problems)?;
            return Err(EngineError::internal("an input without problems could not be read"));
        };
        let generated = collected(inputs.generated_prompt(&request).await, &mut problems)?.flatten();
        if let Some(prompt) = generated {
            request.prompt_config.set_generated(prompt);
        }
        let (mut resolved, more) = resolve(&request, catalog);
        problems.extend(more);
        problems.extend(destination_problems(&inputs.bucket, output_buckets, &request).await?);
        let of_references = read_references(&request, inputs, &mut resolved).await;
        let of_references = collected(of_references, &mut problems)?;
        problems.extend(of_references.into_iter().flatten());
        let input = collected(inputs.find(&request, pinned).await, &mut problems)?;
        if let Some(input) = &input {
            if let Some(resolved) = &mut resolved {
                let names = input.view.names();
                problems.extend(column_problems(&request, resolved, &names));
                resolved.prompts.instruction_columns = columns_in_instructions(&request, &resolved.prompts, &names);
                problems.extend(certain_prefix_problems(resolved, &input.view.columns));
            }
            if request.output_formats.contains(&OutputFormat::Csv) {
                problems.extend(columns_without_text(&input.view.schema(&input.shape.schema)));
            }
        }
        Problems::check(problems)?;
        match (resolved, input) {
            (Some(resolved), Some(input)) => Ok(Self { request, resolved, input }),
            _ => Err(EngineError::internal("an input without problems could not be checked")),
        }
    }

    /// Returns the prompter of the input's rows, without their images.
    pub(super) fn prompter(&self) -> RowPrompter<'_> {
        let prompts = &self.resolved.prompts;
        let choosing = prompts.choosing_column(&self.input.view.names());
        RowPrompter { view: &self.input.view, prompts, choosing, images: None }
    }
}

/// Reads the references of a request for its prompts. Returns all problems of them.
async fn read_references(
    request: &RunRequest,
    inputs: &InputReader,
    resolved: &mut Option<Resolved>,
) -> Result<Vec<Problem>, EngineError> {
    let (references, mut problems) = inputs.references(request).await?;
    if let Some(resolved) = resolved {
        resolved.prompts.references = references;
        problems.extend(reference_problems(request, resolved));
    }
    Ok(problems)
}
