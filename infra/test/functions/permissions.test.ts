import { describe, expect, test } from 'vitest';
import { exampleTemplate } from '../example-stack';
import { actionsOf, statementsOf } from '../policies';

const template = exampleTemplate({ inputBuckets: ['other-bucket'] });
const BUCKET = '<DataBucket.Arn>';
const LOGS = ['logs:CreateLogStream', 'logs:PutLogEvents'];
const ANSWER_TASKS = ['states:SendTaskFailure', 'states:SendTaskHeartbeat', 'states:SendTaskSuccess'];

/** The resources on which a role may do something. */
function reach(role: string, action: string): string[] {
  return statementsOf(template, role)
    .filter(({ actions }) => actions.includes(action))
    .flatMap(({ resources }) => resources)
    .sort();
}

describe('each function may do what it does, and nothing else', () => {
  test.each<[string, string[]]>([
    ['PreprocessRole', [...LOGS, 's3:AbortMultipartUpload', 's3:GetObject', 's3:ListBucket', 's3:PutObject']],
    [
      'SubmitRole',
      [
        'bedrock:CreateModelInvocationJob',
        'bedrock:GetModelInvocationJob',
        'bedrock:ListModelInvocationJobs',
        'dynamodb:GetItem',
        'dynamodb:PutItem',
        'dynamodb:UpdateItem',
        'iam:PassRole',
        ...LOGS,
        ...ANSWER_TASKS,
      ],
    ],
    // To send what the function failed on to the dead-letter queue, Lambda needs the function's own right to it.
    [
      'JobStatusRole',
      [
        'bedrock:GetModelInvocationJob',
        'dynamodb:GetItem',
        'dynamodb:UpdateItem',
        ...LOGS,
        'sqs:GetQueueAttributes',
        'sqs:GetQueueUrl',
        'sqs:SendMessage',
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
    ['FinalizeRole', ['dynamodb:GetItem', 'dynamodb:Query', ...LOGS, 's3:GetObject', 's3:ListBucket', 's3:PutObject']],
  ])('%s', (role, actions) => {
    expect(actionsOf(template, role)).toEqual([...actions].sort());
  });
});

test('no role may do everything of a service, and none but listings reach everything', () => {
  const roles = Object.keys(template.findResources('AWS::IAM::Role'));
  const statements = roles.flatMap((role) => statementsOf(template, role));
  expect(statements.flatMap(({ actions }) => actions).filter((action) => action.includes('*'))).toEqual([]);
  const everywhere = statements.filter(({ resources }) => resources.includes('*')).flatMap(({ actions }) => actions);
  // The rest is what Step Functions needs for its own logs and traces; IAM knows no resources for it.
  expect(everywhere.filter((action) => !/^(logs|xray):/.test(action))).toEqual(['bedrock:ListModelInvocationJobs']);
});

test('no role has a managed policy of AWS', () => {
  for (const role of Object.values(template.findResources('AWS::IAM::Role'))) {
    expect(role.Properties).not.toHaveProperty('ManagedPolicyArns');
  }
});

test('nobody may delete data', () => {
  const roles = Object.keys(template.findResources('AWS::IAM::Role'));
  const actions = roles.flatMap((role) => actionsOf(template, role));
  expect(actions.filter((action) => /^(s3|dynamodb):.*Delete/.test(action))).toEqual([]);
});

test('preprocess reads all inputs and writes chunks and plan', () => {
  expect(reach('PreprocessRole', 's3:GetObject')).toEqual([`${BUCKET}/*`, 'arn:<AWS::Partition>:s3:::other-bucket/*']);
  expect(reach('PreprocessRole', 's3:PutObject')).toEqual([
    `${BUCKET}/batch_inputs_json/*`,
    `${BUCKET}/batch_inputs_parquet/*`,
    `${BUCKET}/runs/*`,
  ]);
});

test('postprocess reads rows and answers and writes answered rows', () => {
  expect(reach('PostprocessRole', 's3:GetObject')).toEqual([
    `${BUCKET}/batch_inputs_json/*`,
    `${BUCKET}/batch_inputs_parquet/*`,
    `${BUCKET}/batch_outputs_json/*`,
    `${BUCKET}/runs/*`,
  ]);
  expect(reach('PostprocessRole', 's3:PutObject')).toEqual([`${BUCKET}/batch_output_parquet/*`]);
});

test('finalize reads the jobs of a run by index and writes only under runs/', () => {
  expect(reach('FinalizeRole', 'dynamodb:Query')).toEqual(['<TasksTable.Arn>/index/run-index']);
  expect(reach('FinalizeRole', 's3:PutObject')).toEqual([`${BUCKET}/runs/*`]);
});

test('submit passes one role, and only to Bedrock', () => {
  const [statement] = statementsOf(template, 'SubmitRole').filter(({ actions }) => actions.includes('iam:PassRole'));
  expect(statement).toMatchObject({
    resources: [expect.stringMatching(/^<BedrockServiceRole\.Arn>$/)],
    conditions: { StringEquals: { 'iam:PassedToService': 'bedrock.amazonaws.com' } },
  });
});

test.each(['SubmitRole', 'JobStatusRole'])(
  '%s answers tasks of the batch orchestrator and its children only',
  (role) => {
    const own =
      'arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:stateMachine:bedrock-batch-orchestrator-<AWS::AccountId>';
    expect(reach(role, 'states:SendTaskSuccess')).toEqual([own, `${own}/*`]);
  },
);

test('functions write to their own log group only', () => {
  expect(reach('SubmitRole', 'logs:PutLogEvents')).toEqual(['<SubmitLogs.Arn>']);
});
