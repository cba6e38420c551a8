import { AwsSolutionsChecks } from 'cdk-nag';
import { expect, test } from 'vitest';
import { exampleStack } from './example-stack';

test.each([
  {
    inputBuckets: ['other-bucket'],
    inputPrefixes: ['inputs/', 's3://other-bucket/a/'],
    outputBuckets: ['reports-bucket'],
    notificationEmails: ['one@example.com'],
  },
  { downloadLinks: false, notifyRuns: false },
  { stage: 'dev' },
  { huggingFaceTokenSecret: 'team/hugging-face' },
])('cdk-nag has no finding without a reason with %j', (context) => {
  const { app } = exampleStack(context);
  const { violations } = new AwsSolutionsChecks(app).validateScope(app);
  const findings = violations.flatMap(({ ruleName, violatingResources }) =>
    violatingResources.map(({ constructPath }) => `${ruleName} at ${constructPath}`),
  );
  expect(findings).toEqual([]);
});
