import type { EventPattern } from 'aws-cdk-lib/aws-events';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';

/** Final status of an execution. */
export type EndStatus = 'ABORTED' | 'FAILED' | 'SUCCEEDED' | 'TIMED_OUT';

/**
 * Returns the pattern of executions of a state machine that ended with one of `statuses`.
 *
 * Children of its maps send the same events, with the label of their map after the ARN of the state machine. A pattern
 * with nothing but the ARN does not match them.
 */
export function executionStatus(stateMachine: StateMachine, statuses: readonly EndStatus[]): EventPattern {
  return {
    source: ['aws.states'],
    detailType: ['Step Functions Execution Status Change'],
    detail: { stateMachineArn: [stateMachine.stateMachineArn], status: statuses },
  };
}
