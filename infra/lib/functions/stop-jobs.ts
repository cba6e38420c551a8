import { Duration, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { bedrockResources } from '../bedrock/resources';
import { JOB_TABLE } from '../contract/job-table';
import { WILDCARD_REASONS } from '../permissions/reasons';
import { bedrockEndpoints } from './bedrock-endpoints';
import { OrchestratorFunction, type SharedFunctionProps } from './orchestrator-function';

/** Stops the open Bedrock jobs of a run whose execution was aborted, failed or timed out. */
export class StopJobsFunction extends OrchestratorFunction {
  constructor(scope: Construct, id: string, props: SharedFunctionProps) {
    const { settings, table } = props;
    super(scope, id, {
      ...props,
      name: 'stop-jobs',
      memoryMb: 256,
      timeout: Duration.minutes(5),
      environment: bedrockEndpoints(settings),
    });

    this.allow({
      sid: 'FindJobsOfRun',
      actions: ['dynamodb:Query'],
      resources: [`${table.tableArn}/index/${JOB_TABLE.runIndex.name}`],
    });
    this.allow({
      sid: 'MarkRunAsStopped',
      actions: ['dynamodb:UpdateItem'],
      resources: [table.tableArn],
    });
    this.allow({
      sid: 'StopJobs',
      actions: ['bedrock:StopModelInvocationJob'],
      resources: [bedrockResources(Stack.of(this)).invocationJobs],
      wildcardReason: WILDCARD_REASONS.jobs,
    });
    this.allow({
      sid: 'FindJobs',
      actions: ['bedrock:ListModelInvocationJobs'],
      resources: ['*'],
      wildcardReason: WILDCARD_REASONS.jobListing,
    });
  }
}
