//! Writers of a request's records.

use super::validated_request::ValidatedRequest;
use bedrock_batch_domain::check::EMBEDDING_INPUT;
use bedrock_batch_domain::input::{Inference, InputType};
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
    let system_prompt = inference.system_prompt.as_deref().map(|text| plan.filled_system(text));
    let inference = &Inference { system_prompt, ..inference.clone() };
    let writers = plan.prompts.iter().map(|named| {
        let template = plan.template_of(named);
        let template = template.map_err(|rule| Problem::without_value(format!("prompt `{}`", named.id), rule))?;
        let system = named.prompt.system.as_deref().map(|text| plan.filled_system(text));
        let prefill = named.prompt.prefill.as_deref();
        Ok(RecordWriter::new(family, &template, inference, system.as_deref(), prefill, with_image))
    });
    writers.collect()
}
