import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { exampleTemplate } from '../example-stack';

const template = exampleTemplate();

/** The attribute of a resource whose logical id begins so. */
function arnOf(logicalId: string): Record<string, unknown> {
  return { 'Fn::GetAtt': [Match.stringLikeRegexp(`^${logicalId}`), 'Arn'] };
}

test('every status of every job goes to job-status', () => {
  template.hasResourceProperties('AWS::Events::Rule', {
    State: 'ENABLED',
    EventPattern: { source: ['aws.bedrock'], 'detail-type': ['Batch Inference Job State Change'] },
    Targets: [Match.objectLike({ Arn: arnOf('JobStatusFunction') })],
  });
});

test('the source of job events is what the context says', () => {
  exampleTemplate({ bedrockEventSource: 'local.bedrock' }).hasResourceProperties('AWS::Events::Rule', {
    EventPattern: { source: ['local.bedrock'] },
  });
});

test('every execution that is broken off goes to stop-jobs, and no child of its maps does', () => {
  template.hasResourceProperties('AWS::Events::Rule', {
    State: 'ENABLED',
    EventPattern: {
      source: ['aws.states'],
      'detail-type': ['Step Functions Execution Status Change'],
      detail: {
        // Nothing but the ARN itself: a child's has the label of its map behind it.
        stateMachineArn: [{ Ref: Match.stringLikeRegexp('^BatchStateMachine') }],
        status: ['ABORTED', 'FAILED', 'TIMED_OUT'],
      },
    },
    Targets: [Match.objectLike({ Arn: arnOf('StopJobsFunction') })],
  });
});

/** The pattern of executions of a state machine that ended so. */
function endingsOf(stateMachine: string, status: string[]): Record<string, unknown> {
  return {
    source: ['aws.states'],
    'detail-type': ['Step Functions Execution Status Change'],
    detail: { stateMachineArn: [{ Ref: Match.stringLikeRegexp(`^${stateMachine}`) }], status },
  };
}

test('a pipeline that could not say itself how it ended is told to notify', () => {
  template.hasResourceProperties('AWS::Events::Rule', {
    EventPattern: endingsOf('PipelinesStateMachine', ['ABORTED', 'TIMED_OUT']),
    Targets: [Match.objectLike({ Arn: arnOf('NotifyFunction') })],
  });
});

test('every end of a run is told to notify, unless the context says not', () => {
  const rule = {
    EventPattern: endingsOf('BatchStateMachine', ['ABORTED', 'FAILED', 'SUCCEEDED', 'TIMED_OUT']),
    Targets: [Match.objectLike({ Arn: arnOf('NotifyFunction') })],
  };
  template.hasResourceProperties('AWS::Events::Rule', rule);
  const silent = exampleTemplate({ notifyRuns: false });
  silent.resourcePropertiesCountIs('AWS::Events::Rule', rule, 0);
  silent.hasResourceProperties('AWS::Events::Rule', {
    EventPattern: endingsOf('PipelinesStateMachine', ['ABORTED', 'TIMED_OUT']),
  });
});

test('every upload under trigger/ goes to trigger', () => {
  template.hasResourceProperties('AWS::Events::Rule', {
    State: 'ENABLED',
    EventPattern: {
      source: ['aws.s3'],
      'detail-type': ['Object Created'],
      detail: {
        bucket: { name: [{ Ref: Match.stringLikeRegexp('^DataBucket') }] },
        object: { key: [{ prefix: 'trigger/' }] },
      },
    },
    Targets: [Match.objectLike({ Arn: arnOf('TriggerFunction') })],
  });
});

