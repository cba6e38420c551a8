import { Match } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { exampleTemplate } from '../example-stack';

const template = exampleTemplate();
const DEAD_LETTERS = { 'Fn::GetAtt': [Match.stringLikeRegexp('^JobEventsDeadLetters'), 'Arn'] };
const JOB_STATUS = { 'Fn::GetAtt': [Match.stringLikeRegexp('^JobStatusFunction'), 'Arn'] };

test('every status of every job goes to job-status, with retries and a dead-letter queue', () => {
  template.hasResourceProperties('AWS::Events::Rule', {
    State: 'ENABLED',
    EventPattern: { source: ['aws.bedrock'], 'detail-type': ['Batch Inference Job State Change'] },
    Targets: [
      Match.objectLike({
        Arn: JOB_STATUS,
        DeadLetterConfig: { Arn: DEAD_LETTERS },
        RetryPolicy: { MaximumEventAgeInSeconds: 21_600, MaximumRetryAttempts: 10 },
      }),
    ],
  });
});

test('the source is what the context says', () => {
  exampleTemplate({ bedrockEventSource: 'local.bedrock' }).hasResourceProperties('AWS::Events::Rule', {
    EventPattern: { source: ['local.bedrock'] },
  });
});

test('events that the function fails on go to the same queue', () => {
  template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
    MaximumRetryAttempts: 2,
    MaximumEventAgeInSeconds: 21_600,
    DestinationConfig: { OnFailure: { Destination: DEAD_LETTERS } },
  });
});

test('only the rule may invoke the function from outside', () => {
  const permissions = Object.values(template.findResources('AWS::Lambda::Permission'));
  expect(permissions).toHaveLength(1);
  template.hasResourceProperties('AWS::Lambda::Permission', {
    Principal: 'events.amazonaws.com',
    FunctionName: JOB_STATUS,
    SourceArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^JobEventsRule'), 'Arn'] },
  });
});

test('the queue is encrypted, keeps letters two weeks, and refuses requests without TLS', () => {
  template.hasResourceProperties('AWS::SQS::Queue', { SqsManagedSseEnabled: true, MessageRetentionPeriod: 1_209_600 });
  template.hasResourceProperties('AWS::SQS::QueuePolicy', {
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
