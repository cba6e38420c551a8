import { ArnFormat, type Stack } from 'aws-cdk-lib';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { ENVIRONMENT } from '../contract/environment';
import { PREFIXES } from '../contract/storage-prefixes';
import { useOfInputKeys } from '../permissions/encryption';
import type { Permission } from '../permissions/permission';
import type { Settings } from '../settings/keys';

/** Returns the variables of the functions that check requests: what the context sets of inputs and their limits. */
export function inputSettings(settings: Settings): Record<string, string> {
  return {
    ...(settings.maxTotalRecords !== undefined && {
      [ENVIRONMENT.maxTotalRecords]: String(settings.maxTotalRecords),
    }),
    ...(settings.maxRecordsPerJob !== undefined && {
      [ENVIRONMENT.maxRecordsPerJob]: String(settings.maxRecordsPerJob),
    }),
    ...(settings.maxSubmittedAndInProgressJobs !== undefined && {
      [ENVIRONMENT.maxConcurrentJobs]: String(settings.maxSubmittedAndInProgressJobs),
    }),
    ...(settings.jobQuota !== undefined && { [ENVIRONMENT.jobQuota]: String(settings.jobQuota) }),
    [ENVIRONMENT.inputBuckets]: settings.inputBuckets.join(','),
    [ENVIRONMENT.inputPrefixes]: settings.inputPrefixes.join(','),
    [ENVIRONMENT.outputBuckets]: settings.outputBuckets.join(','),
    ...(settings.huggingFaceEndpoint !== undefined && { [ENVIRONMENT.hfEndpoint]: settings.huggingFaceEndpoint }),
    ...(settings.huggingFaceTokenSecret !== undefined && {
      [ENVIRONMENT.huggingFaceTokenSecret]: settings.huggingFaceTokenSecret,
    }),
  };
}

/** Returns the permissions that the same functions need to check the input and the output that a request names. */
export function inputPermissions(stack: Stack, bucket: IBucket, settings: Settings): Permission[] {
  return [
    ...bucketPermissions(stack, bucket, settings),
    ...(settings.huggingFaceTokenSecret === undefined
      ? []
      : [
          {
            sid: 'ReadHuggingFaceToken',
            actions: ['secretsmanager:GetSecretValue'],
            resources: [secretArn(stack, settings.huggingFaceTokenSecret)],
          },
        ]),
  ];
}

/** Returns those of these permissions that concern buckets. */
export function bucketPermissions(stack: Stack, bucket: IBucket, settings: Settings): Permission[] {
  const readable = [bucket.bucketArn, ...bucketArns(stack, settings.inputBuckets)];
  const output = bucketArns(stack, settings.outputBuckets);
  return [
    ...useOfInputKeys(settings),
    { sid: 'ListInputBuckets', actions: ['s3:ListBucket'], resources: readable },
    {
      sid: 'ReadInputs',
      actions: ['s3:GetObject'],
      resources: inputObjects(stack, bucket, settings),
      wildcardReason:
        'Users may store their input anywhere in the bucket and in the further buckets that the context names, or under the prefixes that it names; the functions also read the files of runs.',
    },
    // To find out, before a run starts, that a bucket does not exist or is in another region.
    ...(output.length === 0
      ? []
      : [{ sid: 'SeeWhetherOutputBucketsExist', actions: ['s3:ListBucket'], resources: output }]),
  ];
}

/** Returns the ARNs of the objects that inputs may be, and of the files of runs. */
function inputObjects(stack: Stack, bucket: IBucket, settings: Settings): string[] {
  if (settings.inputPrefixes.length === 0) {
    return [bucket.bucketArn, ...bucketArns(stack, settings.inputBuckets)].map((arn) => `${arn}/*`);
  }
  const read = Object.values(PREFIXES).filter((prefix) => prefix !== PREFIXES.expiring);
  const own = read.map((prefix) => bucket.arnForObjects(`${prefix}/*`));
  const inputs = settings.inputPrefixes.map((prefix) =>
    prefix.startsWith('s3://')
      ? stack.formatArn({ service: 's3', region: '', account: '', resource: `${prefix.slice('s3://'.length)}*` })
      : bucket.arnForObjects(`${prefix}*`),
  );
  return [...new Set([...own, ...inputs])];
}

/** Returns the ARNs of buckets. */
export function bucketArns(stack: Stack, names: readonly string[]): string[] {
  return names.map((name) => stack.formatArn({ service: 's3', region: '', account: '', resource: name }));
}

/** Returns the ARN of a secret: Secrets Manager adds a hyphen and six characters to its name. */
function secretArn(stack: Stack, nameOrArn: string): string {
  if (nameOrArn.startsWith('arn:')) return nameOrArn;
  const resourceName = `${nameOrArn}-??????`;
  return stack.formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    resourceName,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}