describe.each([
  ['JobEvents', 'JobStatusFunction'],
  ['BrokenOffRuns', 'StopJobsFunction'],
  ['Endings', 'NotifyFunction'],
  ['Uploads', 'TriggerFunction'],
])('%s', (events, handler) => {
  const deadLetters = arnOf(`${events}DeadLetters`);

  test('are delivered with retries, and kept when they cannot be', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      Targets: [
        {
          Id: 'Target0',
          Arn: arnOf(handler),
          DeadLetterConfig: { Arn: deadLetters },
          RetryPolicy: { MaximumEventAgeInSeconds: 21_600, MaximumRetryAttempts: 10 },
        },
      ],
    });
  });

  test('that the function fails on go to the same queue', () => {
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      FunctionName: { Ref: Match.stringLikeRegexp(`^${handler}`) },
      MaximumRetryAttempts: 2,
      MaximumEventAgeInSeconds: 21_600,
      DestinationConfig: { OnFailure: { Destination: deadLetters } },
    });
  });
});

describe('a look at silent jobs', () => {
  test.each([
    [undefined, 'rate(5 minutes)'],
    [1, 'rate(1 minute)'],
    [60, 'rate(1 hour)'],
  ])('comes with reconcileMinutes = %s at %s', (reconcileMinutes, schedule) => {
    const other = exampleTemplate(reconcileMinutes === undefined ? {} : { reconcileMinutes });
    other.hasResourceProperties('AWS::Events::Rule', {
      State: 'ENABLED',
      ScheduleExpression: schedule,
      Targets: [Match.objectLike({ Arn: arnOf('ReconcileFunction') })],
    });
  });

  test('is not repeated when it fails, because the next one is near', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      Targets: [Match.objectLike({ Arn: arnOf('ReconcileFunction'), RetryPolicy: { MaximumRetryAttempts: 0 } })],
    });
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      FunctionName: { Ref: Match.stringLikeRegexp('^ReconcileFunction') },
      MaximumRetryAttempts: 0,
      DestinationConfig: Match.absent(),
    });
  });
});

test('only the rules may invoke functions from outside, each its own, and everybody the download function', () => {
  expect(Object.values(template.findResources('AWS::Events::Rule'))).toHaveLength(6);
  const ofRules = template.findResources('AWS::Lambda::Permission', {
    Properties: { Principal: 'events.amazonaws.com' },
  });
  expect(Object.values(ofRules)).toHaveLength(6);
  const others = Object.keys(template.findResources('AWS::Lambda::Permission')).filter((id) => !(id in ofRules));
  expect(others.map((id) => id.replace(/[0-9A-F]{8}$/, '')).sort()).toEqual([
    'DownloadFunctioninvokefunction',
    'DownloadFunctioninvokefunctionurl',
  ]);
  for (const [rule, handler] of [
    ['JobEventsRule', 'JobStatusFunction'],
    ['BrokenOffRunsRule', 'StopJobsFunction'],
    ['ReconciliationRule', 'ReconcileFunction'],
    ['EndingsRule', 'NotifyFunction'],
    ['EndingsRunsRule', 'NotifyFunction'],
    ['UploadsRule', 'TriggerFunction'],
  ] as const) {
    template.hasResourceProperties('AWS::Lambda::Permission', {
      Principal: 'events.amazonaws.com',
      FunctionName: arnOf(handler),
      SourceArn: arnOf(rule),
    });
  }
});

test('the queues are encrypted, keep letters two weeks, and refuse requests without TLS', () => {
  const queues = Object.values(template.findResources('AWS::SQS::Queue'));
  expect(queues).toHaveLength(4);
  for (const queue of queues) {
    expect(queue.Properties).toEqual({ SqsManagedSseEnabled: true, MessageRetentionPeriod: 1_209_600 });
  }
  const policies = Object.values(template.findResources('AWS::SQS::QueuePolicy'));
  expect(policies).toHaveLength(4);
  template.allResourcesProperties('AWS::SQS::QueuePolicy', {
    PolicyDocument: {
      Statement: Match.arrayWith([
        Match.objectLike({
          Effect: 'Deny',
          Principal: { AWS: '*' },
          Action: 'sqs:*',
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        }),
      ]),
    },
  });
});
