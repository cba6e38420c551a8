import { describe, expect, test } from 'vitest';
import { exampleTemplate } from '../example-stack';
import { actionsOf, reach, statementsOf } from '../policies';

const template = exampleTemplate({ inputBuckets: ['other-bucket'] });
const BUCKET = '<DataBucket.Arn>';
const LOGS = ['logs:CreateLogStream', 'logs:PutLogEvents'];
const TRACES = ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'];
const ANSWER_TASKS = ['states:SendTaskFailure', 'states:SendTaskHeartbeat', 'states:SendTaskSuccess'];
/** Lambda sends the events on which a function failed to the dead-letter queue with the permissions of the function. */
const TO_DEAD_LETTERS = ['sqs:GetQueueAttributes', 'sqs:GetQueueUrl', 'sqs:SendMessage'];

function executionsOf(orchestrator: 'batch' | 'pipeline'): string {
  return `arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:bedrock-${orchestrator}-orchestrator-<AWS::AccountId>:*`;
}

const MODEL_LOOKUP = ['bedrock:GetFoundationModel', 'bedrock:ListInferenceProfiles'];

describe('each function has exactly the permissions that it needs', () => {
  test.each<[string, string[]]>([
    [
      'PreprocessRole',
      [
        ...MODEL_LOOKUP,
        'dynamodb:GetItem',
        'dynamodb:PutItem',
        'dynamodb:Query',
        'dynamodb:UpdateItem',
        ...LOGS,
        's3:AbortMultipartUpload',
        's3:GetObject',
        's3:ListBucket',
        's3:PutObject',
        'servicequotas:ListServiceQuotas',
        'states:DescribeExecution',
      ],
    ],
    [
      'SubmitRole',
      [
        'bedrock:CreateModelInvocationJob',
        'bedrock:GetModelInvocationJob',
        'bedrock:ListModelInvocationJobs',
        'bedrock:StopModelInvocationJob',
        'bedrock:TagResource',
        'dynamodb:GetItem',
        'dynamodb:UpdateItem',
        'iam:PassRole',
        ...LOGS,
        ...ANSWER_TASKS,
      ],
    ],
    [
      'JobStatusRole',
      [
        'bedrock:GetModelInvocationJob',
        'dynamodb:GetItem',
        'dynamodb:UpdateItem',
        ...LOGS,
        ...TO_DEAD_LETTERS,
        ...ANSWER_TASKS,
      ],
    ],
    [
      'PostprocessRole',
      [
        'dynamodb:GetItem',
        'dynamodb:UpdateItem',
        ...LOGS,
        's3:AbortMultipartUpload',
        's3:GetObject',
        's3:ListBucket',
        's3:PutObject',
      ],
    ],
    [
      'InvokeRole',
      [
        'bedrock:InvokeModel',
        'dynamodb:GetItem',
        'dynamodb:UpdateItem',
        ...LOGS,
        's3:GetObject',
        's3:ListBucket',
        's3:PutObject',
      ],
    ],
    [
      'ReconcileRole',
      [
        'bedrock:GetModelInvocationJob',
        'bedrock:ListModelInvocationJobs',
        'bedrock:StopModelInvocationJob',
        'dynamodb:GetItem',
        'dynamodb:Query',
        'dynamodb:UpdateItem',
        ...LOGS,
        'states:DescribeExecution',
        ...ANSWER_TASKS,
      ],
    ],
    [
      'StopJobsRole',
      [
        'bedrock:ListModelInvocationJobs',
        'bedrock:StopModelInvocationJob',
        'dynamodb:Query',
        'dynamodb:UpdateItem',
        ...LOGS,
        ...TO_DEAD_LETTERS,
      ],
    ],
    ['ValidateRole', [...MODEL_LOOKUP, ...LOGS, 's3:GetObject', 's3:ListBucket', 's3:PutObject']],
    [
      'NotifyRole',
      [
        ...LOGS,
        's3:GetObject',
        's3:ListBucket',
        's3:PutObject',
        'secretsmanager:GetSecretValue',
        'sns:Publish',
        ...TO_DEAD_LETTERS,
        'states:DescribeExecution',
      ],
    ],
    [
      'TriggerRole',
      [
        'dynamodb:GetItem',
        'dynamodb:PutItem',
        ...LOGS,
        's3:GetObject',
        's3:ListBucket',
        's3:PutObject',
        'sns:Publish',
        'sqs:ChangeMessageVisibility',
        'sqs:DeleteMessage',
        'sqs:GetQueueAttributes',
        'sqs:GetQueueUrl',
        'sqs:ReceiveMessage',
        'sqs:SendMessage',
        'states:DescribeExecution',
        'states:StartExecution',
      ],
    ],
    ['ClassifierRole', [...MODEL_LOOKUP, ...LOGS, 's3:GetObject', 's3:ListBucket', 'states:StartExecution']],
    ['DownloadRole', [...LOGS, 's3:GetObject', 'secretsmanager:GetSecretValue']],
    ['FinalizeRole', ['dynamodb:GetItem', 'dynamodb:Query', ...LOGS, 's3:GetObject', 's3:ListBucket', 's3:PutObject']],
  ])('%s', (role, actions) => {
    expect(actionsOf(template, role)).toEqual([...actions, ...TRACES].sort());
  });
});

