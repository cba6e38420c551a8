//! The rules of one deployment, against which requests are checked.

use crate::model_lookup::ModelLookup;
use crate::model_overrides::table_with;
use crate::objects::Bucket;
use bedrock_batch_domain::check::Catalog;
use bedrock_batch_domain::input::StackLimits;
use bedrock_batch_domain::job::JobLimits;
use bedrock_batch_domain::model::{AwsModels, ModelTable};
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::prompt::PromptLibrary;

/// Region, limits, prompts and models of a deployment.
#[derive(Debug)]
pub struct Deployment {
    /// Region in which models are invoked.
    pub region: String,
    /// Limits of the stack, as far as they do not depend on the model of a run.
    pub limits: StackLimits,
    /// Settings for batch jobs.
    pub jobs: JobLimits,
    /// Prompt templates and expansion rules.
    pub prompts: PromptLibrary,
    /// Table of models.
    pub models: ModelTable,
    /// Lookup of what Bedrock says about models, over what the table says.
    pub lookup: ModelLookup,
    /// Names of other buckets than the stack's own that runs may copy their answered rows to.
    pub output_buckets: Vec<String>,
}

impl Deployment {
    /// Returns the table of models as it holds for an execution that started at `started_at` (RFC 3339), with what Bedrock says.
    /// `overrides` are those in the bucket of the stack, if there are any.
    ///
    /// # Errors
    /// Returns the problem of the overrides.
    pub fn models(
        &self,
        bucket: &Bucket,
        overrides: Option<&str>,
        started_at: &str,
        aws: AwsModels,
    ) -> Result<ModelTable, Problem> {
        Ok(table_with(&self.models, bucket, overrides)?.into_owned().on(started_at).told(aws))
    }

    /// Returns the limits of a run with the model of this id, with what AWS says about models.
    pub fn limits_of(&self, model_id: Option<&str>, aws: &AwsModels) -> StackLimits {
        let quota = model_id.and_then(|id| aws.job_quota(id));
        StackLimits { max_concurrent_jobs: self.jobs.concurrent_jobs(quota), ..self.limits }
    }

    /// Returns the prompts and models that a request may name. `models` is [`Self::models`].
    pub fn catalog<'a>(&'a self, models: &'a ModelTable) -> Catalog<'a> {
        Catalog { prompts: &self.prompts, models, region: &self.region }
    }
}
