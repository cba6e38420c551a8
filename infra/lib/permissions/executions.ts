import { Stack } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { batchStateMachineName, type NameSettings, pipelineStateMachineName } from '../settings/names';
import { executionResource } from '../state-machine/identity';
import type { Permission } from './permission';
import { WILDCARD_REASONS } from './reasons';

/** Returns the permission to describe executions of both orchestrators. */
export function readExecutions(scope: IConstruct, settings: NameSettings): Permission {
  return {
    sid: 'ReadExecutions',
    actions: ['states:DescribeExecution'],
    resources: [batchStateMachineName(settings), pipelineStateMachineName(settings)].map((name) =>
      executionResource(Stack.of(scope), name),
    ),
    wildcardReason: WILDCARD_REASONS.executions,
  };
}