test('no permission has a wildcard for actions, and only listings have one for all resources', () => {
  const roles = Object.keys(template.findResources('AWS::IAM::Role'));
  const statements = roles.flatMap((role) => statementsOf(template, role));
  expect(statements.flatMap(({ actions }) => actions).filter((action) => action.includes('*'))).toEqual([]);
  const everywhere = statements.filter(({ resources }) => resources.includes('*')).flatMap(({ actions }) => actions);
  // The others are for traces, and for the logs of Step Functions; IAM has no resource types for them.
  expect(new Set(everywhere.filter((action) => !/^(logs|xray):/.test(action)))).toEqual(
    new Set(['bedrock:ListInferenceProfiles', 'bedrock:ListModelInvocationJobs', 'servicequotas:ListServiceQuotas']),
  );
});

test('no role has a managed policy of AWS', () => {
  for (const role of Object.values(template.findResources('AWS::IAM::Role'))) {
    expect(role.Properties).not.toHaveProperty('ManagedPolicyArns');
  }
});

test('no role may delete data', () => {
  const roles = Object.keys(template.findResources('AWS::IAM::Role'));
  const actions = roles.flatMap((role) => actionsOf(template, role));
  expect(actions.filter((action) => /^(s3|dynamodb):.*Delete/.test(action))).toEqual([]);
});

test.each(['PreprocessRole', 'ValidateRole', 'ClassifierRole'])(
  '%s sees models and profiles, and invokes none',
  (role) => {
    expect(reach(template, role, 'bedrock:GetFoundationModel')).toEqual([
      'arn:<AWS::Partition>:bedrock:*::foundation-model/*',
    ]);
    expect(reach(template, role, 'bedrock:ListInferenceProfiles')).toEqual(['*']);
    expect(reach(template, role, 'bedrock:InvokeModel')).toEqual([]);
  },
);

test('the classifier starts runs and nothing else', () => {
  expect(reach(template, 'ClassifierRole', 'states:StartExecution')).toEqual([
    expect.stringMatching(/^<BatchStateMachine[0-9A-F]{8}>$/),
  ]);
});

test.each(['PreprocessRole', 'ValidateRole', 'ClassifierRole'])('%s reads inputs of all buckets', (role) => {
  expect(reach(template, role, 's3:GetObject')).toEqual([`${BUCKET}/*`, 'arn:<AWS::Partition>:s3:::other-bucket/*']);
  expect(reach(template, role, 's3:ListBucket')).toEqual([BUCKET, 'arn:<AWS::Partition>:s3:::other-bucket']);
});

test.each(['PreprocessRole', 'ValidateRole', 'ClassifierRole'])(
  '%s reads the allowed prefixes and the files of runs, if the context names prefixes',
  (role) => {
    const context = { inputBuckets: ['lake-bucket'], inputPrefixes: 'inputs/,s3://lake-bucket/a/' };
    const reads = statementsOf(exampleTemplate(context), role).filter(({ sid }) => sid === 'ReadInputs');
    expect(reads.flatMap(({ resources }) => resources).sort()).toEqual([
      `${BUCKET}/batch_inputs_json/*`,
      `${BUCKET}/batch_inputs_parquet/*`,
      `${BUCKET}/batch_output_parquet/*`,
      `${BUCKET}/batch_outputs_json/*`,
      `${BUCKET}/inputs/*`,
      `${BUCKET}/runs/*`,
      `${BUCKET}/settings/*`,
      `${BUCKET}/trigger/*`,
      'arn:<AWS::Partition>:s3:::lake-bucket/a/*',
    ]);
  },
);

