import { Duration, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { ENVIRONMENT } from '../contract/environment';
import { JOB_TABLE } from '../contract/job-table';
import { PREFIXES } from '../contract/storage-prefixes';
import { WILDCARD_REASONS } from '../permissions/reasons';
import { executionResource } from '../state-machine/identity';
import { OrchestratorFunction, type SharedFunctionProps } from './orchestrator-function';

/**
 * Checks the execution's input, reads the rows and writes the chunks, the plan and the job manifest; later, says what
 * the run does next and writes the manifest of that.
 */
export class PreprocessFunction extends OrchestratorFunction {
  constructor(scope: Construct, id: string, props: SharedFunctionProps) {
    const { settings, bucket, table } = props;
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
    this.allow({
      sid: 'ReadJobsOfRun',
      actions: ['dynamodb:Query'],
      resources: [`${table.tableArn}/index/${JOB_TABLE.runIndex.name}`],
    });
    this.allow({
      sid: 'OwnRunAndTrackJobs',
      actions: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'],
      resources: [table.tableArn],
    });
    this.allow({
      // A run may be taken up by another execution only when its own has ended.
      sid: 'SeeWhetherExecutionsRun',
      actions: ['states:DescribeExecution'],
      resources: [executionResource(Stack.of(this))],
      wildcardReason: WILDCARD_REASONS.executions,
    });
  }
}
