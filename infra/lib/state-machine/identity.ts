import { ArnFormat, Aws, type Stack } from 'aws-cdk-lib';

/** Name of the batch orchestrator, known before it exists: so the functions that it invokes do not depend on it. */
export const BATCH_STATE_MACHINE_NAME = `bedrock-batch-orchestrator-${Aws.ACCOUNT_ID}`;

/** Name of the pipeline orchestrator, known before it exists for the same reason. */
export const PIPELINE_STATE_MACHINE_NAME = `bedrock-pipeline-orchestrator-${Aws.ACCOUNT_ID}`;

/** Returns the ARNs that protect the task tokens of the batch orchestrator: its own, and those of the children of its maps. */
export function taskTokenResources(stack: Stack): string[] {
  const own = stack.formatArn({
    service: 'states',
    resource: 'stateMachine',
    resourceName: BATCH_STATE_MACHINE_NAME,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  return [own, `${own}/*`];
}

/** Returns the ARN of the executions of a state machine. Users and the command line choose their names. */
export function executionResource(stack: Stack, stateMachineName: string): string {
  return stack.formatArn({
    service: 'states',
    resource: 'execution',
    resourceName: `${stateMachineName}:*`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}

/** Actions that a function needs to answer task tokens. */
export const TASK_TOKEN_ACTIONS = ['states:SendTaskSuccess', 'states:SendTaskFailure', 'states:SendTaskHeartbeat'];
