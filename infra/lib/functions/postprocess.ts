import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PREFIXES } from '../contract/storage-prefixes';
import { OrchestratorFunction, type SharedFunctionProps } from './orchestrator-function';

/** Joins the answers of one job with its rows and writes them. */
export class PostprocessFunction extends OrchestratorFunction {
  constructor(scope: Construct, id: string, props: SharedFunctionProps) {
    const { bucket, table } = props;
    super(scope, id, {
      ...props,
      name: 'postprocess',
      memoryMb: props.settings.postprocessFunctionMemoryMb,
      timeout: Duration.minutes(15),
    });

    // Not narrowed to prefixes: a missing key is told from a forbidden one only by who may list the bucket.
    this.allow('ListBucket', ['s3:ListBucket'], [bucket.bucketArn]);
    this.allow(
      'ReadRowsAndAnswers',
      ['s3:GetObject'],
      [PREFIXES.runs, PREFIXES.inputRows, PREFIXES.jobInputs, PREFIXES.jobOutputs].map((prefix) => bucket.arnForObjects(`${prefix}/*`)),
    );
    this.allow('WriteAnswers', ['s3:PutObject', 's3:AbortMultipartUpload'], [bucket.arnForObjects(`${PREFIXES.answers}/*`)]);
    this.allow('TrackJobs', ['dynamodb:GetItem', 'dynamodb:UpdateItem'], [table.tableArn]);
  }
}
