//! The IAM action of each AWS call, which the message of a denied call names.

use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::error::Error;

/// Error type of an AWS operation, which identifies the operation.
pub trait AwsOperation: ProvideErrorMetadata + Error + 'static {
    /// IAM action that permits the call.
    const ACTION: &'static str;
}

macro_rules! actions {
    ($($sdk:ident :: $operation:ident :: $error:ident => $action:literal,)+) => {
        $(impl AwsOperation for $sdk::operation::$operation::$error {
            const ACTION: &'static str = $action;
        })+
    };
}

actions! {
    aws_sdk_bedrock::create_model_invocation_job::CreateModelInvocationJobError => "bedrock:CreateModelInvocationJob",
    aws_sdk_bedrock::get_model_invocation_job::GetModelInvocationJobError => "bedrock:GetModelInvocationJob",
    aws_sdk_bedrock::list_model_invocation_jobs::ListModelInvocationJobsError => "bedrock:ListModelInvocationJobs",
    aws_sdk_bedrock::stop_model_invocation_job::StopModelInvocationJobError => "bedrock:StopModelInvocationJob",
    aws_sdk_dynamodb::get_item::GetItemError => "dynamodb:GetItem",
    aws_sdk_dynamodb::put_item::PutItemError => "dynamodb:PutItem",
    aws_sdk_dynamodb::query::QueryError => "dynamodb:Query",
    aws_sdk_dynamodb::update_item::UpdateItemError => "dynamodb:UpdateItem",
    aws_sdk_s3::complete_multipart_upload::CompleteMultipartUploadError => "s3:PutObject",
    aws_sdk_s3::create_multipart_upload::CreateMultipartUploadError => "s3:PutObject",
    aws_sdk_s3::copy_object::CopyObjectError => "s3:PutObject",
    aws_sdk_s3::get_object::GetObjectError => "s3:GetObject",
    aws_sdk_s3::head_bucket::HeadBucketError => "s3:ListBucket",
    aws_sdk_s3::head_object::HeadObjectError => "s3:GetObject",
    aws_sdk_s3::delete_objects::DeleteObjectsError => "s3:DeleteObject",
    aws_sdk_s3::list_objects_v2::ListObjectsV2Error => "s3:ListBucket",
    aws_sdk_s3::put_object::PutObjectError => "s3:PutObject",
    aws_sdk_s3::upload_part::UploadPartError => "s3:PutObject",
    aws_sdk_secretsmanager::get_secret_value::GetSecretValueError => "secretsmanager:GetSecretValue",
    aws_sdk_sfn::describe_execution::DescribeExecutionError => "states:DescribeExecution",
    aws_sdk_sfn::send_task_failure::SendTaskFailureError => "states:SendTaskFailure",
    aws_sdk_sfn::send_task_success::SendTaskSuccessError => "states:SendTaskSuccess",
    aws_sdk_sfn::start_execution::StartExecutionError => "states:StartExecution",
    aws_sdk_sfn::stop_execution::StopExecutionError => "states:StopExecution",
    aws_sdk_sns::publish::PublishError => "sns:Publish",
    aws_sdk_sqs::send_message::SendMessageError => "sqs:SendMessage",
}
