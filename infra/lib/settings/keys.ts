import * as rules from './rules';

/**
 * Every context key of this app: its default, the rule its value must keep, and what it does.
 *
 * This is the only list. Reading, checking and the table in README.md (held to it by a test) follow it.
 */
export const SETTING_KEYS = {
  maxSubmittedAndInProgressJobs: {
    default: 5,
    rule: rules.integer(1, 10_000),
    what: 'Bedrock jobs that one run has submitted or in progress at the same time. Keep it under the quota of the account.',
  },
  bedrockBatchInferenceTimeoutHours: {
    default: 24,
    rule: rules.integer(24, 168),
    what: 'How long Bedrock may take for one job before the job expires.',
  },
  preprocessFunctionMemoryMb: {
    default: 3008,
    rule: rules.integer(128, 10_240),
    what: 'Memory of the preprocess function; Lambda gives CPU in proportion.',
  },
  postprocessFunctionMemoryMb: {
    default: 3008,
    rule: rules.integer(128, 10_240),
    what: 'Memory of the postprocess function; Lambda gives CPU in proportion.',
  },
  invokeFunctionMemoryMb: {
    default: 1024,
    rule: rules.integer(128, 10_240),
    what: 'Memory of the invoke function, which answers records on demand; Lambda gives CPU in proportion.',
  },
  onDemandInvocationSeconds: {
    default: 720,
    rule: rules.integer(5, 840),
    what: 'How long one invocation of the invoke function asks before it hands over to the next. Lambda ends it at 900.',
  },
  reconcileMinutes: {
    default: 5,
    rule: rules.integer(1, 60),
    what: 'Minutes between two looks at jobs that have been silent.',
  },
  reconcileSilentSeconds: {
    default: 600,
    rule: rules.integer(1, 86_400),
    what: 'How long an open job may be silent before a look at it. Bedrock’s events are best effort.',
  },
  maxRecordsPerJob: {
    default: 1000,
    rule: rules.integer(100, 100_000),
    what: 'Records per Bedrock job where a run does not say otherwise. Bedrock refuses jobs under 100 records.',
  },
  maxTotalRecords: {
    default: undefined,
    rule: rules.optional(rules.integer(1, Number.MAX_SAFE_INTEGER)),
    what: 'Records per run where a run does not say otherwise.',
  },
  inputBuckets: {
    default: [],
    rule: rules.bucketNames(),
    what: 'Further buckets that runs may read their input from.',
  },
  notificationEmails: {
    default: [],
    rule: rules.emailAddresses(),
    what: 'Who gets an email when a pipeline or a run ends. Each address has to confirm its subscription once.',
  },
  notifyRuns: {
    default: true,
    rule: rules.yesOrNo(),
    what: 'Whether single-stage runs send emails too. Pipelines always do.',
  },
  downloadLinks: {
    default: true,
    rule: rules.yesOrNo(),
    what: 'Whether links in emails go through a download function with a public URL. Without it they are presigned, and end within hours.',
  },
  lambdaArchitecture: {
    default: 'x86_64',
    rule: rules.oneOf('x86_64', 'arm64'),
    what: 'Processor of the functions. Must be what the functions were built for.',
  },
  lambdaDirectory: {
    default: '../target/lambda',
    rule: rules.text('a path, absolute or relative to infra/'),
    what: 'Where the built functions lie: a directory with `bootstrap` in it, or a zip, per function.',
  },
  bedrockEventSource: {
    default: 'aws.bedrock',
    rule: rules.pattern(/^[A-Za-z0-9._-]{1,256}$/, 'an event source name of letters, digits, `.`, `_`, `-`'),
    what: 'Source of the job events. Only the local stack sets another one, because nobody may publish as `aws.…`.',
  },
  bedrockEndpointUrl: {
    default: undefined,
    rule: rules.optional(rules.url()),
    what: 'Where the functions reach Bedrock. Only the local stack sets it.',
  },
} as const satisfies Record<string, rules.SettingKey<unknown>>;

/** The name of a context key of this app. */
export type SettingName = keyof typeof SETTING_KEYS;

/** All settings, read and checked. */
export type Settings = {
  readonly [Name in SettingName]: rules.ValueOf<(typeof SETTING_KEYS)[Name]['rule']>;
};
