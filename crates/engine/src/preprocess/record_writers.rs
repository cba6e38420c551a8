//! Writers of a request's records.

use super::validated_request::ValidatedRequest;
use bedrock_batch_domain::check::EMBEDDING_INPUT;
use bedrock_batch_domain::input::InputType;
use bedrock_batch_domain::model::RecordWriter;
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::prompt::{Choice, Template};

/// Creates a writer of records for each prompt, or a single one for embeddings.
pub(super) fn record_writers(checked: &ValidatedRequest) -> Result<Vec<RecordWriter>, Problem> {
    let (family, inference) = (checked.resolved.model.family, &checked.request.inference);
    let with_image = checked.request.rows.input_type == InputType::Image;
    let prompts = &checked.resolved.prompts.prompts;
    if checked.resolved.prompts.choice == Choice::None {
        // An image does not need a text.
        let has_text = !with_image || checked.input.view.names().iter().any(|name| name == EMBEDDING_INPUT);
        let shown = if has_text { format!("{{{EMBEDDING_INPUT}}}") } else { String::new() };
        let template = Template::parse(&shown);
        let template = template.map_err(|mistake| Problem::without_value(EMBEDDING_INPUT, mistake.to_string()))?;
        return Ok(vec![RecordWriter::new(family, &template, inference, None, None, with_image)]);
    }
    let writers = prompts.iter().map(|named| {
        let template = named.prompt.parsed_template();
        let template = template.map_err(|rule| Problem::without_value(format!("prompt `{}`", named.id), rule))?;
        let (system, prefill) = (named.prompt.system.as_deref(), named.prompt.prefill.as_deref());
        let schema = named.prompt.response_schema.as_ref().filter(|_| checked.request.answers.enforce_schema);
        Ok(RecordWriter::with_schema(family, &template, inference, (system, prefill), with_image, schema))
    });
    writers.collect()
}
