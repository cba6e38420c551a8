//! The rules of one deployment, against which requests are checked.

use bedrock_batch_domain::check::Catalog;
use bedrock_batch_domain::input::StackLimits;
use bedrock_batch_domain::model::ModelTable;
use bedrock_batch_domain::prompt::PromptLibrary;

/// Region, limits, prompts and models of a deployment.
#[derive(Debug)]
pub struct Deployment {
    /// Region in which models are invoked.
    pub region: String,
    /// Limits of the stack.
    pub limits: StackLimits,
    /// Prompt templates and expansion rules.
    pub prompts: PromptLibrary,
    /// Table of models.
    pub models: ModelTable,
    /// Names of other buckets than the stack's own that runs may copy their answered rows to.
    pub output_buckets: Vec<String>,
}

impl Deployment {
    /// Returns the prompts and models that a request may name.
    pub fn catalog(&self) -> Catalog<'_> {
        Catalog { prompts: &self.prompts, models: &self.models, region: &self.region }
    }
}
