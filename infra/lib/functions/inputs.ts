import type { Stack } from 'aws-cdk-lib';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { ENVIRONMENT } from '../contract/environment';
import type { Permission } from '../permissions/permission';
import type { Settings } from '../settings/keys';

/** Returns the variables of the functions that check requests: the limits that the context sets. */
export function inputLimits(settings: Settings): Record<string, string> {
  return {
    ...(settings.maxTotalRecords !== undefined && {
      [ENVIRONMENT.maxTotalRecords]: String(settings.maxTotalRecords),
    }),
    [ENVIRONMENT.maxRecordsPerJob]: String(settings.maxRecordsPerJob),
    [ENVIRONMENT.maxConcurrentJobs]: String(settings.maxSubmittedAndInProgressJobs),
    [ENVIRONMENT.inputBuckets]: settings.inputBuckets.join(','),
  };
}

/** Returns the permissions that the same functions need to read the input that a request names. */
export function inputPermissions(stack: Stack, bucket: IBucket, settings: Settings): Permission[] {
  const furtherBuckets = settings.inputBuckets.map((name) =>
    stack.formatArn({ service: 's3', region: '', account: '', resource: name }),
  );
  const readable = [bucket.bucketArn, ...furtherBuckets];
  return [
    { sid: 'ListInputBuckets', actions: ['s3:ListBucket'], resources: readable },
    {
      sid: 'ReadInputs',
      actions: ['s3:GetObject'],
      resources: readable.map((arn) => `${arn}/*`),
      wildcardReason:
        'Users may store their input anywhere in the bucket, and in the further buckets that the context names.',
    },
  ];
}
