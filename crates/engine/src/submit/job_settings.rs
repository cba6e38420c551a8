//! Settings of jobs that come from the deployment.

use aws_sdk_bedrock::error::BuildError;
use aws_sdk_bedrock::types::VpcConfig;
use bedrock_batch_domain::job::JobTags;

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
    /// Returns the network of a job, if it is in a VPC.
    pub(super) fn vpc(&self) -> Result<Option<VpcConfig>, BuildError> {
        if self.subnet_ids.is_empty() {
            return Ok(None);
        }
        let vpc = VpcConfig::builder().set_subnet_ids(Some(self.subnet_ids.clone()));
        vpc.set_security_group_ids(Some(self.security_group_ids.clone())).build().map(Some)
    }
}