test('preprocess writes chunks and plan', () => {
  expect(reach(template, 'PreprocessRole', 's3:PutObject')).toEqual([
    `${BUCKET}/batch_inputs_json/*`,
    `${BUCKET}/batch_inputs_parquet/*`,
    `${BUCKET}/runs/*`,
  ]);
});

test('postprocess reads rows and answers, and writes answered rows and unanswered records', () => {
  expect(reach(template, 'PostprocessRole', 's3:GetObject')).toEqual([
    `${BUCKET}/batch_inputs_json/*`,
    `${BUCKET}/batch_inputs_parquet/*`,
    `${BUCKET}/batch_outputs_json/*`,
    `${BUCKET}/runs/*`,
  ]);
  expect(reach(template, 'PostprocessRole', 's3:PutObject')).toEqual([
    `${BUCKET}/batch_output_parquet/*`,
    `${BUCKET}/runs/*`,
  ]);
});

test('invoke reads plan and records, and reads and writes answers where Bedrock would write them', () => {
  expect(reach(template, 'InvokeRole', 's3:GetObject')).toEqual([
    `${BUCKET}/batch_inputs_json/*`,
    `${BUCKET}/batch_outputs_json/*`,
    `${BUCKET}/runs/*`,
  ]);
  expect(reach(template, 'InvokeRole', 's3:PutObject')).toEqual([`${BUCKET}/batch_outputs_json/*`]);
});

test('invoke calls models directly and through inference profiles', () => {
  expect(reach(template, 'InvokeRole', 'bedrock:InvokeModel')).toEqual([
    'arn:<AWS::Partition>:bedrock:*::foundation-model/*',
    'arn:<AWS::Partition>:bedrock:*:<AWS::AccountId>:application-inference-profile/*',
    'arn:<AWS::Partition>:bedrock:*:<AWS::AccountId>:inference-profile/*',
  ]);
});

test.each([
  ['PreprocessRole', 'run-index'],
  ['ReconcileRole', 'open-index'],
  ['StopJobsRole', 'run-index'],
])('%s queries %s only', (role, index) => {
  expect(reach(template, role, 'dynamodb:Query')).toEqual([`<TasksTable.Arn>/index/${index}`]);
});

test.each(['PreprocessRole', 'SubmitRole', 'InvokeRole', 'ReconcileRole', 'StopJobsRole'])(
  '%s updates items of the job table only',
  (role) => {
    expect(reach(template, role, 'dynamodb:UpdateItem')).toEqual(['<TasksTable.Arn>']);
  },
);

test.each(['SubmitRole', 'ReconcileRole', 'StopJobsRole'])('%s stops jobs of this account and region', (role) => {
  expect(reach(template, role, 'bedrock:StopModelInvocationJob')).toEqual([
    'arn:<AWS::Partition>:bedrock:<AWS::Region>:<AWS::AccountId>:model-invocation-job/*',
  ]);
});

test.each(['PreprocessRole', 'ReconcileRole'])('%s describes executions of the batch orchestrator only', (role) => {
  expect(reach(template, role, 'states:DescribeExecution')).toEqual([executionsOf('batch')]);
});

test.each(['NotifyRole', 'TriggerRole'])('%s describes executions of both orchestrators', (role) => {
  expect(reach(template, role, 'states:DescribeExecution')).toEqual([executionsOf('batch'), executionsOf('pipeline')]);
});

test('trigger starts executions of both orchestrators, and reads and writes under trigger/ only', () => {
  expect(reach(template, 'TriggerRole', 'states:StartExecution')).toEqual([
    expect.stringMatching(/^<BatchStateMachine[0-9A-F]{8}>$/),
    expect.stringMatching(/^<PipelinesStateMachine[0-9A-F]{8}>$/),
  ]);
  for (const action of ['s3:GetObject', 's3:PutObject']) {
    expect(reach(template, 'TriggerRole', action)).toEqual([`${BUCKET}/trigger/*`]);
  }
});

