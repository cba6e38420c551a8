import { describe, expect, test } from 'vitest';
import { review, type Session } from '../checks/rights/review';
import type { Template } from '../checks/rights/template';

const DATA = 'arn:aws:s3:::data';

/** A template of one function, whose role has these statements. */
function template(...statements: Record<string, unknown>[]): Template {
  return {
    Resources: {
      Data: { Type: 'AWS::S3::Bucket' },
      Role: { Type: 'AWS::IAM::Role' },
      Function: { Type: 'AWS::Lambda::Function', Properties: { Role: { 'Fn::GetAtt': ['Role', 'Arn'] } } },
      BatchStateMachine0123ABCD: { Type: 'AWS::StepFunctions::StateMachine' },
      Policy: {
        Type: 'AWS::IAM::Policy',
        Properties: { Roles: [{ Ref: 'Role' }], PolicyDocument: { Statement: statements } },
      },
      DataPolicy: {
        Type: 'AWS::S3::BucketPolicy',
        Properties: {
          Bucket: { Ref: 'Data' },
          PolicyDocument: {
            Statement: [{ Effect: 'Deny', Action: 's3:*', Principal: '*', Resource: `${DATA}/secret/*` }],
          },
        },
      },
    },
  };
}

const READ = {
  Sid: 'Read',
  Effect: 'Allow',
  Action: ['s3:GetObject', 's3:PutObject'],
  Resource: { 'Fn::Join': ['', [{ 'Fn::GetAtt': ['Data', 'Arn'] }, '/*']] },
};
const PASS = {
  Sid: 'Pass',
  Effect: 'Allow',
  Action: 'iam:PassRole',
  Resource: 'arn:aws:iam::000000000000:role/bedrock',
  Condition: { StringEquals: { 'iam:PassedToService': 'bedrock.amazonaws.com' } },
};

function session(
  statements: Record<string, unknown>[],
  ...calls: [string, string, Record<string, string>?][]
): Session {
  return {
    template: template(...statements),
    physicalIds: {
      Data: 'data',
      Role: 'role',
      Function: 'f',
      BatchStateMachine0123ABCD: 'arn:aws:states:us-east-1:000000000000:stateMachine:runs',
    },
    region: 'us-east-1',
    account: '000000000000',
    invalid: [],
    additions: {},
    calls: calls.map(([action, resource, context = {}]) => ({ caller: 'f', action, resource, context })),
  };
}

async function problems(...sessions: Session[]): Promise<string[]> {
  return (await review(sessions)).problems;
}

describe('a call', () => {
  test('with a grant is no problem', async () => {
    expect(await problems(session([READ], ['s3:GetObject', `${DATA}/runs/a b\u2028c/plan.json`]))).toEqual([]);
  });

  test.each([
    ['of another action', 's3:DeleteObject', `${DATA}/runs/plan.json`],
    ['of another resource', 's3:GetObject', 'arn:aws:s3:::other/plan.json'],
    ['that the policy of the bucket denies', 's3:GetObject', `${DATA}/secret/key`],
    ['of an action that IAM does not have', 's3:ReadObject', `${DATA}/runs/plan.json`],
    ['on a resource that its action does not have', 's3:GetObject', 'arn:aws:sqs:us-east-1:000000000000:queue'],
  ])('%s is a problem', async (_, action, resource) => {
    const found = await problems(session([READ], [action, resource]));
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`f: ${action} on ${resource}: `);
  });

  test('is judged with its condition keys', async () => {
    const passed = { 'iam:PassedToService': 'bedrock.amazonaws.com' };
    expect(await problems(session([PASS], ['iam:PassRole', PASS.Resource, passed]))).toEqual([]);
    const other = { 'iam:PassedToService': 'lambda.amazonaws.com' };
    expect(await problems(session([PASS], ['iam:PassRole', PASS.Resource, other]))).toHaveLength(1);
    expect(await problems(session([PASS], ['iam:PassRole', PASS.Resource]))).toHaveLength(1);
  });

  test('that answers a token needs the right to the children of the state machine', async () => {
    const grant = (Resource: string) => [
      { Sid: 'Answer', Effect: 'Allow', Action: 'states:SendTaskSuccess', Resource },
    ];
    const machine = 'arn:aws:states:us-east-1:000000000000:stateMachine:runs';
    expect(await problems(session(grant(`${machine}/*`), ['states:SendTaskSuccess', '*']))).toEqual([]);
    expect(await problems(session(grant(machine), ['states:SendTaskSuccess', '*']))).toHaveLength(1);
  });

  test('of a role that is not in the template is a problem, unless a test created its state machine', async () => {
    const unknown = { action: 's3:GetObject', resource: `${DATA}/a`, context: {} };
    const at = session([READ]);
    expect(await problems({ ...at, calls: [{ ...unknown, caller: 'g' }] })).toEqual(['g is not in the template']);
    expect(await problems({ ...at, calls: [{ ...unknown, caller: 'state machine own' }] })).toEqual([]);
  });

  test('on a resource that a test made up to be refused is no problem', async () => {
    expect(await problems(session([READ], ['s3:GetObject', 'arn:aws:s3:::bucket-gone']))).toEqual([]);
  });

  test('may use what a test has added to the role', async () => {
    const at = session([READ], ['s3:DeleteObject', `${DATA}/a`]);
    const added = { Effect: 'Allow' as const, Action: ['s3:DeleteObject'], Resource: [`${DATA}/*`] };
    expect(await problems({ ...at, additions: { Role: [added] } })).toEqual([]);
  });

  test('that botocore refuses is a problem', async () => {
    expect(await problems({ ...session([READ]), invalid: ['f: s3:GetObject: no key'] })).toHaveLength(1);
  });
});

describe('a grant', () => {
  const used = session([READ], ['s3:GetObject', `${DATA}/a`]);
  const UNUSED =
    'no test uses this grant, and rights/unused.ts has no reason for it: Role s3:PutObject arn:aws:s3:::<Data>/*';

  test('has the same name whatever the numbers of versions are', async () => {
    const invoke = { Sid: 'Invoke', Effect: 'Allow', Action: 'sqs:SendMessage', Resource: 'arn:aws:sqs:us-east-1:1:q' };
    const at = session([invoke]);
    const version = 'arn:aws:lambda:us-east-1:000000000000:function:f:1';
    const found = await review([{ ...at, physicalIds: { ...at.physicalIds, FunctionCurrentVersion: version } }], []);
    expect(found.problems.join()).toContain('Role sqs:SendMessage arn:aws:sqs:us-east-1:1:q');
  });

  test('that no session uses needs a reason', async () => {
    expect((await review([used], [])).problems).toEqual([UNUSED]);
    expect((await review([used], [/^Role s3:PutObject /])).problems).toEqual([]);
  });

  test('that another session uses needs none', async () => {
    expect((await review([used, session([READ], ['s3:PutObject', `${DATA}/a`])], [])).problems).toEqual([]);
  });

  test('that is used may keep its reason, since time decides whether some are', async () => {
    expect((await review([used], [/^Role s3:/])).problems).toEqual([]);
  });

  test('that no role has cannot have a reason', async () => {
    const stale = 'rights/unused.ts has a reason for grants that no role has: /sqs/';
    expect((await review([used], [/^Role s3:/, /sqs/])).problems).toEqual([stale]);
  });
});
