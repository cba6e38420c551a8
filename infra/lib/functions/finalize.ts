import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { JOB_TABLE } from '../contract/job-table';
import { PREFIXES } from '../contract/storage-prefixes';
import { OrchestratorFunction, type SharedFunctionProps } from './orchestrator-function';

/** Sums a run up, or finds out from its jobs why it failed. */
export class FinalizeFunction extends OrchestratorFunction {
  constructor(scope: Construct, id: string, props: SharedFunctionProps) {
    const { bucket, table } = props;
    super(scope, id, { ...props, name: 'finalize', memoryMb: 256, timeout: Duration.minutes(5) });

    this.allow('ReadJobs', ['dynamodb:GetItem'], [table.tableArn]);
    this.allow('ReadJobsOfRun', ['dynamodb:Query'], [`${table.tableArn}/index/${JOB_TABLE.runIndex.name}`]);
    // Not narrowed to prefixes: a missing key is told from a forbidden one only by who may list the bucket.
    this.allow('ListBucket', ['s3:ListBucket'], [bucket.bucketArn]);
    this.allow(
      'ReadPlanAndAnswers',
      ['s3:GetObject'],
      [PREFIXES.runs, PREFIXES.answers].map((prefix) => bucket.arnForObjects(`${prefix}/*`)),
    );
    this.allow('WriteSummary', ['s3:PutObject'], [bucket.arnForObjects(`${PREFIXES.runs}/*`)]);
  }
}
