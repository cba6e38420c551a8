//! The request that creates a job.

use super::{SubmitInput, Submitter};
use crate::error::EngineError;
use aws_sdk_bedrock::error::BuildError;
use aws_sdk_bedrock::operation::create_model_invocation_job::builders::CreateModelInvocationJobFluentBuilder;
use aws_sdk_bedrock::types::{
    ModelInvocationJobInputDataConfig, ModelInvocationJobOutputDataConfig, ModelInvocationJobS3InputDataConfig,
    ModelInvocationJobS3OutputDataConfig, ModelInvocationType, S3InputFormat, Tag,
};
use bedrock_batch_domain::layout::client_request_token;
use bedrock_batch_domain::model::InvocationType;

impl Submitter {
    /// Returns the request, which is the same for every attempt to create the job.
    pub(super) fn request(&self, input: &SubmitInput) -> Result<CreateModelInvocationJobFluentBuilder, EngineError> {
        self.described(input).map_err(|error| {
            EngineError::internal(format!("cannot describe job {} to Bedrock", input.job.name)).caused_by(error)
        })
    }

    fn described(&self, input: &SubmitInput) -> Result<CreateModelInvocationJobFluentBuilder, BuildError> {
        let (job, settings) = (&input.job, &self.job_settings);
        let source = ModelInvocationJobS3InputDataConfig::builder()
            .s3_input_format(S3InputFormat::Jsonl)
            .s3_uri(&job.input_uri)
            .build()?;
        let target = ModelInvocationJobS3OutputDataConfig::builder()
            .s3_uri(&job.output_uri)
            .set_s3_encryption_key_id(settings.output_key_arn.clone())
            .build()?;
        let tags = settings.tags.of_run(&input.run_id).map(|(key, value)| Tag::builder().key(key).value(value).build());
        let create = self
            .settler
            .bedrock
            .create_model_invocation_job()
            .job_name(job.name.as_str())
            .client_request_token(client_request_token(&input.run_id, &job.name))
            .role_arn(&self.role_arn)
            .model_id(&input.model_id)
            .input_data_config(ModelInvocationJobInputDataConfig::S3InputDataConfig(source))
            .output_data_config(ModelInvocationJobOutputDataConfig::S3OutputDataConfig(target))
            .timeout_duration_in_hours(self.timeout_hours)
            .set_vpc_config(settings.vpc()?)
            .set_tags(Some(tags.collect::<Result<_, _>>()?));
        // The default may be omitted, and some regions may not support the field.
        Ok(match input.invocation_type {
            InvocationType::Converse => create.model_invocation_type(ModelInvocationType::Converse),
            InvocationType::InvokeModel => create,
        })
    }
}
