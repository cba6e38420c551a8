//! The request that creates a job.

use super::{SubmitInput, Submitter};
use crate::error::EngineError;
use aws_sdk_bedrock::error::BuildError;
use aws_sdk_bedrock::operation::create_model_invocation_job::builders::CreateModelInvocationJobFluentBuilder;
use aws_sdk_bedrock::types::{
    ModelInvocationJobInputDataConfig, ModelInvocationJobOutputDataConfig, ModelInvocationJobS3InputDataConfig,
    ModelInvocationJobS3OutputDataConfig, ModelInvocationType, S3InputFormat, Tag, VpcConfig,
};
use bedrock_batch_domain::job::JobTags;
use bedrock_batch_domain::layout::client_request_token;
use bedrock_batch_domain::model::InvocationType;

/// Settings of a deployment that all its jobs have.
#[derive(Debug, Clone, Default)]
pub struct JobSettings {
    /// ARN of the KMS key with which Bedrock encrypts the answers. Without one, the bucket's own encryption applies.
    pub output_key_arn: Option<String>,
    /// Subnets in which Bedrock reads and writes the data; none without a VPC.
    pub subnet_ids: Vec<String>,
    /// Security groups of the network interfaces in these subnets.
    pub security_group_ids: Vec<String>,
    /// Tags.
    pub tags: JobTags,
}

impl JobSettings {
    fn vpc(&self) -> Result<Option<VpcConfig>, BuildError> {
        if self.subnet_ids.is_empty() {
            return Ok(None);
        }
        let vpc = VpcConfig::builder().set_subnet_ids(Some(self.subnet_ids.clone()));
        vpc.set_security_group_ids(Some(self.security_group_ids.clone())).build().map(Some)
    }
}

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
