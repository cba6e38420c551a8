//! The body of `CreateModelInvocationJob`: its fields and their constraints.

use serde::{Deserialize, Serialize};

use crate::control::constraints::{
    ACCOUNT_ID, CLIENT_REQUEST_TOKEN, Constraints, JOB_NAME, KMS_KEY_ID, MODEL_ID, ROLE_ARN, S3_URI, TAG, VPC_ID,
};
use crate::errors::{ApiError, ErrorKind};

/// AWS does not document the timeout of a job that specifies none; 24 hours is the common assumption.
const DEFAULT_TIMEOUT_HOURS: i64 = 24;

/// Format of the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum InvocationType {
    #[default]
    InvokeModel,
    Converse,
}

/// A request that meets every constraint.
#[derive(Debug, Clone)]
pub(crate) struct CreateRequest {
    pub(crate) job_name: String,
    pub(crate) role_arn: String,
    pub(crate) client_request_token: Option<String>,
    pub(crate) model_id: String,
    pub(crate) input: S3Input,
    pub(crate) output: S3Output,
    pub(crate) vpc: Option<Vpc>,
    pub(crate) timeout_hours: i64,
    pub(crate) invocation_type: InvocationType,
    pub(crate) tags: Vec<Tag>,
}

/// Source of a job's records.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct S3Input {
    #[serde(rename = "s3InputFormat", skip_serializing_if = "Option::is_none")]
    format: Option<String>,
    #[serde(rename = "s3Uri")]
    uri: Option<String>,
    #[serde(rename = "s3BucketOwner", skip_serializing_if = "Option::is_none")]
    bucket_owner: Option<String>,
}

/// Destination of a job's output.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct S3Output {
    #[serde(rename = "s3Uri")]
    uri: Option<String>,
    #[serde(rename = "s3EncryptionKeyId", skip_serializing_if = "Option::is_none")]
    encryption_key_id: Option<String>,
    #[serde(rename = "s3BucketOwner", skip_serializing_if = "Option::is_none")]
    bucket_owner: Option<String>,
}

impl S3Input {
    pub(crate) fn uri(&self) -> &str {
        self.uri.as_deref().unwrap_or_default()
    }
}

impl S3Output {
    pub(crate) fn uri(&self) -> &str {
        self.uri.as_deref().unwrap_or_default()
    }
}

/// The network that a job runs in; stored and shown, but without effect here.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Vpc {
    subnet_ids: Option<Vec<String>>,
    security_group_ids: Option<Vec<String>>,
}

// As AWS does, unknown members are ignored, and null is the same as absent.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    job_name: Option<String>,
    role_arn: Option<String>,
    client_request_token: Option<String>,
    model_id: Option<String>,
    input_data_config: Option<InputUnion>,
    output_data_config: Option<OutputUnion>,
    vpc_config: Option<Vpc>,
    timeout_duration_in_hours: Option<i64>,
    tags: Option<Vec<Tag>>,
    model_invocation_type: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct InputUnion {
    s3_input_data_config: Option<S3Input>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OutputUnion {
    s3_output_data_config: Option<S3Output>,
}

/// A tag of a job; stored and shown, but without effect here.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Tag {
    key: Option<String>,
    value: Option<String>,
}

