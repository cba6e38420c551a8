import { AwsSolutionsChecks } from 'cdk-nag';
import { expect, test } from 'vitest';
import { exampleStack } from './example-stack';

const KEY = 'arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d-0000-4000-8000-0123456789ab';

test.each([
  {
    inputBuckets: ['other-bucket'],
    inputPrefixes: ['inputs/', 's3://other-bucket/a/'],
    outputBuckets: ['reports-bucket'],
    notificationEmails: ['one@example.com'],
  },
  { downloadLinks: false, notifyRuns: false },
  {
    stage: 'dev',
    inputKeyArns: KEY,
    encryptionKeyArn: KEY,
    jobSubnetIds: 'subnet-0a1b2c3d',
    jobSecurityGroupIds: 'sg-0a1b2c3d',
    tags: { project: 'tickets' },
  },
  { huggingFaceTokenSecret: 'team/hugging-face' },
])('cdk-nag has no finding without a reason with %j', (context) => {
  const { app } = exampleStack(context);
  const { violations } = new AwsSolutionsChecks(app).validateScope(app);
  const findings = violations.flatMap(({ ruleName, violatingResources }) =>
    violatingResources.map(({ constructPath }) => `${ruleName} at ${constructPath}`),
  );
  expect(findings).toEqual([]);
});
