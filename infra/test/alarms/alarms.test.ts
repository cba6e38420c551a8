import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Match } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { exampleTemplate } from '../example-stack';

const template = exampleTemplate({ notificationEmails: 'one@example.com' });

interface Alarm {
  readonly AlarmName: string;
  readonly AlarmDescription: string;
  readonly AlarmActions: unknown[];
  readonly InsufficientDataActions?: unknown[];
  readonly ComparisonOperator: string;
  readonly TreatMissingData: string;
}

const alarms = Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(
  ({ Properties }) => Properties as Alarm,
);

test('there is an alarm on each dead-letter queue, on functions that no state calls, and on the reconciler', () => {
  expect(alarms.map(({ AlarmName }) => AlarmName).sort()).toEqual([
    'bedrock-batch-AbortedRunsDeadLetters',
    'bedrock-batch-EndingsDeadLetters',
    'bedrock-batch-JobEventsDeadLetters',
    'bedrock-batch-JobsNotReconciled',
    'bedrock-batch-OldestOpenJob',
    'bedrock-batch-OpenJobsLeft',
    'bedrock-batch-ReconcileErrors',
    'bedrock-batch-ReconcileSilent',
    'bedrock-batch-UploadsDeadLetters',
    'bedrock-batch-downloadErrors',
    'bedrock-batch-job-statusErrors',
    'bedrock-batch-notifyErrors',
    'bedrock-batch-stop-jobsErrors',
    'bedrock-batch-triggerErrors',
  ]);
  // Every dead-letter queue: the other one is that of uploads, from which trigger reads.
  expect(Object.keys(template.findResources('AWS::SQS::Queue'))).toHaveLength(5);
});

test('each alarm names a heading of the runbook', () => {
  const runbook = readFileSync(join(__dirname, '../../../docs/runbook.md'), 'utf8').split('\n');
  for (const { AlarmDescription } of alarms) {
    const heading = /Runbook: "(.+)" \(docs\/runbook\.md\)\.$/.exec(AlarmDescription)?.[1] ?? AlarmDescription;
    expect(runbook).toContain(`## ${heading}`);
  }
});

test('nothing is bad if nothing happens, but for the schedule', () => {
  for (const { AlarmName, AlarmActions, ComparisonOperator, InsufficientDataActions, TreatMissingData } of alarms) {
    const isSchedule = AlarmName.endsWith('ReconcileSilent');
    expect([ComparisonOperator, TreatMissingData]).toEqual(
      isSchedule ? ['LessThanThreshold', 'missing'] : ['GreaterThanThreshold', 'notBreaching'],
    );
    // The invocations of a schedule that invokes nothing are not zero, but end.
    expect(InsufficientDataActions).toEqual(isSchedule ? AlarmActions : undefined);
  }
});

test('all alarms go to a topic of their own, to which CloudWatch may publish and every address is subscribed', () => {
  const topic = { Ref: expect.stringMatching(/^AlarmsTopic/) as string };
  for (const { AlarmActions } of alarms) expect(AlarmActions).toEqual([topic]);
  template.hasResourceProperties('AWS::SNS::TopicPolicy', {
    PolicyDocument: {
      Statement: Match.arrayWith([
        Match.objectLike({
          Effect: 'Allow',
          Action: 'sns:Publish',
          Principal: { Service: 'cloudwatch.amazonaws.com' },
          Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
        }),
      ]),
    },
  });
  // CloudWatch may not use AWS's own key for SNS: alarms would be lost.
  template.hasResourceProperties('AWS::SNS::Topic', {
    TopicName: 'bedrock-batch-alarms',
    KmsMasterKeyId: Match.absent(),
  });
  template.hasResourceProperties('AWS::SNS::Subscription', {
    Endpoint: 'one@example.com',
    TopicArn: { Ref: Match.stringLikeRegexp('^AlarmsTopic') },
  });
});

test('jobs that the reconciler did not check are counted by lines of its log', () => {
  const filters = Object.values(template.findResources('AWS::Logs::MetricFilter')).map(
    ({ Properties }) => Properties as { FilterPattern: string; MetricTransformations: { MetricValue: string }[] },
  );
  const found = filters.map(({ FilterPattern, MetricTransformations }) => [
    FilterPattern,
    MetricTransformations[0]?.MetricValue,
  ]);
  expect(found).toEqual([
    ['{ $.fields.message = "job_not_reconciled" }', '1'],
    ['{ $.fields.message = "open_jobs_left" }', '$.fields.left'],
    ['{ $.fields.message = "oldest_open_job" }', '$.fields.age_seconds'],
  ]);
});

test('a job is too old hours after its timeout', () => {
  for (const hours of [24, 72]) {
    exampleTemplate({ bedrockBatchInferenceTimeoutHours: hours }).hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'bedrock-batch-OldestOpenJob',
      Statistic: 'Maximum',
      Threshold: (hours + 4) * 3600,
      AlarmDescription: Match.stringLikeRegexp(`timeout of ${hours} hours`),
    });
  }
});

test('the dashboard shows executions, lost events and errors', () => {
  template.hasResourceProperties('AWS::CloudWatch::Dashboard', { DashboardName: 'bedrock-batch' });
});
