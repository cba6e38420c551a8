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
  /** preprocess: records per run where the run does not say otherwise; absent means no limit. */
  maxTotalRecords: 'MAX_TOTAL_RECORDS',
  /** preprocess: records per job where the run does not say otherwise. */
  maxRecordsPerJob: 'MAX_RECORDS_PER_JOB',
  /** preprocess: the most jobs that a run may have open at once. */
  maxConcurrentJobs: 'MAX_CONCURRENT_JOBS',
  /** preprocess: further buckets that runs may read, with commas; may be empty. */
  inputBuckets: 'INPUT_BUCKETS',
  /** submit: the role that Bedrock takes on to read and write the job's data. */
  bedrockRoleArn: 'BEDROCK_ROLE_ARN',
  /** submit: the timeout given to each Bedrock job. */
  jobTimeoutHours: 'JOB_TIMEOUT_HOURS',
  /** invoke: seconds of asking after which one invocation hands over to the next. */
  invocationSeconds: 'INVOCATION_SECONDS',
  /** reconcile: seconds without a word after which an open job is looked at. */
  silentSeconds: 'SILENT_SECONDS',
  /** submit, job-status, invoke, reconcile, stop-jobs: Bedrock's control plane, where it is not AWS's. Read by the AWS SDK itself. */
  bedrockEndpointUrl: 'AWS_ENDPOINT_URL_BEDROCK',
  /** The same functions: Bedrock's runtime, where it is not AWS's. Read by the AWS SDK itself. */
  bedrockRuntimeEndpointUrl: 'AWS_ENDPOINT_URL_BEDROCK_RUNTIME',
} as const;