impl CreateRequest {
    /// Reads and checks a body.
    pub(crate) fn read(body: &[u8]) -> Result<Self, ApiError> {
        let body: Body =
            serde_json::from_slice(body).map_err(|error| ApiError::new(ErrorKind::Serialization, error.to_string()))?;
        let mut broken = Constraints::default();
        let request = Self {
            job_name: broken.required("jobName", body.job_name),
            role_arn: broken.required("roleArn", body.role_arn),
            client_request_token: body.client_request_token,
            model_id: broken.required("modelId", body.model_id),
            input: {
                let union = broken.required("inputDataConfig", body.input_data_config);
                broken.member("inputDataConfig", "s3InputDataConfig", union.s3_input_data_config)
            },
            output: {
                let union = broken.required("outputDataConfig", body.output_data_config);
                broken.member("outputDataConfig", "s3OutputDataConfig", union.s3_output_data_config)
            },
            vpc: body.vpc_config,
            tags: body.tags.unwrap_or_default(),
            timeout_hours: body.timeout_duration_in_hours.unwrap_or(DEFAULT_TIMEOUT_HOURS),
            invocation_type: match body.model_invocation_type.as_deref() {
                Some("Converse") => InvocationType::Converse,
                _ => InvocationType::InvokeModel,
            },
        };
        broken.one_of("modelInvocationType", body.model_invocation_type.as_ref(), &["InvokeModel", "Converse"]);
        request.check(&mut broken);
        check_tags(&mut broken, &request.tags);
        broken.finish()?;
        Ok(request)
    }

    fn check(&self, broken: &mut Constraints) {
        broken.text("jobName", &self.job_name, 1, 63, Some(&JOB_NAME));
        broken.text("roleArn", &self.role_arn, 0, 2048, Some(&ROLE_ARN));
        let token = self.client_request_token.as_ref();
        broken.optional("clientRequestToken", token, 1, 256, Some(&CLIENT_REQUEST_TOKEN));
        broken.text("modelId", &self.model_id, 1, 2048, Some(&MODEL_ID));
        broken.range("timeoutDurationInHours", Some(self.timeout_hours), 24, 168);

        let (input, at) = (&self.input, "inputDataConfig.s3InputDataConfig");
        check_uri(broken, at, input.uri.as_ref());
        broken.one_of(&format!("{at}.s3InputFormat"), input.format.as_ref(), &["JSONL"]);
        broken.optional(&format!("{at}.s3BucketOwner"), input.bucket_owner.as_ref(), 0, 12, Some(&ACCOUNT_ID));

        let (output, at) = (&self.output, "outputDataConfig.s3OutputDataConfig");
        check_uri(broken, at, output.uri.as_ref());
        let key = output.encryption_key_id.as_ref();
        broken.optional(&format!("{at}.s3EncryptionKeyId"), key, 1, 2048, Some(&KMS_KEY_ID));
        broken.optional(&format!("{at}.s3BucketOwner"), output.bucket_owner.as_ref(), 0, 12, Some(&ACCOUNT_ID));

        if let Some(vpc) = &self.vpc {
            check_ids(broken, "vpcConfig.subnetIds", vpc.subnet_ids.as_deref(), 16);
            check_ids(broken, "vpcConfig.securityGroupIds", vpc.security_group_ids.as_deref(), 5);
        }
    }
}

fn check_uri(broken: &mut Constraints, at: &str, uri: Option<&String>) {
    // The member itself may be missing, and has been reported then.
    if broken.is_missing(at) || broken.is_missing(at.split('.').next().unwrap_or(at)) {
        return;
    }
    let at = format!("{at}.s3Uri");
    let uri = broken.required(&at, uri.cloned());
    broken.text(&at, &uri, 1, 1024, Some(&S3_URI));
}

fn check_ids(broken: &mut Constraints, at: &str, ids: Option<&[String]>, max: usize) {
    let Some(ids) = ids else {
        broken.required::<()>(at, None);
        return;
    };
    broken.count(at, ids.len(), 1, max);
    for (index, id) in ids.iter().enumerate() {
        broken.text(&format!("{at}.{}.member", index + 1), id, 0, 32, Some(&VPC_ID));
    }
}

fn check_tags(broken: &mut Constraints, tags: &[Tag]) {
    broken.count("tags", tags.len(), 0, 200);
    for (index, tag) in tags.iter().enumerate() {
        let at = format!("tags.{}.member", index + 1);
        let key = broken.required(&format!("{at}.key"), tag.key.clone());
        broken.text(&format!("{at}.key"), &key, 1, 128, Some(&TAG));
        let value = broken.required(&format!("{at}.value"), tag.value.clone());
        broken.text(&format!("{at}.value"), &value, 0, 256, Some(&TAG));
    }
}
