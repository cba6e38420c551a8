import { ArnFormat, type Stack } from 'aws-cdk-lib';
import { batchStateMachineName, type NameSettings } from '../settings/names';

/** Returns the ARNs that protect the task tokens of the batch orchestrator: its own, and those of the children of its maps. */
export function taskTokenResources(stack: Stack, settings: NameSettings): string[] {
  const own = stack.formatArn({
    service: 'states',
    resource: 'stateMachine',
    resourceName: batchStateMachineName(settings),
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
