import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { describe, expect, test } from 'vitest';
import { SETTING_KEYS } from '../../lib/settings/keys';
import { describeDefault, readSettings, SettingsError } from '../../lib/settings/read';
import type { SettingKey } from '../../lib/settings/rules';

const INFRA = join(__dirname, '../..');
const KEYS = Object.entries<SettingKey<unknown>>(SETTING_KEYS);

function read(context: Record<string, unknown>) {
  return readSettings(new App({ context }).node);
}

function problems(context: Record<string, unknown>): readonly string[] {
  try {
    read(context);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

test('without a context, every setting has its default', () => {
  expect(read({})).toEqual(Object.fromEntries(KEYS.map(([name, key]) => [name, key.default])));
});

test('cdk.json has every key with its default', () => {
  const { context } = JSON.parse(readFileSync(join(INFRA, 'cdk.json'), 'utf8')) as { context: Record<string, unknown> };
  expect(Object.keys(context).sort()).toEqual(KEYS.map(([name]) => name).sort());
  expect(read(context)).toEqual(read({}));
});

test('numbers may be strings, because `-c key=value` only passes strings', () => {
  expect(read({ maxSubmittedAndInProgressJobs: '20', maxTotalRecords: ' 5000 ' })).toMatchObject({
    maxSubmittedAndInProgressJobs: 20,
    maxTotalRecords: 5000,
  });
});

test.each([undefined, null, ''])('%j means that an optional key is not set', (value) => {
  expect(read({ maxTotalRecords: value, bedrockEndpointUrl: value })).toMatchObject({
    maxTotalRecords: undefined,
    bedrockEndpointUrl: undefined,
  });
});

test('buckets may be a list or a comma-separated string', () => {
  expect(read({ inputBuckets: ['one-bucket', 'two-bucket'] }).inputBuckets).toEqual(['one-bucket', 'two-bucket']);
  expect(read({ inputBuckets: 'one-bucket, two-bucket' }).inputBuckets).toEqual(['one-bucket', 'two-bucket']);
  expect(read({ inputBuckets: '' }).inputBuckets).toEqual([]);
});

test('prefixes may be of the bucket of the stack or of input buckets, and of no others', () => {
  const inputPrefixes = ['inputs/', 'team a/b/', 's3://one-bucket/', 's3://one-bucket/c/'];
  expect(read({ inputBuckets: 'one-bucket', inputPrefixes }).inputPrefixes).toEqual(inputPrefixes);
  expect(read({ inputPrefixes: 'inputs/, a/' }).inputPrefixes).toEqual(['inputs/', 'a/']);
  expect(problems({ inputPrefixes: ['inputs/', 's3://one-bucket/c/'] })).toEqual([
    expect.stringMatching(/^`inputPrefixes` has "s3:\/\/one-bucket\/c\/", but .*Add the bucket to inputBuckets$/),
  ]);
});

test('addresses may be a list or a comma-separated string, and repeated ones are dropped', () => {
  const both = ['one@example.com', 'two@example.com'];
  expect(read({ notificationEmails: [...both, 'one@example.com'] }).notificationEmails).toEqual(both);
  expect(read({ notificationEmails: 'one@example.com, two@example.com' }).notificationEmails).toEqual(both);
  expect(read({ notificationEmails: '' }).notificationEmails).toEqual([]);
});

test('booleans may be strings', () => {
  expect(read({ downloadLinks: 'false', notifyRuns: 'true' })).toMatchObject({
    downloadLinks: false,
    notifyRuns: true,
  });
  expect(read({ downloadLinks: false, notifyRuns: true })).toMatchObject({ downloadLinks: false, notifyRuns: true });
});

describe('a value that is not allowed is an error', () => {
  test.each<[string, unknown]>([
    ['stage', 'Dev'],
    ['encryptionKeyArn', 'alias/own'],
    ['encryptionKeyArn', 'arn:aws:kms:us-east-1:123456789012:alias/own'],
    ['inputKeyArns', ['1234']],
    ['jobSubnetIds', 'vpc-0a'],
    ['jobSecurityGroupIds', Array.from({ length: 6 }, (_, index) => `sg-${index}`)],
    ['tags', 'project'],
    ['tags', '=x'],
    ['tags', 'a=b,a=c'],
    ['tags', 'aws:project=x'],
    ['tags', 'bedrock-batch:run=x'],
    ['tags', { project: 7 }],
    ['tags', { project: 'münchen' }],
    ['tags', ['project']],
    ['tags', `a=${'x'.repeat(257)}`],
    ['tags', Array.from({ length: 5 }, (_, index) => `t${index}=${'x'.repeat(250)}`).join(',')],
    ['stage', 'a--b'],
    ['stage', '1a'],
    ['stage', 'thirteenchars'],
    ['jobQuota', 0],
    ['jobQuota', 1001],
    ['maxSubmittedAndInProgressJobs', 0],
    ['maxSubmittedAndInProgressJobs', 10_001],
    ['maxSubmittedAndInProgressJobs', 2.5],
    ['maxSubmittedAndInProgressJobs', '5 jobs'],
    ['maxSubmittedAndInProgressJobs', true],
    ['bedrockBatchInferenceTimeoutHours', 23],
    ['bedrockBatchInferenceTimeoutHours', 169],
    ['preprocessFunctionMemoryMb', 127],
    ['postprocessFunctionMemoryMb', 10_241],
    ['invokeFunctionMemoryMb', 127],
    ['invokeFunctionMemoryMb', 10_241],
    ['onDemandInvocationSeconds', 4],
    ['onDemandInvocationSeconds', 841],
    ['reconcileMinutes', 0],
    ['reconcileMinutes', 61],
    ['reconcileSilentSeconds', 0],
    ['reconcileSilentSeconds', 86_401],
    ['lateAnswersSeconds', -1],
    ['lateAnswersSeconds', 601],
    ['maxRecordsPerJob', 99],
    ['maxRecordsPerJob', 100_001],
    ['maxTotalRecords', 0],
    ['inputBuckets', ['s3://bucket']],
    ['inputBuckets', ['UPPER']],
    ['inputBuckets', 7],
    ['inputPrefixes', ['inputs']],
    ['inputPrefixes', ['/inputs/']],
    ['inputPrefixes', ['inputs//']],
    ['inputPrefixes', ['inputs/*/']],
    ['inputPrefixes', ['s3:/bucket/a/']],
    ['inputPrefixes', 's3://UPPER/a/'],
    ['inputPrefixes', 7],
    ['outputBuckets', ['s3://bucket/reports']],
    ['defaultModelId', 'a model'],
    ['defaultBatchSize', 0],
    ['defaultMaxWorkers', 101],
    ['defaultRateLimit', 0],
    ['defaultRateLimit', '1e3'],
    ['huggingFaceTokenSecret', 'hf token'],
    ['huggingFaceTokenSecret', 'arn:aws:s3:::bucket'],
    ['huggingFaceTokenSecret', 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:hf-token'],
    ['huggingFaceEndpoint', 'mirror.example'],
    ['huggingFaceEndpoint', 'https://user:word@mirror.example'],
    ['notificationEmails', ['no-address']],
    ['notificationEmails', 'one@example.com; two@example.com'],
    ['notificationEmails', [7]],
    ['notificationEmails', true],
    ['notifyRuns', 'yes'],
    ['notifyRuns', 1],
    ['downloadLinks', ''],
    ['downloadLinks', 'no'],
    ['downloadReservedConcurrency', 0],
    ['downloadReservedConcurrency', 'all'],
    ['maxUploadExecutions', 0],
    ['maxUploadExecutions', 501],
    ['uploadedInputs', 'no'],
    ['uploadMaxTotalRecords', 0],
    ['uploadMaxTotalRecords', '1e6'],
    ['uploadMaxCostUsd', 0],
    ['uploadMaxCostUsd', '$5'],
    ['uploadRetrySeconds', 0],
    ['uploadRetrySeconds', 901],
    ['lambdaArchitecture', 'riscv'],
    ['lambdaDirectory', ''],
    ['bedrockEventSource', 'a source'],
    ['bedrockEndpointUrl', 'localhost:4567'],
    ['bedrockEndpointUrl', 'http://localhost:4567/path'],
  ])('%s = %j', (name, value) => {
    const found = problems({ [name]: value });
    expect(found).toHaveLength(1);
    // The key, the value, the rule and the remedy.
    expect(found[0]).toContain(
      `\`${name}\` is ${JSON.stringify(value)}, but must be ${SETTING_KEYS[name as keyof typeof SETTING_KEYS].rule.allowed}`,
    );
    expect(found[0]).toContain(`-c ${name}=`);
  });

  test.each<[string, unknown]>([
    ['stage', 'dev'],
    ['tags', ''],
    ['tags', 'project=a=b, team=night shift'],
    ['tags', { project: '' }],
    ['jobSubnetIds', ''],
    ['stage', 'a-b2'],
    ['stage', ''],
    ['jobQuota', 1000],
    ['maxSubmittedAndInProgressJobs', 10_000],
    ['bedrockBatchInferenceTimeoutHours', 168],
    ['preprocessFunctionMemoryMb', 128],
    ['postprocessFunctionMemoryMb', 10_240],
    ['invokeFunctionMemoryMb', 128],
    ['onDemandInvocationSeconds', 5],
    ['onDemandInvocationSeconds', 840],
    ['reconcileMinutes', 1],
    ['reconcileMinutes', 60],
    ['reconcileSilentSeconds', 1],
    ['reconcileSilentSeconds', 86_400],
    ['lateAnswersSeconds', 0],
    ['lateAnswersSeconds', 600],
    ['maxRecordsPerJob', 100],
    ['maxTotalRecords', 1],
    ['defaultModelId', 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc'],
    ['defaultRateLimit', 0.1],
    ['defaultRateLimit', '2.5'],
    ['huggingFaceTokenSecret', 'team/hf-token'],
    ['huggingFaceTokenSecret', 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:hf-token-AbC123'],
    ['huggingFaceEndpoint', 'https://mirror.example/artifactory/hf'],
    ['lambdaArchitecture', 'arm64'],
    ['bedrockEventSource', 'local.bedrock'],
    ['bedrockEndpointUrl', 'http://127.0.0.1:4567'],
  ])('but %s = %j is allowed', (name, value) => {
    expect(problems({ [name]: value })).toEqual([]);
  });
});

describe('a token for the Hugging Face Hub needs an endpoint with TLS', () => {
  const huggingFaceTokenSecret = 'hf-token';

  test('http is a problem', () => {
    const found = problems({ huggingFaceEndpoint: 'http://mirror.example/hf', huggingFaceTokenSecret });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain('`huggingFaceEndpoint` is "http://mirror.example/hf", but must be an https URL');
    expect(found[0]).toContain('leave out huggingFaceTokenSecret');
  });

  test.each(['https://mirror.example/hf', 'http://localhost:8080', 'http://127.0.0.1:8080', 'http://[::1]:8080'])(
    'but %s is allowed',
    (huggingFaceEndpoint) => {
      expect(problems({ huggingFaceEndpoint, huggingFaceTokenSecret })).toEqual([]);
    },
  );

  test('it is reported with all other problems', () => {
    const wrong = { huggingFaceEndpoint: 'http://mirror.example', huggingFaceTokenSecret, maxRecordsPerJob: 1 };
    expect(problems(wrong)).toHaveLength(2);
  });

  test('and without a token http is allowed', () => {
    expect(problems({ huggingFaceEndpoint: 'http://mirror.example' })).toEqual([]);
  });
});

test('all problems are reported at once', () => {
  expect(() => read({ maxRecordsPerJob: 1, lambdaArchitecture: 'x86', maxRecordPerJob: 500 })).toThrow(
    /3 problems:\n.*maxRecordPerJob.*\n.*maxRecordsPerJob.*\n.*lambdaArchitecture/,
  );
});

test('subnets and security groups of jobs come together', () => {
  expect(problems({ jobSubnetIds: 'subnet-0a' })).toEqual([expect.stringContaining('`jobSecurityGroupIds` is []')]);
  expect(problems({ jobSecurityGroupIds: 'sg-0a' })).toEqual([expect.stringContaining('`jobSubnetIds` is []')]);
  expect(problems({ jobSubnetIds: 'subnet-0a', jobSecurityGroupIds: 'sg-0a' })).toEqual([]);
});

describe('a key that is none is reported', () => {
  test.each([
    ['maxrecordsperjob', 'maxRecordsPerJob'],
    ['max_records_per_job', 'maxRecordsPerJob'],
    ['maxRecordPerJobs', 'maxRecordsPerJob'],
    ['inputBucket', 'inputBuckets'],
    ['notificationEmail', 'notificationEmails'],
    ['download_links', 'downloadLinks'],
    ['lambdaArchitectur', 'lambdaArchitecture'],
    ['preprocessFunctionMemoryMB', 'preprocessFunctionMemoryMb'],
  ])('%s: did you mean %s?', (misspelled, meant) => {
    expect(problems({ [misspelled]: 1 })).toEqual([expect.stringContaining(`Did you mean \`${meant}\`?`)]);
  });

  test('and so is one that resembles none', () => {
    expect(problems({ owner: 'me', '': 1 })).toEqual([
      expect.stringContaining('`owner` ("me") is not a context key. Leave it out'),
      expect.stringContaining('`` (1) is not a context key. Leave it out'),
    ]);
  });

  test('but keys of the CDK are not', () => {
    expect(
      problems({
        '@aws-cdk/core:enablePartitionLiterals': true,
        'aws:cdk:enable-path-metadata': true,
        'availability-zones:account=1': [],
        'cli-telemetry': false,
      }),
    ).toEqual([]);
  });
});

test('the table in README.md has the keys, defaults, rules and descriptions of the code', () => {
  const readme = readFileSync(join(INFRA, 'README.md'), 'utf8');
  const rows = readme.split('\n').filter((line) => /^\| `\w+` /.test(line));
  const cells = rows.map((row) => row.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '').trim()));
  expect(cells).toEqual(
    KEYS.map(([name, key]) => [
      `\`${name}\``,
      key.default === undefined ? 'not set' : `\`${describeDefault(key.default)}\``,
      key.rule.allowed,
      key.description,
    ]),
  );
});
