import { Duration, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { bedrockResources } from '../bedrock/resources';
import { ENVIRONMENT } from '../contract/environment';
import { JOB_TABLE } from '../contract/job-table';
import { WILDCARD_REASONS } from '../permissions/reasons';
import { batchStateMachineName } from '../settings/names';
import { executionResource, TASK_TOKEN_ACTIONS, taskTokenResources } from '../state-machine/identity';
import { bedrockEndpoints } from './bedrock-endpoints';
import { OrchestratorFunction, type SharedFunctionProps } from './orchestrator-function';

/** Settles open jobs that have been silent, and stops those that no execution waits for any longer. */
export class ReconcileFunction extends OrchestratorFunction {
  constructor(scope: Construct, id: string, props: SharedFunctionProps) {
    const { settings, table } = props;
    super(scope, id, {
      ...props,
      name: 'reconcile',
      memoryMb: 256,
      timeout: Duration.minutes(5),
      environment: {
        [ENVIRONMENT.silentSeconds]: String(settings.reconcileSilentSeconds),
        ...bedrockEndpoints(settings),
      },
    });

    this.allow({
      sid: 'FindOpenJobs',
      actions: ['dynamodb:Query'],
      resources: [`${table.tableArn}/index/${JOB_TABLE.openIndex.name}`],
    });
    this.allow({
      sid: 'TrackJobs',
      actions: ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
      resources: [table.tableArn],
    });
    this.allow({
      sid: 'ReadAndStopJobs',
      actions: ['bedrock:GetModelInvocationJob', 'bedrock:StopModelInvocationJob'],
      resources: [bedrockResources(Stack.of(this)).invocationJobs],
      wildcardReason: WILDCARD_REASONS.jobs,
    });
    this.allow({
      sid: 'FindJobs',
      actions: ['bedrock:ListModelInvocationJobs'],
      resources: ['*'],
      wildcardReason: WILDCARD_REASONS.jobListing,
    });
    this.allow({
      sid: 'SeeWhetherExecutionsRun',
      actions: ['states:DescribeExecution'],
      resources: [executionResource(Stack.of(this), batchStateMachineName(props.settings))],
      wildcardReason: WILDCARD_REASONS.executions,
    });
    this.allow({
      sid: 'AnswerTasks',
      actions: TASK_TOKEN_ACTIONS,
      resources: taskTokenResources(Stack.of(this), props.settings),
      wildcardReason: WILDCARD_REASONS.taskTokens,
    });
  }
}
