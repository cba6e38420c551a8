// Written by `make contract` from crates/domain/src/contract.

/** Environment variables of the functions. */
export const ENVIRONMENT = {
  /** All functions: the bucket of all data. */
  bucketName: 'BUCKET_NAME',
  /** All functions: the job table. */
  taskTableName: 'TASK_TABLE_NAME',
  /** All functions: the filter of the logs. Read by tracing-subscriber. */
  logFilter: 'RUST_LOG',
  /**
   * finalize, reconcile: days after the end of a run after which its working files are deleted; without it, they stay.
   */
  deleteWorkingFilesAfterDays: 'DELETE_WORKING_FILES_AFTER_DAYS',
  /** Every function: the namespace of its metrics; without it, there are none. */
  metricsNamespace: 'METRICS_NAMESPACE',
  /**
   * preprocess, validate, classifier: maximum number of records per run where the run does not set one; absent means no
   * limit.
   */
  maxTotalRecords: 'MAX_TOTAL_RECORDS',
  /** preprocess, validate, classifier: maximum number of records per job where the run does not set one. */
  maxRecordsPerJob: 'MAX_RECORDS_PER_JOB',
  /**
   * preprocess, validate, classifier: maximum number of jobs that a run may have open at the same time; without it, as
   * many as the quota allows.
   */
  maxConcurrentJobs: 'MAX_CONCURRENT_JOBS',
  /**
   * preprocess, validate, classifier: maximum number of jobs of a model that all runs together may have open; without
   * it, the quota of the account.
   */
  jobQuota: 'JOB_QUOTA',
  /** preprocess, validate, classifier: further buckets that runs may read, separated by commas; may be empty. */
  inputBuckets: 'INPUT_BUCKETS',
  /**
   * preprocess, validate, classifier: prefixes that inputs must be under, as keys of the stack's bucket or `s3://`
   * addresses, separated by commas; may be empty.
   */
  inputPrefixes: 'INPUT_PREFIXES',
  /**
   * preprocess, validate, classifier: further buckets that runs may copy their answers to, separated by commas; may be
   * empty.
   */
  outputBuckets: 'OUTPUT_BUCKETS',
  /**
   * preprocess, validate: the endpoint of the Hugging Face Hub, if not its own; under the name that Hugging Face's
   * libraries know.
   */
  hfEndpoint: 'HF_ENDPOINT',
  /** preprocess, validate: the secret that holds the Hugging Face token; absent where there is none. */
  huggingFaceTokenSecret: 'HUGGING_FACE_TOKEN_SECRET',
  /** submit: the role that Bedrock assumes to read and write the data of a job. */
  bedrockRoleArn: 'BEDROCK_ROLE_ARN',
  /** submit: the timeout of each Bedrock job, in hours. */
  jobTimeoutHours: 'JOB_TIMEOUT_HOURS',
  /** submit: the KMS key with which Bedrock encrypts answers; absent where the bucket's encryption applies. */
  jobOutputKeyArn: 'JOB_OUTPUT_KEY_ARN',
  /** submit: the subnets of jobs, separated by commas; absent without a VPC. */
  jobSubnetIds: 'JOB_SUBNET_IDS',
  /** submit: the security groups of jobs, separated by commas; absent without a VPC. */
  jobSecurityGroupIds: 'JOB_SECURITY_GROUP_IDS',
  /** submit: the tags of jobs besides that of their run, as `key=value` separated by commas; may be absent. */
  jobTags: 'JOB_TAGS',
  /** invoke: seconds after which one invocation hands the remaining records over to the next. */
  invocationSeconds: 'INVOCATION_SECONDS',
  /** postprocess: seconds that a join waits for answers that Bedrock counts and whose lines are not there yet. */
  lateAnswersSeconds: 'LATE_ANSWERS_SECONDS',
  /** reconcile: seconds without an event after which an open job is checked. */
  silentSeconds: 'SILENT_SECONDS',
  /** validate: `true` if links go through the download function and so may outlive presigned ones, else `false`. */
  downloadLinks: 'DOWNLOAD_LINKS',
  /** notify: the URL of the download function; absent where there is none. */
  downloadUrl: 'DOWNLOAD_URL',
  /** notify, download: the secret that signs links; absent where there are none. */
  linkKeySecretArn: 'LINK_KEY_SECRET_ARN',
  /** notify, trigger: the topic of the emails. */
  topicArn: 'TOPIC_ARN',
  /** trigger, classifier: the state machine of runs. */
  batchStateMachineArn: 'BATCH_STATE_MACHINE_ARN',
  /** trigger: the state machine of pipelines. */
  pipelineStateMachineArn: 'PIPELINE_STATE_MACHINE_ARN',
  /** trigger: the queue of the events of uploads. */
  uploadQueueUrl: 'UPLOAD_QUEUE_URL',
  /** trigger: maximum number of executions that uploads have started and that run at the same time. */
  maxUploadExecutions: 'MAX_UPLOAD_EXECUTIONS',
  /** trigger: seconds after which an upload that has to wait looks for room again. */
  uploadRetrySeconds: 'UPLOAD_RETRY_SECONDS',
  /** trigger: `true` if an uploaded JSON may be an execution input, else `false`. */
  uploadedInputs: 'UPLOADED_INPUTS',
  /**
   * trigger: maximum number of rows of each run that an upload starts; absent means no other limit than that of the
   * run.
   */
  uploadMaxTotalRecords: 'UPLOAD_MAX_TOTAL_RECORDS',
  /**
   * trigger: maximum cost in US dollars of each run that an upload starts; absent means no other limit than that of the
   * run.
   */
  uploadMaxCostUsd: 'UPLOAD_MAX_COST_USD',
  /** classifier: the model where a payload names none. */
  defaultModelId: 'DEFAULT_MODEL_ID',
  /** classifier: the number of reports per file where a payload names none. */
  defaultBatchSize: 'DEFAULT_BATCH_SIZE',
  /** classifier: the maximum number of concurrent requests on demand where a payload names none. */
  defaultMaxWorkers: 'DEFAULT_MAX_WORKERS',
  /** classifier: the maximum number of requests on demand per second where a payload names none. */
  defaultRateLimit: 'DEFAULT_RATE_LIMIT',
  /**
   * submit, job-status, invoke, reconcile, stop-jobs: the endpoint of Bedrock's control plane, if not AWS's own. Read
   * by the AWS SDK.
   */
  bedrockEndpointUrl: 'AWS_ENDPOINT_URL_BEDROCK',
  /** The same functions: the endpoint of Bedrock's runtime, if not AWS's own. Read by the AWS SDK. */
  bedrockRuntimeEndpointUrl: 'AWS_ENDPOINT_URL_BEDROCK_RUNTIME',
  /** preprocess: the endpoint of Service Quotas, if not AWS's own. Read by the AWS SDK. */
  serviceQuotasEndpointUrl: 'AWS_ENDPOINT_URL_SERVICE_QUOTAS',
} as const;
