import { Duration, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { ENVIRONMENT } from '../contract/environment';
import { PREFIXES } from '../contract/storage-prefixes';
import { WILDCARD_REASONS } from '../permissions/reasons';
import { OrchestratorFunction, type SharedFunctionProps } from './orchestrator-function';

/** Checks the execution's input, reads the rows and writes the chunks, the plan and the job manifest. */
export class PreprocessFunction extends OrchestratorFunction {
  constructor(scope: Construct, id: string, props: SharedFunctionProps) {
    const { settings, bucket } = props;
    super(scope, id, {
      ...props,
      name: 'preprocess',
      memoryMb: settings.preprocessFunctionMemoryMb,
      timeout: Duration.minutes(15),
      environment: {
        ...(settings.maxTotalRecords !== undefined && {
          [ENVIRONMENT.maxTotalRecords]: String(settings.maxTotalRecords),
        }),
        [ENVIRONMENT.maxRecordsPerJob]: String(settings.maxRecordsPerJob),
        [ENVIRONMENT.maxConcurrentJobs]: String(settings.maxSubmittedAndInProgressJobs),
        [ENVIRONMENT.inputBuckets]: settings.inputBuckets.join(','),
      },
    });

    const furtherBuckets = settings.inputBuckets.map((name) =>
      Stack.of(this).formatArn({ service: 's3', region: '', account: '', resource: name }),
    );
    const readable = [bucket.bucketArn, ...furtherBuckets];
    this.allow({ sid: 'ListInputBuckets', actions: ['s3:ListBucket'], resources: readable });
    this.allow({
      sid: 'ReadInputs',
      actions: ['s3:GetObject'],
      resources: readable.map((arn) => `${arn}/*`),
      wildcardReason:
        'Users may put their input anywhere in the bucket, and in the further buckets that the context names.',
    });
    this.allow({
      sid: 'WriteChunksAndPlan',
      actions: ['s3:PutObject', 's3:AbortMultipartUpload'],
      resources: [PREFIXES.jobInputs, PREFIXES.inputRows, PREFIXES.runs].map((prefix) =>
        bucket.arnForObjects(`${prefix}/*`),
      ),
      wildcardReason: WILDCARD_REASONS.runData,
    });
  }
}
