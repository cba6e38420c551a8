import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { FUNCTION_NAME_PREFIX, FUNCTION_NAMES } from '../../lib/contract/functions';
import { builtFunction } from '../../lib/functions/code';
import { dummyFunctions } from '../dummy-functions';
import { exampleTemplate } from '../example-stack';

const template = exampleTemplate();

/** Returns the properties of a function. */
function functionProperties(name: string, from = template): Record<string, unknown> {
  const found = Object.values(
    from.findResources('AWS::Lambda::Function', { Properties: { FunctionName: `bedrock-batch-${name}` } }),
  );
  expect(found).toHaveLength(1);
  return (found[0] as { Properties: Record<string, unknown> }).Properties;
}

function environment(name: string, from = template): Record<string, unknown> {
  return (functionProperties(name, from).Environment as { Variables: Record<string, unknown> }).Variables;
}

test('the stack has the functions of the contract and none of CDK’s own', () => {
  const names = Object.values(template.findResources('AWS::Lambda::Function')).map(
    (resource) => (resource as { Properties: { FunctionName: string } }).Properties.FunctionName,
  );
  expect(names.sort()).toEqual(FUNCTION_NAMES.map((name) => `${FUNCTION_NAME_PREFIX}${name}`).sort());
});

describe.each([
  ['preprocess', 3008, 900],
  ['submit', 256, 60],
  ['job-status', 256, 60],
  ['postprocess', 3008, 900],
  ['invoke', 1024, 900],
  ['finalize', 256, 900],
  ['reconcile', 256, 300],
  ['stop-jobs', 256, 300],
  ['validate', 512, 900],
  ['notify', 512, 300],
  ['trigger', 256, 60],
  ['download', 256, 30],
  ['classifier', 256, 60],
])('%s', (name, memory, timeout) => {
  test('is a Rust binary with its memory size and timeout', () => {
    expect(functionProperties(name)).toMatchObject({
      Runtime: 'provided.al2023',
      Handler: 'bootstrap',
      Architectures: ['x86_64'],
      MemorySize: memory,
      Timeout: timeout,
    });
  });

  test('is traced', () => {
    template.allResourcesProperties('AWS::Lambda::Function', { TracingConfig: { Mode: 'Active' } });
  });

  test('logs JSON to a log group that keeps a month', () => {
    template.hasResourceProperties('AWS::Logs::LogGroup', {
      LogGroupName: `/aws/lambda/bedrock-batch-${name}`,
      RetentionInDays: 30,
    });
    expect(functionProperties(name).LoggingConfig).toMatchObject({
      LogFormat: 'JSON',
      LogGroup: { Ref: expect.any(String) as string },
    });
  });
});

test('the context sets architecture and memory size', () => {
  const other = exampleTemplate({
    lambdaArchitecture: 'arm64',
    preprocessFunctionMemoryMb: '4096',
    postprocessFunctionMemoryMb: 2048,
    invokeFunctionMemoryMb: 512,
  });
  expect(functionProperties('preprocess', other)).toMatchObject({ Architectures: ['arm64'], MemorySize: 4096 });
  expect(functionProperties('postprocess', other)).toMatchObject({ Architectures: ['arm64'], MemorySize: 2048 });
  expect(functionProperties('invoke', other)).toMatchObject({ Architectures: ['arm64'], MemorySize: 512 });
});

