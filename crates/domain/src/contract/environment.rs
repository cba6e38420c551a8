//! The environment variables of the functions.

use std::fmt;

/// The name of an environment variable. The functions read no others, so a variable is either of the contract or one
/// that Lambda itself sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable(&'static str);

impl Variable {
    /// The variable's name.
    pub const fn name(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Set by Lambda: the directory of the function's binary and of the files that travel with it.
pub const LAMBDA_TASK_ROOT: Variable = Variable("LAMBDA_TASK_ROOT");
/// Set by Lambda: the region of the function.
pub const AWS_REGION: Variable = Variable("AWS_REGION");

super::names! { Variable = Variable;
    /// All functions: the bucket of all data.
    BUCKET_NAME = "BUCKET_NAME";
    /// All functions: the job table.
    TASK_TABLE_NAME = "TASK_TABLE_NAME";
    /// All functions: the filter of the logs. Read by tracing-subscriber.
    LOG_FILTER = "RUST_LOG";
    /// finalize, reconcile: days after the end of a run after which its working files are deleted; without it, they stay.
    DELETE_WORKING_FILES_AFTER_DAYS = "DELETE_WORKING_FILES_AFTER_DAYS";
    /// Every function: the namespace of its metrics; without it, there are none.
    METRICS_NAMESPACE = "METRICS_NAMESPACE";
    /// preprocess, validate, classifier: maximum number of records per run where the run does not set one; absent means no limit.
    MAX_TOTAL_RECORDS = "MAX_TOTAL_RECORDS";
    /// preprocess, validate, classifier: maximum number of records per job where the run does not set one.
    MAX_RECORDS_PER_JOB = "MAX_RECORDS_PER_JOB";
    /// preprocess, validate, classifier: maximum number of jobs that a run may have open at the same time; without it, as many as
    /// the quota allows.
    MAX_CONCURRENT_JOBS = "MAX_CONCURRENT_JOBS";
    /// preprocess, validate, classifier: maximum number of jobs of a model that all runs together may have open; without it, the
    /// quota of the account.
    JOB_QUOTA = "JOB_QUOTA";
    /// preprocess, validate, classifier: further buckets that runs may read, separated by commas; may be empty.
    INPUT_BUCKETS = "INPUT_BUCKETS";
    /// preprocess, validate, classifier: prefixes that inputs must be under, as keys of the stack's bucket or `s3://` addresses,
    /// separated by commas; may be empty.
    INPUT_PREFIXES = "INPUT_PREFIXES";
    /// preprocess, validate, classifier: further buckets that runs may copy their answers to, separated by commas; may be
    /// empty.
    OUTPUT_BUCKETS = "OUTPUT_BUCKETS";
    /// preprocess, validate: the endpoint of the Hugging Face Hub, if not its own; under the name that Hugging Face's
    /// libraries know.
    HF_ENDPOINT = "HF_ENDPOINT";
    /// preprocess, validate: the secret that holds the Hugging Face token; absent where there is none.
    HUGGING_FACE_TOKEN_SECRET = "HUGGING_FACE_TOKEN_SECRET";
    /// submit: the role that Bedrock assumes to read and write the data of a job.
    BEDROCK_ROLE_ARN = "BEDROCK_ROLE_ARN";
    /// submit: the timeout of each Bedrock job, in hours.
    JOB_TIMEOUT_HOURS = "JOB_TIMEOUT_HOURS";
    /// submit: the KMS key with which Bedrock encrypts answers; absent where the bucket's encryption applies.
    JOB_OUTPUT_KEY_ARN = "JOB_OUTPUT_KEY_ARN";
    /// submit: the subnets of jobs, separated by commas; absent without a VPC.
    JOB_SUBNET_IDS = "JOB_SUBNET_IDS";
    /// submit: the security groups of jobs, separated by commas; absent without a VPC.
    JOB_SECURITY_GROUP_IDS = "JOB_SECURITY_GROUP_IDS";
    /// submit: the tags of jobs besides that of their run, as `key=value` separated by commas; may be absent.
    JOB_TAGS = "JOB_TAGS";
    /// invoke: seconds after which one invocation hands the remaining records over to the next.
    INVOCATION_SECONDS = "INVOCATION_SECONDS";
    /// postprocess: seconds that a join waits for answers that Bedrock counts and whose lines are not there yet.
    LATE_ANSWERS_SECONDS = "LATE_ANSWERS_SECONDS";
    /// reconcile: seconds without an event after which an open job is checked.
    SILENT_SECONDS = "SILENT_SECONDS";
    /// validate: `true` if links go through the download function and so may outlive presigned ones, else `false`.
    DOWNLOAD_LINKS = "DOWNLOAD_LINKS";
    /// notify: the URL of the download function; absent where there is none.
    DOWNLOAD_URL = "DOWNLOAD_URL";
    /// notify, download: the secret that signs links; absent where there are none.
    LINK_KEY_SECRET_ARN = "LINK_KEY_SECRET_ARN";
    /// notify, trigger: the topic of the emails.
    TOPIC_ARN = "TOPIC_ARN";
    /// trigger, classifier: the state machine of runs.
    BATCH_STATE_MACHINE_ARN = "BATCH_STATE_MACHINE_ARN";
    /// trigger: the state machine of pipelines.
    PIPELINE_STATE_MACHINE_ARN = "PIPELINE_STATE_MACHINE_ARN";
    /// trigger: the queue of the events of uploads.
    UPLOAD_QUEUE_URL = "UPLOAD_QUEUE_URL";
    /// trigger: maximum number of executions that uploads have started and that run at the same time.
    MAX_UPLOAD_EXECUTIONS = "MAX_UPLOAD_EXECUTIONS";
    /// trigger: seconds after which an upload that has to wait looks for room again.
    UPLOAD_RETRY_SECONDS = "UPLOAD_RETRY_SECONDS";
    /// trigger: `true` if an uploaded JSON may be an execution input, else `false`.
    UPLOADED_INPUTS = "UPLOADED_INPUTS";
    /// trigger: maximum number of rows of each run that an upload starts; absent means no other limit than that of the run.
    UPLOAD_MAX_TOTAL_RECORDS = "UPLOAD_MAX_TOTAL_RECORDS";
    /// trigger: maximum cost in US dollars of each run that an upload starts; absent means no other limit than that of the run.
    UPLOAD_MAX_COST_USD = "UPLOAD_MAX_COST_USD";
    /// classifier: the model where a payload names none.
    DEFAULT_MODEL_ID = "DEFAULT_MODEL_ID";
    /// classifier: the number of reports per file where a payload names none.
    DEFAULT_BATCH_SIZE = "DEFAULT_BATCH_SIZE";
    /// classifier: the maximum number of concurrent requests on demand where a payload names none.
    DEFAULT_MAX_WORKERS = "DEFAULT_MAX_WORKERS";
    /// classifier: the maximum number of requests on demand per second where a payload names none.
    DEFAULT_RATE_LIMIT = "DEFAULT_RATE_LIMIT";
    /// submit, job-status, invoke, reconcile, stop-jobs: the endpoint of Bedrock's control plane, if not AWS's own. Read
    /// by the AWS SDK.
    BEDROCK_ENDPOINT_URL = "AWS_ENDPOINT_URL_BEDROCK";
    /// The same functions: the endpoint of Bedrock's runtime, if not AWS's own. Read by the AWS SDK.
    BEDROCK_RUNTIME_ENDPOINT_URL = "AWS_ENDPOINT_URL_BEDROCK_RUNTIME";
    /// preprocess: the endpoint of Service Quotas, if not AWS's own. Read by the AWS SDK.
    SERVICE_QUOTAS_ENDPOINT_URL = "AWS_ENDPOINT_URL_SERVICE_QUOTAS";
}
