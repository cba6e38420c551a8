//! The model and the prompts of a request.

use crate::model::Model;
use crate::plan::OnDemand;
use crate::prompt::PromptPlan;

/// Model and prompts that a request names.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// Model for batch jobs.
    pub model: Model,
    /// Models for requests on demand.
    pub on_demand: OnDemand,
    /// Warnings about these models, and about what Bedrock did not say of them.
    pub model_warnings: Vec<String>,
    /// Prompts of the rows.
    pub prompts: PromptPlan,
    /// Names of the deployment's prompts in whose place different ones of the input are used.
    pub replaced: Vec<String>,
    /// Prefix of the columns that the run adds.
    pub output_column_prefix: Option<String>,
}