describe('environment', () => {
  const shared = ['BUCKET_NAME', 'METRICS_NAMESPACE', 'RUST_LOG', 'TASK_TABLE_NAME'];

  test.each([
    ['preprocess', [...shared, 'INPUT_BUCKETS', 'INPUT_PREFIXES', 'OUTPUT_BUCKETS']],
    ['submit', [...shared, 'BEDROCK_ROLE_ARN', 'JOB_TIMEOUT_HOURS']],
    ['job-status', shared],
    ['postprocess', [...shared, 'LATE_ANSWERS_SECONDS']],
    ['invoke', [...shared, 'INVOCATION_SECONDS']],
    ['finalize', shared],
    ['reconcile', [...shared, 'SILENT_SECONDS']],
    ['stop-jobs', shared],
    ['validate', [...shared, 'DOWNLOAD_LINKS', 'INPUT_BUCKETS', 'INPUT_PREFIXES', 'OUTPUT_BUCKETS']],
    ['notify', [...shared, 'DOWNLOAD_URL', 'LINK_KEY_SECRET_ARN', 'TOPIC_ARN']],
    [
      'trigger',
      [
        ...shared,
        'BATCH_STATE_MACHINE_ARN',
        'MAX_UPLOAD_EXECUTIONS',
        'PIPELINE_STATE_MACHINE_ARN',
        'TOPIC_ARN',
        'UPLOADED_INPUTS',
        'UPLOAD_QUEUE_URL',
        'UPLOAD_RETRY_SECONDS',
      ],
    ],
    ['download', [...shared, 'LINK_KEY_SECRET_ARN']],
    [
      'classifier',
      [
        ...shared,
        'BATCH_STATE_MACHINE_ARN',
        'DEFAULT_BATCH_SIZE',
        'DEFAULT_MAX_WORKERS',
        'DEFAULT_MODEL_ID',
        'DEFAULT_RATE_LIMIT',
        'INPUT_BUCKETS',
        'INPUT_PREFIXES',
        'OUTPUT_BUCKETS',
      ],
    ],
  ])('%s has exactly the variables that it reads', (name, variables) => {
    expect(Object.keys(environment(name)).sort()).toEqual([...variables].sort());
  });

  test('has the limits of the context', () => {
    const other = exampleTemplate({
      maxTotalRecords: 5000,
      maxRecordsPerJob: 200,
      maxSubmittedAndInProgressJobs: 7,
      jobQuota: 30,
      inputBuckets: 'one-bucket,two-bucket',
      inputPrefixes: ['inputs/', 's3://two-bucket/a b/c/'],
      outputBuckets: ['reports-bucket', 'other-bucket'],
      bedrockBatchInferenceTimeoutHours: 48,
      onDemandInvocationSeconds: 20,
      reconcileSilentSeconds: 30,
      lateAnswersSeconds: 40,
      maxUploadExecutions: 3,
      uploadRetrySeconds: '900',
      uploadedInputs: false,
      uploadMaxTotalRecords: 5000,
      uploadMaxCostUsd: '2.5',
    });
    for (const name of ['preprocess', 'validate', 'classifier']) {
      expect(environment(name, other)).toMatchObject({
        MAX_TOTAL_RECORDS: '5000',
        MAX_RECORDS_PER_JOB: '200',
        MAX_CONCURRENT_JOBS: '7',
        JOB_QUOTA: '30',
        INPUT_BUCKETS: 'one-bucket,two-bucket',
        INPUT_PREFIXES: 'inputs/,s3://two-bucket/a b/c/',
        OUTPUT_BUCKETS: 'reports-bucket,other-bucket',
      });
    }
    expect(environment('submit', other)).toMatchObject({ JOB_TIMEOUT_HOURS: '48' });
    expect(environment('invoke', other)).toMatchObject({ INVOCATION_SECONDS: '20' });
    expect(environment('reconcile', other)).toMatchObject({ SILENT_SECONDS: '30' });
    expect(environment('postprocess', other)).toMatchObject({ LATE_ANSWERS_SECONDS: '40' });
    expect(environment('trigger', other)).toMatchObject({
      MAX_UPLOAD_EXECUTIONS: '3',
      UPLOAD_RETRY_SECONDS: '900',
      UPLOADED_INPUTS: 'false',
      UPLOAD_MAX_TOTAL_RECORDS: '5000',
      UPLOAD_MAX_COST_USD: '2.5',
    });
  });

  test('has the Hugging Face endpoint and secret of the context in the functions that read inputs', () => {
    const hub = { huggingFaceEndpoint: 'https://mirror.example/hf', huggingFaceTokenSecret: 'hf-token' };
    const other = exampleTemplate(hub);
    for (const name of ['preprocess', 'validate']) {
      expect(environment(name, other)).toMatchObject({
        HF_ENDPOINT: 'https://mirror.example/hf',
        HUGGING_FACE_TOKEN_SECRET: 'hf-token',
      });
    }
    expect(environment('postprocess', other)).not.toHaveProperty('HUGGING_FACE_TOKEN_SECRET');
  });

  test('has the Bedrock endpoint of the context in the functions that call Bedrock, and in no others', () => {
    const url = 'http://127.0.0.1:4567';
    const local = exampleTemplate({ bedrockEndpointUrl: url });
    for (const name of [
      'submit',
      'job-status',
      'invoke',
      'reconcile',
      'stop-jobs',
      'preprocess',
      'validate',
      'classifier',
    ]) {
      expect(environment(name, local)).toMatchObject({
        AWS_ENDPOINT_URL_BEDROCK: url,
        AWS_ENDPOINT_URL_BEDROCK_RUNTIME: url,
        AWS_ENDPOINT_URL_SERVICE_QUOTAS: url,
      });
    }
    for (const name of ['postprocess', 'finalize', 'notify', 'trigger', 'download']) {
      expect(environment(name, local)).not.toHaveProperty('AWS_ENDPOINT_URL_BEDROCK');
    }
  });
});