test('trigger reads and writes no item of the job table but the slots of uploads', () => {
  const [statement] = statementsOf(template, 'TriggerRole').filter(({ actions }) =>
    actions.includes('dynamodb:PutItem'),
  );
  expect(statement).toMatchObject({
    resources: ['<TasksTable.Arn>'],
    conditions: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': 'uploads/slots' } },
  });
});

describe.each([
  [
    'team/hugging-face',
    'arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:team/hugging-face-??????',
  ],
  [
    'arn:aws:secretsmanager:eu-west-1:123456789012:secret:hf-token-AbC123',
    'arn:aws:secretsmanager:eu-west-1:123456789012:secret:hf-token-AbC123',
  ],
])('with the Hugging Face token in %s', (secret, arn) => {
  const other = exampleTemplate({ huggingFaceTokenSecret: secret, downloadLinks: false });

  test('the functions that read inputs read this secret and no other, and no other function does', () => {
    const roles = Object.keys(other.findResources('AWS::IAM::Role'));
    const readers = roles.filter((role) => actionsOf(other, role).includes('secretsmanager:GetSecretValue'));
    expect(readers.sort()).toEqual([expect.stringMatching(/^PreprocessRole/), expect.stringMatching(/^ValidateRole/)]);
    for (const role of readers) {
      const statements = statementsOf(other, role).filter(({ sid }) => sid === 'ReadHuggingFaceToken');
      expect(statements).toEqual([
        { sid: 'ReadHuggingFaceToken', actions: ['secretsmanager:GetSecretValue'], resources: [arn] },
      ]);
    }
  });
});

test.each(['NotifyRole', 'TriggerRole'])('%s publishes to the one topic', (role) => {
  expect(reach(template, role, 'sns:Publish')).toEqual([expect.stringMatching(/^<NotificationsTopic[0-9A-F]{8}>$/)]);
});

test('further output buckets are written by finalize alone, and the functions that check requests see whether they exist', () => {
  const other = exampleTemplate({ outputBuckets: ['reports-bucket'] });
  const arn = 'arn:<AWS::Partition>:s3:::reports-bucket';
  const roles = Object.keys(other.findResources('AWS::IAM::Role'));
  const reaching = (resource: string) =>
    roles.flatMap((role) =>
      statementsOf(other, role)
        .filter(({ resources }) => resources.includes(resource))
        .map(({ sid, actions }) => `${role.replace(/[0-9A-F]{8}$/, '')} ${sid}: ${actions.join()}`),
    );
  expect(reaching(`${arn}/*`)).toEqual(['FinalizeRole WriteCopies: s3:PutObject']);
  expect(reaching(arn).sort()).toEqual([
    'ClassifierRole SeeWhetherOutputBucketsExist: s3:ListBucket',
    'PreprocessRole SeeWhetherOutputBucketsExist: s3:ListBucket',
    'ValidateRole SeeWhetherOutputBucketsExist: s3:ListBucket',
  ]);
});

test('submit passes one role, and only to Bedrock', () => {
  const [statement] = statementsOf(template, 'SubmitRole').filter(({ actions }) => actions.includes('iam:PassRole'));
  expect(statement).toMatchObject({
    resources: [expect.stringMatching(/^<BedrockServiceRole\.Arn>$/)],
    conditions: { StringEquals: { 'iam:PassedToService': 'bedrock.amazonaws.com' } },
  });
});

test.each(['SubmitRole', 'JobStatusRole', 'ReconcileRole'])(
  '%s answers tasks of the batch orchestrator and the children of its maps only',
  (role) => {
    const own =
      'arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:stateMachine:bedrock-batch-orchestrator-<AWS::AccountId>';
    expect(reach(template, role, 'states:SendTaskSuccess')).toEqual([own, `${own}/*`]);
  },
);

test('functions write to their own log group only', () => {
  expect(reach(template, 'SubmitRole', 'logs:PutLogEvents')).toEqual(['<SubmitLogs.Arn>']);
});
