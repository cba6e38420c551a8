import { Duration, Stack } from 'aws-cdk-lib';
import { Effect } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { JOB_TABLE } from '../contract/job-table';
import { PREFIXES } from '../contract/storage-prefixes';
import { WILDCARD_REASONS } from '../permissions/reasons';
import { bucketArns } from './inputs';
import { workingFileSettings } from './working-files';
import { OrchestratorFunction, type SharedFunctionProps } from './orchestrator-function';

/** Writes the summary of a run and copies its answered rows where the user wants them, or finds the reason of its failure in its jobs. */
export class FinalizeFunction extends OrchestratorFunction {
  constructor(scope: Construct, id: string, props: SharedFunctionProps) {
    const { bucket, table, settings } = props;
    super(scope, id, {
      ...props,
      name: 'finalize',
      memoryMb: 256,
      timeout: Duration.minutes(15),
      environment: workingFileSettings(settings),
    });
    if (settings.deleteWorkingFilesAfterDays !== undefined) {
      this.allow({
        sid: 'NoteWhenFilesAreDeleted',
        actions: ['s3:PutObject'],
        resources: [bucket.arnForObjects(`${PREFIXES.expiring}/*`)],
        wildcardReason: WILDCARD_REASONS.runData,
      });
    }

    // Only the owner of a run writes its summary; the item of a run may also have the error that failed it.
    this.allow({ sid: 'ReadOwnerOfRun', actions: ['dynamodb:GetItem'], resources: [table.tableArn] });
    this.allow({
      sid: 'ReadJobsOfRun',
      actions: ['dynamodb:Query'],
      resources: [`${table.tableArn}/index/${JOB_TABLE.runIndex.name}`],
    });
    // Not narrowed to prefixes: without the right to list the bucket, S3 reports a missing key as a forbidden one.
    this.allow({ sid: 'ListBucket', actions: ['s3:ListBucket'], resources: [bucket.bucketArn] });
    this.allow({
      // The earlier summary of a run that was continued is for its metrics.
      sid: 'ReadPlanAndAnswers',
      actions: ['s3:GetObject'],
      resources: [`${PREFIXES.runs}/*/plan.json`, `${PREFIXES.runs}/*/summary.json`, `${PREFIXES.answers}/*`].map(
        (keys) => bucket.arnForObjects(keys),
      ),
      wildcardReason: WILDCARD_REASONS.runData,
    });
    this.allow({
      sid: 'WriteSummary',
      actions: ['s3:PutObject'],
      resources: [bucket.arnForObjects(`${PREFIXES.runs}/*/summary.json`)],
      wildcardReason: WILDCARD_REASONS.runData,
    });
    this.allow({
      sid: 'WriteCopies',
      actions: ['s3:PutObject'],
      resources: [bucket.bucketArn, ...bucketArns(Stack.of(this), settings.outputBuckets)].map((arn) => `${arn}/*`),
      wildcardReason:
        'Users choose the folder that answered rows are copied to: anywhere in the bucket but under the prefixes of the stack, and in the further buckets that the context names.',
    });
    // Preprocess refuses such folders too. Of the runs, whose summary the function writes, it refuses them alone.
    const { jobInputs, inputRows, jobOutputs, answers, trigger, settings: overrides } = PREFIXES;
    this.allow({
      sid: 'NoCopiesUnderPrefixesOfTheStack',
      effect: Effect.DENY,
      actions: ['s3:PutObject'],
      resources: [jobInputs, inputRows, jobOutputs, answers, trigger, overrides].map((prefix) =>
        bucket.arnForObjects(`${prefix}/*`),
      ),
      wildcardReason: 'It takes a permission away, under whole prefixes.',
    });
  }
}
