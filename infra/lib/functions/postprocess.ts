import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { ENVIRONMENT } from '../contract/environment';
import { PREFIXES } from '../contract/storage-prefixes';
import { WILDCARD_REASONS } from '../permissions/reasons';
import { OrchestratorFunction, type SharedFunctionProps } from './orchestrator-function';

/** Joins the answers of one chunk with its rows, and writes the answered rows and the records to retry. */
export class PostprocessFunction extends OrchestratorFunction {
  constructor(scope: Construct, id: string, props: SharedFunctionProps) {
    const { bucket, table } = props;
    super(scope, id, {
      ...props,
      name: 'postprocess',
      memoryMb: props.settings.postprocessFunctionMemoryMb,
      timeout: Duration.minutes(15),
      environment: { [ENVIRONMENT.lateAnswersSeconds]: String(props.settings.lateAnswersSeconds) },
    });

    // Not narrowed to prefixes: without the right to list the bucket, S3 reports a missing key as a forbidden one.
    this.allow({ sid: 'ListBucket', actions: ['s3:ListBucket'], resources: [bucket.bucketArn] });
    this.allow({
      sid: 'ReadRowsAndAnswers',
      actions: ['s3:GetObject'],
      resources: [PREFIXES.runs, PREFIXES.inputRows, PREFIXES.jobInputs, PREFIXES.jobOutputs].map((prefix) =>
        bucket.arnForObjects(`${prefix}/*`),
      ),
      wildcardReason: WILDCARD_REASONS.runData,
    });
    this.allow({
      sid: 'WriteAnswersAndWhatIsUnanswered',
      actions: ['s3:PutObject', 's3:AbortMultipartUpload'],
      resources: [PREFIXES.answers, PREFIXES.runs].map((prefix) => bucket.arnForObjects(`${prefix}/*`)),
      wildcardReason: WILDCARD_REASONS.runData,
    });
    this.allow({ sid: 'TrackJobs', actions: ['dynamodb:GetItem', 'dynamodb:UpdateItem'], resources: [table.tableArn] });
  }
}
