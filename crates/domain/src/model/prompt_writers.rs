//! Writers of the records of all prompts of a run.

use super::{Family, RecordWriter};
use crate::input::Inference;
use crate::problem::Problem;
use crate::prompt::PromptPlan;

impl PromptPlan {
    /// Creates a writer of records for each prompt, with references inserted. With `enforce_schema`, records make the model's answer
    /// match the prompt's response schema.
    ///
    /// # Errors
    /// Returns an error if a template is invalid; loaded prompts are valid.
    pub fn record_writers(
        &self,
        family: Family,
        inference: &Inference,
        with_image: bool,
        enforce_schema: bool,
    ) -> Result<Vec<RecordWriter>, Problem> {
        let system_prompt = inference.system_prompt.as_deref().map(|text| self.filled_system(text));
        let inference = &Inference { system_prompt, ..inference.clone() };
        let writers = self.prompts.iter().map(|named| {
            let template = self.template_of(named);
            let template = template.map_err(|rule| Problem::without_value(format!("prompt `{}`", named.id), rule))?;
            let system = named.prompt.system.as_deref().map(|text| self.filled_system(text));
            let instructions = (system.as_deref(), named.prompt.prefill.as_deref());
            let schema = named.prompt.response_schema.as_ref().filter(|_| enforce_schema);
            Ok(RecordWriter::with_schema(family, &template, inference, instructions, with_image, schema))
        });
        writers.collect()
    }
}
