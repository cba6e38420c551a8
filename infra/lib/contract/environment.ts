/**
 * The environment variables that the functions read at start. Written here once, read once per function in Rust.
 */
export const ENVIRONMENT = {
  /** All functions: the bucket of all data. */
  bucketName: 'BUCKET_NAME',
  /** All functions: the table of jobs. */
  taskTableName: 'TASK_TABLE_NAME',
  /** All functions: the filter of the logs. */
  logFilter: 'RUST_LOG',
  /** preprocess, validate: records per run where the run does not say otherwise; absent means no limit. */
  maxTotalRecords: 'MAX_TOTAL_RECORDS',
  /** preprocess, validate: records per job where the run does not say otherwise. */
  maxRecordsPerJob: 'MAX_RECORDS_PER_JOB',
  /** preprocess, validate: the most jobs that a run may have open at once. */
  maxConcurrentJobs: 'MAX_CONCURRENT_JOBS',
  /** preprocess, validate: further buckets that runs may read, with commas; may be empty. */
  inputBuckets: 'INPUT_BUCKETS',
  /** submit: the role that Bedrock takes on to read and write the job's data. */
  bedrockRoleArn: 'BEDROCK_ROLE_ARN',
  /** submit: the timeout given to each Bedrock job. */
  jobTimeoutHours: 'JOB_TIMEOUT_HOURS',
  /** invoke: seconds of asking after which one invocation hands over to the next. */
  invocationSeconds: 'INVOCATION_SECONDS',
  /** reconcile: seconds without a word after which an open job is looked at. */
  silentSeconds: 'SILENT_SECONDS',
  /** validate: `true` where links go through the download function, and so may live longer than presigned ones; else `false`. */
  downloadLinks: 'DOWNLOAD_LINKS',
  /** notify: the URL of the download function; absent where there is none. */
  downloadUrl: 'DOWNLOAD_URL',
  /** notify, download: the secret that signs the links; absent where there are none. */
  linkKeySecretArn: 'LINK_KEY_SECRET_ARN',
  /** notify, trigger: the topic of the emails. */
  topicArn: 'TOPIC_ARN',
  /** trigger: the state machine of single-stage runs. */
  batchStateMachineArn: 'BATCH_STATE_MACHINE_ARN',
  /** trigger: the state machine of pipelines. */
  pipelineStateMachineArn: 'PIPELINE_STATE_MACHINE_ARN',
  /** submit, job-status, invoke, reconcile, stop-jobs: Bedrock's control plane, where it is not AWS's. Read by the AWS SDK itself. */
  bedrockEndpointUrl: 'AWS_ENDPOINT_URL_BEDROCK',
  /** The same functions: Bedrock's runtime, where it is not AWS's. Read by the AWS SDK itself. */
  bedrockRuntimeEndpointUrl: 'AWS_ENDPOINT_URL_BEDROCK_RUNTIME',
} as const;
