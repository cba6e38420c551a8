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
    let plan = &checked.resolved.prompts;
    let with_image = checked.request.rows.input_type == InputType::Image;
    if plan.choice == Choice::None {
        // An image does not need a text.
        let has_text = !with_image || checked.input.view.names().iter().any(|name| name == EMBEDDING_INPUT);
        let shown = if has_text { format!("{{{EMBEDDING_INPUT}}}") } else { String::new() };
        let template = Template::parse(&shown);
        let template = template.map_err(|mistake| Problem::without_value(EMBEDDING_INPUT, mistake.to_string()))?;
        return Ok(vec![RecordWriter::new(family, &template, inference, None, None, with_image)]);
    }
    plan.record_writers(family, inference, with_image, checked.request.answers.enforce_schema)
}
