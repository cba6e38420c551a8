import { ArnFormat, Aws, type Stack } from 'aws-cdk-lib';

/** The name of the batch orchestrator, known before it exists: that keeps the functions it calls free of a dependency on it. */
export const BATCH_STATE_MACHINE_NAME = `bedrock-batch-orchestrator-${Aws.ACCOUNT_ID}`;

/** The name of the pipeline orchestrator, known before it exists for the same reason. */
export const PIPELINE_STATE_MACHINE_NAME = `bedrock-pipeline-orchestrator-${Aws.ACCOUNT_ID}`;

/** ARNs that guard the task tokens of the batch orchestrator: its own, and those that the children of its maps go by. */
export function taskTokenResources(stack: Stack): string[] {
  const own = stack.formatArn({
    service: 'states',
    resource: 'stateMachine',
    resourceName: BATCH_STATE_MACHINE_NAME,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  return [own, `${own}/*`];
}

/** The ARN of the executions of a state machine; their names are what users and the command line choose. */
export function executionResource(stack: Stack, stateMachineName: string): string {
  return stack.formatArn({
    service: 'states',
    resource: 'execution',
    resourceName: `${stateMachineName}:*`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}

/** What a function needs to answer task tokens. */
export const TASK_TOKEN_ACTIONS = ['states:SendTaskSuccess', 'states:SendTaskFailure', 'states:SendTaskHeartbeat'];
