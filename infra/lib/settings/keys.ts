import * as rules from './rules';

/**
 * Context keys of this app, with their defaults, rules and descriptions.
 *
 * This is the only list. The settings are read and checked by it, and a test compares it with the table in README.md.
 */
export const SETTING_KEYS = {
  stage: {
    default: undefined,
    rule: rules.optional(
      rules.pattern(
        /^(?=.{1,12}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
        'a name of 1 to 12 lowercase letters, digits and single hyphens that begins with a letter',
      ),
    ),
    description:
      'Name of this deployment, such as `dev`: part of the name of the stack and of all its resources, with the region. Deployments with different stages or in different regions share nothing. Not set, all names are those of the first deployment of the account.',
  },
  maxSubmittedAndInProgressJobs: {
    default: undefined,
    rule: rules.optional(rules.integer(1, 10_000)),
    description:
      'Maximum number of Bedrock jobs that one run has submitted or in progress at the same time. Without it, as many as `jobQuota` allows; 10 if that is not known.',
  },
  jobQuota: {
    default: undefined,
    rule: rules.optional(rules.integer(1, 1_000)),
    description:
      'Maximum number of Bedrock jobs of one model that all runs together have submitted or in progress at the same time; they share it fairly. Without it, the quota of the account, read from Service Quotas when a run starts. Set it where others than this deployment have jobs of the same models, or where Service Quotas cannot be read or does not name the model.',
  },
  bedrockBatchInferenceTimeoutHours: {
    default: 24,
    rule: rules.integer(24, 168),
    description: 'Timeout of a Bedrock job, after which it expires.',
  },
  preprocessFunctionMemoryMb: {
    default: 3008,
    rule: rules.integer(128, 10_240),
    description: 'Memory of the preprocess function; Lambda assigns CPU in proportion.',
  },
  postprocessFunctionMemoryMb: {
    default: 3008,
    rule: rules.integer(128, 10_240),
    description: 'Memory of the postprocess function; Lambda assigns CPU in proportion.',
  },
  invokeFunctionMemoryMb: {
    default: 1024,
    rule: rules.integer(128, 10_240),
    description: 'Memory of the invoke function, which answers records on demand; Lambda assigns CPU in proportion.',
  },
  onDemandInvocationSeconds: {
    default: 720,
    rule: rules.integer(5, 840),
    description:
      'Seconds after which an invocation of the invoke function hands the remaining records over to the next one. Lambda ends it after 900.',
  },
  reconcileMinutes: {
    default: 5,
    rule: rules.integer(1, 60),
    description: 'Minutes between two checks of silent jobs.',
  },
  reconcileSilentSeconds: {
    default: 600,
    rule: rules.integer(1, 86_400),
    description: 'Seconds without an event after which an open job is checked. Bedrock’s events are best effort.',
  },
  lateAnswersSeconds: {
    default: 120,
    rule: rules.integer(0, 600),
    description:
      'Seconds that a join waits for answers that Bedrock counts as processed and that are not in the output of their job yet.',
  },
  maxRecordsPerJob: {
    default: undefined,
    rule: rules.optional(rules.integer(100, 100_000)),
    description:
      'Maximum number of records per Bedrock job if the run does not set one. Without it, runs have as few jobs as may run at once, of 1,000 records or more. Bedrock rejects jobs with fewer than 100 records.',
  },
  maxTotalRecords: {
    default: undefined,
    rule: rules.optional(rules.integer(1, Number.MAX_SAFE_INTEGER)),
    description: 'Maximum number of records per run if the run does not set one.',
  },
  inputBuckets: {
    default: [],
    rule: rules.bucketNames(),
    description: 'Further buckets that runs may read input from.',
  },
  inputPrefixes: {
    default: [],
    rule: rules.s3Prefixes(),
    description:
      'Prefixes that inputs of runs must be under, and that the functions may read. Without any, inputs may be anywhere in the bucket (but the files of runs) and in `inputBuckets`. Uploads under `trigger/` are always allowed.',
  },
  outputBuckets: {
    default: [],
    rule: rules.bucketNames(),
    description: 'Further buckets that runs may copy their answered rows to.',
  },
  inputKeyArns: {
    default: [],
    rule: rules.keyArns(),
    description:
      'KMS keys with which inputs are encrypted, in the bucket of the stack or in others. Their policies must let the account grant their use.',
  },
  encryptionKeyArn: {
    default: undefined,
    rule: rules.optional(rules.keyArn()),
    description:
      'KMS key of your own for all that the stack stores: bucket, job table, topics, queues, logs, link keys and the answers that Bedrock writes. Its policy needs statements for services: docs/deploying.md.',
  },
  jobSubnetIds: {
    default: [],
    rule: rules.ec2Ids('subnet', 16),
    description:
      'Subnets of a VPC in which Bedrock reads and writes the data of jobs; with an endpoint of S3. With `jobSecurityGroupIds`.',
  },
  jobSecurityGroupIds: {
    default: [],
    rule: rules.ec2Ids('sg', 5),
    description: 'Security groups of the network interfaces that Bedrock creates in `jobSubnetIds`.',
  },
  tags: {
    default: {},
    rule: rules.tags(),
    description:
      'Tags of all resources of the stack and of all jobs, for the allocation of costs. Jobs have `bedrock-batch:run` and, with a stage, `bedrock-batch:stage` as well.',
  },
  defaultModelId: {
    default: 'anthropic.claude-haiku-4-5-20251001-v1:0',
    rule: rules.pattern(
      /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,2047}$/,
      'the id or the ARN of a model or an inference profile',
    ),
    description: 'Model of the classifier where a payload names none.',
  },
  defaultBatchSize: {
    default: 1000,
    rule: rules.integer(1, 100_000),
    description:
      'Number of reports per answered file of the classifier where a payload names none. Files under 100 are answered on demand.',
  },
  defaultMaxWorkers: {
    default: 5,
    rule: rules.integer(1, 100),
    description: 'Maximum number of concurrent requests of the classifier on demand where a payload names none.',
  },
  defaultRateLimit: {
    default: 5,
    rule: rules.number(0.1, 1000),
    description: 'Maximum number of requests per second of the classifier on demand where a payload names none.',
  },
  huggingFaceTokenSecret: {
    default: undefined,
    rule: rules.optional(rules.secret()),
    description:
      'Secret of Secrets Manager that holds the Hugging Face token, for gated and private datasets and higher rate limits.',
  },
  huggingFaceEndpoint: {
    default: undefined,
    rule: rules.optional(rules.baseUrl()),
    description: 'Endpoint of the Hugging Face Hub, where it is not the Hub itself but a mirror of it.',
  },
  notificationEmails: {
    default: [],
    rule: rules.emailAddresses(),
    description:
      'Addresses that get an email when a pipeline or a run ends. Each address has to confirm its subscription once.',
  },
  notifyRuns: {
    default: true,
    rule: rules.boolean(),
    description: 'If `true`, runs outside of pipelines send emails too. Pipelines always do.',
  },
  marketplaceSubscriptions: {
    default: false,
    rule: rules.boolean(),
    description:
      'If `true`, the roles that send requests to models may subscribe the account to them through AWS Marketplace, which the first request to a model of another company than Amazon needs. Until an administrator has done that once.',
  },
  deleteWorkingFilesAfterDays: {
    default: undefined,
    rule: rules.optional(rules.integer(1, 3_650)),
    description:
      'Days after a run was completed after which its working files are deleted: records, rows and answers of jobs. Answered rows, plan and summary stay; the run can not be continued any more. Without it, all files stay.',
  },
  metrics: {
    default: true,
    rule: rules.boolean(),
    description:
      'If `true`, functions write figures of runs to their logs, from which CloudWatch makes metrics (docs/metrics.md). CloudWatch charges for each metric and hour in which it has a value.',
  },
  downloadLinks: {
    default: true,
    rule: rules.boolean(),
    description:
      'If `true`, links in emails go through a download function with a public URL. If `false`, they are presigned and expire within hours.',
  },
  downloadReservedConcurrency: {
    default: 10,
    rule: rules.optional(rules.integer(1, 1000)),
    description:
      'Maximum number of concurrent invocations of the download function, whose URL is public; further requests get status 429. AWS keeps as much of the account’s concurrency for it, and refuses that where fewer than 100 would be left: not set (`-c downloadReservedConcurrency=`) for accounts with a small quota.',
  },
  maxUploadExecutions: {
    default: 10,
    rule: rules.integer(1, 500),
    description:
      'Maximum number of executions that uploads under `trigger/` have started and that run at the same time. Further uploads wait in a queue until one ends.',
  },
  uploadedInputs: {
    default: true,
    rule: rules.boolean(),
    description:
      'If `true`, a JSON uploaded to `trigger/` is an execution input. If `false`, uploads are inputs of the deployed configurations only.',
  },
  uploadMaxTotalRecords: {
    default: undefined,
    rule: rules.optional(rules.integer(1, 1_000_000_000)),
    description: 'Maximum number of rows of each run that an upload starts, whatever its input says.',
  },
  uploadMaxCostUsd: {
    default: undefined,
    rule: rules.optional(rules.number(0.01, 1_000_000)),
    description:
      'Maximum cost in US dollars of each run that an upload starts, by an estimate before anything is sent (`max_cost_usd`), whatever its input says.',
  },
  uploadRetrySeconds: {
    default: 60,
    rule: rules.integer(1, 900),
    description: 'Seconds after which an upload that waits looks for room again.',
  },
  lambdaArchitecture: {
    default: 'x86_64',
    rule: rules.oneOf('x86_64', 'arm64'),
    description: 'Processor architecture of the functions. It must be the one that they were built for.',
  },
  lambdaDirectory: {
    default: '../target/lambda',
    rule: rules.text('a path, absolute or relative to infra/'),
    description: 'Directory of the built functions: per function a directory with `bootstrap` in it, or a zip.',
  },
  bedrockEventSource: {
    default: 'aws.bedrock',
    rule: rules.pattern(/^[A-Za-z0-9._-]{1,256}$/, 'an event source name of letters, digits, `.`, `_`, `-`'),
    description:
      'Source of the job events. Only the local stack sets another one, because `aws.…` is reserved for AWS.',
  },
  bedrockEndpointUrl: {
    default: undefined,
    rule: rules.optional(rules.url()),
    description: 'Endpoint of Bedrock. Only the local stack sets it.',
  },
} as const satisfies Record<string, rules.SettingKey<unknown>>;

/** Name of a context key of this app. */
export type SettingName = keyof typeof SETTING_KEYS;

/** Values of all settings. */
export type Settings = {
  readonly [Name in SettingName]: rules.ValueOf<(typeof SETTING_KEYS)[Name]['rule']>;
};
