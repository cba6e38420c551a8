import { Stack } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { BATCH_STATE_MACHINE_NAME, executionResource, PIPELINE_STATE_MACHINE_NAME } from '../state-machine/identity';
import type { Permission } from './permission';
import { WILDCARD_REASONS } from './reasons';

/** Returns the permission to describe executions of both orchestrators. */
export function readExecutions(scope: IConstruct): Permission {
  return {
    sid: 'ReadExecutions',
    actions: ['states:DescribeExecution'],
    resources: [BATCH_STATE_MACHINE_NAME, PIPELINE_STATE_MACHINE_NAME].map((name) =>
      executionResource(Stack.of(scope), name),
    ),
    wildcardReason: WILDCARD_REASONS.executions,
  };
}