test('the classifier knows the state machine of runs and the defaults of the context', () => {
  const defaults = { defaultModelId: 'amazon.nova-lite-v1:0', defaultBatchSize: 50, defaultMaxWorkers: 2 };
  const other = exampleTemplate({ ...defaults, defaultRateLimit: '0.5' });
  expect(environment('classifier', other)).toMatchObject({
    BATCH_STATE_MACHINE_ARN: { Ref: expect.stringMatching(/^BatchStateMachine[0-9A-F]{8}$/) as string },
    DEFAULT_MODEL_ID: 'amazon.nova-lite-v1:0',
    DEFAULT_BATCH_SIZE: '50',
    DEFAULT_MAX_WORKERS: '2',
    DEFAULT_RATE_LIMIT: '0.5',
  });
});

test('the functions of pipelines know the state machines, the topic and the links', () => {
  const reference = (logicalId: string) => ({ Ref: expect.stringMatching(`^${logicalId}[0-9A-F]{8}$`) as string });
  expect(environment('trigger')).toMatchObject({
    BATCH_STATE_MACHINE_ARN: reference('BatchStateMachine'),
    PIPELINE_STATE_MACHINE_ARN: reference('PipelinesStateMachine'),
    TOPIC_ARN: reference('NotificationsTopic'),
    UPLOAD_QUEUE_URL: reference('UploadsQueue'),
  });
  expect(environment('notify')).toMatchObject({
    TOPIC_ARN: reference('NotificationsTopic'),
    DOWNLOAD_URL: {
      'Fn::GetAtt': [expect.stringMatching(/^DownloadFunctionFunctionUrl/) as string, 'FunctionUrl'],
    },
    LINK_KEY_SECRET_ARN: reference('LinkKeySecret'),
  });
  expect(environment('download')).toMatchObject({ LINK_KEY_SECRET_ARN: reference('LinkKeySecret') });
  expect(environment('validate')).toMatchObject({ DOWNLOAD_LINKS: 'true' });
});

test('the code of a function is a directory, or a zip that is deployed unchanged', () => {
  const directory = dummyFunctions();
  writeFileSync(join(directory, 'submit.zip'), 'never opened');
  expect(builtFunction(directory, 'submit').path).toBe(join(directory, 'submit.zip'));
  expect(builtFunction(directory, 'finalize').path).toBe(join(directory, 'finalize'));
});

test('a function that is not built is reported with the remedy', () => {
  const empty = mkdtempSync(join(tmpdir(), 'bedrock-batch-empty-'));
  expect(() => exampleTemplate({ lambdaDirectory: empty })).toThrow(
    /`preprocess` is not built: .*bootstrap does not exist.*`make deploy`.*`make lambdas`.*`lambdaDirectory`/,
  );
});

test('all functions use the bucket and the job table of the stack', () => {
  template.allResourcesProperties('AWS::Lambda::Function', {
    Environment: {
      Variables: {
        BUCKET_NAME: { Ref: Match.stringLikeRegexp('^DataBucket') },
        TASK_TABLE_NAME: { Ref: Match.stringLikeRegexp('^TasksTable') },
      },
    },
  });
});
