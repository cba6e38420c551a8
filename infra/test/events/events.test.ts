import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { exampleTemplate } from '../example-stack';

const template = exampleTemplate();

/** Returns the ARN attribute of the resource whose logical id begins with `logicalId`. */
function arnOf(logicalId: string): Record<string, unknown> {
  return { 'Fn::GetAtt': [Match.stringLikeRegexp(`^${logicalId}`), 'Arn'] };
}

test('every status change of every job invokes job-status', () => {
  template.hasResourceProperties('AWS::Events::Rule', {
    State: 'ENABLED',
    EventPattern: { source: ['aws.bedrock'], 'detail-type': ['Batch Inference Job State Change'] },
    Targets: [Match.objectLike({ Arn: arnOf('JobStatusFunction') })],
  });
});

test('the context sets the source of job events', () => {
  exampleTemplate({ bedrockEventSource: 'local.bedrock' }).hasResourceProperties('AWS::Events::Rule', {
    EventPattern: { source: ['local.bedrock'] },
  });
});

test('every execution that ends early invokes stop-jobs, and children of its maps do not', () => {
  template.hasResourceProperties('AWS::Events::Rule', {
    State: 'ENABLED',
    EventPattern: {
      source: ['aws.states'],
      'detail-type': ['Step Functions Execution Status Change'],
      detail: {
        // Nothing but the ARN itself: that of a child has the label of its map after it.
        stateMachineArn: [{ Ref: Match.stringLikeRegexp('^BatchStateMachine') }],
        status: ['ABORTED', 'FAILED', 'TIMED_OUT'],
      },
    },
    Targets: [Match.objectLike({ Arn: arnOf('StopJobsFunction') })],
  });
});

/** Returns the pattern of executions of a state machine that ended with a status. */
function executionsThatEnded(stateMachine: string, status: string[]): Record<string, unknown> {
  return {
    source: ['aws.states'],
    'detail-type': ['Step Functions Execution Status Change'],
    detail: { stateMachineArn: [{ Ref: Match.stringLikeRegexp(`^${stateMachine}`) }], status },
  };
}

test('a pipeline that was aborted or timed out invokes notify', () => {
  template.hasResourceProperties('AWS::Events::Rule', {
    EventPattern: executionsThatEnded('PipelinesStateMachine', ['ABORTED', 'TIMED_OUT']),
    Targets: [Match.objectLike({ Arn: arnOf('NotifyFunction') })],
  });
});

test('every run that ends invokes notify, unless the context disables it', () => {
  const rule = {
    EventPattern: executionsThatEnded('BatchStateMachine', ['ABORTED', 'FAILED', 'SUCCEEDED', 'TIMED_OUT']),
    Targets: [Match.objectLike({ Arn: arnOf('NotifyFunction') })],
  };
  template.hasResourceProperties('AWS::Events::Rule', rule);
  const silent = exampleTemplate({ notifyRuns: false });
  silent.resourcePropertiesCountIs('AWS::Events::Rule', rule, 0);
  silent.hasResourceProperties('AWS::Events::Rule', {
    EventPattern: executionsThatEnded('PipelinesStateMachine', ['ABORTED', 'TIMED_OUT']),
  });
});

test('every upload under trigger/ goes to a queue', () => {
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
    Targets: [
      {
        Id: 'Target0',
        Arn: arnOf('UploadsQueue'),
        DeadLetterConfig: { Arn: arnOf('UploadsDeadLetters') },
        RetryPolicy: { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 },
      },
    ],
  });
});

test('the queue of uploads invokes trigger with one upload at a time, and at most twice at once', () => {
  template.resourceCountIs('AWS::Lambda::EventSourceMapping', 1);
  template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
    EventSourceArn: arnOf('UploadsQueue'),
    FunctionName: { Ref: Match.stringLikeRegexp('^TriggerFunction') },
    BatchSize: 1,
    ScalingConfig: { MaximumConcurrency: 2 },
  });
});

test('an upload that trigger fails on is tried for hours, and then kept in a queue', () => {
  template.hasResourceProperties('AWS::SQS::Queue', {
    // Six times the timeout of the function.
    VisibilityTimeout: 360,
    RedrivePolicy: { deadLetterTargetArn: arnOf('UploadsDeadLetters'), maxReceiveCount: 50 },
  });
});

describe.each([
  ['JobEvents', 'JobStatusFunction'],
  ['BrokenOffRuns', 'StopJobsFunction'],
  ['Endings', 'NotifyFunction'],
])('events of %s', (events, handler) => {
  const deadLetters = arnOf(`${events}DeadLetters`);

  test('are delivered with retries, and kept in a queue if all fail', () => {
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

  test('on which the function fails go to the same queue', () => {
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      FunctionName: { Ref: Match.stringLikeRegexp(`^${handler}`) },
      MaximumRetryAttempts: 2,
      MaximumEventAgeInSeconds: 21_600,
      DestinationConfig: { OnFailure: { Destination: deadLetters } },
    });
  });
});

describe('the check of silent jobs', () => {
  test.each([
    [undefined, 'rate(5 minutes)'],
    [1, 'rate(1 minute)'],
    [60, 'rate(1 hour)'],
  ])('runs with reconcileMinutes = %s at %s', (reconcileMinutes, schedule) => {
    const other = exampleTemplate(reconcileMinutes === undefined ? {} : { reconcileMinutes });
    other.hasResourceProperties('AWS::Events::Rule', {
      State: 'ENABLED',
      ScheduleExpression: schedule,
      Targets: [Match.objectLike({ Arn: arnOf('ReconcileFunction') })],
    });
  });

  test('is not retried when it fails, because the next one follows soon', () => {
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

test('each rule may invoke its own function, and everyone the download function', () => {
  expect(Object.values(template.findResources('AWS::Events::Rule'))).toHaveLength(6);
  const ofRules = template.findResources('AWS::Lambda::Permission', {
    Properties: { Principal: 'events.amazonaws.com' },
  });
  // That of the uploads puts them into a queue.
  expect(Object.values(ofRules)).toHaveLength(5);
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
  ] as const) {
    template.hasResourceProperties('AWS::Lambda::Permission', {
      Principal: 'events.amazonaws.com',
      FunctionName: arnOf(handler),
      SourceArn: arnOf(rule),
    });
  }
});

test('the queues are encrypted, keep messages for two weeks, and refuse requests without TLS', () => {
  const queues = Object.values(template.findResources('AWS::SQS::Queue'));
  expect(queues).toHaveLength(5);
  for (const queue of queues) {
    expect(queue.Properties).toMatchObject({ SqsManagedSseEnabled: true, MessageRetentionPeriod: 1_209_600 });
  }
  const policies = Object.values(template.findResources('AWS::SQS::QueuePolicy'));
  expect(policies).toHaveLength(5);
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
