import { Duration, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { bedrockResources } from '../bedrock/resources';
import { WILDCARD_REASONS } from '../permissions/reasons';
import { TASK_TOKEN_ACTIONS, taskTokenResources } from '../state-machine/identity';
import { bedrockEndpoints } from './bedrock-endpoints';
import { OrchestratorFunction, type SharedFunctionProps } from './orchestrator-function';

/** Settles the job that an event names: reads it from Bedrock, updates the job table and answers the task token. */
export class JobStatusFunction extends OrchestratorFunction {
  constructor(scope: Construct, id: string, props: SharedFunctionProps) {
    super(scope, id, {
      ...props,
      name: 'job-status',
      memoryMb: 256,
      timeout: Duration.minutes(1),
      environment: bedrockEndpoints(props.settings),
    });

    this.allow({
      sid: 'TrackJobs',
      actions: ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
      resources: [props.table.tableArn],
    });
    this.allow({
      sid: 'ReadJobs',
      actions: ['bedrock:GetModelInvocationJob'],
      resources: [bedrockResources(Stack.of(this)).invocationJobs],
      wildcardReason: WILDCARD_REASONS.jobs,
    });
    this.allow({
      sid: 'AnswerTasks',
      actions: TASK_TOKEN_ACTIONS,
      resources: taskTokenResources(Stack.of(this), props.settings),
      wildcardReason: WILDCARD_REASONS.taskTokens,
    });
  }
}
