//! Writers of a run's records.

use bedrock_batch_domain::check::EMBEDDING_INPUT;
use bedrock_batch_domain::input::{InputType, RunRequest};
use bedrock_batch_domain::model::{Family, RecordOptions, RecordWriter};
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::prompt::{Choice, PromptPlan, Template};

/// Everything that the records of a run depend on, except its rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunWriters<'a> {
    pub(crate) request: &'a RunRequest,
    pub(crate) family: Family,
    pub(crate) prompts: &'a PromptPlan,
    /// True if the input has the column that embedding models read.
    pub(crate) has_embedding_input: bool,
}

/// Creates a writer of records for each prompt, or a single one for embeddings.
pub(crate) fn record_writers(run: RunWriters<'_>) -> Result<Vec<RecordWriter>, Problem> {
    let RunWriters { request, family, prompts, has_embedding_input } = run;
    let inference = &request.inference;
    let with_image = request.rows.input_type == InputType::Image;
    if prompts.choice == Choice::None {
        // An image does not need a text.
        let has_text = !with_image || has_embedding_input;
        let shown = if has_text { format!("{{{EMBEDDING_INPUT}}}") } else { String::new() };
        let template = Template::parse(&shown);
        let template = template.map_err(|mistake| Problem::without_value(EMBEDDING_INPUT, mistake.to_string()))?;
        return Ok(vec![RecordWriter::new(family, &template, inference, None, None, with_image)]);
    }
    prompts.record_writers(family, inference, RecordOptions::of(request))
}
